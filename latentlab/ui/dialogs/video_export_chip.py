"""Exports in the status bar: a small sign while films are written, and a sentence when each is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QToolButton, QWidget

from latentlab.runtime.video_export import ExportJob, ExportService, JobState

if TYPE_CHECKING:
    from latentlab.ui.main_window import MainWindow

POLL_MS = 200


class ExportChip(QToolButton):
    """``Export 43 %`` while a film is written. Thread: GUI."""

    def __init__(self, service: ExportService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("exportChip")
        self.setToolTip("Films being written: click to see how far they are, or to end them")
        self.setAccessibleName("Exports")
        self.service = service
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._refresh)
        service.changed.connect(self._on_changed)
        self._on_changed()

    @Slot()
    def _on_changed(self) -> None:
        if self.service.active:
            self._timer.start()
        else:
            self._timer.stop()
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        self.setVisible(self.service.active)
        job = self.service.running
        _, progress = job.progress.get() if job is not None else (0, None)
        waiting = sum(other.state is JobState.WAITING for other in self.service.jobs)
        share = f" {100 * progress.done // progress.total} %" if progress is not None and progress.total else ""
        self.setText(f"Export{share}" + (f" +{waiting}" if waiting else ""))


class ExportNews(QWidget):
    """Tells the window what became of exports. Never shown itself."""

    news = Signal(str)

    def __init__(self, service: ExportService, parent: QWidget) -> None:
        super().__init__(parent)
        self.hide()
        service.ended.connect(self._on_ended)

    @Slot(object)
    def _on_ended(self, job: ExportJob) -> None:
        if job.state is JobState.DONE:
            self.news.emit(f"Exported {job.plan.output}")
        elif job.state is JobState.CANCELLED:
            self.news.emit(f"The export of {job.plan.output.name} was cancelled; nothing was kept.")


def show_exports(window: MainWindow, service: ExportService) -> None:
    """Put the sign into a window's status bar, and tell the window what became of exports."""

    def show_jobs() -> None:
        from latentlab.ui.dialogs.video_export_dialog import JobsDialog

        JobsDialog(service, window).show()

    chip, news = ExportChip(service), ExportNews(service, window)
    chip.clicked.connect(show_jobs)
    news.news.connect(window.context.show_message)
    service.failed.connect(window.context.errors.report)
    window.status.addPermanentWidget(chip)
