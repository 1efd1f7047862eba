"""The Video page: any frame of a film beside what the model makes of it.

What others may ask of the page and add to it is in ``video_page_base``.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QStackedLayout, QWidget

from latentlab.core.messages import ErrorReport, WeightSnapshot
from latentlab.core.picture_origin import Origin
from latentlab.core.video_messages import Crop, VideoInfo, VideoView
from latentlab.ui.context import AppContext
from latentlab.ui.page_state import PageState
from latentlab.ui.pages import video_state
from latentlab.ui.pages.video_content import VideoContent
from latentlab.ui.pages.video_keys import binding_for, key_rows
from latentlab.ui.pages.video_moves import Moves
from latentlab.ui.pages.video_page_base import FilmPage
from latentlab.ui.pages.video_parts import install_parts
from latentlab.ui.pages.video_return import FilmReturn, picture_state
from latentlab.ui.pages.video_worst import PixelErrors
from latentlab.ui.widgets.empty_state import EmptyState
from latentlab.ui.widgets.weights_follow import WeightsFollow, weights_text

EMPTY = "Open a video to see every frame beside its reconstruction, and where the model fails."
FILTER = (
    "Videos and pictures (*.mp4 *.m4v *.mov *.mkv *.webm *.avi *.mpg *.mpeg *.ts *.wmv *.flv *.gif *.png *.jpg *.jpeg "
    "*.bmp *.webp *.tif *.tiff);;All files (*)"
)
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
ANSWER_MS = 5


class VideoPage(FilmPage):
    """Original, reconstruction, difference and the whole frame over one timeline."""

    object_name: ClassVar[str] = "videoPage"
    title: ClassVar[str] = "Video"
    icon: ClassVar[str] = "video"
    tooltip: ClassVar[str] = "Scrub through a video beside its reconstruction by the newest weights"

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.service = context.video
        self.service.bind(context.training.weights)
        self.content = VideoContent()
        self.tools, self.panes, self.side = self.content.tools, self.content.panes, self.content.side
        self.timeline, self.transport = self.content.timeline, self.content.transport
        self.moves = Moves(self.timeline, self.transport, self)
        self.playback = self.moves.playback
        self.folder = str(Path.home())
        self.errors = PixelErrors(self.moves)
        self._seen: dict[str, int] = {}
        self._asked = 0
        self.tools.compare.runs_root = context.runs_root
        # Asking often while an answer is owed shows it a few milliseconds after it is there.
        self._answer = QTimer(self)
        self._answer.setInterval(ANSWER_MS)
        self._answer.timeout.connect(self._collect)
        self.empty = EmptyState(EMPTY, "Open a video…", self.choose_file, "video")
        self.stack = QStackedLayout(self)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.content)
        self._connect()
        self._return = FilmReturn(self)
        install_parts(self)

    def _connect(self) -> None:
        service, tools, film = self.service, self.tools, self.panes.film
        service.opened.connect(self._on_opened)
        service.corrected.connect(self._on_corrected)
        service.failed.connect(self._on_failed)
        service.closed.connect(self._on_closed)
        service.compare.changed.connect(self._on_models)
        self.content.choose.clicked.connect(self._on_choose_recipe)
        tools.open_wanted.connect(self.choose_file)
        tools.view_changed.connect(self._on_view)
        tools.mode_changed.connect(self.panes.set_mode)
        tools.compare.models_chosen.connect(service.compare.set_models)
        tools.compare.refused.connect(self._say)
        film.crop_dragged.connect(self._on_crop_dragged)
        film.crop_chosen.connect(tools.choose_crop)
        film.reset_wanted.connect(tools.reset_crop)
        self.moves.frame_changed.connect(self._on_frame)
        self.moves.range_changed.connect(self.range_changed)
        self.transport.worst_wanted.connect(self.go_to_worst)
        self.transport.measure_wanted.connect(service.refresh_curve)

    # -- what a person can do ---------------------------------------------------------------------

    def open_video(self, path: Path) -> None:
        """Open a film in place of the one shown: a file, a folder of numbered pictures, or a pattern of their names."""
        self.playback.pause()
        if path.suffix.lower() in PICTURES and path.is_file():
            path = path.parent
        self.folder = str(path.parent)
        self.service.open(path)

    @Slot()
    def choose_file(self) -> None:
        """Let the user choose a video, or one of many pictures; the window goes on meanwhile."""
        dialog = QFileDialog(self, "Open a video, or one of a folder of pictures", self.folder, FILTER)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_file)
        dialog.open()

    @Slot()
    def go_to_worst(self) -> None:
        """Go to the worst frame; again: to the next worst that is not its neighbour."""
        self.errors.go_to_worst()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Play, step and jump as editors do."""
        binding = binding_for(event) if self.clip is not None else None
        if binding is None:
            super().keyPressEvent(event)
        else:
            binding.act(self)

    def key_rows(self) -> list[tuple[str, str]]:
        """Return the keys of the page for the list of shortcuts."""
        return key_rows()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take local files and folders."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the film that was dropped; of several films, offer to make a data set."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_video(paths[0])
        films = [path for path in paths if path.suffix.lower() not in PICTURES]
        if len(films) > 1:
            self.films_dropped.emit(films)

    # -- the window's hooks -----------------------------------------------------------------------

    def tick(self) -> None:
        """Show what arrived, and follow the weights with the frame that stands."""
        self._collect()
        self.service.follow()
        self._collect_background()
        self.side.tick()

    def status_text(self) -> str:
        """Return the age of the weights behind the reconstruction."""
        frame = self._shown
        if self.clip is None or frame is None or frame.step < 0:
            return ""
        state, now = self.context.training.state, time.monotonic()
        following = WeightsFollow.of(self.context).following
        return weights_text(frame.step, frame.taken_at, state=state, following=following, now=now)

    def apply_theme(self) -> None:
        """Hand it on to the panels; panes and timeline follow the theme by themselves."""
        for panel in self.side.panels.values():
            panel.apply_theme()

    def restart(self) -> None:
        """Forget the reconstruction by the previous run; the video stays open."""
        self.service.bind(self.context.training.weights)
        self.service.show(self.frame)
        for panel in self.side.panels.values():
            panel.restart()

    def save_state(self) -> dict[str, object]:
        """Return how frames are shown and played."""
        return video_state.save(self)

    def restore_state(self, state: dict[str, object]) -> None:
        """Take over what ``save_state`` returned, as far as it still means something."""
        video_state.restore(self, state)

    def picture_state(self) -> PageState:
        """Return the film and the frame, for an exported picture."""
        return picture_state(self)

    def bring_back(self, origin: Origin) -> None:
        """Show the frame that an exported picture was made of."""
        self._return.begin(origin)

    def weights_shown(self) -> WeightSnapshot | None:
        """Return the weights that made the reconstruction on screen, where they are still at hand."""
        frame = self._shown
        return self.service.snapshot_of(frame.step, frame.taken_at) if frame is not None else None

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

    # -- what the service says --------------------------------------------------------------------

    @Slot(object)
    def _on_opened(self, info: VideoInfo) -> None:
        self.errors.curve = self._shown = None
        self._seen.clear()
        self.panes.clear()
        self.panes.fit()
        self.moves.set_clip(info)
        self.tools.set_video(info)
        if self.tools.view.own_crop:  # A region chosen for another film means nothing in this one.
            self.tools.show_view(replace(self.tools.view, own_crop=False, crop=None))
            self._on_view(self.tools.view)
        self.tools.set_open(True)
        self.clip_changed.emit(info)
        self.range_changed.emit(*self.range)
        self._on_frame(self.frame)  # The first one, unless somebody who was told of the film went to another.
        self.stack.setCurrentIndex(1)
        self.timeline.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(object)
    def _on_corrected(self, info: VideoInfo) -> None:
        """Go on with the frames there really are."""
        frame = min(self.frame, info.frames - 1)
        self._say(f"{info.path.name} holds {info.frames:,} frames that can be decoded, fewer than it promises")
        self.moves.set_clip(info)
        self.clip_changed.emit(info)
        self.range_changed.emit(*self.range)
        self.go_to(frame)

    @Slot(object)
    def _on_failed(self, report: ErrorReport) -> None:
        self.context.errors.report(report)
        if self.clip is None or self.service.info is None:
            self._on_closed()
            self.empty.set_text(f"{report.what}. {report.hint}".replace("..", ".").strip())

    @Slot()
    def _on_closed(self) -> None:
        self._shown = None
        self.moves.set_clip(None)
        self.panes.clear()
        self.empty.set_text(EMPTY)
        self.tools.set_open(False)
        self.clip_changed.emit(None)
        self.stack.setCurrentIndex(0)

    @Slot()
    def _collect(self) -> None:
        """Show the newest frame, if it was not shown yet."""
        if not self._moved("frame"):
            return
        frame = self.service.frame.get()[1]
        if frame is None:
            return
        newest = frame.generation >= self._asked
        if newest and frame.exact:
            self._answer.stop()
        self._shown = frame
        self.panes.show_frame(frame)
        self._collect_others()
        if newest and not self.panes.film.dragging:
            self._show_crop(frame.crop)
        self.content.show_banner(self.context.training.info, reconstructed=frame.reconstruction is not None)
        self.content.show_measures(frame, self.tools.view)
        if frame.exact:
            self.content.ask_others(self.service, frame)
        self.frame_shown.emit(frame)

    def _show_crop(self, crop: Crop | None) -> None:
        self.tools.show_crop(crop)
        self.panes.set_crop(crop)
        if crop != self._crop:
            self._crop = crop
            self.crop_changed.emit(crop)

    def _collect_others(self) -> None:
        """Show what other models and an edit make of the frame."""
        frame = self._shown
        compared = self.service.compare.pictures.get()[1] or ()
        edited = (frame.edited,) if frame is not None and frame.edited is not None else ()
        self.panes.show_others([*compared, *edited])

    def _collect_background(self) -> None:
        """Show the whole frame, the curve, scenes, other models and the progress when they moved."""
        service = self.service
        if self._moved("film") and (film := service.film.get()[1]) is not None:
            self.panes.show_film(film)
            self.content.ask_others(service, self._shown, film)
        if self._moved("compare"):
            self._collect_others()
        if self._moved("curve"):
            self.errors.curve = service.curve.get()[1]
            if not self.own_series:
                self.errors.draw()
        if self._moved("scenes") and (scenes := service.scenes.get()[1]) is not None:
            self.timeline.set_scenes(scenes)
        if self._moved("progress"):
            progress = service.progress.get()[1]
            self.timeline.set_ready(progress.done / progress.total if progress and progress.total else None)
        info = self.context.training.info
        self.tools.compare.run = info.run if info is not None else None
        self.transport.worst.setEnabled(self.errors.known)
        self.transport.measure.setEnabled(self.errors.known)

    def _moved(self, slot: str) -> bool:
        """Whether a slot of the service holds something new, from now on not new any more."""
        version = (self.service.compare.pictures if slot == "compare" else getattr(self.service, slot)).version
        moved = self._seen.get(slot) != version
        self._seen[slot] = version
        return moved

    # -- what the controls say --------------------------------------------------------------------

    @Slot(int)
    def _on_frame(self, frame: int) -> None:
        """Ask for a frame; the newest wish wins, so asking is always cheap."""
        self._asked = self.service.show(frame)
        self.frame_changed.emit(frame)
        self._answer.start()

    @Slot(object)
    def _on_view(self, view: VideoView) -> None:
        self.panes.set_film_wanted(view.film)
        self._ask_view()

    def _ask_view(self, *, draft: bool = False) -> None:
        self._asked = self.service.set_view(self.content.effective_view(self.service, draft=draft))
        self._answer.start()

    @Slot(object)
    def _on_crop_dragged(self, crop: Crop) -> None:
        """Show what the model would make of a region while the mouse still moves it."""
        self.tools.show_view(replace(self.tools.view, own_crop=True, crop=crop))
        self.tools.show_crop(crop)
        self._ask_view(draft=True)

    @Slot()
    def _on_models(self) -> None:
        models = self.service.compare.models
        self.tools.compare.set_models(models)
        self._collect_others()
        self._ask_view()

    @Slot(str)
    def _on_file(self, name: str) -> None:
        self.open_video(Path(name))

    @Slot()
    def _on_choose_recipe(self) -> None:
        self.context.choose_recipe()

    @Slot(str)
    def _say(self, sentence: str) -> None:
        self.context.show_message(sentence)
