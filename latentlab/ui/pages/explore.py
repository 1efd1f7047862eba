"""The Explore page: move a point through latent space and see it decoded by the newest weights."""

from __future__ import annotations

import time
from typing import ClassVar

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedLayout, QWidget

from latentlab.core.latent_state import LatentState, expected_norm
from latentlab.core.latent_stats import DimensionStats
from latentlab.core.messages import (
    DecodeRequest,
    ErrorReport,
    Floats,
    Images,
    InferenceResult,
    ModelInfo,
    ReconstructRequest,
    WeightSnapshot,
)
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.page import Page
from latentlab.ui.pages.explore_drag import DragButton
from latentlab.ui.pages.explore_moves import Moves
from latentlab.ui.pages.explore_panel import ExplorePanel
from latentlab.ui.pages.explore_side import StripRequests, UseMeter
from latentlab.ui.pages.explore_stage import ExploreStage
from latentlab.ui.widgets.empty_state import EmptyState
from latentlab.ui.widgets.image_input import ChosenImage, has_image
from latentlab.ui.widgets.image_start import ImageStart, labels_of
from latentlab.ui.widgets.pane_requests import PaneRequests
from latentlab.ui.widgets.shortcuts import on_key
from latentlab.ui.widgets.splitters import restore_sizes

FOLLOW_EVERY_S = 0.1
EMPTY = "Nothing to explore yet. Train a model, or open a run, and its latent space appears here while it learns."
PREPARING = "The training is getting ready. Its first weights are decoded here as soon as there are any."


