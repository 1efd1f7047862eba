"""Splats: irregular blobs with droplets thrown clear of them, drawn into the ink map in one call."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Images
from latentlab.data.arena.stages import SHIFT

BLOBS = 64
_DROPS = 5
_CORNERS, _DROP_CORNERS = 22, 8
Points = npt.NDArray[np.complex128]


@dataclass(frozen=True)
class Shot:
    """Ink in the air: where it starts and lands (cells, x + iy), when, whose it is, how large, which blob."""

    start: complex
    end: complex
    lands: int
    team: int
    radius: float
    blob: int


def _bank() -> list[Points]:
    """Return blobs of radius 1 as corners x + iy: an outline, then the droplets, each so many corners long."""
    rng = np.random.default_rng(20190502)
    theta = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    drop = np.exp(1j * np.linspace(0, 2 * np.pi, _DROP_CORNERS, endpoint=False))
    bank = []
    for _ in range(BLOBS):
        waves = sum(rng.normal(0, 0.16 / np.sqrt(k)) * np.cos(k * theta + rng.uniform(0, 7)) for k in range(2, 8))
        outline = np.exp(1j * theta) * np.clip(1 + waves, 0.55, 1.5)
        places = rng.uniform(1.25, 1.75, _DROPS) * np.exp(1j * rng.uniform(0, 2 * np.pi, _DROPS))
        drops = places[:, None] + rng.uniform(0.1, 0.24, _DROPS)[:, None] * drop
        bank.append(np.concatenate([outline, drops.ravel()]))
    return bank


_BANK = _bank()
_CUTS = [0, *range(_CORNERS, _CORNERS + _DROPS * _DROP_CORNERS + 1, _DROP_CORNERS)]
_PIECES = [slice(start, stop) for start, stop in itertools.pairwise(_CUTS)]


def splat(ink: Images, place: complex, radius: float, blob: int, value: int) -> None:
    """Fill a blob of ``radius`` cells about ``place`` into the ink map with ``value``."""
    corners = (_BANK[blob % BLOBS] * radius + (place - 0.5 - 0.5j)) * 2**SHIFT
    fixed = corners.view(np.float64).reshape(-1, 2).round().astype(np.int32)
    cv2.fillPoly(ink, [fixed[piece] for piece in _PIECES], value, cv2.LINE_8, SHIFT)
