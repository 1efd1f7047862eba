"""The one toolbar: run and recipe, train, pause and stop, how far it is, and on which device."""

from __future__ import annotations

import re
from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QProgressBar, QSizePolicy, QToolBar, QToolButton, QWidget

from latentlab.core.messages import Progress, TrainingState, TrainingStatus
from latentlab.ui.style import SPACING, format_bytes, format_duration, format_steps

BAR_SCALE = 1000
STATE_WORDS = {
    TrainingState.IDLE: "No run yet",
    TrainingState.PREPARING: "Preparing",
    TrainingState.RUNNING: "",
    TrainingState.PAUSED: "paused",
    TrainingState.STOPPING: "finishing the step",
    TrainingState.STOPPED: "stopped",
    TrainingState.FINISHED: "finished",
    TrainingState.FAILED: "failed",
}


_RUN_NAME = re.compile(r"\d{8}-(\d\d)(\d\d)\d\d-(.+)")


def short_run_name(run: str) -> str:
    """Return ``digits 16:17`` for a run called ``20260801-161738-digits``; other names as they are."""
    found = _RUN_NAME.fullmatch(run)
    return f"{found[3]} {found[1]}:{found[2]}" if found else run


class ProgressPanel(QWidget):
    """A bar with ``step 12,400 / 20,000 · 3:12 left`` beside it; the text never moves the bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = QProgressBar()
        self.bar.setRange(0, BAR_SCALE)
        self.bar.setTextVisible(False)
        self.bar.setMinimumWidth(80)
        self.bar.setMaximumWidth(320)
        self.bar.setAccessibleName("Progress of the training")
        self.bar.setToolTip("Share of the recipe's steps that are done")
        self.label = QLabel()
        self.label.setObjectName("progressLabel")
        self.label.setToolTip("Step of the training, steps of the recipe, time left at the average speed so far")
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACING, 0, SPACING, 0)
        row.setSpacing(SPACING + 4)
        row.addStretch(1)
        row.addWidget(self.bar, 2)
        row.addWidget(self.label)

    def show_status(self, status: TrainingStatus, state: TrainingState) -> None:
        """Show the step, the total and the time left, or the state in its place."""
        left = STATE_WORDS[state] or f"{format_duration(status.remaining_s)} left"
        self._set(
            status.step, status.steps, f"step {format_steps(status.step)} / {format_steps(status.steps)} · {left}"
        )
        steps = format_steps(status.steps)
        self._reserve(f"step {steps} / {steps} · 0:00:00 left")

    def show_progress(self, progress: Progress) -> None:
        """Show how far the preparation has come; the bar runs to and fro while the total is unknown."""
        count = f" {format_steps(progress.done)} / {format_steps(progress.total)}" if progress.total else ""
        self._set(progress.done, progress.total or 0, f"{progress.what}{count}")

    def show_text(self, text: str) -> None:
        """Show a state without numbers."""
        self._set(0, 1, text)

    def _set(self, done: int, total: int, text: str) -> None:
        self.bar.setRange(0, BAR_SCALE if total else 0)
        self.bar.setValue(round(BAR_SCALE * min(1.0, done / total)) if total else 0)
        self.label.setText(text)

    def _reserve(self, widest: str) -> None:
        width = QFontMetrics(self.label.font()).horizontalAdvance(widest) + SPACING
        self.label.setMinimumWidth(max(self.label.minimumWidth(), width))


class RunToolBar(QToolBar):
    """The toolbar at the top of the window.

    Parameters
    ----------
    actions
        The window's actions by name.
    run_menu
        What opens under the run's name: recipes, recent runs.
    """

    def __init__(self, actions: Mapping[str, QAction], run_menu: QMenu, parent: QWidget | None = None) -> None:
        super().__init__("Training", parent)
        self.setObjectName("trainingToolBar")
        self.setMovable(False)
        self.setFloatable(False)
        self.setIconSize(QSize(16, 16))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.run_button = QToolButton()
        self.progress = ProgressPanel()
        self.device = QLabel()
        self._build(actions, run_menu)

    def _build(self, actions: Mapping[str, QAction], run_menu: QMenu) -> None:
        self.run_button.setObjectName("runButton")
        self.run_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.run_button.setMenu(run_menu)
        self.run_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.run_button.setStyleSheet("QToolButton { padding-right: 22px; font-weight: 600; }")
        self.run_button.setAccessibleName("Run and recipe")
        self.addWidget(self.run_button)
        self.addSeparator()
        for name, kind in (("actionTrain", "primary"), ("actionPause", ""), ("actionStop", "")):
            self.addWidget(self._button(actions[name], kind))
        self.progress.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(self.progress)
        self.device.setObjectName("deviceLabel")
        self.device.setProperty("role", "muted")
        self.device.setToolTip("Device, arithmetic and memory of the training")
        self.addWidget(self.device)
        self.addSeparator()
        settings = self._button(actions["actionSettings"], "")
        settings.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.addWidget(settings)

    @staticmethod
    def _button(action: QAction, kind: str) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setAccessibleName(action.iconText())
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if kind:
            button.setProperty("kind", kind)
        return button

    def show_run(self, run: str, recipe: str) -> None:
        """Show the names of the run and of its recipe; the run's whole name is in the tooltip."""
        text = " · ".join(part for part in (short_run_name(run), recipe) if part)
        self.run_button.setToolTip(f"{run or 'No run yet'}, recipe {recipe}. Opens recipes and recent runs.")
        metrics = QFontMetrics(self.run_button.font())
        self.run_button.setText(metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, 300))

    def show_device(self, status: TrainingStatus | None) -> None:
        """Show device and memory, or nothing before the first step."""
        if status is None:
            self.device.setText("")
        else:
            memory = f" · {format_bytes(status.memory_mb)}" if status.memory_mb > 0 else ""
            self.device.setText(f"{status.device}{memory}")
