"""What is known of the frames of one clip under one model, and which frames to measure next."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Floats, Ints
from latentlab.core.video_curves import FrameCurves

if TYPE_CHECKING:
    from latentlab.explore.video_latent_measure import Measured

Mask = npt.NDArray[np.bool_]
STRIDES = (32, 8, 2, 1)
"""Measured coarsely first, so that the shape of a curve is there long before all of it."""
MAX_LATENT_BYTES = 32 * 2**20
"""Latents beyond this are kept for every k-th frame only."""


class ClipStore:
    """Errors and latents of a clip's frames, pass after pass of newer weights.

    Within a pass all values come from one set of weights. Values of the pass before stay until they are
    replaced; its latents, as a whole, until the new ones are complete, as two sets of weights share no
    latent space.

    Thread: analysis.

    Parameters
    ----------
    frames, dim
        Frames of the clip N and latent dimensions D.
    every
        Only every so many frames can be had at all.
    """

    def __init__(self, frames: int, dim: int, every: int = 1) -> None:
        self.frames, self.every = frames, every
        fitting = math.ceil(frames * dim * 4 / MAX_LATENT_BYTES)
        self.stride = max(1, math.ceil(fitting / every)) * every
        self.values: dict[str, Floats] = {}
        self.step, self.taken_at = -1, 0.0
        self.latents_step, self.latents_at = -1, 0.0
        self._dim = dim
        self._wanted: Mask = np.arange(frames) % every == 0
        self._fresh: Mask = np.zeros(frames, dtype=bool)
        self._done = 0
        self._new = self._empty()
        self._old: Floats | None = None
        self.finished_at = 0.0

    @property
    def complete(self) -> bool:
        """Whether every frame that can be had was measured in this pass."""
        return self._done >= int(np.count_nonzero(self._wanted))

    @property
    def done(self) -> int:
        """Frames measured in this pass, as if all could be had."""
        return self.frames if self.complete else min(self.frames, self._done * self.every)

    def begin(self, step: int, taken_at: float) -> None:
        """Start a pass with other weights."""
        if self.complete and self._done:
            self._old, self._new = self._new, self._empty()
        elif self._done:
            self._new.fill(np.nan)
        self._fresh[:], self._done = False, 0
        self.step, self.taken_at = step, taken_at
        if self._old is None:
            self.latents_step, self.latents_at = step, taken_at

    def next_numbers(self, present: Mask, count: int) -> Ints:
        """Return up to ``count`` frames still to be measured of those ``present`` (N,), coarse before fine."""
        missing = present & ~self._fresh & self._wanted
        for stride in STRIDES:
            numbers = np.flatnonzero(missing[:: stride * self.every])[:count]
            if len(numbers):
                return (numbers * stride * self.every).astype(np.int64)
        return np.empty(0, dtype=np.int64)

    def add(self, numbers: Ints, measured: Measured) -> None:
        """Take in frames not yet measured in this pass."""
        for name in [name for name in self.values if name not in measured.values]:
            del self.values[name]
        for name, values in measured.values.items():
            if name not in self.values:
                self.values[name] = np.full(self.frames, np.nan, dtype=np.float32)
            self.values[name][numbers] = values
        kept = numbers % self.stride == 0
        self._new[numbers[kept] // self.stride] = measured.mu[kept]
        self._fresh[numbers] = True
        self._done += len(numbers)
        if self.complete:
            self._old = None
            self.latents_step, self.latents_at = self.step, self.taken_at
            self.finished_at = time.monotonic()

    def latents(self) -> Floats:
        """Return the newest latents of one set of weights, (ceil(N / stride), D), NaN where unknown. Do not change."""
        return self._new if self._old is None else self._old

    def curves(self, absent: Mapping[str, str], note: str) -> FrameCurves:
        """Return the errors for the window."""
        values = {name: array.copy() for name, array in self.values.items()}
        return FrameCurves(values, self.frames, self.done, self.step, self.taken_at, dict(absent), note)

    def _empty(self) -> Floats:
        return np.full((math.ceil(self.frames / self.stride), self._dim), np.nan, dtype=np.float32)
