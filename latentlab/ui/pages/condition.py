"""The Condition page: the same styles in every class, mixture or attribute, decoded by the newest weights."""

from __future__ import annotations

import time
from typing import ClassVar

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from latentlab.core.messages import DecodeRequest, Floats, Images, InferenceResult, ModelInfo, WeightSnapshot
from latentlab.core.picture_origin import Origin
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.page import Page
from latentlab.ui.page_state import PageState
from latentlab.ui.pages import condition_state
from latentlab.ui.pages.condition_cells import CellsView
from latentlab.ui.pages.condition_grid import StyleGrid, style_grid
from latentlab.ui.pages.condition_panel import ConditionPanel
from latentlab.ui.pages.condition_state import columns_of
from latentlab.ui.widgets.empty_state import EmptyState
from latentlab.ui.widgets.image_input import ChosenImage, has_image
from latentlab.ui.widgets.image_start import ImageStart
from latentlab.ui.widgets.pane_requests import PaneRequests
from latentlab.ui.widgets.shortcuts import on_key
from latentlab.ui.widgets.splitters import restore_sizes
from latentlab.ui.widgets.weights_follow import FollowBar

FOLLOW_EVERY_S = 0.25
WAITING = "Nothing to show yet. Train a class-conditional model, such as the recipe cvae-digits, or open a run of one."
PREPARING = "The training is getting ready. Its first weights are decoded here as soon as there are any."
UNCONDITIONAL = (
    "This model does not know classes, and its data no attributes: its decoder sees z only. The recipe cvae-digits "
    "trains one that does."
)


