"""Exports at work: a row each, with progress and a way to end it."""

from __future__ import annotations

from PySide6.QtCore import QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QToolButton, QVBoxLayout, QWidget

from latentlab.core.video_export import ExportProgress
from latentlab.core.video_messages import psnr_db
from latentlab.runtime.video_export import ExportJob, ExportService, JobState
from latentlab.ui import icons, style
from latentlab.ui.widgets.elided_label import ElidedLabel

POLL_MS = 100
STEPS = 1000
BAR_HEIGHT = 6


class JobRow(QFrame):
    """One export: its name, how far it is, and Cancel, later Show in folder."""

    cancel_wanted = Signal(object)  # ExportJob

    def __init__(self, job: ExportJob, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.job = job
        self.name = ElidedLabel()
        self.name.setProperty("role", "")
        self.name.setText(job.plan.output.name)
        self.name.setToolTip(str(job.plan.output))
        self.words = ElidedLabel()
        self.words.setFont(style.figure_font(self.words.font()))
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(BAR_HEIGHT)
        self.bar.setAccessibleName(f"Progress of {job.plan.output.name}")
        self.button = QToolButton()
        self.button.clicked.connect(self._on_clicked)
        column = QVBoxLayout()
        column.setSpacing(4)
        for widget in (self.name, self.bar, self.words):
            column.addWidget(widget)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, style.SPACING // 2, 0, style.SPACING // 2)
        row.setSpacing(style.SPACING)
        row.addLayout(column, 1)
        row.addWidget(self.button)
        self.refresh()

    def refresh(self) -> None:
        """Show how far the export is."""
        job, (_, progress) = self.job, self.job.progress.get()
        active = job.state.active
        self.bar.setVisible(active)
        if progress is not None and progress.total:
            self.bar.setValue(round(STEPS * progress.done / progress.total))
        self.words.setText(job_words(job, progress))
        self.words.setToolTip(self.words.text())
        icon = "close" if active else "folder"
        tip = "Cancel: what was written is removed" if active else "Show it in the file manager"
        if self.button.toolTip() != tip:
            icons.set_icon(self.button, icon)
            self.button.setToolTip(tip)
            self.button.setAccessibleName(f"{'Cancel' if active else 'Show in folder'}: {job.plan.output.name}")
        self.button.setVisible(active or job.state is JobState.DONE)

    @Slot()
    def _on_clicked(self) -> None:
        if self.job.state.active:
            self.cancel_wanted.emit(self.job)
        else:
            show_in_folder(self.job)


class JobList(QWidget):
    """The exports of this session, the newest first; refreshed while on screen."""

    def __init__(self, service: ExportService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.service = service
        self.rows: list[JobRow] = []
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.refresh)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        service.changed.connect(self._on_changed)
        self._on_changed()

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to look."""
        self._timer.start()
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        """Look no longer."""
        self._timer.stop()

    @Slot()
    def refresh(self) -> None:
        """Show how far each is."""
        for row in self.rows:
            row.refresh()

    @Slot()
    def _on_changed(self) -> None:
        jobs = list(reversed(self.service.jobs))
        if [row.job for row in self.rows] != jobs:
            known = {id(row.job): row for row in self.rows}
            for row in self.rows:
                self._column.removeWidget(row)
            self.rows = [known.pop(id(job)) if id(job) in known else self._new_row(job) for job in jobs]
            for old in known.values():
                old.hide()
                old.deleteLater()
            for row in self.rows:
                self._column.addWidget(row)
        self.refresh()

    def _new_row(self, job: ExportJob) -> JobRow:
        row = JobRow(job)
        row.cancel_wanted.connect(self._on_cancel)
        return row

    @Slot(object)
    def _on_cancel(self, job: ExportJob) -> None:
        self.service.cancel(job)


def job_words(job: ExportJob, progress: ExportProgress | None) -> str:
    """Return how an export stands in a line: ``1,200 of 6,825 frames · 310 frames/s · 0:18 left``."""
    if job.state is JobState.WAITING:
        return "Waits for the one before"
    if job.state is JobState.CANCELLED:
        return "Cancelled; nothing was kept"
    if job.state is JobState.FAILED:
        return f"{job.error.what}. {job.error.hint}".strip() if job.error is not None else "Failed"
    if job.summary is not None:
        errors = job.summary.pixel  # A walk through latent space has nothing to be compared with.
        psnr = f" · PSNR {psnr_db(sum(errors) / len(errors)):.2f} dB" if errors else ""
        return f"{job.summary.written:,} frames in {style.format_duration(job.summary.took_s)}{psnr}"
    if job.stop.is_set():
        return "Ending…"
    if progress is None or not progress.total:
        return "Preparing…"
    size = f" · {style.format_bytes(progress.written / 1e6)}" if progress.written > 1e6 else ""
    return (
        f"{progress.done:,} of {progress.total:,} frames · {progress.per_s:.0f} frames/s · "
        f"{style.format_duration(progress.left_s)} left{size}"
    )


def show_in_folder(job: ExportJob) -> bool:
    """Open the folder of what was written in the system's file manager; return whether that worked."""
    path = job.plan.output
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path if path.is_dir() else path.parent)))
