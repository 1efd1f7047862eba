"""Ending in order: wish every service to stop, keep the window alive until each has, then say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QDeadlineTimer, QObject, QTimer, Signal, Slot

CHECK_MS = 15
LATE_MS = 300


class Service(Protocol):
    """Something with a thread. ``shutdown`` wishes it to stop, waits, and tells whether it has; it may be repeated."""

    def shutdown(self, timeout_ms: int) -> bool:
        """Wish for the end and wait up to ``timeout_ms``; return whether it has come."""


class Shutdown(QObject):
    """Ends everything once, in the order in which it was added.

    ``begin`` returns at once: every service is wished to stop, then they are looked at until all
    have. Nothing is ever terminated; a service that takes long (a trainer finishing its step) is
    named by ``late``, and the window stays alive meanwhile.

    Thread: GUI.
    """

    late = Signal(str)  # name of the service waited for
    finished = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.begun = False
        self.done = False
        self._first: list[Callable[[], None]] = []
        self._services: list[tuple[str, Service]] = []
        self._waiting: list[tuple[str, Service]] = []
        self._told: set[str] = set()
        self._patience = QDeadlineTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(CHECK_MS)
        self._timer.timeout.connect(self._on_timeout)

    def add_step(self, call: Callable[[], None]) -> None:
        """Call this first, before any service is asked to stop: polls, timers, settings."""
        self._first.append(call)

    def add(self, name: str, service: Service) -> None:
        """End ``service`` after those added before it; ``name`` is for people."""
        self._services.append((name, service))

    def begin(self) -> None:
        """Start to end everything; a second call changes nothing. ``finished`` follows, never from within this call."""
        if self.begun:
            return
        self._ask()
        self._patience = QDeadlineTimer(LATE_MS)
        self._timer.start()

    def run(self, timeout_ms: int = 10_000) -> bool:
        """End everything and wait here, without an event loop; return whether all has ended."""
        if not self.begun:
            self._ask()
        deadline = QDeadlineTimer(timeout_ms)
        while self._waiting:
            name, service = self._waiting[0]
            if not service.shutdown(max(0, deadline.remainingTime())):
                self.late.emit(name)
                return False
            self._waiting.pop(0)
        self._finish()
        return True

    def _ask(self) -> None:
        self.begun = True
        for call in self._first:
            call()
        self._waiting = list(self._services)
        for _, service in self._services:
            service.shutdown(0)

    @Slot()
    def _on_timeout(self) -> None:
        while self._waiting and self._waiting[0][1].shutdown(0):
            self._waiting.pop(0)
        if not self._waiting:
            self._finish()
        elif self._patience.hasExpired() and self._waiting[0][0] not in self._told:
            self._told.add(self._waiting[0][0])
            self.late.emit(self._waiting[0][0])

    def _finish(self) -> None:
        self._timer.stop()
        if not self.done:
            self.done = True
            self.finished.emit()
