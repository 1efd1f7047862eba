"""The Explore page: move a point through latent space and see it decoded by the newest weights."""

from __future__ import annotations

import time
from typing import ClassVar

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedLayout, QWidget

from latentlab.core.latent_axes import DIMENSIONS
from latentlab.core.latent_nearest import Density
from latentlab.core.latent_state import LatentState, expected_norm
from latentlab.core.messages import (
    Floats,
    Images,
    InferenceResult,
    ModelInfo,
    WeightSnapshot,
)
from latentlab.core.picture_origin import Origin
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.page import Page
from latentlab.ui.page_state import PageState
from latentlab.ui.pages import explore_return
from latentlab.ui.pages.explore_compare import Subject
from latentlab.ui.pages.explore_data import DataWatch
from latentlab.ui.pages.explore_decode import PointDecoder
from latentlab.ui.pages.explore_directions import DirectionStore
from latentlab.ui.pages.explore_drag import DragButton
from latentlab.ui.pages.explore_grids import GridActs
from latentlab.ui.pages.explore_keys import KEY_ROWS
from latentlab.ui.pages.explore_moves import Moves
from latentlab.ui.pages.explore_nearest import OFF_THE_MAP
from latentlab.ui.pages.explore_pane import Scene
from latentlab.ui.pages.explore_panel import ExplorePanel
from latentlab.ui.pages.explore_points import PointStore
from latentlab.ui.pages.explore_scene import Choices, make_scene
from latentlab.ui.pages.explore_stage import ExploreStage
from latentlab.ui.widgets.empty_state import EmptyState
from latentlab.ui.widgets.image_input import ChosenImage, has_image
from latentlab.ui.widgets.splitters import restore_sizes

