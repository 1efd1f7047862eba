"""One curve of a plot: the raw band, its smoothed twin and its target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor

from latentlab.ui import style
from latentlab.ui.views.plot_config import FADED, line_pen
from latentlab.ui.views.plot_smoothing import rows_remembered, smooth
from latentlab.ui.views.plot_spec import CurveSpec
from latentlab.ui.views.plot_view import PlotArea

if TYPE_CHECKING:
    from latentlab.ui.views.plot_group import PlotGroup

Array = npt.NDArray[np.float64]
Range = tuple[float, float]
_EMPTY: Array = np.empty(0)


def place(values: Array, log: bool) -> Array:
    """Return where values lie on the y axis; on a logarithmic one, NaN for values that are not positive."""
    if not log:
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, np.log10(np.where(values > 0, values, 1.0)), np.nan)


def zigzag(x: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Return a line that visits the minimum and the maximum of each block: one polyline that fills the band."""
    y = np.empty(2 * len(x))
    y[0::2], y[1::2] = low, high
    return np.repeat(x, 2), y


class Line(pg.PlotCurveItem):
    """A polyline or an area that counts as large as the plot it is in.

    How far its values reach pyqtgraph works out anew for every value and every painting, and nothing here
    asks for it: the axes are scaled from the history, and the plot cuts off what lies outside.
    """

    def boundingRect(self) -> QRectF:
        """Return what the plot shows; nothing while there is nothing to draw."""
        view = self.getViewBox() if self.xData is not None and len(self.xData) else None
        return QRectF() if view is None else view.viewRect()


class Curve:
    """The items that draw one metric; they live as long as the plot and only change their data.

    Attributes
    ----------
    has_data
        Whether the history holds the metric.
    newest
        Where the newest point lies, on the axes; None where it cannot be drawn.
    without_place
        How many of the visible points cannot be drawn on a logarithmic axis.
    """

    def __init__(self, spec: CurveSpec, area: PlotArea) -> None:
        self.spec = spec
        self.colour = QColor()
        self.hidden = False
        self.newest: tuple[float, float] | None = None
        self.has_data = False
        self.without_place = 0
        self._smoothing = False
        self._x, self._low, self._high, self._line = _EMPTY, _EMPTY, _EMPTY, _EMPTY
        self._target: float | None = None
        self.raw = Line()
        self.smooth = Line()
        self.target = pg.InfiniteLine(angle=0, movable=False)
        self.target.setVisible(False)
        for order, item in enumerate((self.target, self.raw, self.smooth)):
            item.setZValue(10 + order)
            area.addItem(item, ignoreBounds=True)

    def set_hidden(self, hidden: bool) -> None:
        """Draw the curve, or not."""
        self.hidden = hidden
        for item in (self.raw, self.smooth):
            item.setVisible(not hidden)
        self.target.setVisible(not hidden and self._target is not None)

    def apply_theme(self) -> None:
        """Take the colours in force."""
        self.colour = style.mix(style.colour(self.spec.colour), style.colour("text"), self.spec.shade)
        self.smooth.setPen(line_pen(self.colour, self.spec.dash))
        self.target.setPen(line_pen(self.colour, "target"))
        self._pen_raw()

    def _pen_raw(self) -> None:
        faded = style.mix(self.colour, style.colour("plot"), FADED)
        self.raw.setPen(line_pen(faded if self._smoothing else self.colour, self.spec.dash))

    def draw(self, group: PlotGroup, x_range: Range, points: int, *, log: bool, target: float | None) -> None:
        """Show the metric over ``x_range`` in at most ``points`` blocks."""
        first, last = group.to_step(x_range[0]), group.to_step(x_range[1])
        if group.x_axis == "time":
            last = np.inf  # the newest steps may lie beyond the last known time
        factor = group.smoothing if self.spec.smoothed else 0.0
        lead = self._lead(group, first, factor)
        found = group.history.summary(self.spec.metric, first - lead, last, points)
        if not len(found.steps) and not self.has_data:
            self.newest = None
            self._draw_target(target, log)
            return
        self.has_data = len(found.steps) > 0
        self._x = group.to_x(found.steps)
        lows, highs = found.minima, found.maxima
        if self.spec.dash != "solid" and found.block > 1:
            lows = highs = found.means  # dashes cannot fill a band
        self._low, self._high = place(lows, log), place(highs, log)
        self.without_place = int(np.count_nonzero(np.isnan(self._low) & np.isfinite(lows)))
        if log and self.without_place:  # a block that reaches below zero is drawn from its mean up
            self._low = np.where(np.isnan(self._low), self._high, self._low)
        self._draw_raw(found.block)
        self._draw_smooth(found.means, factor, found.block, log)
        self._find_newest(group, log)
        self._draw_target(target, log)

    def _lead(self, group: PlotGroup, first: float, factor: float) -> float:
        """Return how many steps before the window the smoothing needs, to be the same at every zoom."""
        rows = rows_remembered(factor)
        ends = group.history.summary(self.spec.metric, first, max_points=4) if rows and first > 0 else None
        if ends is None or len(ends.steps) < 2:
            return 0.0
        return rows * float(ends.steps[1] - ends.steps[0]) / ends.block

    def _draw_raw(self, block: int) -> None:
        single = block == 1 or self.spec.dash != "solid"
        x, y = (self._x, self._low) if single else zigzag(self._x, self._low, self._high)
        self.raw.setData(x, y, connect="finite")

    def _draw_smooth(self, means: Array, factor: float, block: int, log: bool) -> None:
        smoothing = factor > 0 and len(means) > 1
        if smoothing != self._smoothing:
            self._smoothing = smoothing
            self._pen_raw()
        self._line = place(smooth(means, factor, block), log) if smoothing else _EMPTY
        self.smooth.setData(self._x if smoothing else _EMPTY, self._line, connect="finite")

    def _find_newest(self, group: PlotGroup, log: bool) -> None:
        newest = group.history.last(self.spec.metric)
        self.newest = None
        if newest is not None:
            x = float(group.to_x(np.array([newest[0]]))[0])
            y = self._line[-1:] if self._smoothing else place(np.array([newest[1]]), log)
            if np.isfinite(y).all():
                self.newest = (x, float(y[0]))

    def _draw_target(self, target: float | None, log: bool) -> None:
        y = None if target is None else float(place(np.array([target]), log)[0])
        self._target = None if y is None or not np.isfinite(y) else y
        self.target.setVisible(self._target is not None and not self.hidden)
        if self._target is not None:
            self.target.setValue(self._target)

    def band(self, x_range: Range) -> Array:
        """Return the minima and maxima drawn within ``x_range``, on the y axis."""
        inside = (self._x >= x_range[0]) & (self._x <= x_range[1])
        if self._smoothing:
            return np.concatenate((self._line[inside], self._low[inside], self._high[inside]))
        return np.concatenate((self._low[inside], self._high[inside]))

    def must_show(self) -> Array:
        """Return what the y axis has to reach whatever the outliers: the target."""
        return _EMPTY if self._target is None or not self.has_data else np.array([self._target])
