"""The open film's part of the Video page: tools over pictures and panels over the timeline over the transport."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from latentlab.core.messages import ModelInfo
from latentlab.core.video_messages import FilmFrame, VideoFrame, VideoView, psnr_db
from latentlab.runtime.video import VideoService
from latentlab.runtime.video_compare import CompareRequest
from latentlab.ui import style
from latentlab.ui.pages.video_panel import SidePanels
from latentlab.ui.pages.video_panes import BLINKS, VideoPanes
from latentlab.ui.pages.video_tools import VideoTools
from latentlab.ui.pages.video_transport import VideoTransport
from latentlab.ui.widgets.timeline import Timeline

NO_MODEL = "There is no model yet: train one or open a run, and its reconstruction appears beside the frame."
NO_ENCODER = "This model only makes pictures; without an encoder it cannot reconstruct the frames of a film."
SIDE_WIDTH = 320


class VideoContent(QWidget):
    """The widgets and where they stand. Thread: GUI."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tools, self.panes, self.side = VideoTools(), VideoPanes(), SidePanels()
        self.timeline, self.transport = Timeline(), VideoTransport()
        self.blink_rate = BLINKS[1]
        self._build_banner()
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.panes)
        self.splitter.addWidget(self.side)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setSizes([3 * SIDE_WIDTH, SIDE_WIDTH])
        column = QVBoxLayout(self)
        column.setContentsMargins(style.SPACING, style.SPACING, style.SPACING, style.SPACING)
        column.setSpacing(style.SPACING)
        column.addWidget(self.tools)
        column.addWidget(self.banner)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.timeline)
        column.addWidget(self.transport)
        self._build_zoom()
        self._build_blink()
        self.tools.panels.toggled.connect(self.side.set_wanted)
        self.side.wanted.connect(self.tools.panels.setChecked)

    def _build_banner(self) -> None:
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

    def _build_zoom(self) -> None:
        """Offer in the menu what the wheel and the keys do to the pictures."""
        for text, words, act in (
            ("Fit pictures\t0", "Show the pictures as large as they fit; or double click one", self.panes.fit),
            ("Actual size\t1", "Show one pixel of the picture as one of the screen", self.panes.actual_size),
            ("Zoom in\t+", "Magnify the pictures; or turn the wheel over one", self._zoom_in),
            ("Zoom out\t-", "Make the pictures smaller", self._zoom_out),
            ("Whole timeline", "Show all of the film on the timeline; or double click it", self.timeline.show_all),
        ):
            action = QAction(text, self)
            action.setToolTip(words)
            action.triggered.connect(act)
            self.tools.add_command(action, "more")

    def _build_blink(self) -> None:
        menu = self.tools.more.menu().addMenu("Blink rate")
        self._rates = QActionGroup(self)
        for rate in BLINKS:
            action = QAction(f"{rate:g} changes a second", self._rates)
            action.setCheckable(True)
            action.setData(rate)
            action.triggered.connect(self._on_rate)
            menu.addAction(action)
        self.set_blink_rate(self.blink_rate)

    def set_blink_rate(self, per_s: float) -> None:
        """Change pictures so many times a second."""
        self.blink_rate = per_s
        self.panes.set_blink_rate(per_s)
        for action in self._rates.actions():
            action.setChecked(action.data() == per_s)

    def show_measures(self, frame: VideoFrame, view: VideoView) -> None:
        """Write over the panes how good the reconstruction is and how the difference is drawn."""
        decibels = None if frame.pixel is None else psnr_db(frame.pixel)
        self.transport.set_psnr(decibels)
        if decibels is not None:
            self.panes.set_note("reconstruction", f"{decibels:.2f} dB · step {style.format_steps(frame.step)}")
            self.panes.set_note("difference", f"{view.difference} ×{view.gain:g}")

    def show_banner(self, info: ModelInfo | None, *, reconstructed: bool) -> None:
        """Say why there is no reconstruction, where there is none."""
        self.banner.setVisible(not reconstructed)
        blind = info is not None and not info.has_encoder
        self.hint.setText(NO_ENCODER if blind else NO_MODEL)

    def ask_others(self, service: VideoService, frame: VideoFrame | None, film: FilmFrame | None = None) -> None:
        """Have the checkpoints beside the model reconstruct a frame, at their own size where the film is there."""
        if frame is None or not service.compare.models:
            return
        whole = film.image if film is not None and film.index == frame.index else None
        service.compare.show(CompareRequest(frame.index, frame.original, frame.crop, whole))

    def effective_view(self, service: VideoService, *, draft: bool = False) -> VideoView:
        """Return the view to ask frames in: other models may need the whole frame though nobody sees it."""
        view = self.tools.view
        return replace(view, film=view.film or bool(service.compare.models), draft=draft)

    @Slot()
    def _zoom_in(self) -> None:
        self.panes.zoom_by(1.5)

    @Slot()
    def _zoom_out(self) -> None:
        self.panes.zoom_by(1 / 1.5)

    @Slot()
    def _on_rate(self) -> None:
        for action in self._rates.actions():
            if action.isChecked():
                self.set_blink_rate(float(action.data()))