FOLLOW_EVERY_S = 0.1
QUIET_S = 0.5
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
        self.points = PointStore(context, self)
        self.directions = DirectionStore(context, self)
        self.stage = ExploreStage(context, self.points)
        self.panel = ExplorePanel(context, self.directions)
        self.drag = DragButton()
        self.moves = Moves(self.drag, self)
        self.watch = DataWatch(context, self)
        self._choices = Choices()
        self._density: Density | None = None
        self._weights: object = None
        self._asked_at = self._moved_at = 0.0
        self.decoder = PointDecoder(context, self.moves, self)
        self._subject = Subject(self.moves, self.decoder, self.points)
        self._grid_acts = GridActs(self.stage.lower_area, self._subject, context, self)
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
        self.decoder.pictured.connect(self._on_picture)
        self.decoder.encoded.connect(self._on_encoded)
        self.watch.stats_changed.connect(self._on_stats)
        self.watch.data_changed.connect(self._on_data)
        moves.changed.connect(self._refresh)
        sliders.moved.connect(self._on_slider)
        sliders.gesture_ended.connect(moves.end_gesture)
        sliders.lock_toggled.connect(moves.lock)
        sliders.current_changed.connect(self._on_current)
        panel.seeds.drawn.connect(moves.draw)
        panel.seeds.temperature_changed.connect(moves.rescale)
        panel.picker.chosen.connect(moves.choose_class)
        panel.start.chosen.connect(self._on_image)
        panel.more.image_chosen.connect(self._on_image)
        panel.more.mean_chosen.connect(moves.go_to)
        panel.bar.present_move = self._present_move
        panel.reset_wanted.connect(moves.reset)
        panel.undo_wanted.connect(moves.undo)
        panel.redo_wanted.connect(moves.redo)
        panel.arranged.connect(stage.lower_area.refresh)
        stage.drag_began.connect(moves.begin_drag)
        stage.dragged.connect(moves.drag)
        stage.drag_ended.connect(moves.end_gesture)
        stage.wipe.chosen.connect(self._on_wipe)
        stage.nearest.chosen.connect(moves.go_to)
        stage.nearest.density_changed.connect(self._on_density)
        stage.lower_area.look_through(self.scene)
        self._grid_acts.preview_changed.connect(self._ask)
        self.points.changed.connect(self._offer_wipe)

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
        if weights != self._weights and due and not self.decoder.busy:
            self._weights = weights
            self._ask()
        self.stage.lower_area.follow(weights)
        self.stage.nearest.follow()
        self._compare(weights)
        quiet = time.monotonic() - self._moved_at > QUIET_S
        gallery = self.context.training.gallery.get()[1]
        self.watch.follow(weights, snapshot.info, gallery, self.state.point.label, quiet)
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

    def key_rows(self) -> list[tuple[str, str]]:
        """Return the keys of the page for the list of shortcuts."""
        return KEY_ROWS

    def restart(self) -> None:
        """Forget the previous run and follow the new one."""
        self._cancel()
        self.stage.follow_bar.follow.restart()
        self.stage.follow_bar.clear()
        self.info = None
        self.decoder.forget()
        self._show_empty()

    def save_state(self) -> dict[str, object]:
        """Return splitters and the arrangement of the sliders."""
        return {
            "splitter": self.splitter.sizes(),
            "stage": self.stage.save_shares(),
            "lower": self.stage.lower_area.save_state(),
            "nearest": self.stage.nearest_button.isChecked(),
            "sliders": self.panel.save_state(),
        }

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring back what ``save_state`` returned; what is odd is left out."""
        restore_sizes(self.splitter, state.get("splitter"))
        lower = state.get("lower")
        if isinstance(lower, dict):
            self.stage.lower_area.restore_state(lower)
        self.stage.nearest_button.setChecked(state.get("nearest") is not False)
        self.stage.restore_shares(state.get("stage"))
        sliders = state.get("sliders")
        if isinstance(sliders, dict):
            self.panel.restore_state(sliders)

    def close_down(self) -> None:
        """Ask for nothing more."""
        self._cancel()
        self.watch.watch(False)
        self.watch.close()

    def showEvent(self, event: QShowEvent) -> None:
        """Decode again: the weights may have moved while the page was hidden."""
        super().showEvent(event)
        self._weights, self._asked_at = None, 0.0
        self.watch.watch(True)
        self.tick()
        self.stage.lower_area.refresh()
        self.stage.nearest.set_point(self.state.point.z)

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the device to visible pages."""
        super().hideEvent(event)
        self.watch.watch(False)
        self._cancel()

    def set_point(self, z: Floats, label: int | None = None, source: str = "another page") -> None:
        """Go to ``z`` (D,) and class ``label``, as when a cell of another page is clicked."""
        snapshot = self.stage.follow_bar.follow.newest()[1]
        if snapshot is not None and self.info is not snapshot.info:
            self._start_with(snapshot)
        if self.info is not None and len(z) == self.state.dim:
            self.state.set_z(z, source, label=label)
            self._refresh()

    def picture_state(self) -> PageState:
        """Return what brings an exported picture of this page back."""
        return explore_return.picture_state(self)

    def bring_back(self, origin: Origin) -> None:
        """Show what an exported picture was made of."""
        explore_return.bring_back(self, origin)

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
        self.decoder.forget()
        self.stage.picture.clear("Decoding…")
        self._start_panes(snapshot.info)
        self._refresh(ask=False)
        self.panel.arrange()
        self._asked_at = 0.0
        self.stage.lower_area.refresh()

    def _start_panes(self, info: ModelInfo) -> None:
        """Let everything beside the picture begin with another model."""
        self.watch.restart()
        self.points.open(info)
        self.stage.lower_area.set_conditional(info.conditional)
        self.stage.set_shape(info.image_shape)
        self.stage.nearest.clear()
        self.stage.nearest_button.setEnabled(info.has_encoder)
        self.stage.nearest.setVisible(info.has_encoder and self.stage.nearest_button.isChecked())
        self.stage.wipe.set_target("")
        self._offer_wipe()
        self.drag.restart(self.state.dim)
        self.panel.set_model(info)

    def _cancel(self) -> None:
        self.decoder.cancel()
        self.stage.lower_area.cancel()
        self.watch.cancel()
        self._weights = None

    def scene(self) -> Scene | None:
        """Return what grids can be made of, or None while there is no model."""
        if self.info is None or self.panel.sliders.dim != self.state.dim:
            return None
        choices = self._choices.of(self.state.point, self.panel.data, self.points.points)
        names = self.info.class_names if self.info.conditional else ()
        return make_scene(self.state.point, self.panel.sliders, choices, names)

    @Slot(bool)
    def _refresh(self, ask: bool = True) -> None:
        """Show the state on every control, and ask for its picture."""
        self._moved_at = time.monotonic()
        if ask and self.isVisible():
            self._ask()  # First of all: the picture is made while the rest is drawn.
        self.panel.show_state(self.state)
        self._say_where()
        self.stage.lower_area.refresh()
        self.stage.nearest.set_point(self.state.point.z)
        self._compare(self._weights)

    def _say_where(self) -> None:
        point = self.state.point
        mean, std = expected_norm(self.state.dim)
        edited = ", moved" if point.edited else ""
        norm = float(np.linalg.norm(point.z))
        off = f" · {OFF_THE_MAP}" if self._density is not None and self._density.off_map else ""
        self.stage.set_info(
            f"{point.source}{edited} · ‖z‖ {norm:.1f}{off}", f"Length of z; the prior's is {mean:.1f} ± {std:.1f} σ"
        )

    def _compare(self, weights: object) -> None:
        """Keep the picture under the wipe's line."""
        if self.info is not None:
            self.stage.comparison.update(self._subject, weights, self.info.conditional)

    @Slot()
    def _ask(self) -> None:
        """Ask for the point's picture."""
        if self.info is not None:
            self._asked_at = time.monotonic()
            self.decoder.ask(self.info.conditional)

    @Slot(object, object, str)
    def _on_picture(self, result: InferenceResult, original: Images | None, caption: str) -> None:
        assert result.images is not None  # The decoder passes on only answers with a picture.
        self.stage.follow_bar.set_weights(result.step, result.taken_at)
        self.stage.show_picture(result.images, original, caption)

    @Slot()
    def _on_encoded(self) -> None:
        """Show where the encoder puts the picture that was brought."""
        self._refresh(ask=False)
        self._offer_wipe()

    @Slot()
    def _on_stats(self) -> None:
        if self.watch.stats is not None and len(self.watch.stats.variance) == self.state.dim:
            self.panel.set_stats(self.watch.stats)

    @Slot()
    def _on_data(self) -> None:
        if self.watch.data is not None and self.watch.data.dim == self.state.dim:
            self.panel.set_data(self.watch.data)
            self.stage.lower_area.refresh()

    @Slot(object)
    def _on_density(self, density: Density | None) -> None:
        self._density = density
        self._say_where()

    @Slot()
    def _offer_wipe(self) -> None:
        self.stage.wipe.offer(self.points.points, self.decoder.original is not None)

    # The user's acts

    @Slot(int, float)
    def _on_slider(self, axis: int, value: float) -> None:
        self.moves.move(self.panel.sliders.axes, axis, value)

    @Slot(int)
    def _on_current(self, axis: int) -> None:
        if self.panel.sliders.axes.kind == DIMENSIONS:
            self.drag.set_current(axis)
        self.stage.lower_area.refresh()

    @Slot(str)
    def _on_wipe(self, _target: str) -> None:
        self._compare(self._weights)
        self._ask()  # The original is beside the picture only while it is not under it.

    def _present_move(self) -> Floats | None:
        """Return where the present move led, from where it began: what can be saved as a direction."""
        point = self.state.point
        return point.z - self.state.origin_of_move.z if point.edited else None

    @Slot(object)
    def _on_image(self, image: ChosenImage) -> None:
        """Encode a picture; its own class is used where it is known, the chosen one otherwise."""
        self.decoder.begin(image)
        self._ask()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome pictures once there is a model."""
        if self.info is not None and self.info.has_encoder and has_image(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Encode the dropped picture."""
        if self.panel.start.take_mime(event.mimeData()):
            event.acceptProposedAction()
