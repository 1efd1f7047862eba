"""Which weights the panes decode with: the newest, or those of one step; and how old they are."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import TrainingState, WeightSnapshot
from latentlab.runtime.priority import FollowedWeights
from latentlab.ui import icons
from latentlab.ui.context import AppContext
from latentlab.ui.formatting import format_duration, format_steps
from latentlab.ui.widgets.elided_label import ElidedLabel
from latentlab.ui.widgets.shortcuts import click_on_key

TEXT_EVERY_S = 0.2


class WeightsFollow(QObject):
    """The choice between following the training and holding one step; all pages of a window share it.

    Thread: GUI. It lives as a child of the inference service: ``WeightsFollow.of(context)``.
    """

    changed = Signal()

    def __init__(self, context: AppContext) -> None:
        super().__init__(context.inference)
        self._context = context
        self._held: LatestSlot[WeightSnapshot] | None = None

    @classmethod
    def of(cls, context: AppContext) -> WeightsFollow:
        """Return the choice that the pages of this window share."""
        found = context.inference.findChild(cls)
        return found if isinstance(found, cls) else cls(context)

    @property
    def following(self) -> bool:
        """Whether the panes follow the training."""
        return self._held is None

    def newest(self) -> tuple[tuple[int, int], WeightSnapshot | None]:
        """Return the weights in force and a key that differs whenever they do."""
        slot = self._context.training.weights if self._held is None else self._held
        version, snapshot = slot.get()
        return (id(slot), version), snapshot

    def hold(self) -> None:
        """Stay with the newest weights of this moment."""
        training = self._context.training
        _, snapshot = training.weights.get()
        if self._held is not None or snapshot is None:
            return
        held = FollowedWeights()
        held.priority = getattr(training.weights, "priority", held.priority)
        held.put(snapshot)
        self._held = held
        self._context.inference.bind(held)
        self.changed.emit()

    def follow(self) -> None:
        """Follow the training again."""
        if self._held is not None:
            self._held = None
            self._context.inference.bind(self._context.training.weights)
            self.changed.emit()


def age_text(age_s: float) -> str:
    """Return an age as ``0.4 s``, ``14 s`` or ``3:12``."""
    if age_s < 9.95:
        return f"{max(0.0, age_s):.1f} s"
    return f"{age_s:.0f} s" if age_s < 99.5 else format_duration(age_s)


def weights_text(step: int, taken_at: float, *, state: TrainingState, following: bool, now: float) -> str:
    """Return what the picture was made with, e.g. ``weights 0.4 s old, step 12,396``.

    The age is told while training runs; weights that nothing is about to replace have a step only.
    """
    if not following:
        return f"weights held at step {format_steps(step)}"
    if state is TrainingState.RUNNING:
        return f"weights {age_text(now - taken_at)} old, step {format_steps(step)}"
    return f"weights of step {format_steps(step)}"


class FollowBar(QWidget):
    """The age of the weights behind a picture, and the button that freezes or follows them."""

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.follow = WeightsFollow.of(context)
        self.label = ElidedLabel("weights 0.0 s old, step 000,000")
        self.label.setAccessibleName("Age of the weights")
        self.label.setToolTip("Which training step decoded the picture, and how long ago its weights were copied")
        self.label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.button = QToolButton()
        self.button.setText("Follow")
        self.button.setAccessibleName("Follow training")
        self.button.setToolTip(
            "Follow training: pictures are decoded again whenever there are newer weights (F)\n"
            "Off: every pane stays at the step of this moment"
        )
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setCheckable(True)
        self.button.setChecked(self.follow.following)
        click_on_key(self.button, "F")
        icons.set_icon(self.button, "follow")
        self.button.toggled.connect(self._on_toggled)
        self.follow.changed.connect(self._on_changed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.button)
        self._weights: tuple[int, float] | None = None
        self._told_at = 0.0

    def set_weights(self, step: int, taken_at: float) -> None:
        """Tell which weights made the picture on screen."""
        self._weights = (step, taken_at)

    def clear(self) -> None:
        """Forget the weights of the previous run."""
        self._weights = None
        self.label.setText("")

    def text(self) -> str:
        """Return what the label says, for the status bar."""
        if self._weights is None:
            return ""
        step, taken_at = self._weights
        state, following = self._context.training.state, self.follow.following
        return weights_text(step, taken_at, state=state, following=following, now=time.monotonic())

    def tick(self) -> None:
        """Count the age on, a few times a second."""
        now = time.monotonic()
        if now - self._told_at >= TEXT_EVERY_S:
            self._told_at = now
            text = self.text()
            if text != self.label.text():
                self.label.setText(text)

    @Slot(bool)
    def _on_toggled(self, on: bool) -> None:
        if on:
            self.follow.follow()
        else:
            self.follow.hold()
            self.button.setChecked(self.follow.following)

    @Slot()
    def _on_changed(self) -> None:
        self.button.setChecked(self.follow.following)
        self._told_at = 0.0
