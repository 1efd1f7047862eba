"""The plots of the Monitor page in rows and columns that fill the room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from latentlab.ui import style
from latentlab.ui.views.plot_group import PlotGroup
from latentlab.ui.views.plot_spec import PlotSpec

if TYPE_CHECKING:
    from latentlab.ui.views.plot import MetricPlot

WANTED_ASPECT = 1.9
MIN_WIDTH, MIN_HEIGHT = 230, 110


def best_columns(count: int, width: int, height: int) -> int:
    """Return how many columns give ``count`` plots the best shape: about twice as wide as high, few empty cells."""
    best, best_cost = 1, math.inf
    for columns in range(1, count + 1):
        rows = math.ceil(count / columns)
        cell_w, cell_h = width / columns, height / rows
        cost = abs(math.log(max(cell_w, 1) / max(cell_h, 1) / WANTED_ASPECT)) + 0.35 * (columns * rows - count)
        cost += 10.0 * max(0.0, MIN_WIDTH - cell_w) / MIN_WIDTH + 10.0 * max(0.0, MIN_HEIGHT - cell_h) / MIN_HEIGHT
        if cost < best_cost - 1e-9:
            best, best_cost = columns, cost
    return best


class PlotGrid(QWidget):
    """Holds one ``MetricPlot`` per specification and arranges them; plots are kept, not rebuilt.

    ``figures`` stand before the plots, always.
    """

    def __init__(self, group: PlotGroup, parent: QWidget | None = None, *, figures: Sequence[QWidget] = ()) -> None:
        super().__init__(parent)
        self._group = group
        self._made: dict[str, MetricPlot] = {}
        self._shown: list[MetricPlot] = []
        self._figures = tuple(figures)
        self._log = True
        self.columns = 0
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(2 * style.SPACING)
        self._layout.setVerticalSpacing(style.SPACING)

    @property
    def plots(self) -> tuple[MetricPlot, ...]:
        """The plots on screen, row by row."""
        return tuple(self._shown)

    def set_plots(self, specs: Sequence[PlotSpec]) -> None:
        """Show these plots and no others."""
        wanted = [self._plot(spec) for spec in specs]
        if wanted == self._shown:
            return
        for plot in self._shown:
            if plot not in wanted:
                plot.hide()
        self._shown = wanted
        self.columns = 0
        self._arrange()

    def _plot(self, spec: PlotSpec) -> MetricPlot:
        from latentlab.ui.views.plot import MetricPlot  # imports pyqtgraph: see plot_config

        if spec.key not in self._made:
            plot = MetricPlot(spec, self._group, self)
            plot.set_log(spec.log and self._log)
            self._made[spec.key] = plot
        return self._made[spec.key]

    def set_log(self, log: bool) -> None:
        """Give plots that are read best on a logarithmic axis that axis, or all a linear one."""
        self._log = log
        for plot in self._made.values():
            plot.set_log(plot.spec.log and log)

    def apply_theme(self) -> None:
        """Recolour all plots."""
        for plot in self._made.values():
            plot.apply_theme()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the plots for the new room."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        columns = best_columns(len(self._cells()), self.width(), self.height())
        if columns != self.columns:
            self._place(columns)
        self.fit_headers()

    def _cells(self) -> list[QWidget]:
        """Return everything shown, row by row."""
        return [*self._figures, *self._shown]

    def fit_headers(self) -> None:
        """Give the headers of a row as many lines as its fullest needs, so that its plots are aligned."""
        columns = max(1, self.columns)
        width = self.width() // columns - 2 * style.SPACING
        cells = self._cells()
        for start in range(0, len(cells), columns):
            row = [plot for plot in self._shown if plot in cells[start : start + columns]]
            lines = max((plot.header.lines_needed(width) for plot in row), default=1)
            for plot in row:
                plot.header.set_lines(lines)

    def _place(self, columns: int) -> None:
        for old in range(self.columns):
            self._layout.setColumnStretch(old, 0)
        for old in range(self._layout.rowCount()):
            self._layout.setRowStretch(old, 0)
        for plot in (*self._figures, *self._made.values()):
            self._layout.removeWidget(plot)
        self.columns = columns
        for index, plot in enumerate(self._cells()):
            row, column = divmod(index, columns)
            self._layout.addWidget(plot, row, column)
            self._layout.setRowStretch(row, 1)
            self._layout.setColumnStretch(column, 1)
            plot.show()
