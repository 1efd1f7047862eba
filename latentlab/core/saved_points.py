"""Points in a run's latent space that a user kept, with a note each, beside the run.

``<run>/points.json``: ``{"format": 1, "points": [...]}``, each point with ``name note z label seed source edited
step``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.errors import InputError, cannot_write
from latentlab.core.latent_state import LatentPoint, frozen

FILE = "points.json"
FORMAT = 1
MAX_NOTE = 200
MOST_POINTS = 200


@dataclass(frozen=True, eq=False, slots=True)
class SavedPoint:
    """A kept point: a letter or two as its name, a note, and the step at which it was kept."""

    name: str
    point: LatentPoint
    note: str = ""
    step: int = -1


def next_name(taken: Sequence[str]) -> str:
    """Return the first of A ... Z, A2 ... Z2, and so on, that is not taken."""
    number = 1
    while True:
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            name = letter if number == 1 else f"{letter}{number}"
            if name not in taken:
                return name
        number += 1


def read_points(run: Path, dim: int | None = None) -> list[SavedPoint]:
    """Return the points kept with a run, those of ``dim`` dimensions if that is given.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    path = run / FILE
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["points"]
        found = [_from_row(row) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{FILE} is damaged: {error}", where=str(path), hint="Move it away to begin anew.") from None
    return [saved for saved in found if dim is None or len(saved.point.z) == dim]


def write_points(run: Path, points: Sequence[SavedPoint]) -> None:
    """Keep these points with a run; those of other sizes in the file stay.

    Raises
    ------
    InputError
        If the file is damaged or cannot be written.
    """
    dims = {len(saved.point.z) for saved in points}
    others = [saved for saved in read_points(run) if points and len(saved.point.z) not in dims]
    path, part = run / FILE, run / f".{FILE}.partial"
    rows = [_to_row(saved) for saved in [*others, *points][-MOST_POINTS:]]
    try:
        part.write_text(json.dumps({"format": FORMAT, "points": rows}) + "\n", encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        part.unlink(missing_ok=True)


def noted(saved: SavedPoint, note: str) -> SavedPoint:
    """Return the point with another note, on one line."""
    return replace(saved, note=" ".join(note.split())[:MAX_NOTE])


def _to_row(saved: SavedPoint) -> dict[str, Any]:
    point = saved.point
    return {
        "name": saved.name,
        "note": saved.note,
        "step": saved.step,
        "z": [float(value) for value in point.z],
        "label": point.label,
        "seed": point.seed,
        "source": point.source,
        "edited": point.edited,
    }


def _from_row(row: dict[str, Any]) -> SavedPoint:
    z = frozen(np.array([float(value) for value in row["z"]], dtype=np.float32))
    locks = np.zeros(len(z), dtype=np.bool_)
    locks.flags.writeable = False
    point = LatentPoint(
        z,
        int(row.get("label", 0)),
        locks,
        int(row.get("seed", 0)),
        str(row.get("source", "saved point")),
        bool(row.get("edited", False)),
    )
    return SavedPoint(str(row["name"]), point, str(row.get("note", ""))[:MAX_NOTE], int(row.get("step", -1)))
