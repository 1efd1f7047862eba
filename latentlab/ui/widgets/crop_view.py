"""A frame with the region given to the model drawn in it, which the mouse and the arrow keys move and resize."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.core.video_messages import Crop
from latentlab.ui import style
from latentlab.ui.widgets.crop_drag import MOVE, NEW, CropDrag, nudged, part_at

REACH = 7
HANDLE = 6
SHADE = 120
REMEMBERED = 50
CURSORS = {
    "n": Qt.CursorShape.SizeVerCursor,
    "s": Qt.CursorShape.SizeVerCursor,
    "w": Qt.CursorShape.SizeHorCursor,
    "e": Qt.CursorShape.SizeHorCursor,
    "nw": Qt.CursorShape.SizeFDiagCursor,
    "se": Qt.CursorShape.SizeFDiagCursor,
    "ne": Qt.CursorShape.SizeBDiagCursor,
    "sw": Qt.CursorShape.SizeBDiagCursor,
    MOVE: Qt.CursorShape.SizeAllCursor,
    NEW: Qt.CursorShape.CrossCursor,
}
TOOLTIP = (
    "The whole frame and the region given to the model. Drag the region, its edges or corners; drag elsewhere for a "
    "new one. It snaps to the model's shape and to the edges of the frame (not with Alt). Arrows: move by a pixel, "
    "Shift 10, Ctrl resize; Escape: undo; Delete: reset"
)


class CropView(QWidget):
    """Shows a frame as large as fits and lets a region of it be chosen.

    ``crop_dragged`` tells every move of a drag, ``crop_chosen`` its end, and each key press. Escape takes a drag
    back, or else the change before. Thread: GUI.
    """

    crop_dragged = Signal(object)  # Crop while the mouse moves
    crop_chosen = Signal(object)  # Crop, or None for the whole frame
    reset_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setToolTip(TOOLTIP)
        self.setAccessibleName("Whole frame with the region given to the model")
        self.setFont(style.figure_font(self.font()))
        self.aspect: float | None = None
        self.editable = True
        self._image: QImage | None = None
        self._drawn: QPixmap | None = None
        self._crop: Crop | None = None
        self._drag: CropDrag | None = None
        self._before: list[Crop | None] = []
        self._part = ""
        self._moved = False
        style.theme_events().changed.connect(self.apply_theme)

    @property
    def crop(self) -> Crop | None:
        """The region drawn; None is the whole frame."""
        return self._crop

    @property
    def dragging(self) -> bool:
        """Whether the mouse holds the region."""
        return self._drag is not None

    def image(self) -> QImage | None:
        """Return the frame shown."""
        return self._image

    def set_image(self, image: QImage | None) -> None:
        """Show a frame."""
        if image is None or self._image is None or image.size() != self._image.size():
            self._before.clear()
            self._drag = None
        self._image, self._drawn = image, None
        self.update()

    def set_crop(self, crop: Crop | None) -> None:
        """Draw a region chosen elsewhere; while the mouse holds one, that one stays."""
        if self._drag is None and crop != self._crop:
            self._crop = crop
            self.update()

    def undo(self) -> bool:
        """Take back the last change made here; return whether there was one."""
        if not self._before:
            return False
        self._crop = self._before.pop()
        self.update()
        self.crop_chosen.emit(self._crop)
        return True

    def sizeHint(self) -> QSize:
        """Return a size at which a region can be chosen."""
        return QSize(320, 200)

    @Slot()
    def apply_theme(self) -> None:
        """Draw in the colours in force."""
        self.update()

    # -- places ---------------------------------------------------------------------------------

    def picture_rect(self) -> QRect:
        """Return where the frame is drawn, in logical pixels."""
        if self._image is None:
            return QRect()
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        size = size.expandedTo(QSize(1, 1))
        return QRect(
            (self.width() - size.width()) // 2, (self.height() - size.height()) // 2, size.width(), size.height()
        )

    def region_rect(self, crop: Crop | None = None) -> QRectF:
        """Return where a region (by default the one in use) is drawn."""
        picture, factor = self.picture_rect(), self._factor()
        crop = crop or self._crop
        if crop is None:
            return QRectF(picture)
        x, y, width, height = crop
        return QRectF(picture.left() + x * factor, picture.top() + y * factor, width * factor, height * factor)

    def _factor(self) -> float:
        """Return logical pixels per pixel of the frame."""
        return self.picture_rect().width() / self._image.width() if self._image is not None else 1.0

    def _point(self, position: QPointF) -> tuple[float, float]:
        picture, factor = self.picture_rect(), self._factor()
        return (position.x() - picture.left()) / factor, (position.y() - picture.top()) / factor

    def _frame(self) -> tuple[int, int]:
        assert self._image is not None
        return self._image.width(), self._image.height()

    # -- mouse and keys -------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the region, or begin a new one."""
        if event.button() != Qt.MouseButton.LeftButton or self._image is None or not self.editable:
            return
        x, y = self._point(event.position())
        part = part_at(self._crop, x, y, REACH / self._factor())
        crop = self._crop or (0, 0, *self._frame())
        self._drag = CropDrag(part, (x, y), crop, self._frame(), self.aspect, REACH / self._factor())
        self._part = part
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move what is held; show what could be held."""
        if self._image is None or not self.editable:
            return
        x, y = self._point(event.position())
        if self._drag is None:
            self._part = part_at(self._crop, x, y, REACH / self._factor())
            self.setCursor(CURSORS[self._part])
            self.update()
            return
        drag = self._drag
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            drag = replace(drag, reach=0.0)
        if drag.part == NEW and max(abs(x - drag.origin[0]), abs(y - drag.origin[1])) * self._factor() < 4:
            return
        crop = drag.to(x, y)
        if crop != self._crop:
            if not self._moved:
                self._remember()
            self._crop, self._moved = crop, True
            self.update()
            self.crop_dragged.emit(crop)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose the region as it is now."""
        if event.button() == Qt.MouseButton.LeftButton and self._drag is not None:
            moved, self._moved, self._drag = self._moved, False, None
            self.update()
            if moved:
                self.crop_chosen.emit(self._crop)

    def leaveEvent(self, event: QEvent) -> None:
        """Hide the handles."""
        if self._drag is None:
            self._part = ""
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take back a drag or the change before it, reset, or move the region by pixels."""
        keys = Qt.Key
        steps = {keys.Key_Left: (-1, 0), keys.Key_Right: (1, 0), keys.Key_Up: (0, -1), keys.Key_Down: (0, 1)}
        key = Qt.Key(event.key())
        if key == keys.Key_Escape and self._escape():
            return
        if key in (keys.Key_Delete, keys.Key_Backspace) and self.editable:
            self.reset_wanted.emit()
        elif key in steps and self._crop is not None and self.editable and self._image is not None:
            times = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            resize = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            dx, dy = (step * times for step in steps[key])
            self._take(nudged(self._crop, self._frame(), dx, dy, resize=resize))
        else:
            super().keyPressEvent(event)

    def _escape(self) -> bool:
        if self._drag is None:
            return self.undo()
        self._drag = None
        if self._moved:
            self._moved = False
            return self.undo()
        return True

    def _remember(self) -> None:
        self._before.append(self._crop)
        del self._before[:-REMEMBERED]

    def _take(self, crop: Crop) -> None:
        if crop != self._crop:
            self._remember()
            self._crop = crop
            self.update()
            self.crop_chosen.emit(crop)

    # -- painting -------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scale the frame anew."""
        self._drawn = None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame, what is left out in the dark, and the region's edge."""
        if self._image is None:
            return
        painter = QPainter(self)
        picture = self.picture_rect()
        if self._drawn is None:
            self._drawn = self._scaled(self._image, picture.size())
        painter.drawPixmap(picture.topLeft(), self._drawn)
        if self._crop is not None:
            self._draw_region(painter, QRectF(picture), self.region_rect())
        painter.end()

    def _scaled(self, image: QImage, size: QSize) -> QPixmap:
        ratio = self.devicePixelRatioF()
        modes, ignore = Qt.TransformationMode, Qt.AspectRatioMode.IgnoreAspectRatio
        target = size * ratio
        sharp = target.width() >= 2 * image.width()
        shown = image.scaled(target, ignore, modes.FastTransformation if sharp else modes.SmoothTransformation)
        pixmap = QPixmap.fromImage(shown)
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def _draw_region(self, painter: QPainter, picture: QRectF, region: QRectF) -> None:
        outside = QPainterPath()
        outside.addRect(picture)
        inside = QPainterPath()
        inside.addRect(region)
        painter.fillPath(outside.subtracted(inside), QColor(0, 0, 0, SHADE))
        painter.setPen(QPen(style.colour("accent"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(region.adjusted(1, 1, -1, -1))
        if self.editable and (self._part or self.hasFocus()):
            self._draw_handles(painter, region)
        if self._drag is not None and self._crop is not None:
            self._draw_numbers(painter, picture, region, self._crop)

    def _draw_handles(self, painter: QPainter, region: QRectF) -> None:
        middle = region.center()
        xs, ys = (
            (region.left() + 1, middle.x(), region.right() - 1),
            (region.top() + 1, middle.y(), region.bottom() - 1),
        )
        for x in xs:
            for y in ys:
                if (x, y) != (middle.x(), middle.y()):
                    spot = QRectF(x - HANDLE / 2, y - HANDLE / 2, HANDLE, HANDLE)
                    painter.fillRect(spot, style.colour("accent_text"))
                    painter.setPen(QPen(style.colour("accent"), 1))
                    painter.drawRect(spot)

    def _draw_numbers(self, painter: QPainter, picture: QRectF, region: QRectF, crop: Crop) -> None:
        """Write the region's numbers beside it, inside the picture."""
        text = f"{crop[2]}×{crop[3]} at {crop[0]}, {crop[1]}"
        metrics = painter.fontMetrics()
        width, height = metrics.horizontalAdvance(text) + 12, metrics.height() + 4
        left = min(max(picture.left(), region.left()), picture.right() - width)
        below = region.bottom() + 4 + height <= picture.bottom()
        top = region.bottom() + 4 if below else max(picture.top(), region.bottom() - height - 4)
        box = QRectF(left, top, width, height)
        painter.fillRect(box, style.colour("accent"))
        painter.setPen(style.colour("accent_text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
