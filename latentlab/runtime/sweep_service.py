"""A sweep as the window sees it: one at a time, paused, gone on with and stopped from the GUI thread."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal, Slot

from latentlab.core.errors import InputError
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ErrorReport
from latentlab.core.sweep import SweepPlan, read_plan
from latentlab.core.sweep_state import SweepState
from latentlab.training.sweep import SweepRunner, new_sweep
from latentlab.training.sweep_place import Command, LocalPlace, train_command


class SweepThread(QThread):
    """Runs one sweep. The object lives in the GUI thread."""

    def __init__(self, runner: SweepRunner, state: LatestSlot[SweepState], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sweep")
        self.runner = runner
        self.error: ErrorReport | None = None
        self._state = state

    def run(self) -> None:
        """Work until all is done or a stop is wished for. Thread: sweep."""
        try:
            self.runner.run(self._state.put)
        except Exception as error:  # noqa: BLE001 - the window is told, whatever it is.
            self.error = ErrorReport.of(error, f"sweep {self.runner.plan.title}")


class SweepService(QObject):
    """Runs one sweep at a time; its trainings are processes of their own, so the window stays free for another.

    Thread: GUI. ``state`` may be polled from any thread.
    """

    changed = Signal()  # begun, paused, gone on, ended
    failed = Signal(object)  # ErrorReport

    def __init__(self, parent: QObject | None = None, *, command: Command = train_command) -> None:
        super().__init__(parent)
        self.state: LatestSlot[SweepState] = LatestSlot()
        self._command = command
        self._thread: SweepThread | None = None

    @property
    def folder(self) -> Path | None:
        """The folder of the sweep at work."""
        return self._thread.runner.folder if self._thread is not None else None

    @property
    def paused(self) -> bool:
        """Whether the sweep at work is paused."""
        return self._thread is not None and self._thread.runner.paused

    def start(self, file: Path, root: Path, *, jobs: int = 1) -> Path:
        """Begin the sweep of a TOML file in a new folder under ``root``; return the folder.

        Raises
        ------
        InputError
            If a sweep is at work, or the file is none.
        """
        self._refuse_while_active()
        folder = new_sweep(file, root, jobs=jobs)
        self._launch(folder, read_plan(folder))
        return folder

    def go_on(self, folder: Path) -> None:
        """Take up a sweep that was stopped or killed.

        Raises
        ------
        InputError
            If a sweep is at work, or ``folder`` is none's.
        """
        self._refuse_while_active()
        self._launch(folder, read_plan(folder))

    def pause(self) -> None:
        """Let the trainings at work save and end; ``resume`` goes on."""
        if self._thread is not None:
            self._thread.runner.pause()
            self.changed.emit()

    def resume(self) -> None:
        """Go on after a pause."""
        if self._thread is not None:
            self._thread.runner.resume()
            self.changed.emit()

    def stop(self) -> None:
        """Let the trainings at work save and end the sweep; it can be gone on with later."""
        if self._thread is not None:
            self._thread.runner.stop()

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """Stop and wait; return whether nothing is at work. Call again until it is True."""
        self.stop()
        if self._thread is not None and not self._thread.wait(timeout_ms):
            return False
        self._on_finished()
        return True

    def _refuse_while_active(self) -> None:
        if self._thread is not None:
            raise InputError("A sweep is at work already", where="Sweep", hint="Stop it, or wait for its end.")

    def _launch(self, folder: Path, plan: SweepPlan) -> None:
        thread = SweepThread(SweepRunner(folder, plan, LocalPlace(self._command)), self.state, self)
        thread.finished.connect(self._on_finished)
        self._thread = thread
        thread.start()
        self.changed.emit()

    @Slot()
    def _on_finished(self) -> None:
        thread = self._thread
        if thread is None or not thread.wait(1000):
            return
        self._thread = None
        if thread.error is not None:
            self.failed.emit(thread.error)
        thread.deleteLater()
        self.changed.emit()
