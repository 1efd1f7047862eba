"""A figure that paints itself: a title, two axes, and what a subclass draws between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetricsF,
    QGuiApplication,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QPolygonF,
)
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QMenu, QSizePolicy, QToolTip, QWidget

from latentlab.core.errors import InputError
from latentlab.core.paths import screenshots_dir
from latentlab.ui import icons, style
from latentlab.ui.views import plot_ticks
from latentlab.ui.views.plot_config import tick_font

LEFT, BOTTOM, RIGHT, TOP = 46, 20, 8, 4
SAVED_RATIO = 2
_FLAGS = Qt.AlignmentFlag


class Figure(QWidget):
    """Base of figures that are no curves over steps. Paints only when something changed or is uncovered.

    Subclasses set ``title``, ``x_name`` and ``story`` (the tooltip of the title) and override ``paint_content``,
    ``tell`` and ``csv``. Thread: GUI.
    """

    title = "Figure"
    x_name = ""
    story = ""
    key = "figure"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(150, 100)
        self.setMouseTracking(True)
        self.setAccessibleName(self.title)
        self.setAccessibleDescription(self.story)
        self.x_range, self.y_range = (0.0, 1.0), (0.0, 1.0)
        self.remark = ""
        self.message = "Comes with the first measurement on test images."

    # -- for subclasses ---------------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw yet."""
        return True

    def paint_content(self, painter: QPainter, room: QRectF) -> None:
        """Draw between the axes."""

    def tell(self, x: float, y: float) -> str:
        """Return what is to be said of a place, in axis values."""
        return ""

    def csv(self) -> str:
        """Return the figure's numbers as CSV."""
        return ""

    # -- geometry ---------------------------------------------------------------------------------

    def header_height(self) -> int:
        """Return the height of the title's line."""
        return self.fontMetrics().height() + 7

    def room(self) -> QRectF:
        """Return where the content is drawn."""
        top = self.header_height() + TOP
        return QRectF(LEFT, top, max(self.width() - LEFT - RIGHT, 1), max(self.height() - top - BOTTOM, 1))

    def place(self, x: float, y: float) -> QPointF:
        """Return where an axis value lies, in pixels."""
        room, (x0, x1), (y0, y1) = self.room(), self.x_range, self.y_range
        return QPointF(
            room.left() + (x - x0) / (x1 - x0) * room.width(), room.bottom() - (y - y0) / (y1 - y0) * room.height()
        )

    def value_at(self, position: QPointF) -> tuple[float, float] | None:
        """Return the axis values of a place in pixels; None outside."""
        room = self.room()
        if not room.contains(position):
            return None
        x = self.x_range[0] + (position.x() - room.left()) / room.width() * (self.x_range[1] - self.x_range[0])
        y = self.y_range[0] + (room.bottom() - position.y()) / room.height() * (self.y_range[1] - self.y_range[0])
        return x, y

    # -- painting ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw title, axes and content."""
        painter = QPainter(self)
        self.paint_all(painter)
        painter.end()

    def paint_all(self, painter: QPainter) -> None:
        """Draw everything with any painter."""
        room = self.room()
        bold = style.figure_font(self.font(), bold=True)
        painter.setFont(bold)
        painter.setPen(style.colour("text"))
        line = QRectF(0, 0, self.width(), self.header_height())
        painter.drawText(line, _FLAGS.AlignLeft | _FLAGS.AlignVCenter, self.title)
        left = QFontMetricsF(bold).horizontalAdvance(self.title + "  ")
        painter.setFont(style.figure_font(self.font()))
        painter.setPen(style.colour("muted"))
        rest = line.adjusted(left, 0, -2, 0)
        text = self.fontMetrics().elidedText(self.remark, Qt.TextElideMode.ElideRight, int(rest.width()))
        painter.drawText(rest, _FLAGS.AlignLeft | _FLAGS.AlignVCenter, text)
        if self.empty:
            painter.setPen(style.colour("faint"))
            painter.drawText(room, _FLAGS.AlignCenter | Qt.TextFlag.TextWordWrap, self.message)
            return
        self._paint_axes(painter, room)
        painter.save()
        painter.setClipRect(room.adjusted(0, 0, 1, 1))
        self.paint_content(painter, room)
        painter.restore()

    def _paint_axes(self, painter: QPainter, room: QRectF) -> None:
        painter.setFont(tick_font())
        metrics = QFontMetricsF(painter.font())
        values, step = plot_ticks.linear_ticks(*self.y_range, max(2, int(room.height() / 26)))
        for value, text in zip(values, plot_ticks.linear_texts(values, step), strict=True):
            y = round(self.place(self.x_range[0], value).y())
            painter.setPen(style.colour("grid"))
            painter.drawLine(int(room.left()), y, int(room.right()), y)
            painter.setPen(style.colour("axis"))
            at = QRectF(0, y - metrics.height() / 2, LEFT - 6, metrics.height())
            painter.drawText(at, _FLAGS.AlignRight | _FLAGS.AlignVCenter, text)
        painter.setPen(style.colour("muted"))
        below = room.bottom() + 3
        name = metrics.horizontalAdvance(self.x_name)
        painter.drawText(QRectF(room.right() - name, below, name + 2, metrics.height()), _FLAGS.AlignLeft, self.x_name)
        painter.setPen(style.colour("axis"))
        values, step = plot_ticks.linear_ticks(*self.x_range, max(2, int(room.width() / 58)))
        for value, text in zip(values, plot_ticks.linear_texts(values, step), strict=True):
            width = metrics.horizontalAdvance(text)
            x = max(self.place(value, self.y_range[0]).x() - width / 2, room.left() - LEFT / 2)
            if x + width < room.right() - name - 6:
                painter.drawText(QRectF(x, below, width + 2, metrics.height()), _FLAGS.AlignLeft, text)

    def line(self, painter: QPainter, x: np.ndarray, y: np.ndarray, colour: QColor, *, dashed: bool = False) -> None:
        """Draw a line through axis values."""
        from latentlab.ui.views.plot_config import line_pen

        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(line_pen(colour, "test" if dashed else "solid"))
        painter.drawPolyline(QPolygonF([self.place(float(a), float(b)) for a, b in zip(x, y, strict=True)]))

    def bars(self, painter: QPainter, edges: np.ndarray, heights: np.ndarray, colour: QColor) -> None:
        """Draw bars between ``edges`` from the bottom up."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        floor = self.place(0.0, max(self.y_range[0], 0.0)).y()
        for left, right, height in zip(edges[:-1], edges[1:], heights, strict=True):
            a, b = self.place(float(left), float(height)), self.place(float(right), 0.0)
            painter.drawRect(QRectF(a.x(), a.y(), max(b.x() - a.x() - 0.5, 0.5), floor - a.y()))

    def image(self, painter: QPainter, room: QRectF, shares: np.ndarray, colour: QColor) -> None:
        """Draw a table of values in [0,1] as a picture that fills the room, row 0 at the bottom, in one colour."""
        ground, top = style.colour("plot"), colour
        ends = np.array([[c.red(), c.green(), c.blue()] for c in (ground, top)], dtype=np.float32)
        part = np.clip(shares, 0.0, 1.0)[::-1, :, None].astype(np.float32)
        pixels = np.ascontiguousarray((ends[0] + part * (ends[1] - ends[0])).astype(np.uint8))
        height, width, _ = pixels.shape
        picture = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(room, picture)

    # -- mouse and export -------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what is under the pointer; over the title, what the figure is."""
        found = self.value_at(event.position())
        if event.position().y() < self.header_height():
            text = self.story
        else:
            text = self.tell(*found) if found is not None and not self.empty else ""
        QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with the figure."""
        self.menu().exec(event.globalPos())

    def menu(self) -> QMenu:
        """Return the context menu."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        menu.addAction(
            icons.icon("copy"), "Copy values as CSV", lambda: QGuiApplication.clipboard().setText(self.csv())
        )
        menu.addAction(
            icons.icon("image"), "Copy picture", lambda: QGuiApplication.clipboard().setPixmap(self.grabbed())
        )
        menu.addAction(icons.icon("save"), "Save picture…", self.ask_and_save)
        return menu

    def grabbed(self) -> QPixmap:
        """Return a picture of the figure at twice the screen's resolution."""
        picture = QPixmap(self.size() * SAVED_RATIO)
        picture.setDevicePixelRatio(SAVED_RATIO)
        picture.fill(style.colour("window"))
        painter = QPainter(picture)
        self.paint_all(painter)
        painter.end()
        return picture

    def save(self, path: Path) -> None:
        """Write the figure to ``path``: vectors for ``.svg``, pixels for anything else.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        if path.suffix.lower() == ".svg":
            generator = QSvgGenerator()
            generator.setFileName(str(path))
            generator.setSize(self.size())
            generator.setViewBox(QRect(QPoint(0, 0), self.size()))
            generator.setTitle(self.title)
            painter = QPainter()
            done = painter.begin(generator)
            if done:
                painter.fillRect(self.rect(), style.colour("window"))
                self.paint_all(painter)
                painter.end()
        else:
            done = self.grabbed().save(str(path))
        if not done:
            raise InputError(
                "the picture could not be written", where=str(path), hint="Choose another folder or ending."
            )

    def ask_and_save(self) -> None:
        """Ask where to save the picture, and save it."""
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save figure", str(screenshots_dir() / f"{self.key}.png"), "Picture (*.png);;Vector graphics (*.svg)"
        )
        if chosen:
            self.save(Path(chosen))