class ExplorePage(Page):
    """A picture, and a slider for each number behind it."""

    object_name: ClassVar[str] = "explorePage"
    title: ClassVar[str] = "Explore"
    icon: ClassVar[str] = "explore"
    tooltip: ClassVar[str] = "Move through latent space with sliders, seeds and your own pictures"

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.setAcceptDrops(True)
        self.info: ModelInfo | None = None
        self.stage = ExploreStage(context)
        self.panel = ExplorePanel(context)
        self.drag = DragButton()
        self.moves = Moves(self.drag, self)
        self._image: ImageStart | None = None
        self._weights: object = None
        self._asked_at = 0.0
        self._error = ""
        self._requests = PaneRequests(context.inference, "explore", self)
        self._strip = StripRequests(context, self)
        self._meter = UseMeter(context, self)
        self._build()
        self._connect()

    def _build(self) -> None:
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("exploreSplitter")
        self.splitter.addWidget(self.stage)
        self.splitter.addWidget(self.panel)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes([700, 360])
        self.stage.add_tool(self.drag)
        content = QWidget()
        row = QHBoxLayout(content)
        row.setContentsMargins(style.SPACING, style.SPACING, style.SPACING, style.SPACING)
        row.addWidget(self.splitter)
        self.empty = EmptyState(EMPTY, "Train", self._train, "explore")
        self.stack = QStackedLayout(self)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(content)

    def _connect(self) -> None:
        panel, sliders, stage, moves = self.panel, self.panel.sliders, self.stage, self.moves
        self._requests.answered.connect(self._on_answer)
        self._strip.ready.connect(self._on_strip)
        self._meter.measured.connect(self._on_measured)
        moves.changed.connect(self._refresh)
        sliders.moved.connect(moves.move)
        sliders.gesture_ended.connect(moves.end_gesture)
        sliders.lock_toggled.connect(moves.lock)
        sliders.current_changed.connect(self._on_current)
        panel.seeds.drawn.connect(moves.draw)
        panel.seeds.temperature_changed.connect(moves.rescale)
        panel.picker.chosen.connect(moves.choose_class)
        panel.start.chosen.connect(self._on_image)
        panel.reset_wanted.connect(moves.reset)
        panel.undo_wanted.connect(moves.undo)
        panel.redo_wanted.connect(moves.redo)
        panel.arranged.connect(self._on_arranged)
        stage.drag_began.connect(moves.begin_drag)
        stage.dragged.connect(moves.drag)
        stage.drag_ended.connect(moves.end_gesture)
        stage.value_chosen.connect(self._on_value_chosen)
        on_key(self, "C", self._next_class)
        on_key(self, "Shift+C", self._previous_class)

    @property
    def state(self) -> LatentState:
        """The point in latent space and its history."""
        return self.moves.state

    # The window's hooks

    def tick(self) -> None:
        """Follow the weights: the picture often, the strip and the dimensions' use now and then."""
        weights, snapshot = self.stage.follow_bar.follow.newest()
        if snapshot is None:
            self._show_empty()
            return
        if self.info is not snapshot.info:
            self._start_with(snapshot)
        due = time.monotonic() - self._asked_at >= FOLLOW_EVERY_S
        if weights != self._weights and due and not self._requests.busy:
            self._weights = weights
            self._ask()
        self._strip.follow(weights)
        if snapshot.info.has_encoder:  # Use is what the encoder puts into a dimension.
            self._meter.follow(weights, self.context.training.gallery.get()[1], snapshot.info.conditional)
        self.stage.follow_bar.tick()

    def _show_empty(self) -> None:
        """Say what to do, or what is being waited for."""
        preparing = self.context.training.state.active
        self.empty.set_text(PREPARING if preparing else EMPTY)
        self.empty.button.setVisible(not preparing)
        self.stack.setCurrentIndex(0)

    def _train(self) -> None:
        self.context.train()

    def status_text(self) -> str:
        """Return the age of the weights behind the picture."""
        return self.stage.follow_bar.text()

    def restart(self) -> None:
        """Forget the previous run and follow the new one."""
        self._cancel()
        self.stage.follow_bar.follow.restart()
        self.stage.follow_bar.clear()
        self.info = None
        self._image = None
        self._show_empty()

    def save_state(self) -> dict[str, object]:
        """Return splitters and the arrangement of the sliders."""
        return {
            "splitter": self.splitter.sizes(),
            "stage": self.stage.splitter.sizes(),
            "sliders": self.panel.save_state(),
        }

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring back what ``save_state`` returned; what is odd is left out."""
        restore_sizes(self.splitter, state.get("splitter"))
        restore_sizes(self.stage.splitter, state.get("stage"))
        sliders = state.get("sliders")
        if isinstance(sliders, dict):
            self.panel.restore_state(sliders)

    def close_down(self) -> None:
        """Ask for nothing more."""
        self._cancel()

    def showEvent(self, event: QShowEvent) -> None:
        """Decode again: the weights may have moved while the page was hidden."""
        super().showEvent(event)
        self._weights, self._asked_at = None, 0.0
        self.tick()
        self._ask_strip()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the device to visible pages."""
        super().hideEvent(event)
        self._cancel()

    def set_point(self, z: Floats, label: int | None = None, source: str = "condition grid") -> None:
        """Go to ``z`` (D,) and class ``label``, as when a cell of another page is clicked."""
        snapshot = self.stage.follow_bar.follow.newest()[1]
        if snapshot is not None and self.info is not snapshot.info:
            self._start_with(snapshot)
        if self.info is not None and len(z) == self.state.dim:
            self.state.set_z(z, source, label=label)
            self._refresh()

    # Asking and showing

    def _start_with(self, snapshot: WeightSnapshot) -> None:
        """Adopt the model of a snapshot; a run with as many dimensions as before is seen at the same point."""
        before, self.info = self.info, snapshot.info
        self.stack.setCurrentIndex(1)
        if before is not None and before == snapshot.info:
            return
        self._cancel()
        dim, classes = snapshot.info.latent_dim, snapshot.info.num_classes
        if dim != self.state.dim or self.state.point.label >= max(1, classes):
            self.moves.restart(dim)
        self._image = None
        self.stage.picture.clear("Decoding…")
        self.stage.strip.clear()
        self.drag.restart(self.state.dim)
        self.panel.set_model(snapshot.info)
        self._refresh(ask=False)
        self.panel.arrange()
        self._asked_at = 0.0
        self._ask_strip()

    def _cancel(self) -> None:
        self._requests.cancel()
        self._strip.cancel()
        self._meter.cancel()
        self._weights = None

    @Slot(bool)
    def _refresh(self, ask: bool = True) -> None:
        """Show the state on every control, and ask for its picture."""
        point = self.state.point
        self.panel.show_state(self.state)
        self.stage.mark(float(point.z[self.panel.sliders.current]))
        mean, std = expected_norm(self.state.dim)
        edited = ", moved" if point.edited else ""
        norm = float(np.linalg.norm(point.z))
        self.stage.set_info(
            f"{point.source}{edited} · ‖z‖ {norm:.1f}", f"Length of z; the prior's is {mean:.1f} ± {std:.1f} σ"
        )
        if ask and self.isVisible():
            self._ask()
            self._ask_strip()

    def _ask_strip(self) -> None:
        if self.info is not None and self.isVisible():
            panel = self.panel
            self._strip.set(self.state.point, panel.sliders.current, panel.range.value(), self.info.conditional)

    def _ask(self) -> None:
        """Ask for the point's picture; while z is an image's own encoding, ask for the image anew."""
        if self.info is None:
            return
        self._asked_at = time.monotonic()
        point, image = self.state.point, self._image
        if image is not None and (image.z is None or image.is_at(point)):
            self._requests.ask(image.request(self.info.conditional))
        else:
            self._requests.ask(DecodeRequest(point.z[None], labels_of(point.label, 1, self.info.conditional)))

    @Slot(object)
    def _on_answer(self, result: InferenceResult) -> None:
        if result.error is not None:
            self._tell(result.error)
        if result.images is None:
            return
        self._error = ""
        image, caption = self._image, "decoded"
        if isinstance(result.request, ReconstructRequest):
            if image is None or not self._take_encoding(image, result):
                return
            caption += "" if image.psnr is None else f" · PSNR {image.psnr:.1f} dB"
        elif self.state.point.edited:
            caption += ", moved"
        beside = image is not None and image.is_source_of(self.state.point)
        self.stage.follow_bar.set_weights(result.step, result.taken_at)
        self.stage.show_picture(result.images, image.original if image is not None and beside else None, caption)

    def _tell(self, error: ErrorReport) -> None:
        """Report an error once, not with every picture; a picture that cannot be encoded is let go."""
        if self._image is not None and self._image.z is None:
            self._image = None
        if error.what != self._error:
            self._error = error.what
            self.context.errors.report(error)

    def _take_encoding(self, image: ImageStart, result: InferenceResult) -> bool:
        """Go to a picture's z when it arrives, and along with it while newer weights encode it anew."""
        first = image.z is None
        if not image.take(result) or image.z is None:
            return False
        if first:
            self.state.set_z(image.z, image.image.name, label=image.label)
        elif image.is_at(self.state.point):
            self.state.refresh_z(image.z)
        self._refresh(ask=False)
        self._ask_strip()
        return True

    @Slot(object, object, int)
    def _on_strip(self, images: Images, values: Floats, dimension: int) -> None:
        if dimension == self.panel.sliders.current and dimension < self.state.dim:
            self.stage.show_strip(images, values, dimension, float(self.state.point.z[dimension]))

    @Slot(object)
    def _on_measured(self, stats: DimensionStats) -> None:
        if len(stats.variance) == self.state.dim:
            first = self.panel.sliders.stats is None
            self.panel.sliders.set_stats(stats)
            if first or not self.panel.sliders.busy:
                self.panel.arrange()

    # The user's acts

    @Slot(int)
    def _on_current(self, dimension: int) -> None:
        self.drag.set_current(dimension)
        self._ask_strip()

    @Slot()
    def _on_arranged(self) -> None:
        self._ask_strip()

    @Slot()
    def _next_class(self) -> None:
        self._step_class(1)

    @Slot()
    def _previous_class(self) -> None:
        self._step_class(-1)

    def _step_class(self, by: int) -> None:
        if self.info is not None and self.info.conditional:
            self.panel.picker.step(by)

    @Slot(object)
    def _on_image(self, image: ChosenImage) -> None:
        """Encode a picture; its own class is used where it is known, the chosen one otherwise."""
        self._image = ImageStart.of(image, self.state.point.label)
        self._ask()

    @Slot(float)
    def _on_value_chosen(self, value: float) -> None:
        self.moves.jump(self.panel.sliders.current, value)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome pictures once there is a model."""
        if self.info is not None and self.info.has_encoder and has_image(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Encode the dropped picture."""
        if self.panel.start.take_mime(event.mimeData()):
            event.acceptProposedAction()
