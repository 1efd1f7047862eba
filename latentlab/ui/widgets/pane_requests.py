"""A pane's conversation with the inference service: one request under way, the newest one waiting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from latentlab.core.messages import InferenceRequest, InferenceResult

if TYPE_CHECKING:
    from latentlab.runtime.inference import InferenceService

PATIENCE_S = 5.0


class PaneRequests(QObject):
    """Asks for one pane. Thread: GUI.

    While a request is under way a newer one waits here and replaces any that waited before it, so a
    drag shows every picture that the device can make, each is the newest at the time it was asked
    for, and the last one shown is the last one asked for.

    Signals
    -------
    answered
        An ``InferenceResult`` of this pane, whether it holds pictures or an error.
    """

    answered = Signal(object)

    def __init__(self, inference: InferenceService, pane: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.pane = pane
        self._inference = inference
        self._waiting: InferenceRequest | None = None
        self._asked_at: float | None = None
        self._generation = -1
        inference.result_ready.connect(self._on_result)

    @property
    def busy(self) -> bool:
        """Whether an answer is on its way. A service that stays silent is given up on after a while."""
        return self._asked_at is not None and time.monotonic() - self._asked_at < PATIENCE_S

    def ask(self, request: InferenceRequest) -> None:
        """Ask now, or as soon as the answer under way has arrived."""
        if self.busy:
            self._waiting = request
        else:
            self._send(request)

    def cancel(self) -> None:
        """Forget what was asked; nothing asked before this call is answered any more."""
        self._waiting = None
        if self._asked_at is not None:
            self._asked_at = None
            self._inference.cancel(self.pane)

    def _send(self, request: InferenceRequest) -> None:
        self._asked_at = time.monotonic()
        self._waiting = None
        self._generation = self._inference.request(self.pane, request)

    @Slot(str, object)
    def _on_result(self, pane: str, result: InferenceResult) -> None:
        if pane != self.pane or self._asked_at is None or result.request.generation != self._generation:
            return
        self._asked_at = None
        waiting = self._waiting
        if waiting is not None:
            self._send(waiting)
        self.answered.emit(result)
