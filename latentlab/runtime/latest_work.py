"""Work that a page wants done beside the window, where only the newest wish matters."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ErrorReport

T = TypeVar("T")


class LatestWork(Generic[T]):
    """Runs one piece of work at a time in a thread that lives while there is any; a newer wish replaces one that waits.

    Thread: any may ``post`` and read the slots; work runs in a thread of its own and must not touch Qt.

    Attributes
    ----------
    results
        The newest result.
    problem
        Why the newest piece of work failed; empty when it did not.
    """

    def __init__(self, name: str) -> None:
        self.results: LatestSlot[T] = LatestSlot()
        self.problem: LatestSlot[ErrorReport] = LatestSlot()
        self._name = name
        self._lock = threading.Lock()
        self._waiting: Callable[[], T] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._epoch = 0

    def post(self, work: Callable[[], T]) -> None:
        """Have ``work`` done as soon as that in hand is."""
        with self._lock:
            if self._closed:
                return
            self._waiting = work
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name)
                self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether something is at work or waits."""
        return self._thread is not None

    def forget(self) -> None:
        """Drop what waits, what is at work, and the results."""
        with self._lock:
            self._waiting = None
            self._epoch += 1
            self.results.clear()

    def close(self, timeout_s: float = 5.0) -> None:
        """Do nothing more, and wait for the piece in hand."""
        with self._lock:
            self._closed, self._waiting = True, None
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._lock:
                work, self._waiting = self._waiting, None
                epoch = self._epoch
                if work is None:
                    self._thread = None
                    return
            try:
                result = work()
            except Exception as error:  # noqa: BLE001 - it is told, and the next wish is served.
                self.problem.put(ErrorReport.of(error, self._name))
                continue
            with self._lock:
                if epoch == self._epoch:
                    self.results.put(result)
