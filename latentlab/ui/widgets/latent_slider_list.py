"""The sliders of a model, one for each latent dimension or direction, made as they come into view."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QEvent, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from latentlab.core.latent_axes import DIMENSIONS, Axes, dimension_axes, slider_range
from latentlab.core.latent_state import LatentPoint
from latentlab.core.latent_stats import BY_KL, DimensionStats
from latentlab.core.messages import Floats
from latentlab.ui.formatting import format_value
from latentlab.ui.widgets.latent_slider import LatentSlider
from latentlab.ui.widgets.latent_slider_paint import NAME_WIDTH, ROW_HEIGHT, WIDE_NAME, SigmaRuler

FIRST_ROWS = 32
RULER_HEIGHT = 18
GESTURE_PAUSE_MS = 600


class LatentSliderList(QAbstractScrollArea):
    """A scrolled list of ``LatentSlider`` rows with a ruler above; only rows seen so far exist as widgets.

    The list shows a point and reports what the user does; it never changes a point itself.

    Signals
    -------
    moved
        (axis, value): a slider was moved by hand. An axis is a dimension, or a row of ``axes.directions``.
    gesture_ended
        A drag was released, or wheel and keys rested for a moment: the next move is a new one.
    lock_toggled
        (dimension, locked).
    current_changed
        The dimension whose row is current.
    """

    moved = Signal(int, float)
    gesture_ended = Signal()
    lock_toggled = Signal(int, bool)
    current_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("latentSliders")
        self.setAccessibleName("Latent dimensions")
        self.setToolTip("One slider for each latent dimension; ↑ ↓ go from one to the next")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(RULER_HEIGHT + 3 * ROW_HEIGHT)
        self.viewport().setAutoFillBackground(False)
        self.ruler = SigmaRuler(self)
        self.setViewportMargins(0, RULER_HEIGHT, 0, 0)
        self.verticalScrollBar().setSingleStep(ROW_HEIGHT)
        self.verticalScrollBar().valueChanged.connect(self._place)
        self.limit = 3.0
        self.current = 0
        self.order: list[int] = []
        self._point: LatentPoint | None = None
        self.axes: Axes = dimension_axes(0)
        self.by = BY_KL
        self._values: Floats = np.zeros(0, dtype=np.float32)
        self._stats: DimensionStats | None = None
        self._bounds: Floats | None = None
        self._data_range = False
        self.spans: list[tuple[float, float]] = []
        self._sliders: dict[int, LatentSlider] = {}
        self._shown: set[int] = set()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(GESTURE_PAUSE_MS)
        self._pause.timeout.connect(self.gesture_ended)

    @property
    def dim(self) -> int:
        """Number of latent dimensions."""
        return 0 if self._point is None else len(self._point.z)

    @property
    def stats(self) -> DimensionStats | None:
        """Return what is known about the use of the dimensions."""
        return self._stats

    def sliders(self) -> dict[int, LatentSlider]:
        """Return the rows made so far, by dimension."""
        return self._sliders

    def set_point(self, point: LatentPoint) -> None:
        """Show a point; another number of dimensions starts the list anew in the order of the index."""
        if len(point.z) != self.dim:
            self._restart(point)
        self._point = point
        self._values = self.axes.coordinates(point.z)
        for dimension in self._shown:
            self._fill(self._sliders[dimension])

    def set_axes(self, axes: Axes) -> None:
        """Show sliders for these axes, in their own order; rows that stay the same are kept."""
        before, self.axes = self.axes, axes
        self._values = axes.coordinates(self._point.z) if self._point is not None else self._values
        self._bounds = None
        if (axes.kind, axes.names) != (before.kind, before.names):
            self._forget(lambda _: True)
            self.set_current(0)
            self.verticalScrollBar().setValue(0)
            self.ruler.name_width = NAME_WIDTH if axes.kind == DIMENSIONS else WIDE_NAME
            self.set_limit(self.limit)
            self.set_order(range(len(axes)))
            return
        for slider in self._sliders.values():
            self._fill(slider)
            self._describe(slider)

    def _restart(self, point: LatentPoint) -> None:
        dim = len(point.z)
        same = self.axes.kind == DIMENSIONS
        self._forget(lambda d: not same or d >= dim)
        self._point, self._stats, self._bounds = point, None, None
        self.axes, self._values = dimension_axes(dim), point.z
        self.ruler.name_width = NAME_WIDTH
        self._shown.clear()
        self.set_current(0)
        self.verticalScrollBar().setValue(0)
        for dimension in range(min(dim, FIRST_ROWS)):
            self.slider(dimension)
        self.set_stats(None)
        self.set_limit(self.limit)
        self.set_order(range(dim))

    def _forget(self, which: Callable[[int], bool]) -> None:
        for dimension in [d for d in self._sliders if which(d)]:
            slider = self._sliders.pop(dimension)
            slider.setParent(None)
            slider.deleteLater()
        self._shown = {d for d in self._shown if d in self._sliders}

    def slider(self, dimension: int) -> LatentSlider:
        """Return the row of a dimension, making it when it does not exist yet."""
        slider = self._sliders.get(dimension)
        if slider is None:
            title = "" if self.axes.kind == DIMENSIONS else self.axes.names[dimension]
            slider = LatentSlider(dimension, self.viewport(), title=title)
            slider.moved.connect(self._on_moved)
            slider.lock_toggled.connect(self.lock_toggled)
            slider.picked.connect(self.set_current)
            slider.gesture_ended.connect(self._pause.start)
            slider.neighbour_wanted.connect(self._step_from)
            slider.hide()
            self._sliders[dimension] = slider
            self._fill(slider)
            self._describe(slider)
        return slider

    def set_order(self, order: Sequence[int]) -> None:
        """Show these dimensions in this order; those left out are folded away."""
        self.order = [int(d) for d in order]
        self._update_range()
        self._place()

    def set_limit(self, limit: float) -> None:
        """Let every track reach ±``limit`` sigma, or the data's own range where that is known and wanted."""
        self.limit = limit
        self._span_all()

    def set_bounds(self, bounds: Floats | None, data_range: bool) -> None:
        """Tell where the data lies along each axis, (2, A) in sigma, and whether the tracks reach just over that."""
        same = bounds is self._bounds and data_range == self._data_range
        self._bounds, self._data_range = bounds, data_range
        if not same:
            self._span_all()

    def _span_all(self) -> None:
        self.spans = [self.span(axis) for axis in range(len(self.axes))]
        spans = set(self.spans)
        low, high = self.spans[0] if len(spans) == 1 else (-self.limit, self.limit)
        shared = len(spans) <= 1 and low == -high
        self.ruler.set_limit(high if shared else self.limit, shared=shared)
        for slider in self._sliders.values():
            self._span(slider)

    def span(self, axis: int) -> tuple[float, float]:
        """Return the range of an axis: what its track offers, in sigma."""
        bounds = self._bounds
        if self._data_range and bounds is not None and axis < bounds.shape[1]:
            return slider_range(bounds[:, axis])
        return -self.limit, self.limit

    def _span(self, slider: LatentSlider) -> None:
        axis, bounds = slider.dimension, self._bounds
        known = bounds is not None and axis < bounds.shape[1]
        slider.set_span(*self.span(axis))
        slider.set_band((float(bounds[0, axis]), float(bounds[1, axis])) if known and bounds is not None else None)

    def set_stats(self, stats: DimensionStats | None, by: str = BY_KL) -> None:
        """Show how much each dimension is used: a bar of what they are ordered by, or dimmed when it is dead."""
        self._stats, self.by = stats, by
        for slider in self._sliders.values():
            self._describe(slider)

    @Slot(int)
    def set_current(self, dimension: int) -> None:
        """Make a dimension current (the one that the traversal strip shows)."""
        for slider in (self._sliders.get(self.current), self._sliders.get(dimension)):
            if slider is not None:
                slider.set_current(slider.dimension == dimension)
        if dimension != self.current:
            self.current = dimension
            self.current_changed.emit(dimension)

    def focus_dimension(self, dimension: int) -> None:
        """Scroll to a dimension's row and give it the keyboard."""
        if dimension not in self.order:
            return
        bar, top = self.verticalScrollBar(), self.order.index(dimension) * ROW_HEIGHT
        bar.setValue(min(max(bar.value(), top + ROW_HEIGHT - self.viewport().height()), top))
        self._place()
        self.slider(dimension).setFocus(Qt.FocusReason.TabFocusReason)

    @property
    def busy(self) -> bool:
        """Whether the pointer or the keyboard is in the list: rows must not change places now."""
        slider = self._sliders.get(self.current)
        return self.underMouse() or (slider is not None and slider.hasFocus())

    @Slot(int, float)
    def _on_moved(self, dimension: int, value: float) -> None:
        self._pause.stop()
        self.moved.emit(dimension, value)

    @Slot(int, int)
    def _step_from(self, dimension: int, step: int) -> None:
        if dimension in self.order:
            place = self.order.index(dimension) + step
            if 0 <= place < len(self.order):
                self.focus_dimension(self.order[place])

    def _fill(self, slider: LatentSlider) -> None:
        axis = slider.dimension
        if self._point is not None and axis < len(self._values):
            self._span(slider)
            slider.set_latent(float(self._values[axis]))
            slider.set_locked(slider.lockable and bool(self._point.locks[axis]))
            slider.set_current(axis == self.current)

    def _describe(self, slider: LatentSlider) -> None:
        stats, d = self._stats, slider.dimension
        if self.axes.kind != DIMENSIONS:
            share = None if self.axes.share is None or d >= len(self.axes) else float(self.axes.share[d])
            slider.set_use(share, False, self.axes.tips[d] if d < len(self.axes.tips) else "")
            return
        if stats is None or d >= len(stats.variance):
            slider.set_use(None, False, "")
            return
        dead = not bool(stats.active[d])
        text = f"Variance of the mean over {stats.images:,} images: {format_value(float(stats.variance[d]))} σ²"
        if stats.kl_nats is not None:
            text += f" · KL {format_value(float(stats.kl_nats[d]))} nats"
        if stats.change is not None:
            text += f"\nPicture's change from −1 σ to +1 σ: {float(stats.change[d]):.2%} RMS"
        use = stats.measure(self.by)
        share = float(np.clip(use[d] / max(float(use.max()), 1e-9), 0.0, 1.0))
        slider.set_use(share, dead, text + ("\nDead: its mean hardly varies over the data" if dead else ""))

    def _update_range(self) -> None:
        height = self.viewport().height()
        bar = self.verticalScrollBar()
        bar.setPageStep(height)
        bar.setRange(0, max(0, len(self.order) * ROW_HEIGHT - height))

    @Slot()
    def _place(self) -> None:
        """Put the rows that are in view where they belong and hide the others."""
        offset, height = self.verticalScrollBar().value(), self.viewport().height()
        first = offset // ROW_HEIGHT
        last = min(len(self.order), (offset + height) // ROW_HEIGHT + 1)
        visible = self.order[first:last]
        scrolls = self.verticalScrollBar().maximum() > 0
        for dimension in self._shown.difference(visible):
            if dimension in self._sliders:
                self._sliders[dimension].hide()
        width = self.viewport().width()
        for place, dimension in enumerate(visible, start=first):
            slider = self.slider(dimension)
            slider.wheel_always = not scrolls
            slider.setGeometry(0, place * ROW_HEIGHT - offset, width, ROW_HEIGHT)
            if dimension not in self._shown:
                self._fill(slider)
                slider.show()
        self._shown = set(visible)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the rows and the ruler to the new width."""
        super().resizeEvent(event)
        self.ruler.setGeometry(0, 0, self.viewport().width(), RULER_HEIGHT)
        self._update_range()
        self._place()

    def viewportEvent(self, event: QEvent) -> bool:
        """Let the rows paint themselves; the viewport has nothing of its own."""
        if event.type() == QEvent.Type.Paint:
            return True
        return super().viewportEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll by three rows a notch."""
        notches = event.angleDelta().y() / 120.0
        bar = self.verticalScrollBar()
        bar.setValue(round(bar.value() - notches * 3 * ROW_HEIGHT))
        event.accept()
