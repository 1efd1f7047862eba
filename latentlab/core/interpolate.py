"""Ways between two points of latent space."""

from __future__ import annotations

from typing import Literal

import numpy as np

from latentlab.core.messages import Floats

Path = Literal["lerp", "slerp"]
_PARALLEL = 1e-6


def lerp(a_D: Floats, b_D: Floats, t_N: Floats) -> Floats:
    """Return points on the straight line, (N, D): ``a`` at t = 0, ``b`` at t = 1."""
    t = np.asarray(t_N, dtype=np.float64)[:, None]
    return np.ascontiguousarray((1.0 - t) * a_D + t * b_D, dtype=np.float32)


def slerp(a_D: Floats, b_D: Floats, t_N: Floats) -> Floats:
    """Return points on the great arc, (N, D) (Shoemake 1985; for Gaussian latents White 2016).

    Directions are interpolated on the sphere and lengths linearly, so that points of the prior's
    typical shell stay on it, where the straight line would cut through its empty middle. Where a
    direction is undefined (a zero vector, parallel or opposite points) the line is taken.
    """
    a, b = np.asarray(a_D, dtype=np.float64), np.asarray(b_D, dtype=np.float64)
    length_a, length_b = np.linalg.norm(a), np.linalg.norm(b)
    if min(length_a, length_b) < _PARALLEL:
        return lerp(a_D, b_D, t_N)
    cosine = float(np.clip(a @ b / (length_a * length_b), -1.0, 1.0))
    angle = np.arccos(cosine)
    if np.sin(angle) < _PARALLEL:
        return lerp(a_D, b_D, t_N)
    t = np.asarray(t_N, dtype=np.float64)[:, None]
    direction = (np.sin((1.0 - t) * angle) * (a / length_a) + np.sin(t * angle) * (b / length_b)) / np.sin(angle)
    return np.ascontiguousarray(direction * ((1.0 - t) * length_a + t * length_b), dtype=np.float32)


def between(a_D: Floats, b_D: Floats, count: int, path: Path = "slerp") -> Floats:
    """Return ``count`` points (N, D) from ``a`` to ``b``, both included; ``count`` at least 2."""
    t_N = np.linspace(0.0, 1.0, count, dtype=np.float32)
    return slerp(a_D, b_D, t_N) if path == "slerp" else lerp(a_D, b_D, t_N)
