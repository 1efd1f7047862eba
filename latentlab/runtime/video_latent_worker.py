"""What the analysis thread does: measure the frames of the open clip, and prepare its path for drawing.

Thread: analysis, for everything here. Imports of torch happen in calls, not with the module.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from latentlab.core.errors import LatentLabError
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import Images, Ints, ModelInfo, WeightSnapshot
from latentlab.core.video_curves import ClipPath, FrameCurves, PathView
from latentlab.runtime.priority import FollowedWeights
from latentlab.runtime.threads import prepare_torch
from latentlab.runtime.video_latent_store import ClipStore, Mask

if TYPE_CHECKING:
    from latentlab.explore.video_latent_measure import FrameMeasurer
    from latentlab.explore.video_latent_path import PathMaker

PUBLISH_S = 0.25
BATCH_S = 0.04
LEAST_BATCH, FIRST_BATCH, MAX_BATCH = 4, 8, 256
PATH_GROWTH = 1.6
"""The path is prepared again when so many times as many frames are known."""


class FrameSource(Protocol):
    """Where frames come from: ``latentlab.data.proxy.Proxy``. Thread: any."""

    @property
    def frames(self) -> int:
        """How many frames the clip has."""

    @property
    def present(self) -> Mask:
        """(N,) which of them can be read."""

    @property
    def stride(self) -> int:
        """Every how many frames one will be there in the end."""

    def read_many(self, numbers: Ints) -> Images:
        """Return (len(numbers), H, W, C) uint8 frames at the model's size."""


@dataclass
class AnalysisSlots:
    """What the thread leaves for the window to poll."""

    curves: LatestSlot[FrameCurves]
    path: LatestSlot[ClipPath]


@dataclass(frozen=True, slots=True)
class Following:
    """When to measure again: at most every ``every_s`` while ``auto``, and whenever ``asked`` grows."""

    auto: bool = True
    every_s: float = 30.0
    asked: int = 0


class ClipAnalyst:
    """Measures one clip at a time with one set of weights at a time."""

    def __init__(self, slots: AnalysisSlots, source: Callable[[], FrameSource | None]) -> None:
        self.slots = slots
        self.weights: LatestSlot[WeightSnapshot] | None = None
        self.following = Following()
        self.view = PathView()
        self._source = source
        self._clip: FrameSource | None = None
        self._store: ClipStore | None = None
        self._measurer: FrameMeasurer | None = None
        self._info: ModelInfo | None = None
        self._paths: PathMaker | None = None
        self._asked = 0
        self._batch = FIRST_BATCH
        self._due = 0.0
        self._drawn: tuple[object, ...] = ()
        self._broken: object = None

    @property
    def store(self) -> ClipStore | None:
        """What is known of the open clip."""
        return self._store

    def work(self) -> bool:
        """Do one piece of work; return whether there was any.

        Raises
        ------
        LatentLabError
            If weights or frames are damaged; the same ones are not tried again.
        """
        clip = self._source()
        key = (clip, self.weights.version if self.weights is not None else -1)
        if self._broken == key:
            return False
        try:
            return self._work(clip)
        except LatentLabError:
            self._broken = key
            raise

    def release(self) -> None:
        """Free everything in the thread that made it."""
        self._forget()
        self._measurer = self._paths = None

    def _work(self, clip: FrameSource | None) -> bool:
        if clip is not self._clip:
            self._forget()
            self._clip = clip
        if clip is None or not self._ready(clip) or self._store is None or self._measurer is None:
            return False
        numbers = self._store.next_numbers(clip.present, self._batch)
        if not len(numbers):
            return self._draw_path()
        # The thread's own time: on a busy machine the clock would make batches so small that the model's
        # weights are read from memory once for every frame.
        began = time.thread_time()
        self._store.add(numbers, self._measurer.measure(clip.read_many(numbers)))
        # So that the thread answers in a moment, whatever the device; and is not all overhead on a fast one.
        fitting = len(numbers) * BATCH_S / max(time.thread_time() - began, 1e-6)
        self._batch = int(np.clip(fitting, max(LEAST_BATCH, self._batch // 2), min(MAX_BATCH, self._batch * 2)))
        if self._store.complete or time.monotonic() >= self._due:
            self._publish()
        return True

    def _forget(self) -> None:
        self._clip = self._store = self._info = None
        self._drawn = ()
        self.slots.curves.clear()
        self.slots.path.clear()

    def _ready(self, clip: FrameSource) -> bool:
        """Have weights loaded and a pass begun; return whether there is one."""
        newest = self._peek()
        if newest is None or not newest.info.has_encoder:
            if self._store is not None:
                self._forget()
                self._clip = clip
            return False
        if self._store is not None and not self._other_model(newest) and not self._is_due(newest):
            return True
        prepare_torch()
        from latentlab.explore.video_latent_measure import FrameMeasurer
        from latentlab.explore.video_latent_path import PathMaker

        snapshot = self.weights.get()[1] if self.weights is not None else None
        if snapshot is None:
            return False
        if self._measurer is None:
            self._measurer, self._paths = FrameMeasurer(), PathMaker()
        self._asked = self.following.asked
        self._measurer.load(snapshot)
        if self._store is None or self._other_model(snapshot) or self._store.frames != clip.frames:
            self._store = ClipStore(clip.frames, snapshot.info.latent_dim, clip.stride)
        self._info = snapshot.info
        self._store.begin(snapshot.step, snapshot.taken_at)
        self._publish()
        return True

    def _peek(self) -> WeightSnapshot | None:
        """Return the newest weights without making the trainer copy more of them."""
        weights = self.weights
        if weights is None:
            return None
        return weights.peek()[1] if isinstance(weights, FollowedWeights) else weights.get()[1]

    def _other_model(self, snapshot: WeightSnapshot) -> bool:
        info = self._info
        return info is None or (info.run, info.recipe.model) != (snapshot.info.run, snapshot.info.recipe.model)

    def _is_due(self, newest: WeightSnapshot) -> bool:
        assert self._store is not None
        if self.following.asked != self._asked:
            return newest.taken_at != self._store.taken_at or newest.step != self._store.step
        rested = self._store.complete and time.monotonic() - self._store.finished_at >= self.following.every_s
        return self.following.auto and rested and newest.step != self._store.step

    def _publish(self) -> None:
        assert self._store is not None
        assert self._measurer is not None
        self._due = time.monotonic() + PUBLISH_S
        curves = self._store.curves(self._measurer.absent, self._measurer.note)
        self.slots.curves.put(replace(curves, source=self._clip))
        self._draw_path()

    def _draw_path(self) -> bool:
        """Prepare the path, unless what is on screen is it; return whether it was prepared."""
        store, paths = self._store, self._paths
        if store is None or paths is None:
            return False
        z_TD = store.latents()
        known = int(np.count_nonzero(~np.isnan(z_TD[:, 0])))
        whole = known == len(z_TD) or store.complete
        # Log scale: while it fills, it is drawn a dozen times rather than thousands.
        stage = known if whole else int(np.log(max(1, known)) / np.log(PATH_GROWTH))
        key = (store.latents_step, store.latents_at, stage, self.view)
        if key == self._drawn or known < 2:
            return False
        self._drawn = key
        path = paths.make(z_TD, self.view, store.frames, store.stride)
        step, at = store.latents_step, store.latents_at
        self.slots.path.put(replace(path, complete=whole, step=step, taken_at=at, source=self._clip))
        return True
