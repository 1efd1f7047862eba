"""A clip in latent space: its main directions, its jitter, and edits of all its frames.

Shape suffixes: T frames, D latent dimensions, K principal directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentlab.core.errors import InputError
from latentlab.core.messages import Floats, Ints
from latentlab.core.video_edit import EditedFilm

ROWS = 4096
"""Frames worked on at a time, which bounds the memory taken beside the latents themselves."""
Doubles = npt.NDArray[np.float64]


def apply_edit(z_TD: Floats, edit: EditedFilm) -> Floats:
    """Return the edited latents of successive frames, (T, D) float32; the input stays as it was.

    Smoothing comes first, then the move: a shift by a constant commutes with both filters, so the order
    does not matter. A window is cut off at the ends of ``z_TD`` and weighs what is left of it; hence one
    frame can be edited alone with ``edit.radius`` frames on either side, and gives the same values.

    Raises
    ------
    InputError
        If the direction has another number of dimensions.
    """
    if edit.moves and len(edit.direction) != z_TD.shape[1]:
        raise InputError(
            f"The direction {edit.name!r} has {len(edit.direction)} dimensions, the model {z_TD.shape[1]}".replace(
                "'' ", ""
            ),
            where="direction",
            hint="Choose a direction that was made with this model.",
        )
    edited = np.empty(z_TD.shape, dtype=np.float32)
    radius = edit.radius
    for start in range(0, len(z_TD), ROWS):
        stop = min(len(z_TD), start + ROWS)
        first, last = max(0, start - radius), min(len(z_TD), stop + radius)
        part = _smoothed(z_TD[first:last], edit) if radius else z_TD[first:last]
        edited[start:stop] = part[start - first : start - first + stop - start]
    if edit.moves:
        edited += edit.shift
    return edited


def gaussian_weights(radius: int) -> Doubles:
    """Return the weights of a Gaussian window, (2 radius + 1,), which ends at three standard deviations."""
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (3.0 * offsets / max(1, radius)) ** 2)
    normalised: Doubles = weights / weights.sum()
    return normalised


def _smoothed(z_TD: Floats, edit: EditedFilm) -> Floats:
    return _gaussian(z_TD, edit.radius) if edit.smoothing == "gaussian" else _median(z_TD, edit.radius)


def _gaussian(z_TD: Floats, radius: int) -> Floats:
    frames = len(z_TD)
    total, mass = np.zeros(z_TD.shape, dtype=np.float64), np.zeros((frames, 1))
    for offset, weight in zip(range(-radius, radius + 1), gaussian_weights(radius), strict=True):
        low, high = max(0, -offset), min(frames, frames - offset)
        if low < high:
            total[low:high] += weight * z_TD[low + offset : high + offset]
            mass[low:high] += weight
    return (total / mass).astype(np.float32)


def _median(z_TD: Floats, radius: int) -> Floats:
    """Return the running median; a window cut off at an end takes the median of what is left."""
    width, frames = 2 * radius + 1, len(z_TD)
    smooth = np.empty_like(z_TD, dtype=np.float32)
    step = max(1, ROWS // width)
    if frames >= width:
        windows = np.lib.stride_tricks.sliding_window_view(z_TD, width, axis=0)
        for start in range(0, len(windows), step):
            rows = windows[start : start + step]
            smooth[radius + start : radius + start + len(rows)] = np.median(rows, axis=2)
    inner = range(radius, frames - radius)
    for frame in range(frames):
        if frame not in inner:
            smooth[frame] = np.median(z_TD[max(0, frame - radius) : frame + radius + 1], axis=0)
    return smooth


@dataclass(frozen=True, slots=True, eq=False)
class Principal:
    """Principal directions of a set of latents.

    ``mean_D``; ``vectors_KD`` unit length, largest variance first; ``sigma_K`` standard deviations along them
    (divided by T, as everywhere here); ``explained_K`` shares of the whole variance; ``variance_D`` of each
    dimension.
    """

    mean_D: Floats
    vectors_KD: Floats
    sigma_K: Floats
    explained_K: Floats
    variance_D: Floats

    def scores(self, z_TD: Floats, components: tuple[int, int]) -> Floats:
        """Return the coordinates of latents in the plane of two directions, (T, 2) float32."""
        plane = self.vectors_KD[list(components)].astype(np.float64)
        offset = plane @ self.mean_D.astype(np.float64)
        return np.concatenate(
            [z_TD[start : start + ROWS] @ plane.T - offset for start in range(0, max(1, len(z_TD)), ROWS)]
        ).astype(np.float32)


def principal_directions(z_TD: Floats, count: int = 16, like: Principal | None = None) -> Principal:
    """Return the first principal directions (Pearson 1901; Hotelling 1933), at most ``count``.

    The sign of a direction is free: it follows ``like`` where given, so that a picture does not flip over
    from one measurement to the next, and otherwise makes the largest entry positive. Moments are summed in
    double precision, in pieces.

    Raises
    ------
    ValueError
        If there are no frames.
    """
    frames, dim = z_TD.shape
    if not frames:
        raise ValueError("principal directions of no frames")
    mean = np.zeros(dim)
    for start in range(0, frames, ROWS):
        mean += z_TD[start : start + ROWS].sum(axis=0, dtype=np.float64)
    mean /= frames
    scatter = np.zeros((dim, dim))
    for start in range(0, frames, ROWS):
        centred = z_TD[start : start + ROWS] - mean
        scatter += centred.T @ centred
    values, columns = np.linalg.eigh(scatter / frames)
    values, vectors = np.maximum(values[::-1], 0.0), columns[:, ::-1].T
    kept = min(count, dim)
    vectors = _with_signs(vectors[:kept], like)
    total = values.sum()
    return Principal(
        mean.astype(np.float32),
        vectors.astype(np.float32),
        np.sqrt(values[:kept]).astype(np.float32),
        (values[:kept] / total if total > 0 else np.zeros(kept)).astype(np.float32),
        (np.diag(scatter) / frames).astype(np.float32),
    )


def _with_signs(vectors_KD: Doubles, like: Principal | None) -> Doubles:
    signs = np.sign(vectors_KD[np.arange(len(vectors_KD)), np.abs(vectors_KD).argmax(axis=1)])
    if like is not None and like.vectors_KD.shape == vectors_KD.shape:
        # Directions of nearly equal variance may change places: each takes the sign of the old one nearest to it.
        overlap = vectors_KD @ like.vectors_KD.T.astype(np.float64)
        nearest = np.abs(overlap).argmax(axis=1)
        signs = np.sign(overlap[np.arange(len(overlap)), nearest])
    return vectors_KD * np.where(signs < 0, -1.0, 1.0)[:, None]


def jitter(z_TD: Floats) -> Floats:
    """Return ‖z_t − z_{t−1}‖ of successive frames, (T,) float32; NaN for the first and beside unknown (NaN) rows."""
    moved = np.full(len(z_TD), np.nan, dtype=np.float32)
    for start in range(1, len(z_TD), ROWS):
        stop = min(len(z_TD), start + ROWS)
        steps = z_TD[start:stop].astype(np.float64) - z_TD[start - 1 : stop - 1]
        moved[start:stop] = np.sqrt((steps**2).sum(axis=1))
    return moved


def spread_along(z_TD: Floats, unit_D: Floats) -> float:
    """Return the standard deviation of latents along a unit direction."""
    direction = unit_D.astype(np.float64)
    return float(np.std(np.concatenate([z_TD[s : s + ROWS] @ direction for s in range(0, max(1, len(z_TD)), ROWS)])))


def bridged(z_ND: Floats, numbers: Ints) -> Floats:
    """Return latents of all frames from the first to the last of ``numbers``, those between on straight lines.

    ``z_ND`` (N, D) are the latents of the frames ``numbers`` (N,), which increase.
    """
    frames = np.arange(numbers[0], numbers[-1] + 1)
    if len(frames) == len(numbers):
        return z_ND
    after = np.minimum(np.searchsorted(numbers, frames), len(numbers) - 1)
    before = np.maximum(after - 1, 0)
    gap = np.maximum(numbers[after] - numbers[before], 1)
    share = np.where(frames == numbers[after], 1.0, (frames - numbers[before]) / gap)[:, None]
    bridge: Floats = ((1.0 - share) * z_ND[before] + share * z_ND[after]).astype(np.float32)
    return bridge
