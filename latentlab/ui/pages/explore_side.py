"""What the Explore page asks for besides its picture: the strip, and how much each dimension is used."""

from __future__ import annotations

import time

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from latentlab.core.latent_state import LatentPoint, traversal
from latentlab.core.latent_stats import dimension_stats
from latentlab.core.messages import DecodeRequest, EncodeRequest, Floats, Gallery, InferenceResult
from latentlab.ui.context import AppContext
from latentlab.ui.pages.explore_stage import STRIP_STEPS
from latentlab.ui.widgets.image_start import labels_of
from latentlab.ui.widgets.pane_requests import PaneRequests

STRIP_REST_MS = 90
STRIP_EVERY_S = 0.7
STATS_EVERY_S = 5.0
STATS_IMAGES = 64


class StripRequests(QObject):
    """Decodes the current dimension from end to end once z rests; nothing while the strip would stay the same.

    Signals
    -------
    ready
        (images (N, H, W, C), values (N,), dimension).
    """

    ready = Signal(object, object, int)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._requests = PaneRequests(context.inference, "explore.strip", self)
        self._requests.answered.connect(self._on_answer)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(STRIP_REST_MS)
        self._rest.timeout.connect(self._ask)
        self._wish: tuple[LatentPoint, int, float, bool] | None = None
        self._asked: tuple[object, ...] | None = None
        self._asked_at = 0.0
        self._weights: object = None
        self._values: Floats = np.zeros(0, dtype=np.float32)
        self._dimension = 0

    def set(self, point: LatentPoint, dimension: int, limit: float, conditional: bool) -> None:
        """Wish for the strip of ``point`` along ``dimension`` over ±``limit`` sigma."""
        self._wish = (point, dimension, limit, conditional)
        if self._key() != self._asked:
            self._rest.start()

    def follow(self, weights: object) -> None:
        """Wish for the same strip by newer weights, at most every ``STRIP_EVERY_S``."""
        if weights != self._weights and time.monotonic() - self._asked_at >= STRIP_EVERY_S:
            self._weights = weights
            if self._wish is not None and not self._rest.isActive():
                self._ask()

    def cancel(self) -> None:
        """Forget the wish and what was asked."""
        self._rest.stop()
        self._requests.cancel()
        self._wish = self._asked = self._weights = None

    def _key(self) -> tuple[object, ...]:
        assert self._wish is not None
        point, dimension, limit, conditional = self._wish
        rest = point.z.copy()
        rest[dimension] = 0.0
        return rest.tobytes(), dimension, limit, point.label if conditional else None

    @Slot()
    def _ask(self) -> None:
        if self._wish is None:
            return
        point, dimension, limit, conditional = self._wish
        self._asked, self._asked_at = self._key(), time.monotonic()
        self._values = np.linspace(-limit, limit, STRIP_STEPS, dtype=np.float32)
        self._dimension = dimension
        labels = labels_of(point.label, STRIP_STEPS, conditional)
        self._requests.ask(DecodeRequest(traversal(point.z, dimension, self._values), labels))

    @Slot(object)
    def _on_answer(self, result: InferenceResult) -> None:
        if result.images is not None and len(result.images) == len(self._values):
            self.ready.emit(result.images, self._values, self._dimension)


class UseMeter(QObject):
    """Encodes some of the gallery now and then to tell which dimensions are used.

    Signals
    -------
    measured
        A ``DimensionStats``.
    """

    measured = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._requests = PaneRequests(context.inference, "explore.use", self)
        self._requests.answered.connect(self._on_answer)
        self._weights: object = None
        self._next_at = 0.0

    def follow(self, weights: object, gallery: Gallery | None, conditional: bool) -> None:
        """Measure again when the weights changed and the last measurement is a few seconds old."""
        now = time.monotonic()
        if gallery is None or weights == self._weights or now < self._next_at or self._requests.busy:
            return
        self._weights, self._next_at = weights, now + STATS_EVERY_S
        chosen = np.unique(np.linspace(0, len(gallery.images) - 1, STATS_IMAGES).astype(np.int64))
        labels = None
        if conditional and gallery.labels is not None:
            labels = np.maximum(gallery.labels[chosen], 0).astype(np.int64)
        self._requests.ask(EncodeRequest(np.ascontiguousarray(gallery.images[chosen]), labels))

    def cancel(self) -> None:
        """Forget what was asked; the next ``follow`` measures at once."""
        self._requests.cancel()
        self._weights, self._next_at = None, 0.0

    @Slot(object)
    def _on_answer(self, result: InferenceResult) -> None:
        if result.mu is not None and len(result.mu) > 1:
            self.measured.emit(dimension_stats(result.mu, result.logvar))
