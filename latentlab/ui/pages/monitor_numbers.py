"""Numbers of the Monitor page: a line of them over the plots, and a table of all metrics at one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QToolTip, QWidget

from latentlab.core.buffers import MetricHistory
from latentlab.core.metrics import METRICS, TEST_PREFIX, describe
from latentlab.ui import style
from latentlab.ui.formatting import format_steps, format_value
from latentlab.ui.views.plot_config import tick_font

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_VALUE_WIDEST = "0.0000000"


class NumberStrip(QWidget):
    """Captions over values in cells that only grow, so that nothing moves when digits change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Progress of the training")
        self._numbers: tuple[tuple[str, str, str], ...] = ()
        self._widths: dict[str, int] = {}

    def set_numbers(self, numbers: Sequence[tuple[str, str, str]]) -> None:
        """Show (caption, value, tooltip) triples."""
        fresh = tuple(numbers)
        if fresh != self._numbers:
            self._numbers = fresh
            self.setAccessibleDescription(", ".join(f"{caption} {value}" for caption, value, _ in fresh))
            self.update()

    def clear(self) -> None:
        """Show nothing, and forget how wide the cells were."""
        self._widths.clear()
        self.set_numbers(())

    def sizeHint(self) -> QSize:
        """Return the height of a caption and a value."""
        small, large = self._fonts()
        return QSize(400, small.height() + large.height() + 2)

    def _fonts(self) -> tuple[QFontMetrics, QFontMetrics]:
        return QFontMetrics(tick_font()), QFontMetrics(self._value_font())

    def _value_font(self) -> QFont:
        return style.figure_font(self.font(), points=self.font().pointSizeF() + 1.5, bold=True)

    def _cells(self) -> list[QRect]:
        small, large = self._fonts()
        cells, x = [], 0
        for caption, value, _ in self._numbers:
            width = max(small.horizontalAdvance(caption), large.horizontalAdvance(value))
            self._widths[caption] = max(width, self._widths.get(caption, 0))
            cells.append(QRect(x, 0, self._widths[caption], self.height()))
            x += self._widths[caption] + 3 * style.SPACING
        return cells

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw captions and values."""
        painter = QPainter(self)
        small, large = self._fonts()
        for (caption, value, _), cell in zip(self._numbers, self._cells(), strict=True):
            painter.setFont(tick_font())
            painter.setPen(style.colour("muted"))
            painter.drawText(QRect(cell.left(), 0, cell.width() + 8, small.height()), _LEFT, caption)
            painter.setFont(self._value_font())
            painter.setPen(style.colour("text"))
            painter.drawText(QRect(cell.left(), small.height(), cell.width() + 8, large.height()), _LEFT, value)

    def event(self, event: QEvent) -> bool:
        """Explain the number under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            tips = (n[2] for n, cell in zip(self._numbers, self._cells(), strict=True) if cell.contains(event.pos()))
            QToolTip.showText(event.globalPos(), next(tips, ""), self)
            return True
        return super().event(event)


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of the table: its value in training and, where measured, on the test images."""

    metric: str
    train: str
    test: str


class ValueTable(QWidget):
    """All metrics at the newest step, or at the step under the cursor of the plots."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Values of all metrics")
        self.setMinimumHeight(0)
        self._rows: tuple[Row, ...] = ()
        self._title = ""
        self._has_test = False

    def set_rows(self, rows: Sequence[Row], title: str = "") -> None:
        """Show these rows."""
        fresh = tuple(rows)
        if (fresh, title) != (self._rows, self._title):
            self._rows, self._title = fresh, title
            self._has_test = any(row.test for row in fresh)
            self.setMinimumHeight(self.sizeHint().height())
            self.update()

    def rows(self) -> tuple[Row, ...]:
        """Return what is shown."""
        return self._rows

    def title(self) -> str:
        """Return which step the values are of."""
        return self._title

    def show_history(
        self,
        history: MetricHistory,
        names: Sequence[str],
        step: float | None,
        chosen: tuple[float, float] | None = None,
    ) -> None:
        """Show the metrics ``names`` at ``step`` (None: the newest of each), or their means over a chosen range."""

        def text(name: str) -> str:
            if chosen is not None:
                means = history.statistics(name, *chosen)
                return "" if means is None else format_value(means.mean, 4)
            found = history.last(name) if step is None else history.at(name, step)
            return "" if found is None else format_value(found[1], 4)

        order = {name: place for place, name in enumerate(METRICS)}
        bases = {name.removeprefix(TEST_PREFIX) for name in names}
        shown = sorted(bases, key=lambda name: (order.get(name, len(order)), name))
        span = history.span()
        at = span[1] if step is None and span else step
        title = "" if at is None else f"{'newest, ' if step is None else 'at '}step {format_steps(at)}"
        if chosen is not None:
            title = f"means, steps {format_steps(chosen[0])} to {format_steps(chosen[1])}"
        self.set_rows([Row(name, text(name), text(TEST_PREFIX + name)) for name in shown], title)

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(240, (len(self._rows) + 1) * self._line())

    def whole_rows(self, room: int) -> int:
        """Return the height of as many rows as fit into ``room`` pixels, so that none is cut in two."""
        return min(self.sizeHint().height(), max(1, room // self._line()) * self._line())

    def _line(self) -> int:
        return QFontMetrics(self.font()).height() + 3

    def _columns(self) -> tuple[int, int, int]:
        """Return the right ends of the train and test columns, and their width."""
        cell = QFontMetrics(style.figure_font(self.font())).horizontalAdvance(_VALUE_WIDEST) + style.SPACING
        test = self.width() - 4
        return (test - cell if self._has_test else test), test, cell

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows that fit."""
        painter = QPainter(self)
        painter.setFont(style.figure_font(self.font()))
        line = self._line()
        train, test, cell = self._columns()
        painter.setPen(style.colour("muted"))
        self._paint_fitting(painter, QRect(0, 0, train - cell, line), self._title, self._title.removeprefix("newest, "))
        painter.drawText(QRect(train - cell, 0, cell, line), _RIGHT, "train")
        if self._has_test:
            painter.drawText(QRect(test - cell, 0, cell, line), _RIGHT, "test")
        shown = event.rect()  # Of a table that is scrolled, a few rows: text is slow to draw.
        for index, row in enumerate(self._rows):
            top = (index + 1) * line
            if top < shown.bottom() and top + line > shown.top():
                self._paint_row(painter, row, top)

    @staticmethod
    def _paint_fitting(painter: QPainter, room: QRect, text: str, short: str) -> None:
        """Draw ``text``, or ``short`` where that does not fit; with an ellipsis where neither does."""
        metrics, width = painter.fontMetrics(), room.width() - style.SPACING // 2
        chosen = text if metrics.horizontalAdvance(text) <= width else short
        painter.drawText(room, _LEFT, metrics.elidedText(chosen, Qt.TextElideMode.ElideRight, width))

    def _paint_row(self, painter: QPainter, row: Row, top: int) -> None:
        line = self._line()
        train, test, cell = self._columns()
        about = describe(row.metric)
        painter.setPen(style.colour("text"))
        self._paint_fitting(painter, QRect(0, top, train - cell, line), about.label, about.label)
        used = painter.fontMetrics().horizontalAdvance(about.label + "  ")
        painter.setPen(style.colour("faint"))
        room = QRect(used, top, max(0, train - cell - used), line)
        unit = painter.fontMetrics().elidedText(about.unit, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, _LEFT, unit)
        painter.setPen(style.colour(about.colour))
        painter.drawText(QRect(train - cell, top, cell, line), _RIGHT, row.train)
        if row.test:
            painter.drawText(QRect(test - cell, top, cell, line), _RIGHT, row.test)

    def event(self, event: QEvent) -> bool:
        """Define the metric under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = event.pos().y() // self._line() - 1
            text = describe(self._rows[index].metric).definition if 0 <= index < len(self._rows) else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)


def scrolled(table: ValueTable) -> QScrollArea:
    """Return ``table`` in an area that scrolls when there are more rows than room."""
    area = QScrollArea()
    area.setWidget(table)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area
