"""Whole arrays through a session, a batch at a time, and to and from files."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from latentlab.core.errors import InputError, LatentLabError, cannot_write
from latentlab.core.messages import (
    DecodeRequest,
    EncodeRequest,
    Floats,
    Images,
    InferenceRequest,
    InferenceResult,
    Ints,
    ReconstructRequest,
)
from latentlab.explore.session import ExploreSession

BATCH = 256
Tell = Callable[[int, int], None]
"""Told how many of how many pictures are done."""


@dataclass(frozen=True)
class Codes:
    """Means and log variances of q(z|x), (N, D) float32 each; ``logvar`` is None for a plain auto-encoder."""

    mu: Floats
    logvar: Floats | None


@dataclass(frozen=True)
class Points:
    """Points of latent space, (N, D) float32, and their classes (N,) int64 where the file has any."""

    z: Floats
    labels: Ints | None = None


def answer(session: ExploreSession, request: InferenceRequest) -> InferenceResult:
    """Return the session's answer; what it reports as an error is raised.

    Raises
    ------
    InputError
        If the request does not fit the model.
    LatentLabError
        If the work failed for another reason.
    """
    result = session.run(request)
    if result.error is not None:
        kind = InputError if result.error.expected else LatentLabError
        raise kind(result.error.what, where=result.error.where, hint=result.error.hint)
    return result


def encode(session: ExploreSession, images: Images, labels: Ints | None = None, tell: Tell | None = None) -> Codes:
    """Encode pictures (N,H,W,C) uint8 of any size, with their classes where the encoder is told them."""
    mu, logvar = [], []
    for part in _parts(len(images), tell):
        result = answer(session, EncodeRequest(images[part], None if labels is None else labels[part]))
        assert result.mu is not None
        mu.append(result.mu)
        if result.logvar is not None:
            logvar.append(result.logvar)
    return Codes(np.concatenate(mu), np.concatenate(logvar) if logvar else None)


def decode(
    session: ExploreSession,
    z_ND: Floats,
    labels: Ints | None = None,
    tell: Tell | None = None,
    *,
    shares: Floats | None = None,
) -> Images:
    """Decode points (N, D) to pictures (N,H,W,C) uint8, of classes ``labels`` (N,) or mixtures ``shares`` (N, K)."""
    pictures = []
    for part in _parts(len(z_ND), tell):
        told = None if labels is None else labels[part]
        result = answer(session, DecodeRequest(z_ND[part], told, shares=None if shares is None else shares[part]))
        assert result.images is not None
        pictures.append(result.images)
    return np.concatenate(pictures)


def reconstruct(session: ExploreSession, images: Images, labels: Ints | None = None) -> tuple[Images, Floats]:
    """Return reconstructions (N,H,W,C) uint8 from the posterior mean, and the MSE of each in [0,1] units, (N,)."""
    pictures, errors = [], []
    for part in _parts(len(images), None):
        result = answer(session, ReconstructRequest(images[part], None if labels is None else labels[part]))
        assert result.images is not None
        assert result.pixel is not None
        pictures.append(result.images)
        errors.append(result.pixel)
    return np.concatenate(pictures), np.concatenate(errors)


def _parts(count: int, tell: Tell | None) -> Iterator[slice]:
    """Yield slices of a batch each, telling how many pictures came before; at least one is needed."""
    if count < 1:
        raise InputError("There is nothing to work on: the array is empty")
    for start in range(0, count, BATCH):
        if tell is not None:
            tell(start, count)
        yield slice(start, start + BATCH)


def write_npz(path: Path, arrays: Mapping[str, npt.NDArray[Any]], *, compressed: bool = False) -> None:
    """Write arrays by name; whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:  # given a name, numpy would add .npz to it
            (np.savez_compressed if compressed else np.savez)(file, allow_pickle=False, **arrays)
        os.replace(part, path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        part.unlink(missing_ok=True)


def read_points(path: Path) -> Points:
    """Read points from a .npy, or from a .npz that holds ``z`` or ``mu`` and perhaps ``labels`` or ``label``.

    Raises
    ------
    InputError
        If there is no such file, it is not numpy's, or holds no points.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            arrays = {"z": loaded}
        else:
            with loaded:
                arrays = {name: loaded[name] for name in ("z", "mu", "labels", "label") if name in loaded}
    except FileNotFoundError:
        raise InputError(f"There is no file {path}", where=str(path)) from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path.name} is not a .npy or .npz file: {error}", where=str(path)) from None
    z = arrays.get("z", arrays.get("mu"))
    if z is None:
        raise InputError(f"{path.name} holds neither z nor mu", where=str(path), hint="latentlab encode writes such.")
    labels = arrays.get("labels", arrays.get("label"))
    z = np.atleast_2d(z)
    if z.ndim != 2 or z.dtype.kind not in "fiu":
        raise InputError(f"Points must be numbers (N, D), not {z.dtype} {z.shape}", where=str(path))
    if labels is not None and (labels.shape != (len(z),) or labels.dtype.kind not in "iu"):
        raise InputError(
            f"Labels must be whole numbers ({len(z)},), not {labels.dtype} {labels.shape}", where=str(path)
        )
    return Points(z.astype(np.float32), None if labels is None else labels.astype(np.int64))
