"""The picture view: equally sized pictures, as large as fits, sharp when small, on a neutral ground."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from latentlab.core.messages import Images
from latentlab.ui import style
from latentlab.ui.views.picture_layout import MosaicLayout, MosaicRequest, arrange

GAP = 4
MARGIN = 3  # room for the edge around a marked picture
MIN_CAPTION_WIDTH = 28


def to_qimage(picture: Images) -> QImage:
    """Return a QImage with its own memory of one HWC uint8 picture (1 or 3 channels)."""
    height, width, channels = picture.shape
    formats = {1: QImage.Format.Format_Grayscale8, 3: QImage.Format.Format_RGB888}
    data = np.ascontiguousarray(picture)
    return QImage(data.data, width, height, width * channels, formats[channels]).copy()


def tile(images: Images, columns: int, ground: tuple[int, int, int]) -> Images:
    """Return NHWC pictures side by side without gaps, as one HWC picture; empty cells in ``ground``."""
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    fill = np.array(ground if channels == 3 else ground[:1], dtype=np.uint8)
    cells = np.broadcast_to(fill, (rows * columns, height, width, channels)).copy()
    cells[:count] = images
    grid = cells.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(rows * height, columns * width, channels))


class PictureView(QWidget):
    """Shows one picture or a mosaic of equally sized ones.

    Small pictures are magnified by whole numbers without interpolation, so that a pixel is a square;
    pictures shown at less than twice their size are scaled smoothly to fill the room.
    Thread: GUI.
    """

    clicked = Signal(int)  # index of the picture under a left click
    context_requested = Signal(int)  # index of the picture under a right click
    hovered = Signal(int)  # index of the picture under the pointer, -1 for none

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(48, 48)
        self.setMouseTracking(True)
        self.setAccessibleName("Pictures")
        self.setFont(style.figure_font(self.font()))
        self._images: Images | None = None
        self._columns: int | None = None
        self._group = 1
        self._captions: tuple[str, ...] = ()
        self._row_labels: tuple[str, ...] = ()
        self._column_labels: tuple[str, ...] = ()
        self._tips: tuple[str, ...] = ()
        self._highlight: int | None = None
        self._hover: int | None = None
        self._message = ""
        self._cache: QPixmap | None = None
        self._layout: MosaicLayout | None = None
        style.theme_events().changed.connect(self.apply_theme)

    def set_images(
        self,
        images: Images,
        *,
        columns: int | None = None,
        captions: Sequence[str] | None = None,
        row_labels: Sequence[str] | None = None,
        column_labels: Sequence[str] | None = None,
        highlight: int | None = None,
        group_rows: int = 1,
        tips: Sequence[str] | None = None,
    ) -> None:
        """Show NHWC (or one HWC) uint8 pictures, row by row; the array is not changed and must not be.

        Parameters
        ----------
        images
            (N, H, W, C) or (H, W, C) uint8, C 1 or 3.
        columns
            Pictures in a row; None chooses the number that shows them largest.
        captions
            A short text under each picture; the whole text is also its tooltip.
        row_labels, column_labels
            Texts left of each row, above each column.
        highlight
            Index of the picture with an accented edge.
        group_rows
            Rows that belong together (2: originals over reconstructions); a wider gap parts the groups.
        tips
            Tooltips, where they should differ from the captions.
        """
        pictures = images[None] if images.ndim == 3 else images
        same_shape = self._images is not None and self._images.shape == pictures.shape
        before = (self._columns, self._group, bool(self._captions), self._row_labels, self._column_labels)
        self._images = pictures if len(pictures) else None
        self._columns, self._group = columns, max(1, group_rows)
        self._captions = tuple(captions or ())
        self._row_labels, self._column_labels = tuple(row_labels or ()), tuple(column_labels or ())
        self._tips = tuple(tips or self._captions)
        self._highlight = highlight
        after = (self._columns, self._group, bool(self._captions), self._row_labels, self._column_labels)
        if not same_shape or before != after:
            self._layout = None
        self._cache = None
        self.update()

    def set_highlight(self, index: int | None) -> None:
        """Give picture ``index`` (None: no picture) the accented edge."""
        if index != self._highlight:
            self._highlight = index
            self.update()

    def clear(self, message: str = "") -> None:
        """Show no picture, and ``message`` in the middle of the ground."""
        self._images = self._cache = self._layout = None
        self._captions = self._row_labels = self._column_labels = self._tips = ()
        self._message = message
        self._highlight = self._hover = None
        self.update()

    def image(self) -> QImage | None:
        """Return what is shown as one picture without gaps, at the pictures' own resolution."""
        if self._images is None:
            return None
        ground = style.colour("ground")
        fill = (ground.red(), ground.green(), ground.blue())
        return to_qimage(tile(self._images, self._placed().columns, fill))

    def picture(self, index: int) -> QImage | None:
        """Return one picture at its own resolution."""
        if self._images is None or not 0 <= index < len(self._images):
            return None
        return to_qimage(self._images[index])

    def cell_rect(self, index: int) -> QRect:
        """Return where picture ``index`` is drawn, in the widget's logical pixels."""
        layout, ratio = self._placed(), self.devicePixelRatioF()
        left, top = layout.corner(index)
        size = QSize(round(layout.width / ratio), round(layout.height / ratio))
        return QRect(QPoint(round(left / ratio) + MARGIN, round(top / ratio) + MARGIN), size)

    @property
    def columns(self) -> int:
        """Pictures in a row as laid out now."""
        return self._placed().columns

    @Slot()
    def apply_theme(self) -> None:
        """Draw again in the colours in force."""
        self._cache = None
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which a mosaic can be judged."""
        return QSize(320, 320)

    # -- layout ---------------------------------------------------------------------------------

    def _placed(self) -> MosaicLayout:
        if self._layout is None:
            self._layout = arrange(self._request())
        return self._layout

    def _request(self) -> MosaicRequest:
        ratio = self.devicePixelRatioF()
        metrics = QFontMetrics(self.font())
        line = metrics.height()
        label = max((metrics.horizontalAdvance(text) for text in self._row_labels), default=-style.SPACING)
        count, (height, width) = (0, (1, 1)) if self._images is None else (len(self._images), self._images.shape[1:3])
        return MosaicRequest(
            count=count,
            picture=(width, height),
            area=(int((self.width() - 2 * MARGIN) * ratio), int((self.height() - 2 * MARGIN) * ratio)),
            columns=self._columns,
            gap=round(GAP * ratio),
            below=round((line + 2) * ratio) if self._captions else 0,
            left=round((label + style.SPACING) * ratio),
            above=round((line + 4) * ratio) if self._column_labels else 0,
            group=self._group,
            group_gap=round(2 * GAP * ratio) if self._group > 1 else 0,
        )

    def _rendered(self) -> QPixmap:
        """Return the mosaic at screen resolution, drawn once per change."""
        if self._cache is None:
            layout = self._placed()
            ratio = self.devicePixelRatioF()
            image = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
            image.fill(style.colour("ground"))
            margin = QPoint(1, 1) * round(MARGIN * ratio)
            painter = QPainter(image)
            for index, picture in enumerate(self._images if self._images is not None else ()):
                source = to_qimage(picture)
                mode = (
                    Qt.TransformationMode.FastTransformation
                    if layout.sharp
                    else Qt.TransformationMode.SmoothTransformation
                )
                shown = source.scaled(layout.width, layout.height, Qt.AspectRatioMode.IgnoreAspectRatio, mode)
                painter.drawImage(QPoint(*layout.corner(index)) + margin, shown)
            painter.end()
            self._cache = QPixmap.fromImage(image)
            self._cache.setDevicePixelRatio(ratio)
        return self._cache

    # -- events ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the mosaic, its labels and the edges of the marked pictures."""
        painter = QPainter(self)
        if self._images is None:
            painter.fillRect(self.rect(), style.colour("ground"))
            painter.setPen(style.colour("muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._message)
            return
        painter.drawPixmap(0, 0, self._rendered())
        painter.setPen(style.colour("muted"))
        self._paint_captions(painter)
        self._paint_labels(painter)
        if self._hover is not None and self._hover != self._highlight:
            self._paint_edge(painter, self._hover, style.colour("muted"), 1)
        if self._highlight is not None:
            self._paint_edge(painter, self._highlight, style.colour("accent"), 2)

    def _paint_edge(self, painter: QPainter, index: int, colour: QColor, width: int) -> None:
        painter.setPen(QPen(colour, width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.cell_rect(index).adjusted(-1, -1, width - 1, width - 1))

    def _paint_captions(self, painter: QPainter) -> None:
        metrics = painter.fontMetrics()
        for index, room in self.caption_places():
            cell = self.cell_rect(index)
            shown = metrics.elidedText(self._captions[index], Qt.TextElideMode.ElideRight, room)
            line = QRect(cell.center().x() - room // 2, cell.bottom() + 2, room, metrics.height())
            painter.drawText(line, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, shown)

    def caption_places(self) -> list[tuple[int, int]]:
        """Return (picture, width in pixels) of the captions to draw.

        Where one does not fit under its picture, every other is left out and the rest may be twice as wide:
        half the numbers of a strip say more than all of them cut off.
        """
        captions = self._captions[: len(self._images) if self._images is not None else 0]
        cell = self.cell_rect(0).width()
        if not captions or cell < MIN_CAPTION_WIDTH:
            return []
        widest = max(self.fontMetrics().horizontalAdvance(text) for text in captions)
        alternate = widest > cell + GAP and self._placed().columns > 2
        step, room = (2, 2 * cell) if alternate else (1, cell + GAP)
        return [(index, room) for index in range(0, len(captions), step)]

    def _paint_labels(self, painter: QPainter) -> None:
        layout = self._placed()
        middle = Qt.AlignmentFlag.AlignVCenter
        for row, text in enumerate(self._row_labels[: layout.rows]):
            cell = self.cell_rect(row * layout.columns)
            line = QRect(0, cell.top(), cell.left() - style.SPACING, cell.height())
            painter.drawText(line, Qt.AlignmentFlag.AlignRight | middle, text)
        labels = self._column_labels[: layout.columns]
        widest = max((painter.fontMetrics().horizontalAdvance(text) for text in labels), default=0)
        step = 1 if widest <= self.cell_rect(0).width() + GAP or len(labels) < 3 else 2
        for column in range(0, len(labels), step):
            cell = self.cell_rect(column)
            room = step * (cell.width() + GAP)
            shown = painter.fontMetrics().elidedText(labels[column], Qt.TextElideMode.ElideRight, room)
            line = QRect(cell.center().x() - room // 2, 0, room, cell.top() - 4)
            painter.drawText(line, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the pictures out again."""
        self._layout = self._cache = None

    def changeEvent(self, event: QEvent) -> None:
        """Lay the pictures out again when the font changed."""
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._layout = self._cache = None
        super().changeEvent(event)

    def index_at(self, position: QPoint) -> int | None:
        """Return the picture under a point of the widget, or None."""
        if self._images is None:
            return None
        place = (position - QPoint(MARGIN, MARGIN)) * self.devicePixelRatioF()
        return self._placed().index_at(place.x(), place.y(), len(self._images))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the picture under the pointer."""
        self._set_hover(self.index_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        """Unmark the picture that was under the pointer."""
        self._set_hover(None)

    def _set_hover(self, index: int | None) -> None:
        if index != self._hover:
            self._hover = index
            self.hovered.emit(-1 if index is None else index)
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which picture was clicked."""
        index = self.index_at(event.position().toPoint())
        if index is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(index)
        else:
            super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Tell which picture a menu is wanted for."""
        index = self.index_at(event.pos())
        if index is not None:
            self.context_requested.emit(index)

    def event(self, event: QEvent) -> bool:
        """Show the tooltip of the picture under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self._tips:
            index = self.index_at(event.pos())
            text = self._tips[index] if index is not None and index < len(self._tips) else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)
