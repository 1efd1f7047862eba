"""What the Explore page asks for besides its picture: grids through latent space, and how dimensions are used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from latentlab.core.latent_grids import Grid
from latentlab.core.latent_state import sample_z
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.messages import DecodeRequest, EncodeRequest, Floats, Gallery, InferenceResult, Ints, ModelInfo
from latentlab.ui.context import AppContext
from latentlab.ui.widgets.image_start import labels_of
from latentlab.ui.widgets.pane_requests import PaneRequests

REST_MS = 90
FOLLOW_S, FOLLOW_SHARE = 0.7, 0.15
"""A grid follows the training this often at most, and for this share of the time at most."""
STATS_EVERY_S = 5.0
STATS_IMAGES = 256
CHANGE_POINTS = 3
CHANGE_BYTES = 1 << 20
CHANGE_SHARE = 0.15
CHANGE_EVERY_S = 60.0


class GridRequests(QObject):
    """Decodes a grid once the wish for it rests; nothing while it would stay the same.

    Signals
    -------
    ready
        (images (N, H, W, C), ``Grid``).
    """

    ready = Signal(object, object)

    def __init__(self, context: AppContext, pane: str, parent: QObject) -> None:
        super().__init__(parent)
        self._requests = PaneRequests(context.inference, pane, self)
        self._requests.answered.connect(self._on_answer)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._ask)
        self._build: Callable[[], Grid | None] | None = None
        self._key: object = None
        self._asked: object = None
        self._asked_at = 0.0
        self._took_s = 0.0
        self._weights: object = None
        self._conditional = False
        self._grid: Grid | None = None

    def set(self, key: object, build: Callable[[], Grid | None], conditional: bool) -> None:
        """Wish for the grid that ``build`` makes; equal keys stand for equal grids."""
        self._key, self._build, self._conditional = key, build, conditional
        if key != self._asked:
            self._rest.start()

    def follow(self, weights: object) -> None:
        """Wish for the same grid by newer weights, now and then."""
        pause = max(FOLLOW_S, self._took_s / FOLLOW_SHARE)
        if weights != self._weights and time.monotonic() - self._asked_at >= pause and not self._requests.busy:
            self._weights = weights
            if self._build is not None and not self._rest.isActive():
                self._ask()

    def cancel(self) -> None:
        """Forget the wish and what was asked."""
        self._rest.stop()
        self._requests.cancel()
        self._build = self._asked = self._weights = None

    @Slot()
    def _ask(self) -> None:
        grid = None if self._build is None else self._build()
        if grid is None or not len(grid.z):
            return
        self._asked, self._asked_at, self._grid = self._key, time.monotonic(), grid
        self._requests.ask(DecodeRequest(grid.z, grid.labels if self._conditional else None))

    @Slot(object)
    def _on_answer(self, result: InferenceResult) -> None:
        grid = self._grid
        if result.images is not None and grid is not None and len(result.images) == len(grid.z):
            self._took_s = result.took_ms / 1000
            self.ready.emit(result.images, grid)


class UseMeter(QObject):
    """Encodes some of the gallery now and then to tell which dimensions are used.

    Signals
    -------
    measured
        A ``LatentSurvey`` of some images.
    """

    measured = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._requests = PaneRequests(context.inference, "explore.use", self)
        self._requests.answered.connect(self._on_answer)
        self._weights: object = None
        self._next_at = 0.0
        self._labels: Ints | None = None
        self._info: ModelInfo | None = None

    def follow(self, weights: object, gallery: Gallery | None, info: ModelInfo) -> None:
        """Measure again when the weights changed and the last measurement is a few seconds old."""
        now = time.monotonic()
        if gallery is None or weights == self._weights or now < self._next_at or self._requests.busy:
            return
        self._weights, self._next_at, self._info = weights, now + STATS_EVERY_S, info
        chosen = np.unique(np.linspace(0, len(gallery.images) - 1, STATS_IMAGES).astype(np.int64))
        self._labels = None if gallery.labels is None else gallery.labels[chosen].astype(np.int64)
        labels = None
        if info.conditional and self._labels is not None:
            labels = np.maximum(self._labels, 0)
        self._requests.ask(EncodeRequest(np.ascontiguousarray(gallery.images[chosen]), labels))

    def cancel(self) -> None:
        """Forget what was asked; the next ``follow`` measures at once."""
        self._requests.cancel()
        self._weights, self._next_at = None, 0.0

    @Slot(object)
    def _on_answer(self, result: InferenceResult) -> None:
        if result.mu is None or len(result.mu) < 2 or self._info is None:
            return
        labels = self._labels if self._labels is not None and len(self._labels) == len(result.mu) else None
        rows = np.arange(len(result.mu), dtype=np.int64)
        self.measured.emit(LatentSurvey(result.step, self._info, rows, result.mu, result.logvar, labels))


@dataclass(frozen=True, eq=False, slots=True)
class PictureChange:
    """How much each dimension changes the picture, (D,): see ``DimensionStats.change``. ``step`` of the weights."""

    step: int
    change: Floats


class ChangeMeter(QObject):
    """Decodes a little to either side of some points, dimension by dimension, in the pauses of everything else.

    Signals
    -------
    measured
        A ``PictureChange``, when all dimensions are done.
    """

    measured = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._requests = PaneRequests(context.inference, "explore.change", self)
        self._requests.answered.connect(self._on_answer)
        self._info: ModelInfo | None = None
        self._weights: object = None
        self._next_at = self._done_at = 0.0
        self._points: Floats = np.zeros((0, 0), dtype=np.float32)
        self._sums: Floats = np.zeros(0, dtype=np.float32)
        self._place = self._count = 0
        self._running = False

    def follow(self, weights: object, info: ModelInfo, draws: Floats | None, label: int, quiet: bool) -> None:
        """Go on, or begin again with newer weights after a minute; ``quiet``: nobody is moving anything now."""
        now = time.monotonic()
        if self._requests.busy or now < self._next_at or not quiet:
            return
        if not self._running:
            if weights == self._weights or (self._done_at and now - self._done_at < CHANGE_EVERY_S):
                return
            self._begin(weights, info, draws)
        self._ask(info, label)

    def _begin(self, weights: object, info: ModelInfo, draws: Floats | None) -> None:
        dim = info.latent_dim
        known = draws is not None and len(draws) >= CHANGE_POINTS and draws.shape[1] == dim
        points = (
            draws[:CHANGE_POINTS] if known and draws is not None else [sample_z(i, dim) for i in range(CHANGE_POINTS)]
        )
        self._points = np.stack(list(points)).astype(np.float32)
        self._sums = np.zeros(dim, dtype=np.float32)
        self._place, self._weights, self._running, self._info = 0, weights, True, info

    def _ask(self, info: ModelInfo, label: int) -> None:
        """Ask for the next few (point, dimension) pairs, each at -1 and +1 sigma."""
        height, width, channels = info.image_shape
        most = max(1, min(32, CHANGE_BYTES // (2 * height * width * channels)))
        total = len(self._points) * info.latent_dim
        pairs = np.arange(self._place, min(total, self._place + most))
        which, dims = np.divmod(pairs, info.latent_dim)
        z = np.repeat(self._points[which], 2, axis=0)
        z[0::2][np.arange(len(pairs)), dims] = -1.0
        z[1::2][np.arange(len(pairs)), dims] = 1.0
        self._count = len(pairs)
        self._requests.ask(DecodeRequest(z, labels_of(label, len(z), info.conditional)))

    @Slot(object)
    def _on_answer(self, result: InferenceResult) -> None:
        self._next_at = time.monotonic() + result.took_ms / 1000 * (1 - CHANGE_SHARE) / CHANGE_SHARE
        if result.images is None or len(result.images) != 2 * self._count:
            self._running, self._done_at = False, time.monotonic()
            return
        dim = len(self._sums)
        away = (result.images[1::2].astype(np.float32) - result.images[0::2]) / np.float32(255)
        rms = np.sqrt(np.square(away).mean(axis=(1, 2, 3)))
        np.add.at(self._sums, np.arange(self._place, self._place + self._count) % dim, rms)
        self._place += self._count
        if self._place >= len(self._points) * dim:
            self._running, self._done_at = False, time.monotonic()
            self.measured.emit(PictureChange(result.step, self._sums / np.float32(len(self._points))))

    def cancel(self) -> None:
        """Forget what was asked; a measurement at work goes on where it was."""
        self._requests.cancel()

    def restart(self) -> None:
        """Begin with another model."""
        self._requests.cancel()
        self._running, self._weights, self._done_at, self._next_at = False, None, 0.0, 0.0
