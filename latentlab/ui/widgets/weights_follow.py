"""Which weights the panes decode with: the newest, or those of one step; how old they are, and the way back."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import TrainingState, WeightSnapshot
from latentlab.runtime.priority import FollowedWeights
from latentlab.runtime.weights_history import LoadedState, WantedState
from latentlab.ui import icons
from latentlab.ui.context import AppContext
from latentlab.ui.formatting import format_duration, format_steps
from latentlab.ui.widgets.elided_label import ElidedLabel
from latentlab.ui.widgets.shortcuts import click_on_key
from latentlab.ui.widgets.step_slider import StepSlider

TEXT_EVERY_S = 0.2
LOOK_EVERY_S = 1.0


class WeightsFollow(QObject):
    """The choice between following the training and looking at one step; all pages of a window share it.

    Thread: GUI. It lives as a child of the inference service: ``WeightsFollow.of(context)``.

    Signals
    -------
    changed
        Another choice was made, or the steps to choose from are others.
    arrived
        What came of a ``pin`` (``LoadedState``).
    """

    changed = Signal()
    arrived = Signal(object)

    def __init__(self, context: AppContext) -> None:
        super().__init__(context.inference or context.video)
        self._context = context
        self._history = context.history
        self._held: FollowedWeights | None = None
        self._noted: WeightSnapshot | None = None  # Held last, and perhaps nowhere on disk.
        self._wanted: WantedState | None = None
        self._quiet = False
        self._looked_at = 0.0
        self._steps_seen: tuple[int, ...] = ()
        if self._history is not None:
            self._history.loaded.connect(self._on_loaded)

    @classmethod
    def of(cls, context: AppContext) -> WeightsFollow:
        """Return the choice that the pages of this window share."""
        found = (context.inference or context.video).findChild(cls)
        return found if isinstance(found, cls) else cls(context)

    @property
    def following(self) -> bool:
        """Whether the panes follow the training."""
        return self._held is None and self._wanted is None

    @property
    def step(self) -> int | None:
        """The step chosen, which may still be on its way; None while following."""
        if self._wanted is not None:
            return self._wanted.step
        return self.held_step

    @property
    def weights(self) -> LatestSlot[WeightSnapshot]:
        """Where the weights in force are: the training's, or those held."""
        return self._context.training.weights if self._held is None else self._held

    @property
    def held_step(self) -> int | None:
        """The step of the weights held; None while those in force are the training's newest."""
        held = self._held.peek()[1] if self._held is not None else None
        return held.step if held is not None else None

    def newest(self) -> tuple[tuple[int, int], WeightSnapshot | None]:
        """Return the weights in force and a key that differs whenever they do."""
        version, snapshot = self.weights.get()
        return (id(self.weights), version), snapshot

    def steps(self) -> tuple[int, ...]:
        """Return the steps that can be chosen, ascending: those the run kept, and the one held last."""
        run, newest = self._run()
        if newest is None:
            return ()
        listed = self._history.steps.get()[1] if self._history is not None else None
        kept = set(listed.steps) if listed is not None and listed.run == run else set()
        noted = {self._noted.step} if self._noted is not None else set()
        return tuple(sorted(step for step in kept | noted if step <= newest))

    def refresh(self) -> None:
        """Look for new steps now and then; called at every tick of a visible page."""
        if self._history is None:
            return
        now = time.monotonic()
        run, _ = self._run()
        if run is not None and now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            self._history.look(run)
        steps = self.steps()
        if steps != self._steps_seen:
            self._steps_seen = steps
            self.changed.emit()

    def hold(self) -> None:
        """Stay with the newest weights of this moment."""
        _, snapshot = self._context.training.weights.get()
        if not self.following or snapshot is None:
            return
        self._noted = snapshot
        self._show(snapshot)

    def pin(self, step: int, fingerprint: str = "", *, quiet: bool = False) -> bool:
        """Let every pane decode the weights of ``step``, once they are read; ``arrived`` tells how that went.

        Returns whether there is a run to read them from. ``quiet``: whoever asks reports a failure.
        """
        run, _ = self._run()
        noted = self._noted
        if noted is not None and noted.step == step and not fingerprint:
            self._wanted = None
            self._show(noted)
        elif run is not None and self._history is not None:
            self._wanted, self._quiet = WantedState(run, step, fingerprint), quiet
            self._history.load(self._wanted)
            self.changed.emit()
        else:
            return False
        return True

    def follow(self) -> None:
        """Follow the training again."""
        if self.following:
            return
        self._held, self._wanted = None, None
        if self._history is not None:
            self._history.forget()
        self._bind(self._context.training.weights)
        self.changed.emit()

    def restart(self) -> None:
        """Follow another run, and forget what was held of the one before."""
        self._noted = None
        self._looked_at = 0.0
        self.follow()

    def _run(self) -> tuple[Path | None, int | None]:
        """Return the run on screen and its newest step."""
        weights = self._context.training.weights
        snapshot = weights.peek()[1] if isinstance(weights, FollowedWeights) else weights.get()[1]
        return (None, None) if snapshot is None else (snapshot.info.run, snapshot.step)

    def _show(self, snapshot: WeightSnapshot) -> None:
        newest = self._context.training.weights.get()[1]
        if newest is not None and newest.info == snapshot.info:
            snapshot = replace(snapshot, info=newest.info)  # One run is one object for the pages.
        if self._held is None:
            self._held = FollowedWeights()
            self._held.priority = getattr(self._context.training.weights, "priority", self._held.priority)
            self._held.put(snapshot)
            self._bind(self._held)
        else:
            self._held.put(snapshot)
        self.changed.emit()

    def _bind(self, weights: LatestSlot[WeightSnapshot]) -> None:
        for service in (self._context.inference, self._context.video, self._context.survey):
            if service is not None:
                service.bind(weights)

    @Slot(object)
    def _on_loaded(self, state: LoadedState) -> None:
        if state.wanted != self._wanted:
            return
        self._wanted = None
        if state.snapshot is not None:
            self._show(state.snapshot)
        else:
            self.changed.emit()
        if state.error is not None and not self._quiet:
            self._context.errors.report(state.error)
        self.arrived.emit(state)


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
    """The age of the weights behind a picture, a slider through the steps, and the button that freezes or follows."""

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
        self.slider = StepSlider()
        self.slider.step_chosen.connect(self._on_step)
        self.slider.newest_chosen.connect(self.follow.follow)
        self.follow.changed.connect(self._on_changed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.slider)
        layout.addWidget(self.button)
        self._weights: tuple[int, float] | None = None
        self._told_at = 0.0
        self._on_changed()  # A page that is made late has missed the steps of a run that has ended.

    def set_weights(self, step: int, taken_at: float) -> None:
        """Tell which weights made the picture on screen."""
        self._weights = (step, taken_at)

    @property
    def weights(self) -> tuple[int, float] | None:
        """Step and time of the weights that made the picture on screen."""
        return self._weights

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
        """Count the age on, a few times a second, and look for new steps."""
        self.follow.refresh()
        now = time.monotonic()
        if now - self._told_at >= TEXT_EVERY_S:
            self._told_at = now
            text = self.text()
            if text != self.label.text():
                self.label.setText(text)
                self.label.set_short("" if self._weights is None else f"step {format_steps(self._weights[0])}")

    @Slot(bool)
    def _on_toggled(self, on: bool) -> None:
        if on:
            self.follow.follow()
        else:
            self.follow.hold()
            self.button.setChecked(self.follow.following)

    @Slot(int)
    def _on_step(self, step: int) -> None:
        self.follow.pin(step)

    @Slot()
    def _on_changed(self) -> None:
        self.button.blockSignals(True)  # It says what is so; that is no wish for anything.
        self.button.setChecked(self.follow.following)
        self.button.blockSignals(False)
        self.slider.set_steps(self.follow.steps(), self.follow.step)
        self._told_at = 0.0
