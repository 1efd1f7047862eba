"""The video thread's copy of the model, kept up with the newest weights."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ModelInfo, WeightSnapshot
from latentlab.runtime.priority import FollowedWeights
from latentlab.runtime.threads import prepare_torch

if TYPE_CHECKING:
    from latentlab.explore.video_inference import FrameReconstructor

TRAINING_S = 3.0
"""Weights that moved within this time are taken for those of a running training."""


class Replica:
    """Follows a slot of weights. ``model`` is None while there are none that fit, or none with an encoder.

    ``snapshot``: the weights that ``model`` has; any thread may read it.

    Thread: video.
    """

    def __init__(self) -> None:
        self.weights: LatestSlot[WeightSnapshot] | None = None
        self.model: FrameReconstructor | None = None
        self.snapshot: WeightSnapshot | None = None
        self._seen: tuple[object, int] | None = None
        self._moved_at = -TRAINING_S

    @property
    def info(self) -> ModelInfo | None:
        """What the model is; None while there is none."""
        return self.model.info if self.model is not None else None

    @property
    def training(self) -> bool:
        """Whether the weights are on the move, so that a trainer needs the machine."""
        return time.monotonic() - self._moved_at < TRAINING_S

    def refresh(self) -> bool:
        """Load the newest weights if they are newer than those in use; return whether anything changed.

        Raises
        ------
        LatentLabError
            If they cannot be loaded; there is no model then.
        """
        if self.weights is None:
            return False
        version, snapshot = self.weights.get()
        if self._seen == (self.weights, version):
            return False
        self._seen = (self.weights, version)
        # When another run begins, the model of the one before must not pass for its own.
        model, self.model, self.snapshot = self.model, None, None
        if snapshot is None or not snapshot.info.has_encoder:  # Nothing that could reconstruct a frame.
            return True
        self._moved_at = time.monotonic()
        if model is None:
            prepare_torch()
            from latentlab.explore.video_inference import FrameReconstructor

            model = FrameReconstructor()
        model.load(snapshot)
        self.model, self.snapshot = model, snapshot
        return True

    def newest_step(self) -> int:
        """Return the step of the newest weights without making the trainer copy more of them."""
        weights = self.weights
        snapshot = weights.peek()[1] if isinstance(weights, FollowedWeights) else weights.get()[1] if weights else None
        return snapshot.step if snapshot is not None else -1

    def right_of_way(self) -> AbstractContextManager[None]:
        """Ask the trainer to let a picture go first, where the weights come with that right."""
        return self.weights.priority.busy() if isinstance(self.weights, FollowedWeights) else nullcontext()

    def release(self) -> None:
        """Free the model."""
        self.model = self.snapshot = None
