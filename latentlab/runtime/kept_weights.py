"""Keeps the weights behind exported pictures, and writes the pictures, in the background."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal, Slot

from latentlab.core.messages import ErrorReport, WeightSnapshot
from latentlab.runtime.threads import prepare_torch

if TYPE_CHECKING:
    from latentlab.training.kept import Kept

Write = Callable[[str], Path]
"""Writes the picture, told the fingerprint of its weights (empty without weights), and returns its path."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of a picture. ``path`` is None where it could not be written, which ``error`` explains.

    ``kept``: whether its weights are; None for a picture without weights.
    """

    path: Path | None
    step: int = -1
    kept: Kept | None = None
    error: ErrorReport | None = None


@dataclass(frozen=True, slots=True)
class _Job:
    write: Write
    snapshot: WeightSnapshot | None


class KeepThread(QThread):
    """Works off a queue; nothing in it is ever dropped."""

    exported = Signal(object)  # Exported

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("picture export")
        self.jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()

    def run(self) -> None:
        """Serve until a None comes. Thread: export."""
        while (job := self.jobs.get()) is not None:
            self.exported.emit(self._work(job))

    def _work(self, job: _Job) -> Exported:
        step = job.snapshot.step if job.snapshot is not None else -1
        try:
            kept = self._keep(job.snapshot)
            return Exported(job.write(kept.fingerprint if kept is not None else ""), step, kept)
        except Exception as error:  # noqa: BLE001 - the window is told, whatever it is.
            return Exported(None, step, error=ErrorReport.of(error, "exporting a picture"))

    def _keep(self, snapshot: WeightSnapshot | None) -> Kept | None:
        if snapshot is None:
            return None
        prepare_torch()
        from latentlab.training.kept import keep_for_picture

        return keep_for_picture(snapshot)


class KeepService(QObject):
    """Writes exported pictures one after the other, their weights first.

    Thread: GUI. The thread is started with the first picture, and ends after the last.
    """

    exported = Signal(object)  # Exported

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = KeepThread(self)
        self._thread.exported.connect(self._on_exported)
        self._over = False

    def export(self, write: Write, snapshot: WeightSnapshot | None) -> None:
        """Keep ``snapshot`` with its run, then write the picture; ``exported`` follows."""
        if self._over:
            return
        self._thread.jobs.put(_Job(write, snapshot))
        if not self._thread.isRunning():
            self._thread.start()

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """End the thread after the pictures that were asked for; return whether it has ended."""
        if not self._over:
            self._over = True
            self._thread.jobs.put(None)
        return self._thread.wait(timeout_ms)

    @Slot(object)
    def _on_exported(self, exported: Exported) -> None:
        self.exported.emit(exported)
