"""A picture with another one under a movable line: before at its left, after at its right."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QWidget

from latentlab.core.messages import Images
from latentlab.ui import style
from latentlab.ui.views.picture import PictureView, to_qimage

GRIP = 7
LABEL_PAD = 4


class WipeView(PictureView):
    """A ``PictureView`` whose last picture can be wiped against one of the same size. Thread: GUI."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.share = 0.5
        self.names = ("before", "after")
        self._before: Images | None = None
        self._before_pixmap: QPixmap | None = None

    @property
    def wiping(self) -> bool:
        """Whether there is a picture under the line."""
        return self._before is not None

    def set_before(self, picture: Images | None, name: str = "before", after: str = "now") -> None:
        """Put a picture (H, W, C) under the left side; None takes it away."""
        self._before, self._before_pixmap = picture, None
        self.names = (name, after)
        self.update()

    def set_share(self, share: float) -> None:
        """Move the line, 0 at the left edge of the picture and 1 at its right."""
        self.share = max(0.0, min(1.0, share))
        self.update()

    def wiped_rect(self) -> QRect:
        """Return where the wiped picture is: the last of those shown."""
        return self.cell_rect(0 if self._images is None else len(self._images) - 1)

    def line_x(self) -> float:
        """Return where the line is, in the widget's pixels."""
        rect = self.wiped_rect()
        return rect.left() + self.share * rect.width()

    def on_line(self, position: QPointF) -> bool:
        """Whether a point is on the line, near enough to take hold of it."""
        return self.wiping and abs(position.x() - self.line_x()) <= GRIP

    def move_line(self, x: float) -> None:
        """Move the line to a place of the widget."""
        rect = self.wiped_rect()
        self.set_share((x - rect.left()) / max(1, rect.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scale both pictures anew."""
        super().resizeEvent(event)
        self._before_pixmap = None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the pictures, the one under the line, the line and both names."""
        super().paintEvent(event)
        if self._before is None or self._images is None:
            return
        rect, x = self.wiped_rect(), self.line_x()
        painter = QPainter(self)
        painter.save()
        painter.setClipRect(QRectF(rect.left(), rect.top(), x - rect.left(), rect.height()))
        painter.drawPixmap(rect, self._scaled(rect))
        painter.restore()
        painter.setPen(QPen(style.colour("accent"), 2))
        painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        self._paint_name(painter, rect, self.names[0], left=True)
        self._paint_name(painter, rect, self.names[1], left=False)
        painter.end()

    def _scaled(self, rect: QRect) -> QPixmap:
        assert self._before is not None
        if self._before_pixmap is None:
            sharp = self._placed().sharp
            mode = Qt.TransformationMode.FastTransformation if sharp else Qt.TransformationMode.SmoothTransformation
            size = rect.size() * self.devicePixelRatioF()
            image = to_qimage(self._before).scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, mode)
            self._before_pixmap = QPixmap.fromImage(image)
        return self._before_pixmap

    def _paint_name(self, painter: QPainter, rect: QRect, name: str, *, left: bool) -> None:
        metrics = painter.fontMetrics()
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, rect.width() // 2 - 4 * LABEL_PAD)
        width = metrics.horizontalAdvance(text) + 2 * LABEL_PAD
        x = rect.left() + LABEL_PAD if left else rect.right() - LABEL_PAD - width
        box = QRect(x, rect.top() + LABEL_PAD, width, metrics.height() + 2)
        painter.fillRect(box, QColor(0, 0, 0, 150))
        painter.setPen(QColor("white"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
