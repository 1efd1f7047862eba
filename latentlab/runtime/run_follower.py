"""Watches a run that is open, in case another process is still writing it."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, QThread

from latentlab.runtime.run_reader import RunReader

FOLLOW_S = 0.3
QUIET_S = 0.4


class RunFollower(QThread):
    """Looks at the files of an open run three times a second: a step is shown at most a second after it was logged.

    The trainer writes what it logs within 0.4 s; a look that finds nothing changed costs a few file times.
    """

    def __init__(self, reader: RunReader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run follower")
        self._reader = reader
        self._ended = threading.Event()

    def run(self) -> None:
        """Follow until ``end``. Thread: follower."""
        pause_s = FOLLOW_S
        while not self._ended.wait(pause_s):
            pause_s = FOLLOW_S if self._reader.poll() else QUIET_S

    def end(self) -> None:
        """Publish nothing from now on and end soon. Thread: GUI."""
        self._ended.set()
        self._reader.close()
