"""The thread that owns an eval replica and answers requests with the newest weights."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject, QThread, Signal

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ErrorReport, InferenceRequest, InferenceResult, WeightSnapshot
from latentlab.runtime.chunks import join, piece_of
from latentlab.runtime.inference_queue import InferenceQueue, Job
from latentlab.runtime.priority import ExplorePriority, FollowedWeights
from latentlab.runtime.threads import prepare_torch

WAIT_FOR_WEIGHTS_S = 0.03
PIECE_MS = 10.0
MIN_PIECE, MAX_PIECE = 8, 512
RECENT = 2


class Replica(Protocol):
    """What answers requests: ``latentlab.explore.session.ExploreSession``. Thread: inference only."""

    def load(self, snapshot: WeightSnapshot) -> None:
        """Take over a snapshot's weights."""

    def run(self, request: InferenceRequest) -> InferenceResult:
        """Answer a request; what is wrong with it travels in the answer."""


def make_replica() -> Replica:
    """Build the real replica; imports torch. Thread: inference."""
    prepare_torch()
    from latentlab.explore.session import ExploreSession

    return ExploreSession()


@dataclass(frozen=True, slots=True)
class Loaded:
    """Which weights the replica holds: ``step`` is -1 and ``taken_at`` 0 before the first."""

    step: int = -1
    taken_at: float = 0.0


class InferenceThread(QThread):
    """Serves an ``InferenceQueue`` until it is closed.

    Requests wait, newest kept, until there are weights. Weights change only between answers,
    never within one. Answers lie in an outbox, one per pane; ``answered`` says that there is one.

    The object lives in the GUI thread and has no slots; ``run`` is the inference thread's.
    """

    answered = Signal()

    def __init__(self, make: Callable[[], Replica], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inference")
        self.queue = InferenceQueue()
        self.loaded = Loaded()
        self.recent: tuple[WeightSnapshot, ...] = ()  # Newest first; what is on screen is of one of them.
        self._make = make
        self._replica: Replica | None = None
        self._lock = threading.Lock()
        self._outbox: dict[str, tuple[InferenceResult, float]] = {}
        self._weights: LatestSlot[WeightSnapshot] | None = None
        self._seen: tuple[LatestSlot[WeightSnapshot], int] | None = None
        self._priority = ExplorePriority()
        self._load_error: ErrorReport | None = None
        self._ms_per_picture = 1.0

    def follow(self, weights: LatestSlot[WeightSnapshot]) -> None:
        """Use the newest weights of this slot from now on. Thread: GUI."""
        self._weights = weights
        self._priority = weights.priority if isinstance(weights, FollowedWeights) else ExplorePriority()

    def collect(self) -> list[tuple[str, InferenceResult, float]]:
        """Empty the outbox: pane, answer, and when it was asked for (perf_counter). Thread: GUI."""
        with self._lock:
            outbox, self._outbox = self._outbox, {}
        return [(pane, result, posted_at) for pane, (result, posted_at) in outbox.items()]

    def run(self) -> None:
        """Serve until the queue is closed. Thread: inference."""
        while not self.queue.closed:
            job = self.queue.take()
            if job is None:
                continue
            if not self._refresh_weights():
                self.queue.nap(WAIT_FOR_WEIGHTS_S)
                continue
            with self._priority.busy():
                self._work_on(job)
        self._replica = None  # Freed here, in the thread that made it.

    def _refresh_weights(self) -> bool:
        """Load the newest weights unless an answer is half done; return whether there are any."""
        weights = self._weights
        if weights is None:
            return False
        version, snapshot = weights.get()
        if snapshot is None:
            return False
        if self._seen == (weights, version) or (self._seen is not None and self.queue.started):
            return True
        self._seen = (weights, version)
        try:
            if self._replica is None:
                self._replica = self._make()
            self._replica.load(snapshot)
            self._load_error = None
            self.loaded = Loaded(snapshot.step, snapshot.taken_at)
            self.recent = (snapshot, *self.recent[: RECENT - 1])
        except Exception as error:  # noqa: BLE001 - it travels in the answers and the thread lives on.
            self._load_error = ErrorReport.of(error, "loading the weights")
        return True

    def _work_on(self, job: Job) -> None:
        if self._load_error is not None or self._replica is None:
            failed = InferenceResult(job.request, self.loaded.step, self.loaded.taken_at, error=self._load_error)
            self._hand_over(job, failed)
            return
        job.started = True
        count = max(MIN_PIECE, min(MAX_PIECE, int(PIECE_MS / self._ms_per_picture)))
        count = min(count, max(job.left, 1))
        answer = self._answer(self._replica, piece_of(job.request, job.done, count))
        job.parts.append(answer)
        job.done += count
        if answer.error is None:
            self._ms_per_picture = 0.7 * self._ms_per_picture + 0.3 * max(answer.took_ms / count, 1e-3)
        if job.left <= 0 or answer.error is not None:
            self._hand_over(job, join(job.request, job.parts))

    def _answer(self, replica: Replica, request: InferenceRequest) -> InferenceResult:
        try:
            return replica.run(request)
        except Exception as error:  # noqa: BLE001 - it travels in the answer and the thread lives on.
            return InferenceResult(
                request, self.loaded.step, self.loaded.taken_at, error=ErrorReport.of(error, "exploring")
            )

    def _hand_over(self, job: Job, result: InferenceResult) -> None:
        if self.queue.finish(job):
            with self._lock:
                self._outbox[job.pane] = (result, job.posted_at)
            self.answered.emit()
