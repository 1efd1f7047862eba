"""Axes that draw a quiet grid and numbers of steady width, the same room on every plot."""

from __future__ import annotations

from collections.abc import Callable

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from latentlab.ui import style
from latentlab.ui.views import plot_ticks
from latentlab.ui.views.plot_config import tick_font

LEFT_WIDTH = 46
BOTTOM_HEIGHT = 20
TOP_MARGIN = 3
_TEXT_GAP = 6
_FLAGS = Qt.AlignmentFlag


class GridAxis(pg.AxisItem):
    """The left or bottom axis of a plot; draws its numbers outside and its grid inside the plot.

    Attributes
    ----------
    kind
        ``"linear"``, ``"log"`` (the values are log10) or ``"time"`` (the values are seconds).
    inner_text
        If set, maps an axis value to a second number (with unit) drawn inside the plot at the right end
        of the highest grid line with room for it: the same quantity in another unit. One is enough to tell the
        scale, and curves rarely end up there.
    name
        Drawn at the end of the numbers (bottom axis only).
    """

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.kind = "linear"
        self.name = ""
        self.inner_text: Callable[[float], str] | None = None
        self.setGrid(255)
        self.setStyle(tickLength=0, showValues=True)
        if orientation == "left":
            self.setWidth(LEFT_WIDTH)
        else:
            self.setHeight(BOTTOM_HEIGHT)

    def ticks(self, room: float) -> tuple[list[float], list[str]]:
        """Return tick values and texts for an axis ``room`` pixels long."""
        low, high = self.range
        vertical = self.orientation == "left"
        count = max(2, int(room / (26 if vertical else 58)))
        if self.kind == "log":
            values = plot_ticks.log_ticks(low, high, count)
            return values, plot_ticks.log_texts(values)
        if self.kind == "time":
            values, _ = plot_ticks.time_ticks(low, high, count)
            return values, plot_ticks.time_texts(values)
        values, step = plot_ticks.linear_ticks(low, high, count)
        return values, plot_ticks.linear_texts(values, step)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw grid, numbers and, for the bottom axis, its name."""
        view = self.linkedView()
        low, high = self.range
        if view is None or not high > low:
            return
        area = view.mapRectToItem(self, view.boundingRect())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setFont(tick_font())
        grid, text = style.colour("grid"), style.colour("axis")
        if self.orientation == "left":
            self._paint_left(painter, area, (grid, text))
        else:
            self._paint_bottom(painter, area, (grid, text))

    def _paint_left(self, painter: QPainter, area: QRectF, colours: tuple[QColor, QColor]) -> None:
        low, high = self.range
        line = QFontMetricsF(painter.font()).height()
        roomy: tuple[int, float] | None = None  # The highest line with room for another number over it.
        for value, text in zip(*self.ticks(area.height()), strict=True):  # Ascending.
            y = round(area.bottom() - (value - low) / (high - low) * area.height())
            painter.setPen(colours[0])
            painter.drawLine(int(area.left()), y, int(area.right()), y)
            painter.setPen(colours[1])
            top = max(y - line / 2, area.top() - TOP_MARGIN)
            place = QRectF(0, top, area.left() - _TEXT_GAP, line)
            painter.drawText(place, _FLAGS.AlignRight | _FLAGS.AlignVCenter, text)
            if y - line > area.top() and value != 0:
                roomy = y, value
        if self.inner_text is not None and roomy is not None:
            inside = QRectF(area.left(), roomy[0] - line, area.width() - 2, line)
            painter.drawText(inside, _FLAGS.AlignRight | _FLAGS.AlignVCenter, self.inner_text(roomy[1]))

    def _paint_bottom(self, painter: QPainter, area: QRectF, colours: tuple[QColor, QColor]) -> None:
        low, high = self.range
        metrics = QFontMetricsF(painter.font())
        below = area.bottom() + 3
        painter.setPen(colours[0])
        painter.drawLine(int(area.left()), round(area.bottom()), int(area.right()), round(area.bottom()))
        name_from = area.right() - metrics.horizontalAdvance(self.name)
        painter.setPen(style.colour("muted"))
        painter.drawText(QRectF(name_from, below, 200, metrics.height()), _FLAGS.AlignLeft, self.name)
        painter.setPen(colours[1])
        for value, text in zip(*self.ticks(area.width()), strict=True):
            x = area.left() + (value - low) / (high - low) * area.width()
            width = metrics.horizontalAdvance(text)
            left = max(x - width / 2, area.left() - LEFT_WIDTH / 2)
            if left + width < name_from - _TEXT_GAP:
                painter.drawText(QRectF(left, below, width + 2, metrics.height()), _FLAGS.AlignLeft, text)
