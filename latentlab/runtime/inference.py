"""Pictures for the pages: requests in, newest answers out, nothing the window ever waits for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import InferenceRequest, WeightSnapshot
from latentlab.runtime.inference_thread import InferenceThread, Replica, make_replica
from latentlab.runtime.rolling import Rolling


class InferenceService(QObject):
    """Decodes, encodes and reconstructs for named panes with the newest weights of a training.

    Each pane has at most one request waiting; a newer one replaces it. Answers of a pane arrive in
    the order of their generations, and the answer to its newest request always arrives last: while
    a slider moves, the pictures on the way are shown as they come, and none after a newer one.
    Requests made before there are weights wait for them. A page that wants to follow the training
    asks again when ``weights.version`` of the session moved.

    Thread: GUI. The work is done in one thread of its own, started with the first request.

    Attributes
    ----------
    latency
        Milliseconds from ``request`` to ``result_ready``, of answers whose weights were there.
    """

    result_ready = Signal(str, object)  # pane, InferenceResult

    def __init__(self, parent: QObject | None = None, *, make: Callable[[], Replica] = make_replica) -> None:
        super().__init__(parent)
        self.latency = Rolling(1000)
        self._generation = 0
        self._shown: dict[str, int] = {}
        self._thread = InferenceThread(make, self)
        self._thread.answered.connect(self._on_answered)
        self._closed = False

    def bind(self, weights: LatestSlot[WeightSnapshot]) -> None:
        """Follow the newest snapshot of this slot; it is loaded between answers."""
        self._thread.follow(weights)

    def request(self, pane: str, request: InferenceRequest) -> int:
        """Ask for pictures on behalf of ``pane`` and return the generation the answer will carry.

        The arrays of the request are handed over: do not change them afterwards.
        """
        self._generation += 1
        if not self._closed:
            self._thread.queue.post(pane, replace(request, generation=self._generation))
            if not self._thread.isRunning():
                self._thread.start()
        return self._generation

    def cancel(self, pane: str) -> None:
        """Forget what ``pane`` asked for; no answer to it arrives after this."""
        self._thread.queue.drop(pane)
        self._shown[pane] = self._generation

    @property
    def weights_step(self) -> int:
        """Training step of the weights in use; -1 before the first."""
        return self._thread.loaded.step

    @property
    def weights_taken_at(self) -> float:
        """When the weights in use were copied (``time.monotonic``); 0 before the first."""
        return self._thread.loaded.taken_at

    def snapshot_of(self, step: int, taken_at: float) -> WeightSnapshot | None:
        """Return the weights behind an answer that is on screen, where they are still at hand."""
        return next((s for s in self._thread.recent if (s.step, s.taken_at) == (step, taken_at)), None)

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """End the thread after the picture in hand; return whether it has ended."""
        self._closed = True
        self._thread.queue.close()
        return self._thread.wait(timeout_ms)

    @Slot()
    def _on_answered(self) -> None:
        for pane, result, posted_at in self._thread.collect():
            if self._closed or result.request.generation <= self._shown.get(pane, 0):
                continue
            self._shown[pane] = result.request.generation
            if result.taken_at <= time.monotonic() - (time.perf_counter() - posted_at):
                self.latency.add((time.perf_counter() - posted_at) * 1000)
            self.result_ready.emit(pane, result)