class ConditionPage(Page):
    """A grid of styles by classes or attributes, and one cell of it large, which can be opened on the Explore page."""

    object_name: ClassVar[str] = "conditionPage"
    title: ClassVar[str] = "Condition"
    icon: ClassVar[str] = "condition"
    tooltip: ClassVar[str] = "See every style in every class of a conditional model"

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.setAcceptDrops(True)
        self.info: ModelInfo | None = None
        self.row = self.label = 0
        self._grid: StyleGrid | None = None
        self._shown: StyleGrid | None = None
        self._pictures: Images | None = None
        self._image: ImageStart | None = None
        self._guesses = False  # Whether the model finds the class of the picture itself.
        self._kept: Floats | None = None  # The style of an exported picture that was come back to.
        self._weights: object = None
        self._asked_at = 0.0
        self._error = ""
        self._requests = PaneRequests(context.inference, "condition", self)
        self._encoding = PaneRequests(context.inference, "condition.encode", self)
        self.grid = CellsView()
        self.follow_bar = FollowBar(context)
        self.panel = ConditionPanel(context)
        self._build()
        self._connect()

    def _build(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.grid, 1)
        column.addWidget(self.follow_bar)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("conditionSplitter")
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.panel)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes([700, 340])
        content = QWidget()
        row = QHBoxLayout(content)
        row.setContentsMargins(style.SPACING, style.SPACING, style.SPACING, style.SPACING)
        row.addWidget(self.splitter)
        self.empty = EmptyState(WAITING, "Choose a recipe", lambda: self.context.choose_recipe(), "condition")
        self.stack = QStackedLayout(self)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(content)

    def _connect(self) -> None:
        panel = self.panel
        self._requests.answered.connect(self._on_answer)
        self._encoding.answered.connect(self._on_encoded)
        self.grid.clicked.connect(self._on_cell)
        self.grid.walked.connect(self._on_walked)
        self.grid.opened.connect(self.open_in_explore)
        panel.picker.chosen.connect(self._on_label)
        panel.mixture.changed.connect(self._on_mixture)
        panel.attributes.changed.connect(self._on_styles)
        panel.seeds.drawn.connect(self._on_styles)
        panel.seeds.temperature_changed.connect(self._on_styles)
        panel.styles.valueChanged.connect(self._on_styles)
        panel.start.chosen.connect(self._on_image)
        panel.image_dropped.connect(self._on_image_dropped)
        panel.explore_wanted.connect(self.open_in_explore)
        on_key(self, "C", self._next_class)
        on_key(self, "Shift+C", self._previous_class)

    # The window's hooks

    def tick(self) -> None:
        """Decode the grid again when there are newer weights."""
        weights, snapshot = self.follow_bar.follow.newest()
        if snapshot is None:
            self._show_empty(WAITING)
            return
        if self.info is not snapshot.info:
            self._start_with(snapshot)
        if not self._usable(snapshot.info):
            return
        self.panel.attributes.tick(snapshot.info)
        due = time.monotonic() - self._asked_at >= FOLLOW_EVERY_S
        if weights != self._weights and due and not self._requests.busy:
            self._weights = weights
            self._encode()
            self._ask()
        self.follow_bar.tick()

    def _usable(self, info: ModelInfo) -> bool:
        """Whether there is anything to condition on."""
        return info.conditional or self.panel.attributes.usable

    def _show_empty(self, text: str) -> None:
        """Say what to do, or what is being waited for."""
        preparing = text == WAITING and self.context.training.state.active
        self.empty.set_text(PREPARING if preparing else text)
        self.empty.button.setVisible(not preparing)
        self.stack.setCurrentIndex(0)

    def status_text(self) -> str:
        """Return the age of the weights behind the grid."""
        return self.follow_bar.text()

    def restart(self) -> None:
        """Forget the previous run and follow the new one."""
        self._cancel()
        self.follow_bar.follow.restart()
        self.follow_bar.clear()
        self.info = self._grid = self._shown = None
        self._forget_image()
        self._show_empty(WAITING)

    def save_state(self) -> dict[str, object]:
        """Return the splitter, the number of styles and the temperature."""
        panel = self.panel
        styles, temperature = panel.styles.value(), panel.seeds.temperature
        return {"splitter": self.splitter.sizes(), "styles": styles, "temperature": temperature}

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring back what ``save_state`` returned; what is odd is left out."""
        sizes, styles, temperature = state.get("splitter"), state.get("styles"), state.get("temperature")
        restore_sizes(self.splitter, sizes)
        if type(styles) is int:
            self.panel.styles.setValue(styles)
        if isinstance(temperature, float):
            self.panel.seeds.set_temperature(temperature)

    def close_down(self) -> None:
        """Ask for nothing more."""
        self._cancel()

    def showEvent(self, event: QShowEvent) -> None:
        """Decode again: the weights may have moved while the page was hidden."""
        super().showEvent(event)
        self.panel.attributes.watch(True)
        self._weights, self._asked_at = None, 0.0
        self.tick()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the device to visible pages."""
        super().hideEvent(event)
        self.panel.attributes.watch(False)
        self._cancel()

    # Asking and showing

    def _start_with(self, snapshot: WeightSnapshot) -> None:
        before, self.info = self.info, snapshot.info
        if before is not None and before == snapshot.info:
            return
        self._cancel()
        self._forget_image()
        self.row = self.label = 0
        self._grid = self._shown = None
        self.panel.set_model(snapshot.info)
        if not self._usable(snapshot.info):
            self._show_empty(UNCONDITIONAL)
            return
        self.panel.attributes.watch(self.isVisible())
        self.grid.clear("Decoding…")
        self.panel.picture.clear()
        self.stack.setCurrentIndex(1)

    def _cancel(self) -> None:
        self._requests.cancel()
        self._encoding.cancel()
        self.panel.mixture.cancel()
        self._weights = None

    def _forget_image(self) -> None:
        self._image = self._kept = None
        self.panel.drop.setVisible(False)
        self.panel.mixture.show_prediction(None)

    def _ask(self) -> None:
        """Ask for the whole grid."""
        info, panel = self.info, self.panel
        if info is None or not self._usable(info) or not self.isVisible():
            return
        self._asked_at = time.monotonic()
        grid = style_grid(
            info.latent_dim,
            columns_of(info, panel),
            panel.styles.value(),
            panel.seeds.seed.value(),
            panel.seeds.temperature,
            self._kept if self._image is None else self._image.z,
            "your picture",
            conditional=info.conditional,
        )
        self._grid = grid.shifted(panel.attributes.shift())
        self._requests.ask(self._grid.request())

    def _encode(self) -> None:
        """Ask for the picture's z by the newest weights."""
        if self._image is not None and self.info is not None and self.isVisible():
            self._encoding.ask(self._image.request(conditional=self.info.conditional and not self._guesses))

    @Slot(object)
    def _on_answer(self, result: InferenceResult) -> None:
        grid, info = self._grid, self.info
        if result.error is not None:
            self._tell(result)
        if result.images is None or grid is None or info is None or not isinstance(result.request, DecodeRequest):
            return
        self._error = ""
        if len(result.images) != grid.cells:  # A grid of another size is on its way.
            return
        self._shown, self._pictures = grid, result.images
        self.follow_bar.set_weights(result.step, result.taken_at)
        self.row, self.label = min(self.row, len(grid.z) - 1), min(self.label, grid.classes - 1)
        self.grid.set_images(
            result.images,
            columns=grid.classes,
            row_labels=grid.names,
            column_labels=[column.name for column in grid.columns],
            highlight=self.row * grid.classes + self.label,
        )
        self._show_cell()

    @Slot(object)
    def _on_encoded(self, result: InferenceResult) -> None:
        if result.error is not None:
            self._tell(result)
        image = self._image
        if image is None:
            return
        first = image.z is None
        if image.take(result):
            self.panel.drop.setVisible(True)
            found = result.class_probabilities
            self.panel.mixture.show_prediction(None if found is None else found[0])
            if first:
                if self._guesses and found is not None:
                    image.label = int(found[0].argmax())
                self.row, self.label = 0, image.label
            self._ask()

    def _tell(self, result: InferenceResult) -> None:
        if result.error is not None and result.error.what != self._error:
            self._error = result.error.what
            self.context.errors.report(result.error)

    def _show_cell(self) -> None:
        grid, info, pictures = self._shown, self.info, self._pictures
        if grid is None or info is None or pictures is None:
            return
        index = self.row * grid.classes + self.label
        cell = pictures[index : index + 1]
        name = grid.columns[self.label].name
        image = self._image
        original = image.original if image is not None and image.z is not None and self.row == 0 else None
        self.panel.show_picture(cell, original, name)
        column = grid.columns[self.label]
        plain = info.conditional and column.shares is None
        self.panel.caption.setText(f"{grid.names[self.row]}, {'class ' if plain else ''}{name}")
        if info.conditional:
            self.panel.picker.set_label(column.label)
        self.grid.set_highlight(index)
        self.panel.mixture.decode(grid.z_of(self.row, self.label))

    # The user's acts

    def select(self, row: int, label: int) -> None:
        """Show the cell of a style and a class large."""
        if self._shown is not None:
            self.row = max(0, min(len(self._shown.z) - 1, row))
            self.label = max(0, min(self._shown.classes - 1, label))
            self._show_cell()

    @Slot(int)
    def _on_cell(self, index: int) -> None:
        if self._shown is not None:
            self.grid.setFocus()
            self.select(*self._shown.cell(index))

    @Slot(int, int)
    def _on_walked(self, down: int, right: int) -> None:
        self.select(self.row + down, self.label + right)

    @Slot(int)
    def _on_label(self, label: int) -> None:
        self.select(self.row, label)

    @Slot()
    def _on_mixture(self) -> None:
        """Show the mixture's own column; one class alone is that class's."""
        mixture = self.panel.mixture
        if mixture.shares is None:
            self.label = int(mixture.bars.shares.argmax())
        elif self.info is not None:
            self.label = self.info.num_classes
        self._ask()

    @Slot()
    def _next_class(self) -> None:
        self.panel.picker.step(1)

    @Slot()
    def _previous_class(self) -> None:
        self.panel.picker.step(-1)

    @Slot()
    def _on_styles(self) -> None:
        self._ask()

    @Slot(object)
    def _on_image(self, image: ChosenImage) -> None:
        """Encode a picture; its own class is used where it is known, a guessed or the chosen one otherwise."""
        chosen = self._shown.columns[self.label].label if self._shown is not None else 0
        self._image = ImageStart.of(image, chosen)
        self._guesses = self.info is not None and self.info.kind == "ssvae" and image.label is None
        self._encode()

    @Slot()
    def _on_image_dropped(self) -> None:
        self._forget_image()
        self.row = 0
        self._ask()

    @Slot()
    def open_in_explore(self) -> None:
        """Hand the selected cell to the Explore page."""
        if self._shown is not None:
            z = self._shown.z_of(self.row, self.label).copy()
            self.context.explore_point(z, self._shown.columns[self.label].label)

    # Exported pictures

    def picture_state(self) -> PageState:
        """Return what brings this grid and its chosen cell back."""
        return condition_state.state_of(self.panel, self._shown, self.row, self.label, self._own_style())

    def _own_style(self) -> Floats | None:
        return self._kept if self._image is None else self._image.z

    def bring_back(self, origin: Origin) -> None:
        """Show the grid of an exported picture, with its chosen cell."""
        snapshot = self.follow_bar.follow.newest()[1]
        if snapshot is not None and self.info is not snapshot.info:
            self._start_with(snapshot)
        if self.info is not None and self._usable(self.info):
            self._forget_image()
            self.row, self.label, self._kept = condition_state.bring_back(self.panel, origin, self.info)
            self.panel.drop.setVisible(self._kept is not None)
            self._ask()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome pictures once there is a conditional model that can encode them."""
        known = self.info is not None and self._usable(self.info) and self.info.has_encoder
        if known and has_image(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Show the dropped picture's style in every class."""
        if self.panel.start.take_mime(event.mimeData()):
            event.acceptProposedAction()
