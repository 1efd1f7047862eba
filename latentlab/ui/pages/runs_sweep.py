"""The bar that shows a sweep at work, or one to go on with."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from latentlab.core.sweep_state import SweepState
from latentlab.ui import style
from latentlab.ui.formatting import format_duration
from latentlab.ui.widgets.elided_label import ElidedLabel

SCALE = 1000
MIN_WIDTH = 480


class SweepBar(QWidget):
    """Title, progress with the time left, and what can be done with a sweep. Hidden while there is none.

    Thread: GUI.
    """

    pause_wanted = Signal()  # or go on
    stop_wanted = Signal()
    resume_wanted = Signal(object)  # Path
    report_wanted = Signal(object)  # Path
    compare_wanted = Signal(object)  # SweepState

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state: SweepState | None = None
        self.title = ElidedLabel()
        self.title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.bar = QProgressBar()
        self.bar.setRange(0, SCALE)
        self.bar.setTextVisible(False)
        self.bar.setMaximumWidth(260)
        self.bar.setAccessibleName("Progress of the sweep")
        self.bar.setToolTip("Share of the steps of all runs that are done")
        self.text = QLabel()
        self.text.setProperty("role", "muted")
        self.pause = _button("Pause", "Let the trainings of the sweep save and rest; nothing new is begun")
        self.stop = _button("Stop", "Let the trainings of the sweep save and end; it can be gone on with later")
        self.resume = _button("Go on", "Go on with this sweep: finished runs stay, broken ones resume")
        self.compare = _button("Compare", "Choose all runs of the sweep in the table")
        self.report = _button("Report…", "Write a report of the sweep: one HTML file with curves, table and pictures")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(style.SPACING)
        row.addWidget(self.title, 1)
        row.addWidget(self.bar, 1)
        row.addWidget(self.text, 0, Qt.AlignmentFlag.AlignVCenter)
        for button in (self.resume, self.pause, self.stop, self.compare, self.report):
            row.addWidget(button)
        self.pause.clicked.connect(self.pause_wanted)
        self.stop.clicked.connect(self.stop_wanted)
        self.resume.clicked.connect(lambda: self.state and self.resume_wanted.emit(self.state.folder))
        self.report.clicked.connect(lambda: self.state and self.report_wanted.emit(self.state.folder))
        self.compare.clicked.connect(lambda: self.state and self.compare_wanted.emit(self.state))
        self.hide()

    def minimumSizeHint(self) -> QSize:
        """Return a size that a small window has room for."""
        return QSize(MIN_WIDTH, super().minimumSizeHint().height())

    def show_state(self, state: SweepState | None, *, ours: bool, busy: bool) -> None:
        """Show a sweep; ``ours``: this window runs it, ``busy``: it runs another one."""
        self.state = state
        self.setVisible(state is not None)
        if state is None:
            return
        self.title.setText(f"Sweep · {state.title}")
        self.title.setToolTip(str(state.folder))
        self.bar.setValue(round(SCALE * state.done_share))
        self.text.setText(_words(state, ours=ours))
        running = ours or state.count("running") > 0
        self.pause.setVisible(ours)
        self.stop.setVisible(ours)
        self.pause.setText("Go on" if state.paused else "Pause")
        self.resume.setVisible(not running and state.count("finished") < len(state.runs))
        self.resume.setEnabled(not busy)
        self.report.setEnabled(any(run.step for run in state.runs))


def _words(state: SweepState, *, ours: bool) -> str:
    parts = [f"{state.count('finished')} of {len(state.runs)} finished"]
    if state.count("failed"):
        parts.append(f"{state.count('failed')} failed")
    if state.paused:
        parts.append("paused")
    elif state.remaining_s is not None and state.count("running"):
        parts.append(f"{format_duration(state.remaining_s)} left")
    elif not ours and not state.over:
        parts.append("interrupted")
    return " · ".join(parts)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAccessibleName(f"{text.rstrip('…')} sweep")
    return button
