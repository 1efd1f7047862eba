"""The window for exporting a film; it may be closed while the film is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.messages import WeightSnapshot
from latentlab.core.paths import config_dir
from latentlab.core.video_export import estimate_bytes
from latentlab.runtime.video_export import ExportService
from latentlab.ui import style
from latentlab.ui.dialogs.video_export_form import ExportForm, ExportSubject
from latentlab.ui.dialogs.video_export_jobs import JobList
from latentlab.ui.settings_store import SettingsStore

if TYPE_CHECKING:
    from collections.abc import Callable

CHOICES = "video_export.json"
LIST_HEIGHT = 136


class ExportDialog(QDialog):
    """Form, estimate, and the exports at work.

    Parameters
    ----------
    service
        Does the work.
    subject
        What there is to export.
    newest_weights
        Returns the weights to use, when Export is pressed.
    """

    def __init__(
        self,
        service: ExportService,
        subject: ExportSubject,
        newest_weights: Callable[[], WeightSnapshot | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Export {subject.clip.path.name}")
        self.setObjectName("exportDialog")
        self.service, self._newest_weights = service, newest_weights
        self.store = SettingsStore(_choices_file())
        self.form = ExportForm(subject, _folder_for(subject.clip.path))
        self.form.restore_state(self.store.get("export", {}))
        self.estimate = QLabel()
        self.estimate.setProperty("role", "muted")
        self.estimate.setWordWrap(True)
        self.estimate.setFont(style.figure_font(self.estimate.font()))
        self.jobs = JobList(service)
        self._arrange()
        self.form.changed.connect(self._refresh)
        self._refresh()

    def _arrange(self) -> None:
        self.export = QPushButton("Export")
        self.export.setProperty("kind", "primary")
        self.export.setToolTip("Write the film in the background; this window may be closed meanwhile (Ctrl+Return)")
        self.export.setDefault(True)
        self.export.clicked.connect(self.begin)
        QShortcut(QKeySequence("Ctrl+Return"), self, self.begin)
        close = QPushButton("Close")
        close.setToolTip("Close this window; exports go on (Esc)")
        close.setAutoDefault(False)
        close.clicked.connect(self.close)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(close)
        buttons.addWidget(self.export)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFixedHeight(LIST_HEIGHT)
        self.area.setAccessibleName("Exports of this session")
        self.area.setWidget(self.jobs)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[2 * style.SPACING] * 4)
        column.setSpacing(2 * style.SPACING)
        column.addWidget(self.form)
        column.addWidget(self.estimate)
        column.addLayout(buttons)
        column.addWidget(self.area)
        column.addStretch(1)

    @Slot()
    def begin(self) -> None:
        """Write what the form says, if it can be written."""
        weights = self._newest_weights()
        try:
            plan = self.form.plan()
            if weights is None:
                raise InputError("There is no model yet", where="Export", hint="Train one or open a run first.")
        except LatentLabError as error:
            self._show_problem(error)
            return
        self.service.start(plan, self.form.subject.clip.path, weights)
        self.store.set("export", self.form.save_state())
        self.store.save()
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        """Say what will come of it."""
        self.area.setVisible(bool(self.service.jobs))
        try:
            plan = self.form.plan()
        except LatentLabError as error:
            self._show_problem(error)
            return
        height, width, _ = self.form.subject.image_shape
        panes = len(plan.panes)
        frames = round(self.form.duration_s * plan.rate) if plan.rate else self.form.frames
        size = style.format_bytes(max(0.1, estimate_bytes(plan, frames, (width, height)) / 1e6))
        words = (
            f"{frames:,} frames · {style.format_duration(self.form.duration_s)} · "
            f"{width * panes * plan.scale}×{height * plan.scale} pixels · about {size}"
        )
        exists = plan.output.exists()
        replaced = "The folder is there already: name a new one." if plan.output.is_dir() else "It will be replaced."
        self.estimate.setText(f"{words}\n{plan.output.name} exists. {replaced}" if exists else words)
        self.export.setEnabled(True)
        self._set_role("warning" if exists else "muted")

    def _show_problem(self, error: LatentLabError) -> None:
        self.estimate.setText(f"{error.what}. {error.hint}")
        self.export.setEnabled(bool(self.form.file.text().strip()))
        self._set_role("warning")

    def _set_role(self, role: str) -> None:
        if self.estimate.property("role") != role:
            self.estimate.setProperty("role", role)
            style.repolish(self.estimate)


class JobsDialog(QDialog):
    """The exports of this session, for when the export window was closed."""

    def __init__(self, service: ExportService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Exports")
        self.resize(480, 240)
        self.jobs = JobList(service)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setAccessibleName("Exports of this session")
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.jobs)
        column.addStretch(1)
        area.setWidget(inner)
        clear = QPushButton("Clear the list")
        clear.setToolTip("Forget the exports that have ended; their files stay")
        clear.setAutoDefault(False)
        clear.clicked.connect(service.forget_ended)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(clear)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*[2 * style.SPACING] * 4)
        outer.addWidget(area, 1)
        outer.addLayout(row)


def _choices_file() -> Path | None:
    try:
        return config_dir() / CHOICES
    except LatentLabError:
        return None


def _folder_for(clip: Path) -> Path:
    """Return the film's folder, or the home folder where that may not be written to."""
    return clip.parent if os.access(clip.parent, os.W_OK) else Path.home()
