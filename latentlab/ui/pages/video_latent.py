"""What the panels on errors, latents and edits of the Video page share: one service, one choice, one set of marks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from latentlab.core.directions import Direction, read_directions
from latentlab.core.errors import LatentLabError
from latentlab.core.messages import ErrorReport, Floats
from latentlab.core.metrics import describe
from latentlab.core.video_curves import ClipPath, FrameCurves, PathView, summarise, worst_frames
from latentlab.core.video_edit import EditedFilm
from latentlab.core.video_messages import ErrorCurve, FilmFrame, VideoInfo, psnr_db
from latentlab.runtime.video_latent import VideoLatentService
from latentlab.runtime.video_latent_editor import FilmEditor
from latentlab.ui import style
from latentlab.ui.pages.video_worst import PixelErrors
from latentlab.ui.widgets.timeline_items import TimelineMark, TimelineSeries
from latentlab.ui.widgets.weights_follow import WeightsFollow, age_text

if TYPE_CHECKING:
    from pathlib import Path

    from latentlab.runtime.video_latent_worker import FrameSource
    from latentlab.ui.pages.video import VideoPage

POLL_MS = 60
SECOND_COLOUR = "active"
"""Of a second curve whose own colour the first one has."""
JITTER = "jitter"
JITTER_DEFINITION = "‖z(t) − z(t−1)‖: distance of the frame's latents from those of the frame before."


class FilmStudy(QObject):
    """Polls the service, keeps what was chosen, and tells the panels. Thread: GUI."""

    curves_changed = Signal(object)  # FrameCurves or None
    path_changed = Signal(object)  # ClipPath or None
    between_changed = Signal(object)  # BetweenFrames or None
    thumbnail_changed = Signal(object)  # FilmFrame
    worst_changed = Signal(list)  # frames, worst first
    marks_changed = Signal()
    directions_changed = Signal()
    edit_changed = Signal(object)  # EditedFilm

    def __init__(self, page: VideoPage) -> None:
        super().__init__(page)
        self.page = page
        self.curve, self.beside = "pixel", ""
        self.worst_count, self.worst_apart_s = 12, 1.0
        self.worst: list[int] = []
        self.curves: FrameCurves | None = None
        self.path: ClipPath | None = None
        self.marks: dict[str, int] = {}
        self.directions: list[Direction] = []
        self.edit = EditedFilm()
        self.path_view = PathView()
        self._editor: FilmEditor | None = None
        self._run: Path | None = None
        self._seen = [-1, -1, -1, -1]
        self._active = False
        self.service = VideoLatentService(self._source, page.service)
        self.follow = WeightsFollow.of(page.context)
        self._held_step = self.follow.held_step
        self.service.bind(self.follow.weights)
        self.follow.changed.connect(self._on_weights)
        self.service.failed.connect(self._on_failed)
        self.service.saved.connect(self._on_saved)
        page.service.add_companion(self.service)
        page.own_series = True
        page.errors = StudiedErrors(self)
        page.transport.measure_wanted.connect(self.service.update)
        page.clip_changed.connect(self._on_clip)
        page.frame_changed.connect(self._on_frame)
        page.range_changed.connect(self._on_range)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._timer.start()

    def _source(self) -> FrameSource | None:
        return self.page.service.proxy

    # -- choices --------------------------------------------------------------------------------

    def choose_curve(self, curve: str, beside: str = "") -> None:
        """Show one curve under the timeline, and another over it."""
        self.curve, self.beside = curve, beside
        self._show_curves()

    def choose_worst(self, count: int, apart_s: float) -> None:
        """Mark so many worst frames, so many seconds apart at least."""
        self.worst_count, self.worst_apart_s = count, apart_s
        self._show_curves()

    def set_mark(self, letter: str, frame: int | None) -> None:
        """Put the mark A or B on a frame, or take it away."""
        if frame is None:
            self.marks.pop(letter, None)
        else:
            self.marks[letter] = frame
        self.page.timeline.set_marks("user", [TimelineMark(at, name) for name, at in sorted(self.marks.items())])
        self.marks_changed.emit()

    def set_path_view(self, view: PathView) -> None:
        """Choose what of the latents is drawn."""
        self.path_view = view
        self.service.set_view(view)

    def set_edit(self, edit: EditedFilm) -> None:
        """Show the film edited like this."""
        if edit == self.edit:
            return
        self.edit = edit
        self._editor = FilmEditor(edit, self._source, self._editor) if edit.active else None
        self.page.service.set_editor(self._editor)
        self.edit_changed.emit(edit)

    def values(self, name: str) -> Floats | None:
        """Return the curve called ``name``, (N,) with NaN where unknown; None when there is none."""
        if name == JITTER:
            return self.path.jitter if self.path is not None else None
        return self.curves.values.get(name) if self.curves is not None else None

    def step_text(self) -> str:
        """Return which weights the curves come from and how far they are."""
        curves = self.curves
        if curves is None:
            return ""
        text = f"weights of step {style.format_steps(curves.step)}"
        if self.page.context.training.state.active:
            text += f", {age_text(time.monotonic() - curves.taken_at)} old"
        return text if curves.complete else f"{text} · {curves.done / curves.frames:.0%} measured"

    @property
    def run(self) -> Path | None:
        """The run that the weights belong to."""
        snapshot = self.page.context.training.weights.get()[1]
        return snapshot.info.run if snapshot is not None else None

    def load_directions(self) -> None:
        """Read the directions that are saved with the run."""
        run = self._run = self.run
        try:
            self.directions = read_directions(run) if run is not None else []
        except LatentLabError as error:
            self.directions = []
            self.page.context.errors.report(ErrorReport.of(error, "reading directions"))
        self.set_path_view(
            PathView(
                self.path_view.components,
                self.path_view.dimensions,
                tuple(self.directions),
                self.path_view.first,
                self.path_view.last,
            )
        )
        self.directions_changed.emit()

    def restart(self) -> None:
        """Follow the weights of another run."""
        self.service.bind(self.follow.weights)
        self.load_directions()

    @Slot()
    def _on_weights(self) -> None:
        """Measure with the step that all pages were taken to, or with the newest one again."""
        if self.follow.held_step != self._held_step:
            self._held_step = self.follow.held_step
            self.service.bind(self.follow.weights)
            self.service.update()

    def close_down(self) -> None:
        """Stop polling; the threads end with those of the video service."""
        self._timer.stop()
        self.service.shutdown(0)

    # -- what comes in --------------------------------------------------------------------------

    @Slot()
    def _poll(self) -> None:
        """Pass on what moved; nothing is measured while the page is hidden."""
        active = self.page.isVisible() and self.page.clip is not None
        if active != self._active:
            self._active = active
            self.service.set_active(active)
        if not active:
            return
        if self.run != self._run:
            self.load_directions()
        service = self.service
        if service.path.version != self._seen[1]:
            self._seen[1], path = service.path.get()
            self.path = path if path is not None and self._is_of_this_film(path.source, len(path.jitter)) else None
            self.path_changed.emit(self.path)
            if JITTER in (self.curve, self.beside):
                self._show_curves()
        if service.curves.version != self._seen[0]:
            self._seen[0], curves = service.curves.get()
            self.curves = curves if curves is not None and self._is_of_this_film(curves.source, curves.frames) else None
            self._tell_page(self.curves)
            self._show_curves()
            self.curves_changed.emit(self.curves)
        if service.between.version != self._seen[2]:
            self._seen[2], between = service.between.get()
            self.between_changed.emit(between)
        if service.thumbnail.version != self._seen[3]:
            self._seen[3], thumbnail = service.thumbnail.get()
            if isinstance(thumbnail, FilmFrame):
                self.thumbnail_changed.emit(thumbnail)

    def _is_of_this_film(self, source: object, frames: int) -> bool:
        """Whether something was measured of the film that is open; the analysis hears of another one a little later.

        The page, too: for a moment it still has the film before, with another number of frames.
        """
        clip = self.page.clip
        return source is self._source() and clip is not None and frames == clip.frames

    def _tell_page(self, curves: FrameCurves | None) -> None:
        """Leave the pixel errors where the page and the export look for them."""
        pixel = curves.values.get("pixel") if curves is not None else None
        if curves is None or pixel is None:
            self.page.service.curve.clear()
        else:
            self.page.service.curve.put(ErrorCurve(pixel, curves.done, curves.step))

    def _show_curves(self) -> None:
        """Draw the chosen curves under the timeline and mark the worst frames of the first."""
        clip = self.page.clip
        series: list[TimelineSeries] = []
        for name in dict.fromkeys((self.curve, self.beside)):
            values = self.values(name) if name else None
            if values is not None and clip is not None and len(values) == clip.frames:
                series.append(self._series(name, values, [curve.colour for curve in series]))
        self.page.timeline.set_series(series, self._note(series))
        self.worst, values = [], self.values(self.curve)
        if values is not None and clip is not None:
            apart = max(1, round(clip.fps * self.worst_apart_s))
            self.worst = worst_frames(values, self.worst_count, apart)
            marks = [TimelineMark(frame, value_text(self.curve, float(values[frame]))) for frame in self.worst]
            self.page.timeline.set_marks("worst", marks)
        else:
            self.page.timeline.set_marks("worst", [])
        self.worst_changed.emit(self.worst)

    def _note(self, series: list[TimelineSeries]) -> str:
        """Return the first curve in two numbers."""
        summary = summarise(series[0].values) if series else None
        if summary is None:
            return ""
        median, worst = (value_text(series[0].key, value).split(" · ")[0] for value in (summary.median, summary.worst))
        return f"median {median} · worst {worst}"

    def _series(self, name: str, values: Floats, taken: list[str]) -> TimelineSeries:
        colour = colour_of(name) if colour_of(name) not in taken else SECOND_COLOUR
        note = self.step_text() if name != JITTER else ""
        return TimelineSeries(name, title_of(name), unit_of(name), colour, values, note)

    @Slot(object)
    def _on_clip(self, clip: VideoInfo | None) -> None:
        self.marks.clear()
        self.set_mark("A", None)
        self.service.clear()
        self.curves = self.path = None
        self._seen = [-1, -1, -1, -1]
        self.set_path_view(PathView(self.path_view.components, self.path_view.dimensions, self.path_view.directions))
        self._show_curves()
        self.curves_changed.emit(None)
        self.path_changed.emit(None)
        self.between_changed.emit(None)

    @Slot(int)
    def _on_frame(self, _frame: int) -> None:
        self.service.moved()

    @Slot(int, int)
    def _on_range(self, first: int, last: int) -> None:
        view = self.path_view
        self.set_path_view(PathView(view.components, view.dimensions, view.directions, first, last))

    @Slot(object)
    def _on_failed(self, report: ErrorReport) -> None:
        self.page.context.errors.report(report)

    @Slot(str)
    def _on_saved(self, text: str) -> None:
        self.page.context.show_message(text)


class StudiedErrors(PixelErrors):
    """The worst frames that the study found, for the page's button and key."""

    def __init__(self, study: FilmStudy) -> None:
        super().__init__(study.page.moves)
        self._study = study

    @property
    def known(self) -> bool:
        """Whether there are any."""
        return bool(self._study.worst) or super().known

    def worst(self) -> list[int]:
        """Return them, worst first; before the study knows any, those of the page's own curve."""
        return self._study.worst or super().worst()


def title_of(name: str) -> str:
    """Return what a curve is called."""
    return "Jitter" if name == JITTER else describe(name).label


def unit_of(name: str) -> str:
    """Return the unit of a curve."""
    return {JITTER: "latent units", "reconstruction": "nats"}.get(name, describe(name).unit)


def colour_of(name: str) -> str:
    """Return the theme's key for the colour of a curve."""
    return "neutral" if name == JITTER else describe(name).colour


def value_text(name: str, value: float) -> str:
    """Return a value with its unit, for pixel errors in dB too."""
    if np.isnan(value):
        return "not measured"
    text = f"{style.format_value(value)} {unit_of(name)}".rstrip()
    return f"{psnr_db(value):.1f} dB · MSE {style.format_value(value)}" if name == "pixel" else text


def make_between(study: FilmStudy, count: int, kind: str) -> bool:
    """Ask for the way from mark A to mark B; return whether both are set."""
    if not {"A", "B"} <= study.marks.keys():
        return False
    study.service.interpolate(study.marks["A"], study.marks["B"], count, kind)
    return True
