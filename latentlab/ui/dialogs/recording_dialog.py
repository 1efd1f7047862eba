"""The recording dialog: keyframes in a strip, the walk playing above it, and the film in the background."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QSlider, QToolButton, QVBoxLayout

from latentlab.core.class_mixture import one_class
from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.latent_walk import Keyframe, Walk
from latentlab.core.messages import DecodeRequest, InferenceResult, WeightSnapshot
from latentlab.core.paths import screenshots_dir
from latentlab.runtime.video_export import ExportService
from latentlab.ui import icons, style
from latentlab.ui.dialogs.recording_form import RecordingForm
from latentlab.ui.dialogs.video_export_jobs import JobList
from latentlab.ui.page_state import state_of
from latentlab.ui.views.picture import PictureView
from latentlab.ui.widgets.pane_requests import PaneRequests
from latentlab.ui.widgets.weights_follow import WeightsFollow

if TYPE_CHECKING:
    from latentlab.ui.main_window import MainWindow

TICK_MS = 33
SCRUB_STEPS = 1000
EMPTY = "Go to a point on the Explore or Condition page and press Add keyframe (Ctrl+Shift+K); then to the next."


class RecordingDialog(QDialog):
    """Puts a walk together and has it filmed; the window goes on behind it. Thread: GUI."""

    def __init__(self, window: MainWindow, service: ExportService) -> None:
        super().__init__(window)
        self.setObjectName("recordingDialog")
        self.setWindowTitle("Record a walk")
        self._window, self._service = window, service
        self.keyframes: list[Keyframe] = []
        self.current = -1
        self._weights: object = None
        self._played_at: float | None = None
        self.preview = PictureView()
        self.preview.setAccessibleName("The walk")
        self.preview.setToolTip("The walk as it will be filmed")
        self.strip = PictureView()
        self.strip.setObjectName("keyframeStrip")
        self.strip.setAccessibleName("Keyframes")
        self.strip.setToolTip("Keyframes in their order; click one to choose it")
        self.strip.setFixedHeight(96)
        self.strip.clicked.connect(self._on_keyframe)
        self.scrub = QSlider(Qt.Orientation.Horizontal)
        self.scrub.setRange(0, SCRUB_STEPS)
        self.scrub.setAccessibleName("Place in the walk")
        self.scrub.setToolTip("Drag to any moment of the walk")
        self.scrub.valueChanged.connect(self._on_scrub)
        self.play = self._tool("play", "Play the walk, or stop (Space)", self._on_play)
        self.play.setCheckable(True)
        self.add = QPushButton("Add keyframe")
        self.add.setToolTip("Add the point of the page in front after the chosen keyframe (Ctrl+Shift+K)")
        icons.set_icon(self.add, "add")
        self.add.setAutoDefault(False)
        self.add.clicked.connect(self.add_from_page)
        self.tools = (
            self._tool("step_back", "Move the chosen keyframe to the left (Alt+Left)", lambda: self.move_keyframe(-1)),
            self._tool(
                "step_forward", "Move the chosen keyframe to the right (Alt+Right)", lambda: self.move_keyframe(1)
            ),
            self._tool("explore", "Go to the chosen keyframe on the Explore page", self.visit),
            self._tool("close", "Remove the chosen keyframe (Del)", self.remove),
        )
        self.form = RecordingForm(_folder())
        self.note = QLabel(EMPTY)
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.export = QPushButton("Record")
        self.export.setProperty("kind", "primary")
        self.export.setToolTip("Write the film in the background; this window may be closed meanwhile (Ctrl+Return)")
        self.export.setDefault(True)
        self.export.clicked.connect(self.begin)
        self.jobs = JobList(service)
        self._frames = PaneRequests(window.context.inference, "recording", self)
        self._frames.answered.connect(self._on_frame)
        self._keys = PaneRequests(window.context.inference, "recording.keys", self)
        self._keys.answered.connect(self._on_keys)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)
        self.form.changed.connect(self._refresh)
        self._build()
        self._refresh()

    def _tool(self, icon: str, tooltip: str, act: object) -> QToolButton:
        button = QToolButton()
        icons.set_icon(button, icon)
        button.setToolTip(tooltip)
        button.setAccessibleName(tooltip)
        button.clicked.connect(act)
        return button

    def _build(self) -> None:
        for keys, act in (
            ("Alt+Left", lambda: self.move_keyframe(-1)),
            ("Alt+Right", lambda: self.move_keyframe(1)),
            ("Del", self.remove),
            ("Space", self.play.click),
            ("Ctrl+Return", self.begin),
            ("Ctrl+Shift+K", self.add_from_page),
        ):
            QShortcut(QKeySequence(keys), self, act)
        scrub = QHBoxLayout()
        scrub.addWidget(self.play)
        scrub.addWidget(self.scrub, 1)
        row = QHBoxLayout()
        row.addWidget(self.add)
        row.addStretch(1)
        for tool in self.tools:
            row.addWidget(tool)
        last = QHBoxLayout()
        last.addWidget(self.note, 1)
        last.addWidget(self.export)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[2 * style.SPACING] * 4)
        column.setSpacing(style.SPACING)
        column.addWidget(self.preview, 1)
        column.addLayout(scrub)
        column.addWidget(self.strip)
        column.addLayout(row)
        column.addWidget(self.form)
        column.addLayout(last)
        column.addWidget(self.jobs)
        self.resize(620, 720)

    # -- keyframes --------------------------------------------------------------------------------

    @Slot()
    def add_from_page(self) -> None:
        """Add the point of the page in front after the chosen keyframe."""
        state = state_of(self._window.area.current_page())
        if state.z is None:
            self._window.context.show_message("This page has no point to add: go to Explore or Condition.")
            return
        z = np.array(state.z[0], dtype=np.float32)
        if self.keyframes and self.keyframes[0].z.shape != z.shape:
            self.keyframes, self.current = [], -1  # Those of another model lead nowhere.
        label = int(state.labels[0]) if state.labels is not None else 0
        self.current += 1
        self.keyframes.insert(self.current, Keyframe(z, label))
        self._changed()

    @Slot()
    def remove(self) -> None:
        """Remove the chosen keyframe."""
        if 0 <= self.current < len(self.keyframes):
            del self.keyframes[self.current]
            self.current = min(self.current, len(self.keyframes) - 1)
            self._changed()

    def move_keyframe(self, by: int) -> None:
        """Move the chosen keyframe along the strip."""
        place = self.current + by
        if self.current >= 0 and 0 <= place < len(self.keyframes):
            self.keyframes.insert(place, self.keyframes.pop(self.current))
            self.current = place
            self._changed()

    @Slot()
    def visit(self) -> None:
        """Go to the chosen keyframe on the Explore page."""
        if 0 <= self.current < len(self.keyframes):
            keyframe = self.keyframes[self.current]
            self._window.context.explore_point(keyframe.z.copy(), keyframe.label)

    @Slot(int)
    def _on_keyframe(self, index: int) -> None:
        self.current = index
        self.strip.set_highlight(index)
        walk = self._walk()
        if walk is not None and walk.legs:
            self.scrub.setValue(round(SCRUB_STEPS * index / walk.legs))

    def _changed(self) -> None:
        self._weights = None
        self._refresh()

    # -- the walk ---------------------------------------------------------------------------------

    def _walk(self) -> Walk | None:
        try:
            return self.form.walk(self.keyframes)
        except LatentLabError:
            return None

    def _snapshot(self) -> WeightSnapshot | None:
        return WeightsFollow.of(self._window.context).newest()[1]

    @Slot()
    def _refresh(self) -> None:
        """Say what will come of it, and show the moment again."""
        some = bool(self.keyframes)
        for tool in self.tools:
            tool.setEnabled(some)
        walk = self._walk()
        for widget in (self.play, self.scrub):
            widget.setEnabled(walk is not None)
        self.export.setEnabled(walk is not None)
        if walk is not None:
            text = f"{walk.frames:,} frames · {walk.duration_s:.1f} s · {len(self.keyframes)} keyframes"
        else:
            text = EMPTY if not some else "One more keyframe, and there is a walk."
        self.note.setText(text)
        if not some:
            self.preview.clear(EMPTY)
            self.strip.clear()
        elif walk is None:
            self.preview.clear("")
        self._ask_frame()

    @Slot()
    def tick(self) -> None:
        """Play on, and follow the weights."""
        key, snapshot = WeightsFollow.of(self._window.context).newest()
        if snapshot is not None and key != self._weights and not self._keys.busy:
            self._weights = key
            self._ask_keys(snapshot)
            self._ask_frame()
        walk = self._walk()
        if self._played_at is not None and walk is not None:
            passed = (time.monotonic() - self._played_at) / walk.duration_s
            if passed >= 1.0 and not walk.loop:
                self.play.click()
                passed = 1.0
            self.scrub.setValue(round(SCRUB_STEPS * (passed % 1.0 if passed < 1.0 or walk.loop else 1.0)))

    def _ask_keys(self, snapshot: WeightSnapshot) -> None:
        fitting = [k for k in self.keyframes if k.z.shape == (snapshot.info.latent_dim,)]
        if not fitting or len(fitting) < len(self.keyframes):
            return
        labels = np.array([k.label for k in fitting], dtype=np.int64)
        z = np.stack([k.z for k in fitting])
        self._keys.ask(DecodeRequest(z, labels if snapshot.info.conditional else None))

    def _ask_frame(self) -> None:
        walk, snapshot = self._walk(), self._snapshot()
        if walk is None or snapshot is None or not self.isVisible():
            return
        info = snapshot.info
        z, a, b, t = walk.at(walk.legs * self.scrub.value() / SCRUB_STEPS)
        if z.shape != (info.latent_dim,):
            return
        request = DecodeRequest(z[None])
        if info.conditional:
            shares = (1.0 - t) * one_class(a, info.num_classes) + t * one_class(b, info.num_classes)
            request = DecodeRequest(z[None], np.array([a if t < 0.5 else b]), shares=shares[None].astype(np.float32))
        self._frames.ask(request)

    @Slot(object)
    def _on_frame(self, result: InferenceResult) -> None:
        if result.images is not None and self._walk() is not None:
            self.preview.set_images(result.images)

    @Slot(object)
    def _on_keys(self, result: InferenceResult) -> None:
        if result.images is not None and len(result.images) == len(self.keyframes):
            captions = [str(i + 1) for i in range(len(self.keyframes))]
            self.strip.set_images(
                result.images, columns=len(self.keyframes), captions=captions, highlight=max(0, self.current)
            )

    @Slot()
    def _on_scrub(self) -> None:
        self._ask_frame()

    @Slot()
    def _on_play(self) -> None:
        walk = self._walk()
        on = self.play.isChecked() and walk is not None
        self.play.setChecked(on)
        icons.set_icon(self.play, "pause" if on else "play")
        at = self.scrub.value() / SCRUB_STEPS
        start = 0.0 if at >= 1.0 or walk is None else at * walk.duration_s
        self._played_at = time.monotonic() - start if on else None

    @Slot()
    def begin(self) -> None:
        """Film the walk with the weights shown, in the background."""
        snapshot = self._snapshot()
        try:
            if snapshot is None:
                raise InputError("There is no model yet", where="Record", hint="Train one or open a run first.")
            plan = self.form.plan(self.keyframes)
        except LatentLabError as error:
            self.note.setText(f"{error.what}. {error.hint}")
            return
        self._service.start(plan, Path(), snapshot)

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to look."""
        super().showEvent(event)
        self._weights = None
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Play no longer, and leave the device to the pages."""
        super().hideEvent(event)
        self._timer.stop()
        if self.play.isChecked():
            self.play.click()
        self._frames.cancel()
        self._keys.cancel()


def _folder() -> Path:
    try:
        return screenshots_dir()
    except InputError:
        return Path.home()
