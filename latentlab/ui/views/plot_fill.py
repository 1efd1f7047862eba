"""Areas of a plot: bands between two metrics, and shares stacked to a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor

from latentlab.ui import style
from latentlab.ui.views.plot_curve import Line, place
from latentlab.ui.views.plot_smoothing import smooth
from latentlab.ui.views.plot_spec import BandSpec, PlotSpec

if TYPE_CHECKING:
    from latentlab.ui.views.plot_curve import Curve
    from latentlab.ui.views.plot_group import PlotGroup
    from latentlab.ui.views.plot_view import PlotArea

Array = npt.NDArray[np.float64]
Range = tuple[float, float]
_EMPTY: Array = np.empty(0)
STACK_OPACITY = 0.75


class Area:
    """One filled area between two lines over the same places."""

    def __init__(self, area: PlotArea, order: float) -> None:
        self.item = Line(pen=None, fillLevel="enclosed")
        self.item.setZValue(order)
        area.addItem(self.item, ignoreBounds=True)

    def fill(self, colour: QColor, opacity: float) -> None:
        """Take a colour."""
        faded = QColor(colour)
        faded.setAlphaF(opacity)
        self.item.setBrush(faded)

    def draw(self, x: Array, low: Array, high: Array) -> None:
        """Fill between ``low`` and ``high``, where both are numbers."""
        known = np.isfinite(low) & np.isfinite(high)
        x, low, high = x[known], low[known], high[known]
        self.item.setData(np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]]))


class Fills:
    """The areas of one plot. They live as long as the plot and only change their data.

    Attributes
    ----------
    reach
        Lowest and highest values drawn, on the y axis, for its scaling.
    """

    def __init__(self, spec: PlotSpec, area: PlotArea, curves: list[Curve]) -> None:
        self._spec, self._curves = spec, curves
        self._bands = [(band, Area(area, 2 + i)) for i, band in enumerate(spec.bands)]
        self._stack = [Area(area, 2 + i) for i, _ in enumerate(curves)] if spec.stacked else []
        self.reach: Array = _EMPTY
        if spec.stacked:
            for curve in curves:
                curve.raw.setOpacity(0.0)
                curve.smooth.setOpacity(0.0)

    def apply_theme(self) -> None:
        """Take the colours in force."""
        for band, area in self._bands:
            area.fill(style.colour(band.colour), band.opacity)
        for curve, area in zip(self._curves, self._stack, strict=False):
            area.fill(curve.colour, STACK_OPACITY)

    def draw(self, group: PlotGroup, x_range: Range, points: int, *, log: bool) -> None:
        """Show the areas over ``x_range`` in at most ``points`` blocks."""
        first, last = group.to_step(x_range[0]), group.to_step(x_range[1])
        last = np.inf if group.x_axis == "time" else last
        self.reach = _EMPTY
        for band, area in self._bands:
            self._draw_band(group, (first, last, points), (band, area), log)
        if self._stack:
            self._draw_stack(group, (first, last, points))
            self.reach = np.array([0.0, 1.0])

    def _draw_band(
        self, group: PlotGroup, window: tuple[float, float, int], drawn: tuple[BandSpec, Area], log: bool
    ) -> None:
        band, area = drawn
        low, high = (group.history.summary(name, *window) for name in (band.low, band.high))
        count = min(len(low.steps), len(high.steps))
        bottom, top = place(low.minima[:count], log), place(high.maxima[:count], log)
        area.draw(group.to_x(low.steps[:count]), bottom, top)
        if band.scales:
            self.reach = np.concatenate([self.reach, bottom, top])

    def _draw_stack(self, group: PlotGroup, window: tuple[float, float, int]) -> None:
        below: Array | None = None
        for curve, area in zip(self._curves, self._stack, strict=True):
            found = group.history.summary(curve.spec.metric, *window)
            if curve.hidden or not len(found.steps):
                area.draw(_EMPTY, _EMPTY, _EMPTY)
                continue
            part = smooth(found.means, group.smoothing, found.block)
            bottom = np.zeros_like(part) if below is None or len(below) != len(part) else below
            below = bottom + part
            area.draw(group.to_x(found.steps), bottom, below)
