"""What the plots of a page share: the history, the range of steps, the cursor, and the time to draw in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from latentlab.core.buffers import MetricHistory
from latentlab.core.events import RunEvent
from latentlab.ui.views.plot_scaling import growing_end
from latentlab.ui.views.plot_smoothing import MAX_SMOOTHING

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QMenu

    from latentlab.ui.views.plot import MetricPlot

Array = npt.NDArray[np.float64]
XAxis = Literal["step", "time"]
ELAPSED = "elapsed_s"
MIN_INTERVAL_S, MAX_INTERVAL_S = 0.1, 2.0
DRAWING_SHARE = 0.015
"""Largest share of the GUI thread that live redraws may take; slower plots are drawn less often.

What the window draws in Python the trainer waits for: with a tenth, watching cost a tenth of the training.
"""
_CLOCK_POINTS = 4000


class PlotGroup(QObject):
    """Shared state of linked plots.

    Follows the newest values until the user zooms or moves; ``follow_newest`` goes back.
    Thread: GUI.
    """

    mode_changed = Signal()  # following, or which range the user chose
    cursor_moved = Signal(object)  # step under the pointer (float) or None
    selection_changed = Signal()

    def __init__(self, history: MetricHistory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.history = history
        self.following = True
        self.smoothing = 0.0
        self.x_axis: XAxis = "step"
        self.to_end = False
        self.last_step: float | None = None
        self.cursor_step: float | None = None
        self.x_range = (0.0, 10.0)
        self.events: list[RunEvent] = []
        self.shows_events = True
        self.menu_extras: Callable[[QMenu, MetricPlot], None] | None = None
        self.selection: tuple[float, float] | None = None
        self.settings_version = 0
        self._plots: list[MetricPlot] = []
        self._cursor_wanted: float | None = None
        self._round_at = 0.0
        self._round_s = self._spent_s = 0.0
        self._settings_drawn = -1
        self._clock: list[tuple[float, float]] = []
        self._clock_arrays: tuple[int, Array, Array] | None = None

    # -- plots ----------------------------------------------------------------------------------

    def add(self, plot: MetricPlot) -> None:
        """Let ``plot`` take part."""
        self._plots.append(plot)

    def remove(self, plot: MetricPlot) -> None:
        """Let ``plot`` go."""
        self._plots.remove(plot)

    @property
    def plots(self) -> tuple[MetricPlot, ...]:
        """The plots that take part."""
        return tuple(self._plots)

    def restart(self, history: MetricHistory, last_step: float | None) -> None:
        """Start over with another run; its recipe ends at ``last_step``."""
        self.history, self.last_step = history, last_step
        self._clock.clear()
        self._clock_arrays = None
        self.cursor_step = self._cursor_wanted = None
        self.x_range = (0.0, 10.0)
        self.following = True
        self.events, self.selection = [], None
        self._changed()

    # -- what is shown ----------------------------------------------------------------------------

    def set_smoothing(self, factor: float) -> None:
        """Smooth with ``factor`` (0 to 0.99) of the past per logged value."""
        self.smoothing = min(max(factor, 0.0), MAX_SMOOTHING)
        self._touch()

    def set_x_axis(self, axis: XAxis) -> None:
        """Draw against the step, or against the time trained in seconds."""
        if axis != self.x_axis:
            self.x_axis = axis
            self.x_range = (0.0, 1e-9)
            self.follow_newest()

    def set_to_end(self, to_end: bool) -> None:
        """While following, show the axis up to the recipe's last step instead of the newest one."""
        self.to_end = to_end
        self.x_range = (0.0, 1e-9)
        self._changed()

    def set_events(self, events: list[RunEvent]) -> None:
        """Mark these events on every plot."""
        self.events = events
        self._touch()

    def show_events(self, shown: bool) -> None:
        """Mark changes and checkpoints, or not."""
        self.shows_events = shown
        self._touch()

    def select(self, first: float, last: float) -> None:
        """Select a range (in units of the x axis) whose statistics are read; an empty one selects nothing."""
        ends = sorted((self.to_step(first), self.to_step(last)))
        self.selection = (ends[0], ends[1]) if last != first else None
        self._touch()
        self.selection_changed.emit()

    def follow_newest(self) -> None:
        """Show the whole run, the newest value included, and go on doing so; y is scaled by itself."""
        self.following = True
        self.x_range = (0.0, 1e-9)
        for plot in self._plots:
            plot.fit_y()
        self._changed()

    def show_range(self, first: float, last: float) -> None:
        """Show ``[first, last]`` (in units of the x axis) and stay there."""
        if not last > first:
            return
        self.following = False
        self.x_range = (first, last)
        self._changed()
        self.draw_all()

    def _changed(self) -> None:
        self._touch()
        self.mode_changed.emit()

    def _touch(self) -> None:
        self.settings_version += 1

    def want_cursor(self, step: float | None) -> None:
        """Move the cursor to ``step`` at the next tick: the mouse moves faster than plots can be painted."""
        self._cursor_wanted = step

    def set_cursor(self, step: float | None) -> None:
        """Move the shared cursor to ``step`` now; None hides it."""
        self._cursor_wanted = step
        if step != self.cursor_step:
            self.cursor_step = step
            for plot in self._plots:
                if plot.isVisible():
                    plot.show_cursor()
            self.cursor_moved.emit(step)

    # -- steps and seconds --------------------------------------------------------------------------

    def note_time(self, step: float, elapsed_s: float) -> None:
        """Remember when a step was reached, for runs whose history does not say it."""
        while self._clock and self._clock[-1][0] > step:  # Another run, or one that went back to a checkpoint.
            self._clock.pop()
        if not self._clock or step > self._clock[-1][0]:
            self._clock.append((step, elapsed_s))
            if len(self._clock) > _CLOCK_POINTS:
                del self._clock[1:-1:2]

    def _times(self) -> tuple[Array, Array]:
        """Return steps and the seconds at which they were reached."""
        version = self.history.version  # Read first: what is appended meanwhile is taken up the next time.
        if self._clock_arrays is None or self._clock_arrays[0] != version:
            logged = self.history.summary(ELAPSED, max_points=2 * _CLOCK_POINTS)
            steps, seconds = logged.steps, logged.maxima
            if len(steps) < 2 and self._clock:
                steps, seconds = (np.array(column, dtype=np.float64) for column in zip(*self._clock, strict=True))
            self._clock_arrays = (version, steps, seconds)
        return self._clock_arrays[1:]

    @property
    def knows_time(self) -> bool:
        """Whether steps can be placed in time."""
        return len(self._times()[0]) >= 2

    def to_x(self, steps: Array) -> Array:
        """Return where steps lie on the x axis."""
        if self.x_axis == "step":
            return steps
        known, seconds = self._times()
        return np.interp(steps, known, seconds) if len(known) else np.zeros_like(steps)

    def to_step(self, x: float) -> float:
        """Return the step at a place of the x axis (beyond the known times: the last known step)."""
        if self.x_axis == "step":
            return x
        known, seconds = self._times()
        return float(np.interp(x, seconds, known)) if len(known) else 0.0

    # -- drawing ----------------------------------------------------------------------------------

    def tick(self) -> None:
        """Draw what is due; call at 30 Hz while visible.

        New values are drawn in rounds, at most ten a second and for at most ``DRAWING_SHARE`` of the time.
        In a round one plot is drawn per tick, or all at once where the axis they share grew. What the user
        changed is drawn at once.
        """
        if self._cursor_wanted != self.cursor_step:
            self.set_cursor(self._cursor_wanted)
        now = time.perf_counter()
        due = now - self._round_at >= self._interval_s()
        changed = self.settings_version != self._settings_drawn
        if due or changed:
            self._advance_range()
        grown = due and not changed and self.settings_version != self._settings_drawn
        self._settings_drawn = self.settings_version
        waiting = [plot for plot in self._plots if plot.isVisible() and plot.needs_drawing()]
        if due and waiting:
            self._begin_round(now)
        for plot in waiting:
            if plot.stale_settings():
                self._draw(plot, live=grown)
        late = min(waiting, key=lambda plot: plot.drawn_at, default=None)
        if late is not None and late.drawn_at < self._round_at:
            self._draw(late, live=True)

    def draw_all(self) -> None:
        """Draw every visible plot now."""
        self._advance_range()
        for plot in self._plots:
            if plot.isVisible():
                self._draw(plot)

    def note_paint(self, seconds: float) -> None:
        """Count what it took to paint a part of a plot that was drawn for a new value."""
        self._spent_s += seconds

    def _draw(self, plot: MetricPlot, *, live: bool = False) -> None:
        if not live:
            plot.redraw()
            return
        start = time.perf_counter()
        plot.redraw_live()
        self._spent_s += time.perf_counter() - start

    def _begin_round(self, now: float) -> None:
        """Learn what the last round cost (moving average)."""
        if self._round_at:
            self._round_s += 0.3 * (self._spent_s - self._round_s) if self._round_s else self._spent_s
        self._round_at, self._spent_s = now, 0.0

    def _interval_s(self) -> float:
        """Return how long a round has to last to keep within the share."""
        return min(max(MIN_INTERVAL_S, self._round_s / DRAWING_SHARE), MAX_INTERVAL_S)

    def _advance_range(self) -> None:
        if not self.following:
            return
        span = self.history.span()
        newest = span[1] if span else 0.0
        if self.to_end and self.last_step is not None:
            newest = max(newest, self.last_step)
        if self.x_axis == "time":
            newest = float(self.to_x(np.array([newest]))[0])
        exact = self.to_end and self.x_axis == "step" and self.last_step is not None
        end = max(newest, 1.0) if exact else growing_end(newest, self.x_range[1])
        if end != self.x_range[1] or self.x_range[0] != 0.0:
            self.x_range = (0.0, max(end, 1.0))
            self._touch()
