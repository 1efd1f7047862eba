"""Reconstructing the frames of a video with the newest weights, and measuring how well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentlab.core.errors import LatentLabError
from latentlab.core.messages import Floats, Images, ModelInfo, ReconstructRequest, WeightSnapshot
from latentlab.explore.session import ExploreSession
from latentlab.models.device import DevicePolicy

BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Reconstructed:
    """``images`` (N, H, W, C) uint8 and ``pixel`` (N,) float32, the MSE of each in [0,1]² units.

    The error is that of the reconstruction before it was rounded to eight bits.
    """

    images: Images
    pixel: Floats


class FrameReconstructor:
    """Encodes and decodes any number of frames with the mean of the posterior, in batches.

    Thread: whichever created it, and only that one.

    Parameters
    ----------
    policy
        Device to work on; by default CUDA where there is any.
    """

    def __init__(self, policy: DevicePolicy | None = None) -> None:
        self._session = ExploreSession(policy)

    @property
    def session(self) -> ExploreSession:
        """The replica itself, for whoever encodes and decodes with the same weights."""
        return self._session

    @property
    def info(self) -> ModelInfo | None:
        """What the replica was built for; None before the first ``load``."""
        return self._session.info

    @property
    def step(self) -> int:
        """Training step of the weights in use, -1 before the first ``load``."""
        return self._session.step

    @property
    def taken_at(self) -> float:
        """When the weights in use were copied (``time.monotonic``)."""
        return self._session.taken_at

    @property
    def device(self) -> str:
        """Device and arithmetic in words."""
        return self._session.policy.describe()

    def load(self, snapshot: WeightSnapshot) -> None:
        """Copy a snapshot's weights.

        Raises
        ------
        InputError
            If the weights do not belong to the model they come with.
        """
        self._session.load(snapshot)

    def reconstruct(self, frames: Images, batch: int = BATCH) -> Reconstructed:
        """Reconstruct (N, H, W, C) uint8 frames at the model's size; others are resized first.

        A conditional model is told its first class, as frames carry no label.

        Raises
        ------
        LatentLabError
            If nothing was loaded, or the model fails.
        """
        parts = [self._one_batch(frames[start : start + batch]) for start in range(0, len(frames), batch)]
        if len(parts) == 1:
            return parts[0]
        images = np.concatenate([part.images for part in parts])
        return Reconstructed(images, np.concatenate([part.pixel for part in parts]))

    def _one_batch(self, frames: Images) -> Reconstructed:
        info = self._session.info
        labels = np.zeros(len(frames), dtype=np.int64) if info is not None and info.conditional else None
        result = self._session.run(ReconstructRequest(frames, labels))
        if result.error is not None or result.images is None or result.pixel is None:
            report = result.error
            raise LatentLabError(
                report.what if report else "The model gave no reconstruction",
                where=report.where if report else "",
                hint=report.hint if report else "",
            )
        return Reconstructed(result.images, result.pixel)
