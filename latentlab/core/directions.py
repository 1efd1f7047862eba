"""Directions in a run's latent space that a user gave a name, kept beside the run.

``<run>/directions.json``: ``{"format": 1, "directions": [{"name": ..., "vector": [...]}, ...]}``.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentlab.core.errors import InputError, cannot_write
from latentlab.core.messages import Floats

FILE = "directions.json"
FORMAT = 1
MAX_NAME = 60


@dataclass(frozen=True, slots=True)
class Direction:
    """A named step in latent space, ``vector`` (D,), with the length it was saved with."""

    name: str
    vector: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse a direction that leads nowhere or has no name."""
        if not self.name.strip() or len(self.name) > MAX_NAME:
            raise InputError(f"A direction needs a name of at most {MAX_NAME} letters", where="name")
        values = np.asarray(self.vector, dtype=np.float64)
        if values.ndim != 1 or not np.isfinite(values).all() or not values.any():
            raise InputError(f"The direction {self.name!r} leads nowhere", where="vector")

    def unit(self) -> Floats:
        """Return the direction with length 1, (D,) float32."""
        values = np.asarray(self.vector, dtype=np.float64)
        unit: Floats = (values / np.linalg.norm(values)).astype(np.float32)
        return unit


def read_directions(run: Path, dim: int | None = None) -> list[Direction]:
    """Return the directions saved with a run, those of ``dim`` dimensions if that is given.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    path = run / FILE
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["directions"]
        found = [Direction(str(row["name"]), tuple(float(value) for value in row["vector"])) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, InputError) as error:
        raise InputError(f"{FILE} is damaged: {error}", where=str(path), hint="Move it away to begin anew.") from None
    return [direction for direction in found if dim is None or len(direction.vector) == dim]


def save_direction(run: Path, direction: Direction) -> list[Direction]:
    """Keep a direction with a run, in place of one of the same name; return all that are kept.

    Raises
    ------
    InputError
        If the file is damaged or cannot be written.
    """
    return _write(run, [*_others(run, direction.name), direction])


def delete_direction(run: Path, name: str) -> list[Direction]:
    """Forget a direction of a run, if it has it; return those that are left."""
    return _write(run, _others(run, name))


def _others(run: Path, name: str) -> list[Direction]:
    return [kept for kept in read_directions(run) if kept.name != name]


def _write(run: Path, directions: list[Direction]) -> list[Direction]:
    """Write to a file beside the old one, then rename: a kill leaves the one or the other."""
    rows = [{"name": direction.name, "vector": list(direction.vector)} for direction in directions]
    path, part = run / FILE, run / f".{FILE}.partial"
    try:
        part.write_text(json.dumps({"format": FORMAT, "directions": rows}) + "\n", encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        part.unlink(missing_ok=True)
    return directions


def rename_direction(run: Path, old: str, new: str) -> list[Direction]:
    """Give a direction another name, where it stands; one that has that name already is replaced. Return all.

    Raises
    ------
    InputError
        If there is no direction ``old``, or ``new`` is no name.
    """
    kept = read_directions(run)
    if old not in (direction.name for direction in kept):
        raise InputError(f"There is no direction {old!r}", where=str(run / FILE))
    renamed = [Direction(new, way.vector) if way.name == old else way for way in kept if way.name != new]
    if old == new:
        return kept
    return _write(run, renamed)
