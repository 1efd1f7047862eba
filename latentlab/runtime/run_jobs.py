"""Work on runs that takes a while: exports, reports, the trash. One after the other, in a thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QFile, QObject, QThread, Signal, Slot

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.messages import ErrorReport
from latentlab.core.sweep import is_sweep, read_plan

Work = Callable[[], str]
"""Does the work and returns the sentence to show."""


class _JobThread(QThread):
    def __init__(self, work: Work, doing: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run job")
        self._work, self._doing = work, doing
        self.said = ""
        self.error: ErrorReport | None = None

    def run(self) -> None:
        """Work. Thread: run job."""
        try:
            self.said = self._work()
        except Exception as error:  # noqa: BLE001 - the window is told, whatever it is.
            self.error = ErrorReport.of(error, self._doing)


class RunJobs(QObject):
    """Exports runs and throws them away. Thread: GUI."""

    done = Signal(str)
    failed = Signal(object)  # ErrorReport

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[tuple[Work, str]] = deque()
        self._thread: _JobThread | None = None
        self._over = False

    @property
    def busy(self) -> bool:
        """Whether anything is at work."""
        return self._thread is not None

    def export(self, run: Path, wanted: str, out: Path, checkpoint: str = "last") -> None:
        """Write a run as ``csv``, ``tensorboard`` or ``onnx``."""
        self._add(lambda: _export(run, wanted, out, checkpoint), f"exporting {run.name}")

    def report(self, out: Path, title: str, runs: Sequence[Path], sweep: Path | None = None) -> None:
        """Write an HTML report of runs, or of a whole sweep."""
        self._add(lambda: _report(out, title, tuple(runs), sweep), f"writing {out.name}")

    def trash(self, runs: Sequence[Path]) -> None:
        """Move runs to the system's trash."""
        self._add(lambda: _trash(tuple(runs)), "moving runs to the trash")

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """Start nothing more and wait for what is at work; return whether nothing is."""
        self._over = True
        self._waiting.clear()
        if self._thread is not None and not self._thread.wait(timeout_ms):
            return False
        self._on_finished()
        return True

    def _add(self, work: Work, doing: str) -> None:
        self._waiting.append((work, doing))
        self._next()

    def _next(self) -> None:
        if self._thread is None and self._waiting and not self._over:
            self._thread = _JobThread(*self._waiting.popleft(), self)
            self._thread.finished.connect(self._on_finished)
            self._thread.start()

    @Slot()
    def _on_finished(self) -> None:
        thread = self._thread
        if thread is None or not thread.wait(1000):
            return
        self._thread = None
        if thread.error is not None:
            self.failed.emit(thread.error)
        else:
            self.done.emit(thread.said)
        thread.deleteLater()
        self._next()


def _export(run: Path, wanted: str, out: Path, checkpoint: str) -> str:
    if wanted == "csv":
        from latentlab.training.export_csv import export_csv

        return f"{export_csv(run, out):,} rows are in {out}"
    from latentlab.runtime.threads import prepare_torch

    prepare_torch()
    if wanted == "tensorboard":
        from latentlab.training.export_tensorboard import export_tensorboard

        return f"{export_tensorboard(run, out):,} scalars are in {out}: tensorboard --logdir opens it"
    from latentlab.explore.export_onnx import export_onnx

    return f"{' and '.join(path.name for path in export_onnx(run, out, checkpoint))} are in {out}"


def _report(out: Path, title: str, runs: Sequence[Path], sweep: Path | None) -> str:
    from latentlab.training.report import write_report

    plan = read_plan(sweep) if sweep is not None and is_sweep(sweep) else None
    chosen = [sweep / run.name for run in plan.runs] if plan is not None and sweep is not None else list(runs)
    write_report(out, plan.title if plan is not None else title, chosen, plan=plan)
    return f"The report is in {out}"


def _trash(runs: Sequence[Path]) -> str:
    from latentlab.training.run_lock import is_being_trained

    for run in runs:
        if is_being_trained(run):
            raise InputError(f"{run.name} is being trained", where=str(run), hint="Stop it first.")
    for run in runs:
        if not QFile.moveToTrash(str(run)):
            raise LatentLabError(
                f"{run.name} could not be moved to the trash",
                where=str(run),
                hint="This disk has no trash, or you may not write there. Nothing was deleted.",
            )
    return f"{runs[0].name} is in the trash" if len(runs) == 1 else f"{len(runs)} runs are in the trash"
