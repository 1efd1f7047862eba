"""The metrics of a run in one SQLite file that opens fast at any length.

The journal is in WAL mode, so that a follower reads while the trainer writes; on network disks it is a rollback
journal, for which a reader and the writer wait for each other.

Schema (``PRAGMA user_version`` 1)
----------------------------------
``layout(id INTEGER PRIMARY KEY, names TEXT UNIQUE)``
    Sets of metrics that are logged together; ``names`` is a JSON list of metric names.
``block(id INTEGER PRIMARY KEY, layout INTEGER, first_step INTEGER, last_step INTEGER, count INTEGER, data BLOB)``
    Up to 512 logged rows of one layout. ``data`` holds ``2 + len(names)`` columns one after the other,
    each of ``count`` little-endian float64: the step, the elapsed seconds (pauses excluded), then the
    metrics in the order of the layout. The newest block of a layout is rewritten as it fills.
``latest(name TEXT PRIMARY KEY, step INTEGER, value REAL)``
    The newest value of each metric, for lists of runs.
``vector(name TEXT, step INTEGER, data BLOB)``
    Metrics that are vectors: see ``latentlab.training.vectors_db``.
``meta(key TEXT PRIMARY KEY, value)``
    ``generation`` grows when rows are dropped on resume; a follower then starts over.

In Python ``numpy.frombuffer(data, "<f8").reshape(2 + len(names), count)`` reads a block.
Blocks, not a row per value, because 10^6 steps of 25 metrics then open in about 0.1 s instead of several.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from latentlab.core.disks import is_network_disk
from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.metrics import TEST_PREFIX
from latentlab.core.metrics_signals import is_measured_rarely

SCHEMA_VERSION = 1
BLOCK_ROWS = 512
ELAPSED = "elapsed_s"
Array = npt.NDArray[np.float64]
Series = dict[str, tuple[Array, Array]]

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS layout(id INTEGER PRIMARY KEY, names TEXT UNIQUE NOT NULL);
CREATE TABLE IF NOT EXISTS block(id INTEGER PRIMARY KEY, layout INTEGER NOT NULL REFERENCES layout(id),
  first_step INTEGER NOT NULL, last_step INTEGER NOT NULL, count INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS latest(name TEXT PRIMARY KEY, step INTEGER NOT NULL, value REAL);
CREATE TABLE IF NOT EXISTS vector(name TEXT NOT NULL, step INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (name, step));
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value);
INSERT OR IGNORE INTO meta VALUES ('generation', 0);
PRAGMA user_version = {SCHEMA_VERSION};
"""


class _Tail:
    """The block of one layout that is still filling: its database id (None before the first write) and its rows."""

    def __init__(self, names: tuple[str, ...], layout: int) -> None:
        self.names = names
        self.layout = layout
        self.block_id: int | None = None
        self.rows: list[list[float]] = []
        self.changed = False

    def data(self) -> bytes:
        return np.asarray(self.rows, dtype="<f8").T.tobytes()


WAIT_S = 30.0
"""How long a writer waits for readers, which on network disks lock the file for some milliseconds."""


