"""Hands on the training: one step, slow motion, a checkpoint now, and how much exploring may cost."""

from __future__ import annotations

import time

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSlider, QToolButton, QVBoxLayout, QWidget, QWidgetAction

from latentlab.core.messages import TrainingState
from latentlab.runtime.priority import LARGEST_SHARE
from latentlab.runtime.training_session import TrainingSession
from latentlab.ui import icons, style

PACES = {
    "Full speed": 0.0,
    "5 steps a second": 0.2,
    "2 steps a second": 0.5,
    "A step a second": 1.0,
    "A step in 3 s": 3.0,
}
COST_S = 3.0


class HandsBar(QWidget):
    """Small buttons; each does at once what it says. Thread: GUI."""

    def __init__(self, session: TrainingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._cost_seen = (time.monotonic(), 0.0)
        self.step = self._button("step_forward", "Single step", "Train one step, show it, and hold (F7)")
        self.step.clicked.connect(session.step)
        self.pace = self._button("slow", "Slow motion", "Slow motion: wait before every step and show each of them")
        self.pace.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.pace.setMenu(self._pace_menu())
        self.checkpoint = self._button("checkpoint", "Checkpoint now", "Write a numbered checkpoint at once (Ctrl+K)")
        self.checkpoint.clicked.connect(session.save_checkpoint)
        self.share = self._button("share", "Share for exploring", "Machine time between training and exploring")
        self.share.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.share.setMenu(self._share_menu())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for widget in (self.step, self.pace, self.checkpoint, self.share):
            row.addWidget(widget)
        self.refresh()

    def _button(self, icon: str, name: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setIconSize(QSize(16, 16))
        button.setAccessibleName(name)
        button.setToolTip(tip)
        button.setProperty("kind", "tool")
        icons.set_icon(button, icon)
        return button

    def _pace_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        group = QActionGroup(menu)
        for text, seconds in PACES.items():
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(seconds == 0.0)
            action.setToolTip("The wait does not count as training time.")
            action.setData(seconds)
            group.addAction(action)
        group.triggered.connect(lambda action: self.set_pace(float(action.data())))
        self._paces = group
        return menu

    def _share_menu(self) -> QMenu:
        menu = QMenu(self)
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(*[2 * style.SPACING] * 4)
        self.share_text = QLabel()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, round(100 * LARGEST_SHARE))
        self.slider.setSingleStep(5)
        self.slider.setPageStep(10)
        self.slider.setFixedWidth(220)
        self.slider.setAccessibleName("Largest share of the time for exploring, per cent")
        self.slider.setToolTip(
            "How much of the time a picture that you wait for may take from training, per cent.\n"
            "0: training never waits, pictures come when the machine has time."
        )
        self.cost_text = QLabel()
        self.cost_text.setProperty("role", "muted")
        for widget in (self.share_text, self.slider, self.cost_text):
            column.addWidget(widget)
        self.slider.valueChanged.connect(self._on_share)
        self.slider.setValue(round(100 * self._session.weights.priority.share))
        action = QWidgetAction(menu)
        action.setDefaultWidget(box)
        menu.addAction(action)
        return menu

    @Slot(int)
    def _on_share(self, percent: int) -> None:
        self._session.weights.priority.share = percent / 100
        self.share_text.setText(f"Exploring may take {percent} % of the time")

    def set_pace(self, seconds: float) -> None:
        """Go slower, or at full speed (0)."""
        self._session.set_pace(seconds)
        for action in self._paces.actions():
            action.setChecked(action.data() == seconds)
        self.pace.setChecked(seconds > 0.0)
        self.pace.setProperty("kind", "chip" if seconds > 0.0 else "tool")
        style.repolish(self.pace)

    def restart(self) -> None:
        """A new training runs at full speed."""
        self.set_pace(0.0)

    def refresh(self) -> None:
        """Enable what makes sense, and say what exploring costs."""
        running = self._session.state in (TrainingState.RUNNING, TrainingState.PAUSED)
        for button in (self.step, self.pace, self.checkpoint):
            button.setEnabled(running)
        now, waited = time.monotonic(), self._session.weights.priority.waited_s
        then, before = self._cost_seen
        if now - then >= COST_S:
            cost = (waited - before) / (now - then)
            self._cost_seen = (now, waited)
            text = f"Just now it takes {cost:.0%}." if running else "Nothing is training."
            self.cost_text.setText(text)
            self.share.setToolTip(
                f"Machine time between training and exploring. Exploring takes {cost:.0%} of it just now; click to set "
                "its largest share."
            )

    def save_state(self) -> dict[str, object]:
        """Return the share set."""
        return {"explore_share": self.slider.value()}

    def restore_state(self, state: dict[str, object]) -> None:
        """Set a saved share."""
        share = state.get("explore_share")
        if isinstance(share, int) and 0 <= share <= self.slider.maximum():
            self.slider.setValue(share)
