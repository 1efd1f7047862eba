"""Where an explorer stands in latent space: a point, its class, its locks, and the way back.

A ``LatentPoint`` is frozen and its arrays are read-only, so a point that was handed to another
thread, drawn or kept for undo can never change under its reader. Every operation makes a new point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, lgamma, sqrt

import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Floats

Locks = npt.NDArray[np.bool_]
HISTORY_LIMIT = 500
MAX_SEED = 2**31 - 1


def frozen(z: npt.ArrayLike) -> Floats:
    """Return a read-only float32 copy of ``z`` (D,); values that are not finite become 0."""
    copy = np.array(z, dtype=np.float32).reshape(-1)
    np.nan_to_num(copy, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    copy.flags.writeable = False
    return copy


def sample_z(seed: int, dim: int, temperature: float = 1.0) -> Floats:
    """Return ``temperature`` times a standard normal draw (D,), the same for the same seed on every machine."""
    draw = np.random.Generator(np.random.PCG64(seed)).standard_normal(dim, dtype=np.float32)
    return frozen(draw * np.float32(temperature))


def random_directions(seed: int, dim: int) -> Floats:
    """Return two orthonormal directions (2, D) drawn from ``seed``; in one dimension both are that dimension."""
    draw = np.random.Generator(np.random.PCG64(seed)).standard_normal((dim, 2))
    if dim < 2:
        return np.ones((2, dim), dtype=np.float32)
    return np.ascontiguousarray(np.linalg.qr(draw)[0].T, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class LatentPoint:
    """One place in latent space.

    Attributes
    ----------
    z
        (D,) float32, read-only, in standard deviations of the prior.
    label
        Class index; ignored by models without classes.
    locks
        (D,) bool, read-only: dimensions that randomise, reset and drags leave alone.
    seed
        The seed that the controls show.
    source
        Where z came from, for people: ``"origin"``, ``"seed 42"``, ``"image 17"``.
    edited
        Whether z was moved by hand since.
    """

    z: Floats
    label: int
    locks: Locks
    seed: int = 0
    source: str = "origin"
    edited: bool = False

    def same(self, other: LatentPoint) -> bool:
        """Whether both points are equal bit by bit."""
        return (
            self.z.tobytes() == other.z.tobytes()
            and self.locks.tobytes() == other.locks.tobytes()
            and (self.label, self.seed, self.source, self.edited)
            == (other.label, other.seed, other.source, other.edited)
        )


class LatentState:
    """The current point and its history. Thread: GUI (the points it hands out may go anywhere).

    Parameters
    ----------
    dim
        Number of latent dimensions D.
    seed
        Start at this seed's draw; None: at the origin.
    """

    def __init__(self, dim: int, seed: int | None = None) -> None:
        self.dim = dim
        locks: Locks = np.zeros(dim, dtype=np.bool_)
        locks.flags.writeable = False
        self.point = LatentPoint(frozen(np.zeros(dim)), 0, locks)
        if seed is not None:
            self.point = replace(self.point, z=sample_z(seed, dim), seed=seed, source=f"seed {seed}")
        self._past: list[LatentPoint] = []
        self._future: list[LatentPoint] = []
        self._merge: str | None = None

    def _move(self, point: LatentPoint, merge: str | None = None) -> bool:
        """Make ``point`` current; moves of the same ``merge`` name become one step of the history."""
        if point.same(self.point):
            return False
        if merge is None or merge != self._merge:
            self._past.append(self.point)
            del self._past[:-HISTORY_LIMIT]
        self._merge = merge
        self._future.clear()
        self.point = point
        return True

    def end_gesture(self) -> None:
        """Close the running gesture: the next move starts a new step of the history."""
        self._merge = None

    def set_value(self, dimension: int, value: float, merge: str | None = None) -> bool:
        """Set one dimension, locked or not (a hand on its slider means it). Returns whether z changed."""
        z = self.point.z.copy()
        z[dimension] = value
        return self._move(replace(self.point, z=frozen(z), edited=True), merge)

    def set_z(self, z: npt.ArrayLike, source: str, *, label: int | None = None) -> bool:
        """Go to ``z`` (D,) as a whole, locks notwithstanding."""
        new = frozen(z)
        if new.shape != (self.dim,):
            raise ValueError(f"z has {new.size} dimensions, the model {self.dim}")
        label = self.point.label if label is None else label
        return self._move(replace(self.point, z=new, source=source, edited=False, label=label))

    def move_to(self, z: npt.ArrayLike, merge: str | None = None) -> bool:
        """Go to ``z`` (D,) as a move by hand from where z is: what it came from is kept."""
        return self._move(replace(self.point, z=frozen(z), edited=True), merge)

    def go_to(self, point: LatentPoint) -> bool:
        """Return to a point that was kept, its seed and source with it; locks stay as they are now."""
        return self._move(replace(point, locks=self.point.locks))

    @property
    def origin_of_move(self) -> LatentPoint:
        """The newest point that was not moved by hand: where the present move began."""
        return next((point for point in (self.point, *reversed(self._past)) if not point.edited), self.point)

    def refresh_z(self, z: npt.ArrayLike) -> None:
        """Replace z without a step of the history: the same image, encoded by newer weights."""
        self.point = replace(self.point, z=frozen(z))

    def randomise(self, seed: int, temperature: float = 1.0, merge: str | None = None) -> bool:
        """Draw the unlocked dimensions from ``seed``; equal seeds and temperatures give equal draws."""
        draw = sample_z(seed, self.dim, temperature)
        z = np.where(self.point.locks, self.point.z, draw)
        partly = bool(self.point.locks.any())
        drawn = replace(self.point, z=frozen(z), seed=seed, source=f"seed {seed}", edited=partly)
        return self._move(drawn, merge)

    def reset(self) -> bool:
        """Set the unlocked dimensions to 0, the prior's mean."""
        z = np.where(self.point.locks, self.point.z, np.float32(0))
        return self._move(replace(self.point, z=frozen(z), source="origin", edited=bool(z.any())))

    def shift(self, delta: npt.ArrayLike, start: LatentPoint, merge: str | None = None) -> bool:
        """Go to ``start.z + delta`` in the unlocked dimensions: a drag is measured from where it began."""
        moved = start.z + np.asarray(delta, dtype=np.float32)
        z = np.where(self.point.locks, start.z, moved)
        return self._move(replace(self.point, z=frozen(z), edited=True), merge)

    def set_label(self, label: int) -> bool:
        """Choose a class and keep z."""
        return self._move(replace(self.point, label=int(label)))

    def set_lock(self, dimensions: int | Sequence[int], locked: bool) -> bool:
        """Lock or unlock dimensions."""
        locks = self.point.locks.copy()
        locks[dimensions] = locked
        locks.flags.writeable = False
        return self._move(replace(self.point, locks=locks))

    @property
    def can_undo(self) -> bool:
        """Whether there is a step back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step forward again."""
        return bool(self._future)

    def undo(self) -> bool:
        """Return to the point before the newest step, bit by bit."""
        return self._travel(self._past, self._future)

    def redo(self) -> bool:
        """Take back an undo."""
        return self._travel(self._future, self._past)

    def _travel(self, source: list[LatentPoint], target: list[LatentPoint]) -> bool:
        if not source:
            return False
        target.append(self.point)
        self.point = source.pop()
        self._merge = None
        return True


def traversal(z: Floats, dimension: int, values: npt.ArrayLike) -> Floats:
    """Return ``z`` once per value (N, D), with ``dimension`` set to that value."""
    steps = np.asarray(values, dtype=np.float32)
    rows = np.repeat(z[None], len(steps), axis=0)
    rows[:, dimension] = steps
    return rows


def expected_norm(dim: int) -> tuple[float, float]:
    """Return mean and standard deviation of ‖z‖ under the prior: a chi distribution with D degrees of freedom.

    The mean is sqrt(2) Γ((D+1)/2) / Γ(D/2); the variance D - mean².
    """
    mean = sqrt(2) * exp(lgamma((dim + 1) / 2) - lgamma(dim / 2))
    return mean, sqrt(max(0.0, dim - mean * mean))