class MetricsWriter:
    """Appends logged steps; nothing is on disk before ``flush``.

    Thread: the one that created it (SQLite connections do not travel).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _readable_errors(path):
            self._db = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
            # A write-ahead log lives in memory that only the processes of one machine can share (sqlite.org/wal.html).
            self._db.execute(f"PRAGMA journal_mode = {'TRUNCATE' if is_network_disk(path) else 'WAL'}")
            # NORMAL survives a kill at any instant; only a power cut can lose the newest half second.
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_SCHEMA)
        self._tails: dict[tuple[str, ...], _Tail] = {}
        self._latest: dict[str, tuple[int, float]] = {}

    def append(self, step: int, elapsed_s: float, values: Mapping[str, float]) -> None:
        """Buffer the metrics of one step; those that are measured more rarely, as on test images, are kept apart."""
        parts: dict[tuple[bool, bool], dict[str, float]] = {}
        for name, value in values.items():
            parts.setdefault((name.startswith(TEST_PREFIX), is_measured_rarely(name)), {})[name] = float(value)
        for part in parts.values():
            tail = self._tail(tuple(part))
            tail.rows.append([float(step), elapsed_s, *part.values()])
            tail.changed = True
            self._latest.update((name, (step, value)) for name, value in part.items())
            if len(tail.rows) >= BLOCK_ROWS:
                with self.transaction():
                    self._store(tail)

    def flush(self) -> None:
        """Write what is buffered in one transaction."""
        changed = [tail for tail in self._tails.values() if tail.changed]
        if not changed and not self._latest:
            return
        with self.transaction():
            for tail in changed:
                self._store(tail)
            self._db.executemany(
                "INSERT INTO latest VALUES (?1, ?2, ?3) ON CONFLICT(name) DO UPDATE SET step = ?2, value = ?3",
                [(name, step, value) for name, (step, value) in self._latest.items()],
            )
            self._latest.clear()

    def truncate(self, last_step: int) -> None:
        """Drop every row after ``last_step``, as when a run resumes from an older checkpoint."""
        self._tails.clear()
        self._latest.clear()
        with self.transaction():
            straddling = self._db.execute(
                "SELECT id, count, data FROM block WHERE first_step <= ? AND last_step > ?", (last_step, last_step)
            ).fetchall()
            dropped = self._db.execute("DELETE FROM block WHERE first_step > ?", (last_step,)).rowcount
            for block_id, count, data in straddling:
                table = np.frombuffer(data, "<f8").reshape(-1, count)
                table = table[:, table[0] <= last_step]
                self._db.execute(
                    "UPDATE block SET last_step = ?, count = ?, data = ? WHERE id = ?",
                    (int(table[0, -1]), table.shape[1], table.tobytes(), block_id),
                )
            if dropped or straddling:
                self._db.execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'")
                self._rebuild_latest()

    def close(self) -> None:
        """Flush and close; the write-ahead log is folded into the file."""
        with _readable_errors(self.path), closing(self._db):
            self.flush()

    def _tail(self, names: tuple[str, ...]) -> _Tail:
        tail = self._tails.get(names)
        if tail is None:
            text = json.dumps(names)
            with self.transaction():
                self._db.execute("INSERT OR IGNORE INTO layout(names) VALUES (?)", (text,))
            (layout,) = self._db.execute("SELECT id FROM layout WHERE names = ?", (text,)).fetchone()
            tail = self._tails[names] = _Tail(names, layout)
        return tail

    def _store(self, tail: _Tail) -> None:
        first, last, count = int(tail.rows[0][0]), int(tail.rows[-1][0]), len(tail.rows)
        if tail.block_id is None:
            tail.block_id = self._db.execute(
                "INSERT INTO block(layout, first_step, last_step, count, data) VALUES (?, ?, ?, ?, ?)",
                (tail.layout, first, last, count, tail.data()),
            ).lastrowid
        else:
            self._db.execute(
                "UPDATE block SET last_step = ?, count = ?, data = ? WHERE id = ?",
                (last, count, tail.data(), tail.block_id),
            )
        tail.changed = False
        if count >= BLOCK_ROWS:
            tail.rows, tail.block_id = [], None

    def _rebuild_latest(self) -> None:
        self._db.execute("DELETE FROM latest")
        for names, table in _tables(self._db, 1):
            self._db.executemany(
                "INSERT INTO latest VALUES (?1, ?2, ?3)"
                " ON CONFLICT(name) DO UPDATE SET step = ?2, value = ?3 WHERE ?2 > step",
                [(name, int(table[0, -1]), float(table[2 + i, -1])) for i, name in enumerate(names)],
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all of a block or nothing; errors are told in a sentence."""
        with _readable_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


@contextmanager
def _readable_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        hint = ""
        if "full" in str(error):
            hint = "Free some space on this disk, then resume the run."
        elif "malformed" in str(error) or "not a database" in str(error):
            hint = f"Move {path.name} away and resume: the curves then begin anew, the weights are kept."
        raise LatentLabError(
            f"{path.name} cannot be written: {error}",
            where=str(path),
            hint=hint,
        ) from error


def _tables(db: sqlite3.Connection, last_rows: int | None = None) -> Iterator[tuple[list[str], Array]]:
    """Yield ``(names, columns)`` of each layout, whole or its last rows only."""
    for layout, text in db.execute("SELECT id, names FROM layout ORDER BY id").fetchall():
        names = json.loads(text)
        query = "SELECT count, data FROM block WHERE layout = ? ORDER BY id"
        if last_rows is not None:
            query += f" DESC LIMIT {last_rows // BLOCK_ROWS + 2}"
        blocks = db.execute(query, (layout,)).fetchall()
        if not blocks:
            continue
        if last_rows is not None:
            blocks.reverse()
        columns = np.empty((2 + len(names), sum(count for count, _ in blocks)))
        start = 0
        for count, data in blocks:
            columns[:, start : start + count] = np.frombuffer(data, "<f8").reshape(-1, count)
            start += count
        yield names, columns if last_rows is None else columns[:, -last_rows:]


