"""What the inference thread does next: newest request of each pane, small ones first, big ones in pieces."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from latentlab.core.messages import InferenceRequest, InferenceResult
from latentlab.runtime.chunks import size_of

PATIENCE_S = 0.25


@dataclass(eq=False)
class Job:
    """A pane's request and how much of it is done."""

    pane: str
    request: InferenceRequest
    posted_at: float = field(default_factory=time.perf_counter)
    started: bool = False
    dropped: bool = False
    done: int = 0
    parts: list[InferenceResult] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Pictures still to be made."""
        return size_of(self.request) - self.done


class InferenceQueue:
    """Keyed latest-wins jobs for one worker, ordered by what a person feels most.

    The job with the fewest pictures left goes first, so a dragged slider does not wait behind a
    grid; a job that has waited longer than ``PATIENCE_S`` goes before all that have not, so a
    grid cannot starve behind a slider.

    A newer request of a pane replaces one that waits, and one that is half done the first time;
    a second half-done one is finished before the newest is begun, or a pane whose pictures take
    longer than the time between two mouse events would show nothing until the mouse rests.

    Thread: any may ``post``, ``drop`` and ``close``; one worker calls ``take`` and ``finish``.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: dict[str, Job] = {}
        self._kept: dict[str, Job] = {}
        self._abandoned: set[str] = set()
        self._closed = False

    def post(self, pane: str, request: InferenceRequest) -> None:
        """Leave a pane's newest request."""
        with self._changed:
            old = self._newest.get(pane)
            if old is not None and old.started and pane not in self._kept:
                if pane in self._abandoned:
                    self._kept[pane] = old
                self._abandoned.add(pane)
            self._newest[pane] = Job(pane, request)
            self._changed.notify()

    def drop(self, pane: str) -> None:
        """Forget what the pane asked for, also what is half done."""
        with self._changed:
            for jobs in (self._newest, self._kept):
                job = jobs.pop(pane, None)
                if job is not None:
                    job.dropped = True

    def take(self, timeout_s: float | None = None) -> Job | None:
        """Wait for the most urgent job and return it; None on time-out or once closed.

        The job stays listed until ``finish``: a worker that did a piece of it takes again.
        """
        with self._changed:
            if not self._newest and not self._kept and not self._closed:
                self._changed.wait(timeout_s)
            jobs = [*self._kept.values(), *(job for pane, job in self._newest.items() if pane not in self._kept)]
            if self._closed or not jobs:
                return None
            now = time.perf_counter()
            return min(jobs, key=lambda job: self._urgency(job, now))

    def finish(self, job: Job) -> bool:
        """Take a done job off the list; False when its answer is no longer wanted."""
        with self._changed:
            for jobs in (self._newest, self._kept):
                if jobs.get(job.pane) is job:
                    del jobs[job.pane]
            self._abandoned.discard(job.pane)
            return not job.dropped and not self._closed

    def nap(self, timeout_s: float) -> None:
        """Wait until something is posted, at most ``timeout_s``."""
        with self._changed:
            if not self._closed:
                self._changed.wait(timeout_s)

    @property
    def started(self) -> bool:
        """Whether a job is half done, which pins the weights: one answer comes from one set of weights."""
        with self._changed:
            return any(job.started for jobs in (self._newest, self._kept) for job in jobs.values())

    def close(self) -> None:
        """Wake the worker for good: every later ``take`` returns None at once."""
        with self._changed:
            self._closed = True
            self._newest.clear()
            self._kept.clear()
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    @staticmethod
    def _urgency(job: Job, now: float) -> tuple[bool, float, float]:
        if now - job.posted_at > PATIENCE_S:
            return False, job.posted_at, 0.0
        return True, float(job.left), job.posted_at
