"""The Video page: any frame of a film beside what the model makes of it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.messages import ErrorReport
from latentlab.core.video_messages import Crop, ErrorCurve, VideoFrame, VideoInfo, VideoView, psnr_db
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.page import Page
from latentlab.ui.pages.video_panel import SidePanels, VideoPanel
from latentlab.ui.pages.video_panes import VideoPanes
from latentlab.ui.pages.video_parts import install_parts
from latentlab.ui.pages.video_playback import Playback
from latentlab.ui.pages.video_tools import GAINS, KINDS, VideoTools
from latentlab.ui.pages.video_transport import VideoTransport
from latentlab.ui.widgets.empty_state import EmptyState
from latentlab.ui.widgets.timeline import Timeline
from latentlab.ui.widgets.weights_follow import weights_text

EMPTY = "Open a video to see every frame beside its reconstruction, and where the model fails."
NO_MODEL = "There is no model yet: train one or open a run, and its reconstruction appears beside the frame."
FILTER = "Videos (*.mp4 *.m4v *.mov *.mkv *.webm *.avi *.mpg *.mpeg *.ts *.wmv *.flv *.gif);;All files (*)"
ANSWER_MS = 5
WORST_LISTED = 12
WORST_APART_S = 1.0


class VideoPage(Page):
    """Original, reconstruction, difference and the whole frame over one timeline."""

    object_name: ClassVar[str] = "videoPage"
    title: ClassVar[str] = "Video"
    icon: ClassVar[str] = "video"
    tooltip: ClassVar[str] = "Scrub through a video beside its reconstruction by the newest weights"

    frame_changed = Signal(int)  # the frame wanted
    frame_shown = Signal(object)  # VideoFrame, drawn
    clip_changed = Signal(object)  # VideoInfo or None
    range_changed = Signal(int, int)  # first and last frame, both included
    crop_changed = Signal(object)  # Crop in use, or None

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.service = context.video
        self.service.bind(context.training.weights)
        self.tools, self.panes = VideoTools(), VideoPanes()
        self.timeline, self.transport = Timeline(), VideoTransport()
        self.playback = Playback(self)
        self._info: VideoInfo | None = None
        self._shown: VideoFrame | None = None
        self._curve: ErrorCurve | None = None
        self._seen = [-1, -1, -1, -1]
        self._asked = 0
        self._last_worst = -1
        self._folder = str(Path.home())
        # Asking often while an answer is owed shows it a few milliseconds after it is there.
        self._answer = QTimer(self)
        self._answer.setInterval(ANSWER_MS)
        self._answer.timeout.connect(self._collect)
        self.own_series = False
        self._range: tuple[int, int] | None = None
        self._crop: Crop | None = None
        self.side = SidePanels()
        self._build()
        self._connect()
        install_parts(self)

    @property
    def clip(self) -> VideoInfo | None:
        """The film that is open."""
        return self._info

    @property
    def frame(self) -> int:
        """The frame wanted; ``shown`` is the one on screen."""
        return self.timeline.value()

    @property
    def shown(self) -> VideoFrame | None:
        """What is on screen."""
        return self._shown

    @property
    def has_range(self) -> bool:
        """Whether a part of the film was chosen."""
        return self._range is not None

    @property
    def range(self) -> tuple[int, int]:
        """First and last frame of the chosen part, both included; the whole film when none was chosen."""
        return self._range or (0, self.timeline.maximum())

    @property
    def crop(self) -> Crop | None:
        """The region given to the model; None is the whole frame."""
        return self._crop

    @property
    def view(self) -> VideoView:
        """How frames are shown."""
        return self.tools.view

    def add_panel(self, panel: VideoPanel) -> None:
        """Add a tab beside the pictures."""
        self.side.add(panel)

    def add_command(self, action: QAction, menu: str = "more") -> None:
        """Add a command to the menu ``export`` or ``more`` over the pictures."""
        self.tools.add_command(action, menu)

    def set_range(self, first: int, last: int) -> None:
        """Choose the part of the film from ``first`` to ``last``, both included and in any order."""
        first, last = sorted(min(max(0, frame), self.timeline.maximum()) for frame in (first, last))
        self._range = (first, last)
        self.range_changed.emit(first, last)

    def clear_range(self) -> None:
        """Choose the whole film again."""
        self._range = None
        self.range_changed.emit(*self.range)

    def _build(self) -> None:
        self.hint = QLabel(NO_MODEL)
        self.hint.setProperty("role", "muted")
        self.hint.setWordWrap(True)
        self.choose = QPushButton("Choose a recipe")
        self.choose.setToolTip("Choose what to train")
        self.banner = QWidget()
        line = QHBoxLayout(self.banner)
        line.setContentsMargins(style.SPACING, 0, style.SPACING, 0)
        line.addWidget(self.hint, 1)
        line.addWidget(self.choose)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(style.SPACING, style.SPACING, style.SPACING, style.SPACING)
        column.setSpacing(style.SPACING)
        column.addWidget(self.tools)
        column.addWidget(self.banner)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self.panes)
        self.splitter.addWidget(self.side)
        self.splitter.setStretchFactor(0, 1)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.timeline)
        column.addWidget(self.transport)
        self.empty = EmptyState(EMPTY, "Open a video…", self.choose_file, "video")
        self.stack = QStackedLayout(self)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(content)

    def _connect(self) -> None:
        self.service.opened.connect(self._on_opened)
        self.service.failed.connect(self._on_failed)
        self.service.closed.connect(self._on_closed)
        self.choose.clicked.connect(self._on_choose_recipe)
        self.tools.open_wanted.connect(self.choose_file)
        self.tools.view_changed.connect(self._on_view)
        self.timeline.valueChanged.connect(self._on_frame)
        self.timeline.sliderPressed.connect(self.playback.pause)
        self.transport.play_wanted.connect(self.toggle_play)
        self.transport.step_wanted.connect(self.step)
        self.transport.frame_wanted.connect(self.go_to)
        self.transport.speed_wanted.connect(self.playback.set_speed)
        self.transport.loop_wanted.connect(self._on_loop)
        self.transport.worst_wanted.connect(self.go_to_worst)
        self.transport.measure_wanted.connect(self.service.refresh_curve)
        self.playback.due.connect(self.timeline.setValue)
        self.playback.changed.connect(self.transport.set_playing)

    # -- what a person can do -------------------------------------------------------------------

    def open_video(self, path: Path) -> None:
        """Open a video in place of the one shown."""
        self.playback.pause()
        self._folder = str(path.parent)
        self.service.open(path)

    @Slot()
    def choose_file(self) -> None:
        """Let the user choose a video; the window goes on meanwhile."""
        dialog = QFileDialog(self, "Open a video", self._folder, FILTER)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_file)
        dialog.open()

    @Slot(int)
    def go_to(self, frame: int) -> None:
        """Show a frame and stand there."""
        self.playback.pause()
        self.timeline.setValue(frame)

    @Slot(int)
    def step(self, frames: int) -> None:
        """Move by some frames and stand there."""
        self.go_to(self.timeline.value() + frames)

    @Slot()
    def toggle_play(self) -> None:
        """Play, or stand still."""
        if self.playback.playing:
            self.playback.pause()
        elif self._info is not None:
            self.playback.moved_to(self.timeline.value())
            self.playback.play()

    @Slot()
    def go_to_worst(self) -> None:
        """Go to the worst frame; again: to the next worst that is not its neighbour."""
        if self._curve is None or self._info is None:
            return
        worst = self._curve.worst(WORST_LISTED, apart=max(1, round(self._info.fps * WORST_APART_S)))
        if worst:
            again = self._last_worst in worst and self.timeline.value() == self._last_worst
            self._last_worst = worst[(worst.index(self._last_worst) + 1) % len(worst)] if again else worst[0]
            self.go_to(self._last_worst)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Play, step and jump as editors do."""
        keys, modifiers = Qt.Key, event.modifiers()
        size = 10 if modifiers & Qt.KeyboardModifier.ShiftModifier else 1
        size = 100 if modifiers & Qt.KeyboardModifier.ControlModifier else size
        actions = {
            keys.Key_Space: self.toggle_play,
            keys.Key_Left: lambda: self.step(-size),
            keys.Key_Right: lambda: self.step(size),
            keys.Key_Home: lambda: self.go_to(0),
            keys.Key_End: lambda: self.go_to(self.timeline.maximum()),
            keys.Key_W: self.go_to_worst,
            keys.Key_L: self.transport.loop.toggle,
            keys.Key_F: self.tools.film.toggle,
            keys.Key_G: self._edit_number,
        }
        action = actions.get(Qt.Key(event.key()))
        if action is None or self._info is None:
            super().keyPressEvent(event)
        else:
            action()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one local file."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the file that was dropped."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_video(paths[0])

    # -- the window's hooks ---------------------------------------------------------------------

    def tick(self) -> None:
        """Show what arrived, and follow the weights with the frame that stands."""
        self._collect()
        self.service.follow()
        self._collect_background()
        self.side.tick()

    def status_text(self) -> str:
        """Return the age of the weights behind the reconstruction."""
        frame = self._shown
        if self._info is None or frame is None or frame.step < 0:
            return ""
        state, now = self.context.training.state, time.monotonic()
        return weights_text(frame.step, frame.taken_at, state=state, following=True, now=now)

    def apply_theme(self) -> None:
        """Hand it on to the panels; panes and timeline follow the theme by themselves."""
        for panel in self.side.panels.values():
            panel.apply_theme()

    def restart(self) -> None:
        """Forget the reconstruction by the previous run; the video stays open."""
        self.service.bind(self.context.training.weights)
        self.service.show(self.timeline.value())
        for panel in self.side.panels.values():
            panel.restart()

    def save_state(self) -> dict[str, object]:
        """Return how frames are shown and played."""
        view = self.tools.view
        return {
            "difference": view.difference,
            "gain": view.gain,
            "film": view.film,
            "speed": self.playback.speed,
            "loop": self.playback.loop,
            "folder": self._folder,
            "side": self.side.save_state(),
        }

    def restore_state(self, state: dict[str, object]) -> None:
        """Take over what ``save_state`` returned, as far as it still means something."""
        view = self.tools.view
        if state.get("difference") in [kind for _, kind in KINDS]:
            view = replace(view, difference=state["difference"])  # type: ignore[arg-type]
        if state.get("gain") in GAINS:
            view = replace(view, gain=state["gain"])  # type: ignore[arg-type]
        if isinstance(state.get("film"), bool):
            view = replace(view, film=state["film"])  # type: ignore[arg-type]
        self.tools.show_view(view)
        self._on_view(view)
        speed = self.transport.speed.findData(state.get("speed"))
        if speed >= 0:
            self.transport.speed.setCurrentIndex(speed)
        self.transport.loop.setChecked(state.get("loop") is True)
        if isinstance(state.get("folder"), str):
            self._folder = str(state["folder"])
        self.side.restore_state(state.get("side"))

    def close_down(self) -> None:
        """Stop the clocks; the service ends its threads itself."""
        self.playback.pause()
        self._answer.stop()
        for panel in self.side.panels.values():
            panel.close_down()

    def showEvent(self, event: QShowEvent) -> None:
        """Let the error curve be measured while somebody looks."""
        self.service.set_active(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop playing and measuring for nobody."""
        self.playback.pause()
        self.service.set_active(False)

    # -- what the service says ------------------------------------------------------------------

    @Slot(object)
    def _on_opened(self, info: VideoInfo) -> None:
        self._info, self._curve, self._shown = info, None, None
        self._seen = [-1, -1, -1, -1]
        self.panes.clear()
        with QSignalBlocker(self.timeline):
            self.timeline.set_video(info.times_s)
            self.timeline.setValue(0)
        self.playback.set_video(info.times_s, info.fps)
        self.transport.set_video(info.frames, info.duration_s)
        self.tools.set_video(info)
        if self.tools.view.own_crop:  # A region chosen for another film means nothing in this one.
            self.tools.show_view(replace(self.tools.view, own_crop=False, crop=None))
            self.service.set_view(self.tools.view)
        self._range = None
        self._on_frame(0)
        self.tools.set_open(True)
        self.clip_changed.emit(info)
        self.range_changed.emit(*self.range)
        self.stack.setCurrentIndex(1)
        self.timeline.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(object)
    def _on_failed(self, report: ErrorReport) -> None:
        self.context.errors.report(report)
        if self._info is None or self.service.info is None:
            self._on_closed()
            self.empty.set_text(f"{report.what}. {report.hint}".replace("..", ".").strip())

    @Slot()
    def _on_closed(self) -> None:
        self.playback.pause()
        self._info = self._shown = None
        self.panes.clear()
        self.empty.set_text(EMPTY)
        self.tools.set_open(False)
        self.clip_changed.emit(None)
        self.stack.setCurrentIndex(0)

    @Slot()
    def _collect(self) -> None:
        """Show the newest frame, if it was not shown yet."""
        version = self.service.frame.version
        if version == self._seen[0]:
            return
        self._seen[0] = version
        frame = self.service.frame.get()[1]
        if frame is None:
            return
        if frame.generation >= self._asked:
            self._answer.stop()
        self._shown = frame
        self.panes.show_frame(frame)
        self.tools.show_crop(frame.crop)
        if frame.crop != self._crop:
            self._crop = frame.crop
            self.crop_changed.emit(frame.crop)
        self._show_measures(frame)
        self.frame_shown.emit(frame)

    def _show_measures(self, frame: VideoFrame) -> None:
        self.banner.setVisible(frame.reconstruction is None)
        decibels = None if frame.pixel is None else psnr_db(frame.pixel)
        self.transport.set_psnr(decibels)
        if decibels is not None:
            self.panes.set_note("reconstruction", f"{decibels:.2f} dB · step {style.format_steps(frame.step)}")
            self.panes.set_note("difference", f"{self.tools.view.difference} ×{self.tools.view.gain:g}")

    def _collect_background(self) -> None:
        """Show the whole frame, the curve and the progress when they moved."""
        service = self.service
        if service.film.version != self._seen[1]:
            self._seen[1], film = service.film.get()
            if film is not None:
                self.panes.show_film(film)
        if service.curve.version != self._seen[2]:
            self._seen[2], self._curve = service.curve.get()
            self.timeline.set_curve(self._curve)
        if service.progress.version != self._seen[3]:
            self._seen[3], progress = service.progress.get()
            self.timeline.set_ready(progress.done / progress.total if progress and progress.total else None)
        self.transport.worst.setEnabled(self._curve is not None and self._curve.done > 0)
        self.transport.measure.setEnabled(self._curve is not None)

    # -- what the controls say ------------------------------------------------------------------

    @Slot(int)
    def _on_frame(self, frame: int) -> None:
        """Ask for a frame; the newest wish wins, so asking is always cheap."""
        if self._info is None:
            return
        self.playback.moved_to(frame)
        times = self._info.times_s
        self.transport.set_frame(frame, float(times[frame] - times[0]))
        self._asked = self.service.show(frame)
        self.frame_changed.emit(frame)
        self._answer.start()

    @Slot(object)
    def _on_view(self, view: VideoView) -> None:
        self.panes.set_film_wanted(view.film)
        self.service.set_view(view)

    @Slot(bool)
    def _on_loop(self, loop: bool) -> None:
        self.playback.loop = loop

    @Slot(str)
    def _on_file(self, name: str) -> None:
        self.open_video(Path(name))

    @Slot()
    def _on_choose_recipe(self) -> None:
        self.context.choose_recipe()

    def _edit_number(self) -> None:
        self.transport.number.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.transport.number.selectAll()
