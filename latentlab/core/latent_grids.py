"""Grids of pictures through latent space: which z and class each cell has, and what its rows and columns are called.

Shape suffixes: N cells, row by row; D latent dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentlab.core.interpolate import Path, between
from latentlab.core.latent_axes import Axes
from latentlab.core.latent_state import LatentPoint
from latentlab.core.messages import Floats, Ints


@dataclass(frozen=True, eq=False, slots=True)
class Grid:
    """Cells to decode, and how they stand.

    Attributes
    ----------
    z
        (N, D) float32.
    labels
        (N,) class of each cell.
    columns
        Cells in a row.
    source
        What a point taken from the grid is said to come from.
    rows, heads
        Texts left of the rows and above the columns, or none.
    captions
        Text under each cell, or none.
    marked
        The cell that is the present point, or None.
    """

    z: Floats
    labels: Ints
    columns: int
    source: str
    rows: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    marked: int | None = None

    def same(self, other: Grid | None) -> bool:
        """Whether both show the same pictures."""
        return (
            other is not None
            and self.columns == other.columns
            and np.array_equal(self.z, other.z)
            and np.array_equal(self.labels, other.labels)
        )


@dataclass(frozen=True, eq=False, slots=True)
class NamedPoint:
    """A point that a grid can start from: a name for people, z (D,), and its class."""

    name: str
    z: Floats
    label: int = 0


def sigma(value: float) -> str:
    """Return a value in sigma with a sign, e.g. ``−1.5`` or ``+3``."""
    return f"{value:+.2g}".replace("-", "−") if abs(value) >= 0.005 else "0"


def traversals(
    point: LatentPoint, axes: Axes, indices: Sequence[int], ranges: Sequence[tuple[float, float]], count: int
) -> Grid:
    """Return a row for each of some axes, moved from one end of its range to the other; all others stay.

    Parameters
    ----------
    indices, ranges
        Which axes, and (low, high) of each, in sigma.
    count
        Cells in a row, at least 2.
    """
    rows = [
        axes.traverse(point.z, index, np.linspace(low, high, count, dtype=np.float32), point.locks)
        for index, (low, high) in zip(indices, ranges, strict=True)
    ]
    z = np.concatenate(rows) if rows else np.zeros((0, axes.dim), dtype=np.float32)
    alike = len(set(ranges)) == 1
    heads = tuple(sigma(v) for v in np.linspace(*ranges[0], count)) if alike else ()
    names = tuple(axes.names[index] for index in indices)
    return Grid(z, _classes(point.label, len(z)), count, "traversal", names, heads)


def plane_point(z_D: Floats, axes: Axes, pair: tuple[int, int], x: float, y: float) -> Floats:
    """Return z with its coordinates along two axes set to ``x`` and ``y``, (D,) float32.

    Where the axes lean on each other both coordinates are still met: the two equations are solved together. Parallel
    axes have no plane; then the first alone is moved.
    """
    if axes.directions is None:
        z = np.array(z_D, dtype=np.float32)
        z[pair[1]], z[pair[0]] = y, x
        return z
    ways = np.stack([axes.unit(pair[0]), axes.unit(pair[1])]).astype(np.float64)
    gram = ways @ ways.T
    wanted = np.array([x, y]) - ways @ z_D.astype(np.float64)
    if np.linalg.det(gram) < 1e-6:
        return axes.moved(z_D, pair[0], x)
    return (z_D + np.linalg.solve(gram, wanted) @ ways).astype(np.float32)


def plane(
    point: LatentPoint,
    axes: Axes,
    pair: tuple[int, int],
    ranges: tuple[tuple[float, float], tuple[float, float]],
    count: int,
) -> Grid:
    """Return a square over two axes through z: the first runs across, the second up."""
    xs = np.linspace(*ranges[0], count)
    ys = np.linspace(*ranges[1], count)[::-1]
    z = np.stack([plane_point(point.z, axes, pair, float(x), float(y)) for y in ys for x in xs])
    names = f"{axes.names[pair[0]]} × {axes.names[pair[1]]}"
    return Grid(
        z,
        _classes(point.label, len(z)),
        count,
        f"plane {names}",
        tuple(sigma(y) for y in ys),
        tuple(sigma(x) for x in xs),
    )


def walk(a: NamedPoint, b: NamedPoint, count: int, path: Path) -> Grid:
    """Return the way from ``a`` to ``b``, both included; the class changes half-way where theirs differ."""
    z = between(a.z, b.z, count, path)
    labels = np.where(np.arange(count) * 2 < count, a.label, b.label).astype(np.int64)
    captions = tuple(f"{t:.0%}" for t in np.linspace(0.0, 1.0, count))
    captions = (a.name, *captions[1:-1], b.name)
    return Grid(z, labels, count, f"{a.name} to {b.name}", captions=captions)


def corners(points: Sequence[NamedPoint], count: int, path: Path) -> Grid:
    """Return a square between four points, in reading order: upper left, upper right, lower left, lower right.

    The left and the right edge are walked from top to bottom, then each row from left to right: bilinear with
    ``lerp``, along great arcs with ``slerp``. A cell has the class of its nearest corner.
    """
    left = between(points[0].z, points[2].z, count, path)
    right = between(points[1].z, points[3].z, count, path)
    z = np.concatenate([between(a, b, count, path) for a, b in zip(left, right, strict=True)])
    half = np.arange(count) * 2 >= count
    nearest = 2 * half[:, None] + half[None, :]
    labels = np.array([p.label for p in points], dtype=np.int64)[nearest.astype(np.int64)].reshape(-1)
    named = {0: points[0].name, count - 1: points[1].name}
    named |= {count * (count - 1): points[2].name, count * count - 1: points[3].name}
    captions = tuple(named.get(i, "") for i in range(count * count))
    return Grid(z, labels, count, "between four points", captions=captions)


def arithmetic(a: NamedPoint, b: NamedPoint, c: NamedPoint, strengths: Sequence[float]) -> Grid:
    """Return C moved by what makes A of B, z = C + s (A - B), for some strengths s (Mikolov et al. 2013 on words)."""
    way = a.z.astype(np.float64) - b.z
    z = np.stack([(c.z + s * way).astype(np.float32) for s in strengths])
    captions = tuple("C" if s == 0 else f"{s:+.2g} (A−B)".replace("-", "−") for s in strengths)
    return Grid(z, _classes(c.label, len(z)), len(z), f"{c.name} + ({a.name} − {b.name})", captions=captions)


def _classes(label: int, count: int) -> Ints:
    return np.full(count, label, dtype=np.int64)
