"""Metrics that are vectors, beside the scalars in ``metrics.db``, in a file that stays small.

Table ``vector(name TEXT, step INTEGER, data BLOB)``: a row per measured step, ``data`` little-endian float32; in Python
``numpy.frombuffer(data, "<f4")``. Names and what their places mean are in ``latentlab.core.vectors``. Of each metric at
most 1,024 rows and 4 MB are kept: when there are more, every second row goes, so that what is left is evenly
spread over the run, and the newest row is always there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Floats
from latentlab.core.vectors import Thinning, rows_kept
from latentlab.training.metrics_db import MetricsWriter, connect_readonly

Rows = dict[str, tuple[list[int], list[Floats]]]


class VectorsWriter:
    """Appends vectors to the file that ``writer`` writes. Thread: the writer's.

    Rows after ``truncate_after`` are dropped first, as when a run resumes from an older checkpoint.
    """

    def __init__(self, writer: MetricsWriter, truncate_after: int = 0) -> None:
        self._writer = writer
        self._pending: list[tuple[int, Mapping[str, Floats]]] = []
        self._steps: dict[str, list[int]] = {}
        self._thinnings: dict[str, Thinning] = {}
        with writer.transaction() as db:
            db.execute("DELETE FROM vector WHERE step > ?", (truncate_after,))
            known = db.execute("SELECT name, step, length(data) / 4 FROM vector ORDER BY name, step").fetchall()
        for name, step, length in known:
            self._keep(name, step, length)

    def append(self, step: int, vectors: Mapping[str, Floats]) -> None:
        """Buffer the vectors of one step; nothing is on disk before ``flush``."""
        if vectors:
            self._pending.append((step, vectors))

    def flush(self) -> None:
        """Write what is buffered in one transaction."""
        if not self._pending:
            return
        with self._writer.transaction() as db:
            for step, vectors in self._pending:
                for name, row in vectors.items():
                    gone = self._keep(name, step, len(row))
                    db.executemany("DELETE FROM vector WHERE name = ? AND step = ?", [(name, old) for old in gone])
                    data = np.asarray(row, dtype="<f4").tobytes()
                    db.execute("INSERT OR REPLACE INTO vector VALUES (?, ?, ?)", (name, step, data))
        self._pending.clear()

    def _keep(self, name: str, step: int, length: int) -> list[int]:
        """Take note of a row; return the steps of the rows that have to go for it."""
        steps = self._steps.setdefault(name, [])
        thinning = self._thinnings.setdefault(name, Thinning(rows_kept(length)))
        gone = [steps.pop(place) for place in reversed(thinning.add())]
        steps.append(step)
        return gone


def read_vectors(path: Path, after: int = -1) -> Rows:
    """Return ``{name: (steps, rows)}`` of the vectors measured after a step, steps ascending.

    A run of an older version has none.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    found: Rows = {}
    with closing(connect_readonly(path)) as db:
        try:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'vector'").fetchone():
                return {}
            rows = db.execute("SELECT name, step, data FROM vector WHERE step > ? ORDER BY step", (after,))
            for name, step, data in rows:
                steps, vectors = found.setdefault(name, ([], []))
                steps.append(step)
                vectors.append(np.frombuffer(data, "<f4").astype(np.float32))
        except (sqlite3.DatabaseError, ValueError) as error:
            raise InputError(f"{path.name} is damaged: {error}", where=str(path)) from None
    return found