def connect_readonly(path: Path) -> sqlite3.Connection:
    """Open a metrics file for reading beside a writer, or on a medium that cannot be written.

    Raises
    ------
    InputError
        If the file is missing, damaged, or of a newer version.
    """
    if not path.is_file():
        raise InputError(f"This run has no {path.name}", where=str(path))
    problem: sqlite3.Error | None = None
    # A write-ahead log can only be read by one who may write beside it, and the last to close it clears it
    # away; so opening tries with that right first. Nothing but the log is ever written.
    for option in ("mode=rw", "mode=ro", "mode=ro&immutable=1"):
        db = sqlite3.connect(f"{path.resolve().as_uri()}?{option}", uri=True, isolation_level=None)
        try:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            db.execute("SELECT count(*) FROM layout").fetchone()
            db.execute("PRAGMA query_only = 1")
        except sqlite3.Error as error:
            problem = error
            db.close()
            continue
        if version > SCHEMA_VERSION:
            db.close()
            raise InputError(f"{path.name} was written by a newer latentlab", where=str(path), hint="Update latentlab.")
        return db
    raise InputError(f"{path.name} is damaged: {problem}", where=str(path)) from None


def read_metrics(path: Path, last_rows: int | None = None) -> Series:
    """Return ``{name: (steps, values)}`` of a metrics file, plus ``elapsed_s``; steps ascend.

    Parameters
    ----------
    path
        ``metrics.db`` of a run, which may still be being written.
    last_rows
        Read only this many of the newest rows of each layout.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    parts: dict[str, list[tuple[Array, Array]]] = {}
    with closing(connect_readonly(path)) as db:
        try:
            for names, columns in _tables(db, last_rows):
                for name, values in zip((ELAPSED, *names), columns[1:], strict=True):
                    parts.setdefault(name, []).append((columns[0], values))
        except (sqlite3.DatabaseError, ValueError) as error:
            raise InputError(f"{path.name} is damaged: {error}", where=str(path)) from None
    return {name: _joined(found) for name, found in parts.items()}


def _joined(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    if len(parts) == 1:
        return parts[0]
    steps, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    steps, first = np.unique(steps, return_index=True)  # Layouts interleave in time, and share elapsed_s.
    return steps, values[first]


def read_latest(path: Path) -> dict[str, tuple[int, float]]:
    """Return ``{name: (step, value)}`` of the newest values, without reading the history."""
    with closing(connect_readonly(path)) as db:
        rows = db.execute("SELECT name, step, value FROM latest").fetchall()
    return {name: (step, float("nan") if value is None else value) for name, step, value in rows}


def read_progress(path: Path) -> tuple[int, float]:
    """Return the newest logged step and the seconds trained by then, without reading the history; zeros if unknown."""
    try:
        with closing(connect_readonly(path)) as db:
            # The newest block is looked for without touching the data of the others.
            newest = "SELECT id FROM block ORDER BY last_step DESC LIMIT 1"
            row = db.execute(f"SELECT count, data FROM block WHERE id = ({newest})").fetchone()
    except (InputError, sqlite3.DatabaseError):
        return 0, 0.0
    if row is None:
        return 0, 0.0
    columns = np.frombuffer(row[1], "<f8").reshape(-1, row[0])
    return int(columns[0, -1]), float(columns[1, -1])


class MetricsFollower:
    """Reads what a trainer, here or in another process, has added since the last look. Thread: any one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: dict[int, int] = {}
        self._generation: int | None = None

    def poll(self) -> tuple[bool, Series]:
        """Return ``(started_over, new)``; when started over, ``new`` is everything and replaces what was read.

        Raises
        ------
        InputError
            If the file is missing or damaged.
        """
        blocks: dict[int, list[Array]] = {}
        with closing(connect_readonly(self.path)) as db:
            db.execute("BEGIN")  # One snapshot, so that the generation belongs to the rows.
            (generation,) = db.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
            started_over = generation != self._generation
            if started_over:
                self._seen, self._generation = {}, generation
            names = {key: json.loads(text) for key, text in db.execute("SELECT id, names FROM layout")}
            newest = max(self._seen, default=0)
            open_ids = [key for key, count in self._seen.items() if count < BLOCK_ROWS]
            marks = ",".join("?" * len(open_ids))
            query = f"SELECT id, layout, count, data FROM block WHERE id > ? OR id IN ({marks}) ORDER BY id"
            for block_id, layout, count, data in db.execute(query, (newest, *open_ids)):
                columns = np.frombuffer(data, "<f8").reshape(-1, count)[:, self._seen.get(block_id, 0) :]
                self._seen[block_id] = count
                blocks.setdefault(layout, []).append(columns)
        parts: dict[str, list[tuple[Array, Array]]] = {}
        for layout in sorted(blocks):
            columns = np.concatenate(blocks.pop(layout), axis=1)  # A layout's blocks follow one another in time.
            for name, values in zip((ELAPSED, *names[layout]), columns[1:], strict=True):
                if len(values):
                    parts.setdefault(name, []).append((columns[0], values))
        return started_over, {name: _joined(found) for name, found in parts.items()}
