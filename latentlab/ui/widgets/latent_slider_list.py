"""All latent dimensions of a model as rows that are made when they come into view."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from latentlab.core.latent_state import LatentPoint
from latentlab.core.latent_stats import DimensionStats
from latentlab.ui.formatting import format_value
from latentlab.ui.widgets.latent_slider import LatentSlider
from latentlab.ui.widgets.latent_slider_paint import ROW_HEIGHT, SigmaRuler

FIRST_ROWS = 32
RULER_HEIGHT = 18
GESTURE_PAUSE_MS = 600


class LatentSliderList(QAbstractScrollArea):
    """A scrolled list of ``LatentSlider`` rows with a ruler above; only rows seen so far exist as widgets.

    The list shows a point and reports what the user does; it never changes a point itself.

    Signals
    -------
    moved
        (dimension, value): a slider was moved by hand.
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
        self._stats: DimensionStats | None = None
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
        for dimension in self._shown:
            self._fill(self._sliders[dimension])

    def _restart(self, point: LatentPoint) -> None:
        dim = len(point.z)
        for dimension in [d for d in self._sliders if d >= dim]:
            slider = self._sliders.pop(dimension)
            slider.setParent(None)
            slider.deleteLater()
        self._point, self._stats = point, None
        self._shown.clear()
        self.set_current(0)
        self.verticalScrollBar().setValue(0)
        for dimension in range(min(dim, FIRST_ROWS)):
            self.slider(dimension)
        self.set_stats(None)
        self.set_order(range(dim))

    def slider(self, dimension: int) -> LatentSlider:
        """Return the row of a dimension, making it when it does not exist yet."""
        slider = self._sliders.get(dimension)
        if slider is None:
            slider = LatentSlider(dimension, self.viewport())
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
        """Let every track reach ±``limit`` sigma."""
        self.limit = limit
        self.ruler.set_limit(limit)
        for slider in self._sliders.values():
            slider.set_limit(limit)

    def set_stats(self, stats: DimensionStats | None) -> None:
        """Show how much each dimension is used: a bar, or dimmed when it is dead."""
        self._stats = stats
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
        if self._point is not None and slider.dimension < len(self._point.z):
            slider.set_limit(self.limit)
            slider.set_latent(float(self._point.z[slider.dimension]))
            slider.set_locked(bool(self._point.locks[slider.dimension]))
            slider.set_current(slider.dimension == self.current)

    def _describe(self, slider: LatentSlider) -> None:
        stats, d = self._stats, slider.dimension
        if stats is None or d >= len(stats.variance):
            slider.set_use(None, False, "")
            return
        dead = not bool(stats.active[d])
        text = f"Variance of the mean over {stats.images} images: {format_value(float(stats.variance[d]))} σ²"
        if stats.kl_nats is not None:
            text += f" · KL {format_value(float(stats.kl_nats[d]))} nats"
        use = stats.variance if stats.kl_nats is None else stats.kl_nats
        share = float(np.clip(use[d] / max(float(use.max()), 1e-9), 0.0, 1.0))
        slider.set_use(share, dead, text + ("\nDead: moving it changes next to nothing" if dead else ""))

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
