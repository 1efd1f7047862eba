"""Watches a run that is open, in case another process is still writing it."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, QThread

from latentlab.runtime.run_reader import RunReader

FOLLOW_S = 0.5
QUIET_S = 2.0


class RunFollower(QThread):
    """Looks at the files of an open run twice a second while they change, every two seconds otherwise."""

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
