"""A thread that does what it is told, newest wish of each kind first, and something of its own in the quiet."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QThread, Signal

from latentlab.core.mailbox import Mailbox
from latentlab.core.messages import ErrorReport
from latentlab.runtime.threads import step_aside

IDLE_S = 0.25
SHARE = 0.8
QUIET_S = 0.15
"""Nothing is done unasked this soon after somebody moved through the film,"""
LONGEST_QUIET_S = 0.6
"""but then so often all the same, or a film that plays would never be measured."""


@dataclass(frozen=True, slots=True)
class Call:
    """Something to do; ``what`` names it in an error report."""

    run: Callable[[], object]
    what: str


class CallThread(QThread):
    """Runs calls, the newest of each key, until closed. The object lives in the GUI thread.

    Parameters
    ----------
    name
        The thread's name.
    quiet
        Called again and again while nothing is asked for; returns whether there was anything to do.
    background
        How many times the thread steps aside for others (see ``threads.step_aside``).
    release
        Called at the end, in the thread.
    """

    failed = Signal(object)  # ErrorReport

    def __init__(
        self,
        name: str,
        parent: QObject,
        *,
        quiet: Callable[[], bool] | None = None,
        background: int = 0,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.active = True
        self.moved_at = 0.0
        self._quiet, self._background, self._release = quiet, background, release
        self._calls: Mailbox[Call] = Mailbox()

    def post(self, key: str, what: str, call: Callable[[], object]) -> None:
        """Have ``call`` run in the thread, in place of one of the same key still waiting. Thread: GUI."""
        self._calls.post(key, Call(call, what))
        if not self.isRunning() and not self._calls.closed:
            self.start()

    def drop(self, key: str) -> None:
        """Forget a call still waiting. Thread: GUI."""
        self._calls.drop(key)

    def close(self) -> None:
        """End after the call in hand. Thread: any."""
        self._calls.close()

    def run(self) -> None:
        """Serve until closed. Thread: its own."""
        for _ in range(self._background):
            step_aside()
        rest_s = 0.0
        while not self._calls.closed:
            taken = self._calls.take(rest_s) if self._quiet is not None else self._calls.take()
            if taken is not None:
                self._guarded(taken[1])
                rest_s = 0.0
            elif self._quiet is not None and not self._calls.closed:
                rest_s = self._use_the_quiet(self._quiet)
        self._release()

    def _use_the_quiet(self, quiet: Callable[[], bool]) -> float:
        """Do a piece of what may wait; return for how long to leave the machine to others."""
        if not self.active:
            return IDLE_S
        began, busy = time.perf_counter(), [False]

        def work() -> None:
            busy[0] = quiet()

        self._guarded(Call(work, "measuring the film"))
        if not busy[0]:
            return IDLE_S
        rest_s = (time.perf_counter() - began) * (1 - SHARE) / SHARE
        if time.monotonic() - self.moved_at < QUIET_S:
            rest_s = max(rest_s, LONGEST_QUIET_S)
        return rest_s

    def _guarded(self, call: Call) -> None:
        try:
            call.run()
        except Exception as error:  # noqa: BLE001 - the thread lives on and the window is told.
            self.failed.emit(ErrorReport.of(error, call.what))
