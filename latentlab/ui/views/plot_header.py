"""The lines above a plot: its name and unit, and each curve's value in the curve's colour."""

from __future__ import annotations

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
_WIDEST = "0.0000"
_FULL, _NO_SWATCH, _VALUES = 0, 1, 2  # what an entry shows, by the room there is
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


class PlotHeader(QWidget):
    """Title and unit at the left; label and value of each curve right of them, or on a second line.

    Cells only ever grow, so that a value that changes moves nothing. Where even a line of its own is
    too short, entries lose first the swatch, then the label: the colour and the tooltip still tell them apart.
    """

    entry_clicked = Signal(int)
    fit_clicked = Signal()

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
        """Return 1 if everything fits beside the title in ``width``, else 2."""
        return 1 if self._title_width() + self._entries_width() <= width else 2

    def set_lines(self, lines: int) -> None:
        """Take one line or two."""
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

    def _cell(self, entry: Entry, form: int) -> int:
        """Return the width kept for an entry: that of the widest value it ever had."""
        metrics = QFontMetrics(self.font())
        value = max(metrics.horizontalAdvance(_WIDEST), metrics.horizontalAdvance(entry.value))
        self._cells[entry.label] = value = max(value, self._cells.get(entry.label, 0))
        label = 0 if form == _VALUES else metrics.horizontalAdvance(entry.label) + _GAP
        swatch = _SWATCH + _GAP if form == _FULL else 0
        return swatch + label + value

    def _entries_width(self, form: int = _FULL) -> int:
        between = _BETWEEN if form == _FULL else _GAP + form
        return sum(self._cell(entry, form) + between for entry in self._entries)

    def _form(self) -> int:
        """Return the fullest form of the entries that the second line has room for."""
        if self._lines == 1:
            return _FULL
        return next((form for form in (_FULL, _NO_SWATCH) if self._entries_width(form) <= self.width()), _VALUES)

    def _places(self) -> list[QRect]:
        line, form = self._line_height(), self._form()
        between = _BETWEEN if form == _FULL else _GAP + form
        x = max(self._title_width(), self.width() - self._entries_width() + _BETWEEN) if self._lines == 1 else 0
        top = (self._lines - 1) * line
        places = []
        for entry in self._entries:
            places.append(QRect(x, top, self._cell(entry, form), line))
            x += self._cell(entry, form) + between
        return places

    def _fit_place(self) -> QRect:
        metrics = QFontMetrics(self.font())
        left = self._title_width() - _BETWEEN
        return QRect(left, 0, metrics.horizontalAdvance(FIT_TEXT) + 4, self._line_height())

    # -- events ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the title and the values."""
        painter = QPainter(self)
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
        form = self._form()
        colour = style.mix(entry.colour, style.colour("window"), 0.6) if entry.hidden else entry.colour
        text = place
        if form == _FULL:
            middle = place.center().y()
            painter.setPen(line_pen(colour, entry.dash))
            for row in (0, 1):  # two rows of a one-pixel pen: a swatch that is seen
                painter.drawLine(place.left(), middle + row, place.left() + _SWATCH, middle + row)
            text = place.adjusted(_SWATCH + _GAP, 0, 0, 0)
        if form != _VALUES:
            painter.setPen(style.colour("faint" if entry.hidden else "muted"))
            painter.drawText(text, _ALIGN, entry.label)
        painter.setPen(colour)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(text, right, entry.value)

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
