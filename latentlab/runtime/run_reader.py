"""Reads what a run folder holds, again and again, publishing only what is new."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from latentlab.core.errors import InputError
from latentlab.core.events import read_events
from latentlab.core.messages import ModelInfo, TrainingStatus
from latentlab.core.run_folder import CHECKPOINTS, EVENTS, LAST, METRICS
from latentlab.runtime.previews import newest_preview, read_preview
from latentlab.runtime.session_sink import SessionSlots

if TYPE_CHECKING:
    from latentlab.training.metrics_db import MetricsFollower, Series

Stamp = tuple[tuple[int, int], ...]


def stamp(*paths: Path) -> Stamp:
    """Return size and time of files, by which a change is noticed; missing files count as empty."""
    found = []
    for path in paths:
        try:
            facts = path.stat()
            found.append((facts.st_size, facts.st_mtime_ns))
        except OSError:
            found.append((0, 0))
    return tuple(found)


class RunReader:
    """Publishes a run on disk into a session's slots.

    Thread: one at a time reads; any may call ``close``, after which nothing is published any more.
    """

    def __init__(self, info: ModelInfo, slots: SessionSlots) -> None:
        assert info.run is not None
        self._info = info
        self._run: Path = info.run
        self._slots = slots
        self._lock = threading.Lock()
        self._closed = False
        self._follower: MetricsFollower | None = None
        self._stamps: dict[str, Stamp] = {}
        self._elapsed_s = 0.0
        self._vectors_step = -1

    def close(self) -> None:
        """Publish nothing from now on; returns once nothing is being published."""
        with self._lock:
            self._closed = True

    def read_metrics(self) -> bool:
        """Publish the rows that were added; return whether there were any.

        Raises
        ------
        InputError
            If the metrics file is damaged.
        """
        from latentlab.training.metrics_db import MetricsFollower

        path = self._run / METRICS
        if not self._moved("metrics", path, path.with_name(path.name + "-wal")) or not path.is_file():
            return False
        self._follower = self._follower or MetricsFollower(path)
        started_over, new = self._follower.poll()
        self._publish_metrics(started_over, new)
        return bool(new)

    def read_vectors(self) -> bool:
        """Publish the vectors that were measured since the last look; return whether there were any.

        Raises
        ------
        InputError
            If the metrics file is damaged.
        """
        from latentlab.training.vectors_db import read_vectors

        path = self._run / METRICS
        if not self._moved("vectors", path, path.with_name(path.name + "-wal")) or not path.is_file():
            return False
        new = read_vectors(path, self._vectors_step)
        with self._lock:
            if not self._closed:
                for name, (steps, rows) in new.items():
                    self._slots.vectors.extend(name, steps, rows)
                    self._vectors_step = max(self._vectors_step, steps[-1])
        return bool(new)

    def read_events(self) -> bool:
        """Publish what else happened, checkpoints included; return whether anything did since the last look."""
        if not self._moved("events", self._run / EVENTS, self._run / CHECKPOINTS):
            return False
        events = read_events(self._run)
        with self._lock:
            if not self._closed:
                self._slots.events.replace(events)
        return bool(events)

    def read_preview(self) -> bool:
        """Publish the newest preview; return whether there was a new one that can be read.

        A damaged picture is passed over: curves and weights do not depend on it.
        """
        sheet = newest_preview(self._run)
        if sheet is None or not self._moved("preview", sheet):
            return False
        try:
            preview = read_preview(sheet, self._info)
        except (OSError, ValueError, SyntaxError):  # SyntaxError is Pillow's word for a broken PNG.
            return False
        with self._lock:
            if not self._closed:
                self._slots.previews.put(preview)
        return True

    def read_weights(self) -> bool:
        """Publish the weights of the last checkpoint; return whether they are new.

        Raises
        ------
        InputError
            If there is no checkpoint or it is damaged.
        """
        from latentlab.models.weights import MODEL_FILE, STATE_FILE, read_snapshot

        folder = self._run / CHECKPOINTS / LAST
        if not self._moved("weights", folder / STATE_FILE, folder / MODEL_FILE):
            return False
        snapshot = read_snapshot(self._run)
        with self._lock:
            if not self._closed:
                self._slots.weights.put(snapshot)
        return True

    def poll(self) -> bool:
        """Publish whatever is new; what cannot be read just now is tried again at its next change."""
        new = False
        for read in (self.read_metrics, self.read_vectors, self.read_events, self.read_preview, self.read_weights):
            try:
                new = read() or new
            except (InputError, OSError):
                continue  # A file that is being replaced.
        return new

    def _moved(self, what: str, *paths: Path) -> bool:
        """Whether files changed since the last look; a first look counts as a change."""
        now = stamp(*paths)
        if self._stamps.get(what) == now:
            return False
        self._stamps[what] = now
        return True

    def _publish_metrics(self, started_over: bool, new: Series) -> None:
        from latentlab.training.metrics_db import ELAPSED

        elapsed = new.pop(ELAPSED, None)
        with self._lock:
            if self._closed:
                return
            if started_over:
                self._slots.history.clear()
                self._slots.vectors.clear()
                self._vectors_step = -1
            for name, (steps, values) in new.items():
                self._slots.history.extend(name, steps, values)
            if elapsed is not None and len(elapsed[1]):
                self._elapsed_s = float(elapsed[1][-1])
            self._slots.status.put(self._status())

    def _status(self) -> TrainingStatus:
        span, speed = self._slots.history.span(), self._slots.history.last("images_per_s")
        return TrainingStatus(
            step=int(span[1]) if span else 0,
            steps=self._info.recipe.training.steps,
            images_per_s=speed[1] if speed else 0.0,
            elapsed_s=self._elapsed_s,
            device="",
            memory_mb=0.0,
        )
