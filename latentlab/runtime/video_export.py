"""Exports of films as the window sees them: jobs that work in the background, one after the other."""

from __future__ import annotations

import threading
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal, Slot

from latentlab.core.errors import Cancelled
from latentlab.core.latent_walk import WalkPlan
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ErrorReport, WeightSnapshot
from latentlab.core.video_export import ExportPlan, ExportProgress, ExportSummary
from latentlab.runtime.threads import prepare_torch, step_aside

KEPT = 20
"""Jobs that have ended are remembered up to this number."""


class JobState(Enum):
    """Where an export stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def active(self) -> bool:
        """Whether it is still to end."""
        return self in (JobState.WAITING, JobState.RUNNING)


class ExportJob:
    """One film to write. ``progress`` may be polled; the rest changes in the GUI thread only.

    Attributes
    ----------
    summary, error
        Set when the job is done, or has failed.
    """

    def __init__(self, plan: ExportPlan | WalkPlan, source: Path, snapshot: WeightSnapshot) -> None:
        self.plan, self.source = plan, source
        self.snapshot: WeightSnapshot | None = snapshot
        self.state = JobState.WAITING
        self.progress: LatestSlot[ExportProgress] = LatestSlot()
        self.summary: ExportSummary | None = None
        self.error: ErrorReport | None = None
        self.stop = threading.Event()


class ExportThread(QThread):
    """Works on one job. The object lives in the GUI thread."""

    def __init__(self, job: ExportJob, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("video-export")
        self.job = job
        self.summary: ExportSummary | None = None
        self.error: ErrorReport | None = None

    def run(self) -> None:
        """Write the film with a replica of its own. Thread: export."""
        step_aside()
        job = self.job
        snapshot = job.snapshot
        assert snapshot is not None
        try:
            self._tell(ExportProgress(0, 0))
            prepare_torch()
            self.summary = self._write(job.plan, snapshot)
        except Cancelled:
            return
        except Exception as error:  # noqa: BLE001 - the window is told, whatever it is.
            self.error = ErrorReport.of(error, f"exporting {job.plan.output.name}")

    def _write(self, plan: ExportPlan | WalkPlan, snapshot: WeightSnapshot) -> ExportSummary:
        from latentlab.explore.video_export import export_film
        from latentlab.explore.walk_export import export_walk

        if isinstance(plan, WalkPlan):
            return export_walk(plan, snapshot, progress=self._tell)
        return export_film(plan, self.job.source, snapshot, progress=self._tell)

    def _tell(self, progress: ExportProgress) -> None:
        if self.job.stop.is_set():
            raise Cancelled
        self.job.progress.put(progress)


class ExportService(QObject):
    """Writes films one after the other, each with the weights that were newest when it was asked for.

    Thread: GUI. The work is done in a thread of low priority.
    """

    changed = Signal()  # a job was added, began, ended or was forgotten
    ended = Signal(object)  # ExportJob
    failed = Signal(object)  # ErrorReport

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.jobs: list[ExportJob] = []
        self._thread: ExportThread | None = None
        self._over = False

    @property
    def running(self) -> ExportJob | None:
        """The job at work."""
        return self._thread.job if self._thread is not None else None

    @property
    def active(self) -> bool:
        """Whether any job is still to end."""
        return any(job.state.active for job in self.jobs)

    def start(self, plan: ExportPlan | WalkPlan, source: Path, snapshot: WeightSnapshot) -> ExportJob:
        """Write a film as soon as those asked for before are written; ``ended`` follows. A walk has no source."""
        job = ExportJob(plan, source, snapshot)
        self.jobs.append(job)
        self._next()
        self.changed.emit()
        return job

    def cancel(self, job: ExportJob) -> None:
        """End a job; what it has written is removed."""
        job.stop.set()
        if job.state is JobState.WAITING:
            job.state, job.snapshot = JobState.CANCELLED, None
            self.changed.emit()
            self.ended.emit(job)

    def forget_ended(self) -> None:
        """Remove the jobs that have ended from the list."""
        self.jobs = [job for job in self.jobs if job.state.active]
        self.changed.emit()

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """Cancel everything; return whether the thread has ended."""
        self._over = True
        for job in self.jobs:
            job.stop.set()
        return self._thread is None or self._thread.wait(timeout_ms)

    def _next(self) -> None:
        if self._thread is not None or self._over:
            return
        job = next((job for job in self.jobs if job.state is JobState.WAITING), None)
        if job is not None:
            job.state = JobState.RUNNING
            self._thread = ExportThread(job, self)
            self._thread.finished.connect(self._on_finished)
            self._thread.start()

    @Slot()
    def _on_finished(self) -> None:
        thread = self._thread
        if thread is None or not thread.wait(1000):
            return
        self._thread = None
        job = thread.job
        job.summary, job.error, job.snapshot = thread.summary, thread.error, None
        ends = {True: JobState.DONE, False: JobState.FAILED if thread.error else JobState.CANCELLED}
        job.state = ends[thread.summary is not None]
        thread.deleteLater()
        old = [ended for ended in self.jobs if not ended.state.active][:-KEPT]
        self.jobs = [kept for kept in self.jobs if kept not in old]
        self._next()
        self.changed.emit()
        self.ended.emit(job)
        if job.error is not None and not self._over:
            self.failed.emit(job.error)
