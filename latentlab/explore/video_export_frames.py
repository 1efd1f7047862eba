"""The frames of a film as a model sees them: reconstructed, measured and edited, in batches of bounded memory.

Shape suffixes: B frames of a batch, D latent dimensions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.messages import (
    DecodeRequest,
    Floats,
    Images,
    InferenceRequest,
    InferenceResult,
    Ints,
    ModelInfo,
    ReconstructRequest,
    WeightSnapshot,
)
from latentlab.core.video_edit import EditedFilm
from latentlab.explore.session import ExploreSession
from latentlab.explore.video_input import FrameInput
from latentlab.explore.video_latent import apply_edit
from latentlab.models.device import DevicePolicy
from latentlab.models.kld import kl_standard_normal

BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class FilmBatch:
    """Some frames: numbers (B,), pictures (B, H, W, C) uint8, errors (B,) and posterior means (B, D).

    ``pixel`` is the mean squared error in [0,1]² units of the reconstruction before it was rounded to
    eight bits; ``kld`` in nats, None without a posterior; ``edited`` None without an edit.
    """

    numbers: Ints
    originals: Images
    images: Images
    pixel: Floats
    mu: Floats
    kld: Floats | None = None
    edited: Images | None = None


class FilmModel:
    """Reconstructs and edits the frames of a film with one set of weights.

    Thread: whichever created it, and only that one.

    Parameters
    ----------
    snapshot
        The weights.
    policy
        Device to work on; by default CUDA where there is any.

    Raises
    ------
    InputError
        If the model has no encoder, or the weights do not fit it.
    """

    def __init__(self, snapshot: WeightSnapshot, policy: DevicePolicy | None = None) -> None:
        if not snapshot.info.has_encoder:
            raise InputError(
                f"A {snapshot.info.kind} has no encoder, so there is nothing to reconstruct with",
                where="model.kind",
                hint="Choose a run of an ae, vae, cvae, ssvae or vaegan.",
            )
        self.info: ModelInfo = snapshot.info
        self.step = snapshot.step
        self._session = ExploreSession(policy)
        self._session.load(snapshot)

    def film(self, frames: FrameInput, numbers: Ints, edit: EditedFilm | None = None) -> Iterator[FilmBatch]:
        """Yield the frames of these ascending numbers; with a smoothing edit, they must be successive.

        Raises
        ------
        LatentLabError
            If a frame cannot be read or the model fails.
        """
        if edit is None:
            yield from self._reconstructed(frames, numbers)
            return
        # Smoothing looks at neighbours, also at those just outside the piece.
        reach = edit.radius
        before = np.arange(max(0, int(numbers[0]) - reach), numbers[0], dtype=np.int64)
        after = np.arange(numbers[-1] + 1, min(frames.frames, int(numbers[-1]) + 1 + reach), dtype=np.int64)
        wider = np.concatenate([before, numbers, after]) if reach else numbers
        for batch in self._edited(self._reconstructed(frames, wider), edit):
            inside = (batch.numbers >= numbers[0]) & (batch.numbers <= numbers[-1])
            if inside.any():
                yield batch if inside.all() else _rows(batch, inside)

    def _reconstructed(self, frames: FrameInput, numbers: Ints) -> Iterator[FilmBatch]:
        for taken, originals in frames.batches(BATCH, numbers):
            result = self._run(ReconstructRequest(originals, self._labels(len(originals))))
            assert result.images is not None
            assert result.pixel is not None
            assert result.mu is not None
            yield FilmBatch(taken, originals, result.images, result.pixel, result.mu, _kld(result))

    def _edited(self, batches: Iterator[FilmBatch], edit: EditedFilm) -> Iterator[FilmBatch]:
        """Add the edited pictures, each batch held back until the latents around it are known."""
        waiting: deque[FilmBatch] = deque()
        z_TD: Floats | None = None
        begin = 0  # Position of z_TD[0], and of the first batch waiting, counted in frames.
        place = 0
        for batch in batches:
            waiting.append(batch)
            z_TD = batch.mu if z_TD is None else np.concatenate([z_TD, batch.mu])
            while waiting and place + len(waiting[0].numbers) + edit.radius <= begin + len(z_TD):
                yield self._with_edit(waiting[0], z_TD, place - begin, edit)
                place += len(waiting.popleft().numbers)
            spare = max(0, place - edit.radius - begin)
            z_TD, begin = z_TD[spare:], begin + spare
        while waiting:
            assert z_TD is not None
            yield self._with_edit(waiting[0], z_TD, place - begin, edit)
            place += len(waiting.popleft().numbers)

    def _with_edit(self, batch: FilmBatch, z_TD: Floats, place: int, edit: EditedFilm) -> FilmBatch:
        first, stop = max(0, place - edit.radius), place + len(batch.numbers) + edit.radius
        z_BD = apply_edit(z_TD[first:stop], edit)[place - first : place - first + len(batch.numbers)]
        result = self._run(DecodeRequest(np.ascontiguousarray(z_BD), self._labels(len(batch.numbers))))
        return replace(batch, edited=result.images)

    def _labels(self, count: int) -> Ints | None:
        """Frames carry no class: a conditional model is told its first."""
        return np.zeros(count, dtype=np.int64) if self.info.conditional else None

    def _run(self, request: InferenceRequest) -> InferenceResult:
        result = self._session.run(request)
        if result.error is not None:
            raise LatentLabError(result.error.what, where=result.error.where, hint=result.error.hint)
        return result


def _kld(result: InferenceResult) -> Floats | None:
    """Return the KL of each frame's posterior to the standard normal in nats, summed over dimensions, (B,)."""
    if result.mu is None or result.logvar is None:
        return None
    per_dim = kl_standard_normal(torch.from_numpy(result.mu), torch.from_numpy(result.logvar))
    return np.asarray(per_dim.sum(dim=1).numpy(), dtype=np.float32)


def _rows(batch: FilmBatch, rows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FilmBatch:
    kept = {
        name: value[rows]
        for name in ("numbers", "originals", "images", "pixel", "mu", "kld", "edited")
        if (value := getattr(batch, name)) is not None
    }
    return replace(batch, **kept)
