"""What a set of sliders moves: the latent dimensions themselves, or directions through the latent space.

A slider shows a coordinate of z: its product with a unit direction u. Under the prior such a coordinate is standard
normal whatever the direction, so that all sliders share one unit, sigma of the prior. Moving one adds a multiple of
u to z. Directions need not be orthogonal: those of two classes may lean on each other, and then one slider moves the
other's too, as it should.

Shape suffixes: A axes, N points, D latent dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from latentlab.core.latent_state import Locks
from latentlab.core.messages import Floats

DIMENSIONS, PRINCIPAL, CLASSES, ATTRIBUTES, SAVED = "dimensions", "principal", "classes", "attributes", "saved"
KINDS = (DIMENSIONS, PRINCIPAL, CLASSES, ATTRIBUTES, SAVED)
LEAST_FREE = 0.05
"""Share of a direction's squared length that must be unlocked, or it does not move."""


@dataclass(frozen=True, eq=False, slots=True)
class Axes:
    """The axes behind a set of sliders.

    Attributes
    ----------
    kind
        One of ``KINDS``.
    dim
        Latent dimensions D.
    names
        (A,) what the rows are called.
    directions
        (A, D) float32 unit rows; None: the dimensions themselves.
    tips
        (A,) a line about each, or empty.
    share
        (A,) how much of the data's spread lies along each, largest 1; None where that is not known.
    """

    kind: str
    dim: int
    names: tuple[str, ...]
    directions: Floats | None = None
    tips: tuple[str, ...] = ()
    share: Floats | None = None

    def __len__(self) -> int:
        """Return the number of axes."""
        return len(self.names)

    def unit(self, index: int) -> Floats:
        """Return the direction of an axis, (D,) of length 1."""
        if self.directions is not None:
            unit: Floats = self.directions[index]
            return unit
        way = np.zeros(self.dim, dtype=np.float32)
        way[index] = 1.0
        return way

    def coordinates(self, z_D: Floats) -> Floats:
        """Return what the sliders show at z, (A,) float32."""
        values: Floats = z_D if self.directions is None else self.directions @ z_D
        return values

    def moved(self, z_D: Floats, index: int, value: float, locks: Locks | None = None) -> Floats:
        """Return z moved along an axis until its coordinate is ``value``, (D,) float32.

        A dimension's own slider moves it locked or not. Along a direction locked dimensions stay and the others go
        further, unless too little of the direction is left.
        """
        point: Floats = self.traverse(z_D, index, np.array([value], dtype=np.float32), locks)[0]
        return point

    def traverse(self, z_D: Floats, index: int, values_N: Floats, locks: Locks | None = None) -> Floats:
        """Return z once per value, moved along an axis until its coordinate is that value, (N, D) float32."""
        points: Floats = np.repeat(np.asarray(z_D, dtype=np.float32)[None], len(values_N), axis=0)
        if self.directions is None:
            points[:, index] = values_N
            return points
        unit = self.directions[index].astype(np.float64)
        free = unit if locks is None else np.where(locks, 0.0, unit)
        gain = float(free @ unit)
        if gain < LEAST_FREE:
            return points
        way = (np.asarray(values_N, dtype=np.float64) - unit @ z_D.astype(np.float64))[:, None] * (free / gain)
        moved: Floats = (points + way).astype(np.float32)
        return moved

    def rest(self, z_D: Floats, index: int) -> bytes:
        """Return what of z an axis does not move, for comparing: equal for all points along the axis."""
        if self.directions is None:
            rest = z_D.copy()
            rest[index] = 0.0
            return rest.tobytes()
        unit = self.directions[index].astype(np.float64)
        away = np.round(z_D - (unit @ z_D) * unit, 3) + 0.0
        return bytes(away.tobytes())


def dimension_axes(dim: int) -> Axes:
    """Return the latent dimensions as axes z0, z1, ..."""
    return Axes(DIMENSIONS, dim, tuple(f"z{d}" for d in range(dim)))


def direction_axes(kind: str, dim: int, found: list[tuple[str, Floats, str]], codes_ND: Floats | None = None) -> Axes:
    """Return axes along directions of any length; those that lead nowhere (zero or NaN) are left out.

    Parameters
    ----------
    found
        (name, direction (D,), a line about it).
    codes_ND
        Codes of the data, whose spread along each direction the rows show.
    """
    kept = [(name, way, tip) for name, way, tip in found if np.isfinite(way).all() and np.linalg.norm(way) > 1e-9]
    if not kept:
        return Axes(kind, dim, (), np.zeros((0, dim), dtype=np.float32))
    ways = np.stack([way for _, way, _ in kept]).astype(np.float64)
    units: Floats = (ways / np.linalg.norm(ways, axis=1, keepdims=True)).astype(np.float32)
    share = None
    if codes_ND is not None and len(codes_ND) > 1:
        spread = (codes_ND @ units.T).std(axis=0)
        share = (spread / max(float(spread.max()), 1e-9)).astype(np.float32)
    names, tips = tuple(name for name, _, _ in kept), tuple(tip for _, _, tip in kept)
    return Axes(kind, dim, names, units, tips, share)


def bounds_along(axes: Axes, draws_ND: Floats, at: tuple[float, float] = (0.005, 0.995)) -> Floats:
    """Return where the data lies along each axis: quantiles of draws of the aggregate posterior, (2, A) float32."""
    values = draws_ND if axes.directions is None else draws_ND @ axes.directions.T
    return np.quantile(values, at, axis=0).astype(np.float32)


def slider_range(bounds_2: Floats, margin: float = 0.05, least: float = 1.0) -> tuple[float, float]:
    """Return what a slider offers where the data lies in ``bounds`` (low, high): a little more, 0 and ±1 included.

    The ends are half sigmas, so that small changes of the data do not move them.
    """
    low, high = float(bounds_2[0]), float(bounds_2[1])
    room = (high - low) * margin
    return floor(min(low - room, -least) * 2) / 2, ceil(max(high + room, least) * 2) / 2


def steady_bounds(old: Floats | None, new: Floats, tolerance: float = 0.08) -> Floats:
    """Return new bounds (2, A), but the old ones of each axis where they differ by little of its width.

    Bounds are measured again and again while a model learns; a slider should not twitch each time.
    """
    if old is None or old.shape != new.shape:
        return new
    width = np.maximum(new[1] - new[0], 1e-6)
    near = (np.abs(new - old) <= tolerance * width).all(axis=0)
    kept: Floats = np.where(near, old, new).astype(np.float32)
    return kept
