"""The lines above a plot: its name and unit, and each curve's value in the curve's colour."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from latentlab.ui import style
from latentlab.ui.views.plot_config import Dash, line_pen

_SWATCH = 14
_GAP = 5
_BETWEEN = 14
_WIDEST = "0.000"
_ALIGN = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
FIT_TEXT = "Fit y"


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of the header; ``tip`` is its tooltip."""

    label: str
    value: str
    colour: QColor
    dash: Dash = "solid"
    hidden: bool = False
    tip: str = ""
    group: int = 0


class PlotHeader(QWidget):
    """Title and unit at the left; label and value of each curve right of them, or on a second line.

    Cells only ever grow, so that a value that changes moves nothing. Where a line of their own is too
    short for them, values lose the swatch (their colour says it too) and flow over further lines.
    """

    entry_clicked = Signal(int)
    fit_clicked = Signal()
    painted = Signal(float)  # seconds

    def __init__(self, title: str, unit: str, tip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"{title}, {unit}" if unit else title)
        self._title, self._unit, self._tip = title, unit, tip
        self._entries: tuple[Entry, ...] = ()
        self._cells: dict[str, int] = {}
        self._lines = 1
        self._show_fit = False

    def set_unit(self, unit: str) -> None:
        """Show another unit or remark beside the title."""
        if unit != self._unit:
            self._unit = unit
            self.update()

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show these values."""
        fresh = tuple(entries)
        if fresh != self._entries:
            self._entries = fresh
            self.update()

    def entries(self) -> tuple[Entry, ...]:
        """Return what is shown."""
        return self._entries

    def set_fit_offered(self, offered: bool) -> None:
        """Show or hide the words that give y back to automatic scaling."""
        if offered != self._show_fit:
            self._show_fit = offered
            self.update()

    def lines_needed(self, width: int) -> int:
        """Return how many lines the title and the values take in ``width``."""
        if self._title_width() + sum(self._cell(entry, True) + _BETWEEN for entry in self._entries) <= width:
            return 1
        return 1 + max(self._flow(width)[1], 1)

    def set_lines(self, lines: int) -> None:
        """Take this many lines."""
        if lines != self._lines:
            self._lines = lines
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the lines."""
        return QSize(200, self._lines * self._line_height() + 2)

    def minimumSizeHint(self) -> QSize:
        """Return the height of the lines."""
        return QSize(80, self.sizeHint().height())

    # -- geometry -------------------------------------------------------------------------------

    def _line_height(self) -> int:
        return QFontMetrics(self.font()).height() + 3

    def _title_font(self) -> QFont:
        return style.figure_font(self.font(), bold=True)

    def _title_width(self) -> int:
        title = QFontMetrics(self._title_font()).horizontalAdvance(self._title)
        return title + QFontMetrics(self.font()).horizontalAdvance("  " + self._unit) + 2 * _BETWEEN

    def _cell(self, entry: Entry, swatch: bool) -> int:
        """Return the width kept for an entry: that of the widest value it ever had."""
        metrics = QFontMetrics(self.font())
        value = max(metrics.horizontalAdvance(_WIDEST), metrics.horizontalAdvance(entry.value))
        self._cells[entry.label] = value = max(value, self._cells.get(entry.label, 0))
        return (_SWATCH + _GAP if swatch else 0) + metrics.horizontalAdvance(entry.label) + _GAP + value

    def _flow(self, width: int) -> tuple[list[QRect], int]:
        """Return where the entries go on the lines under the title, and how many lines that takes."""
        line = self._line_height()
        swatch = sum(self._cell(entry, True) + _BETWEEN for entry in self._entries) - _BETWEEN <= width
        between = _BETWEEN if swatch else 2 * _GAP
        parted = sum(self._cell(entry, swatch) + between for entry in self._entries) - between > width
        places: list[QRect] = []
        x, row = 0, 1
        for index, entry in enumerate(self._entries):
            cell = self._cell(entry, swatch)
            new_group = parted and index > 0 and entry.group != self._entries[index - 1].group
            if x and (new_group or x + cell > width):
                x, row = 0, row + 1
            places.append(QRect(x, row * line, cell, line))
            x += cell + between
        return places, row

    def _places(self) -> list[QRect]:
        if self._lines > 1:
            return self._flow(self.width())[0]
        x = self.width()
        places: list[QRect] = []
        for entry in reversed(self._entries):
            cell = self._cell(entry, True)
            places.insert(0, QRect(x - cell, 0, cell, self._line_height()))
            x -= cell + _BETWEEN
        return places

    def _fit_place(self) -> QRect:
        metrics = QFontMetrics(self.font())
        left = self._title_width() - _BETWEEN
        return QRect(left, 0, metrics.horizontalAdvance(FIT_TEXT) + 4, self._line_height())

    # -- events ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the title and the values."""
        start = time.perf_counter()
        self._paint(QPainter(self))
        self.painted.emit(time.perf_counter() - start)

    def _paint(self, painter: QPainter) -> None:
        line = self._line_height()
        painter.setFont(self._title_font())
        painter.setPen(style.colour("text"))
        painter.drawText(QRect(0, 0, self.width(), line), _ALIGN, self._title)
        left = painter.fontMetrics().horizontalAdvance(self._title)
        painter.setFont(self.font())
        painter.setPen(style.colour("muted"))
        painter.drawText(QRect(left, 0, self.width() - left, line), _ALIGN, "  " + self._unit)
        if self._show_fit:
            painter.setPen(style.colour("accent"))
            painter.drawText(self._fit_place(), _ALIGN, FIT_TEXT)
        for entry, place in zip(self._entries, self._places(), strict=True):
            self._paint_entry(painter, entry, place)

    def _paint_entry(self, painter: QPainter, entry: Entry, place: QRect) -> None:
        colour = style.mix(entry.colour, style.colour("window"), 0.6) if entry.hidden else entry.colour
        text = place
        if place.width() >= self._cell(entry, True):
            painter.setPen(line_pen(colour, entry.dash, width=2))
            middle = place.center().y() + 1
            painter.drawLine(place.left(), middle, place.left() + _SWATCH, middle)
            text = place.adjusted(_SWATCH + _GAP, 0, 0, 0)
        painter.setPen(style.colour("faint" if entry.hidden else "muted"))
        painter.drawText(text, _ALIGN, entry.label)
        painter.setPen(colour)
        label = painter.fontMetrics().horizontalAdvance(entry.label) + _GAP
        painter.drawText(text.adjusted(label, 0, _GAP, 0), _ALIGN, entry.value)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Show or hide a curve, or fit y again."""
        position = event.position().toPoint()
        if self._show_fit and self._fit_place().contains(position):
            self.fit_clicked.emit()
            return
        index = self._entry_at(position)
        if index is not None:
            self.entry_clicked.emit(index)

    def _entry_at(self, position: QPoint) -> int | None:
        return next((i for i, place in enumerate(self._places()) if place.contains(position)), None)

    def event(self, event: QEvent) -> bool:
        """Explain the value, or the title, under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self._entry_at(event.pos())
            text = self._tip if index is None else self._entries[index].tip
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)
