"""What is drawn over the curves of a plot: events of the run, and the range whose statistics are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor

from latentlab.core.events import RunEvent
from latentlab.ui import style
from latentlab.ui.formatting import format_steps
from latentlab.ui.views.plot_config import line_pen
from latentlab.ui.views.plot_curve import Line

if TYPE_CHECKING:
    from latentlab.ui.views.plot_group import PlotGroup
    from latentlab.ui.views.plot_view import PlotArea

TICK = 0.045
"""Height of a checkpoint's mark, as a share of the plot's."""
MOST = 400
NEAR_PIXELS = 5.0


class Marks:
    """Lines where a setting was changed, ticks where a checkpoint was written, and the selected range."""

    def __init__(self, area: PlotArea) -> None:
        self._lines = Line(connect="pairs")
        self._ticks = Line(connect="pairs")
        self._range = pg.LinearRegionItem(movable=False)
        for order, item in ((5, self._lines), (5, self._ticks), (1, self._range)):
            item.setZValue(order)
            area.addItem(item, ignoreBounds=True)
        self._range.setVisible(False)
        self._area = area

    def apply_theme(self) -> None:
        """Take the colours in force."""
        self._lines.setPen(line_pen(style.colour("accent"), "target"))
        self._ticks.setPen(line_pen(style.colour("muted"), width=2))
        shade = QColor(style.colour("accent"))
        shade.setAlphaF(0.14)
        self._range.setBrush(shade)
        for line in self._range.lines:
            line.setPen(line_pen(style.colour("accent")))

    def draw(self, group: PlotGroup, y_range: tuple[float, float]) -> None:
        """Place everything for a visible range of y."""
        low, high = y_range
        events = group.events[-MOST:] if group.shows_events else []
        saved = [event.step for event in events if event.kind == "checkpoint"]
        changed = [event.step for event in events if event.kind != "checkpoint"]
        _draw(self._lines, group, changed, (low, high))
        _draw(self._ticks, group, saved, (low, low + TICK * (high - low)))
        self._range.setVisible(group.selection is not None)
        if group.selection is not None:
            ends = group.to_x(np.array(group.selection))
            self._range.setRegion((float(ends[0]), float(ends[1])))


def _draw(item: Line, group: PlotGroup, steps: list[int], ends: tuple[float, float]) -> None:
    if not steps and item.xData is None:
        return
    x = np.repeat(group.to_x(np.array(steps, dtype=np.float64)), 2)
    item.setData(x, np.tile(ends, len(steps)))


def events_near(group: PlotGroup, x: float, x_per_pixel: float) -> list[RunEvent]:
    """Return the events drawn within a few pixels of a place on the x axis."""
    if not group.shows_events:
        return []
    reach = NEAR_PIXELS * abs(x_per_pixel)
    places = group.to_x(np.array([event.step for event in group.events[-MOST:]], dtype=np.float64))
    return [event for event, at in zip(group.events[-MOST:], places, strict=True) if abs(at - x) <= reach]


def story(events: list[RunEvent]) -> str:
    """Return the events in words, a line each."""
    return "\n".join(f"step {format_steps(event.step)}: {event.text}" for event in events[:12])
