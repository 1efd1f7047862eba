"""The right side of the Explore page: class, seed, start points, arrangement, and the sliders."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFrame, QToolButton, QVBoxLayout, QWidget

from latentlab.core.explore_data import ExploreData, axes_of
from latentlab.core.latent_axes import ATTRIBUTES, CLASSES, DIMENSIONS, SAVED, Axes, bounds_along, steady_bounds
from latentlab.core.latent_state import LatentState
from latentlab.core.latent_stats import DimensionStats
from latentlab.core.messages import Floats, ModelInfo
from latentlab.ui import icons, style
from latentlab.ui.context import AppContext
from latentlab.ui.pages.explore_arrange import Arrangement
from latentlab.ui.pages.explore_directions import DirectionBar, DirectionStore
from latentlab.ui.pages.explore_starts import MoreStarts
from latentlab.ui.widgets.class_picker import ClassPicker, class_names
from latentlab.ui.widgets.elided_label import ElidedLabel
from latentlab.ui.widgets.latent_slider_list import LatentSliderList
from latentlab.ui.widgets.seed_controls import SeedControls
from latentlab.ui.widgets.shortcuts import Keys, click_on_key, on_key
from latentlab.ui.widgets.start_from import StartFrom

WIDTH = 336
EMPTY_SETS = {
    CLASSES: "Directions between classes appear when labelled pictures of the data have been encoded.",
    ATTRIBUTES: "This data has no attributes, or none of its pictures has been encoded yet.",
    SAVED: "No direction is saved yet. Move somewhere, then save the move under a name (Ctrl+D).",
}
NOT_YET = "These directions appear when pictures of the data have been encoded."


class ExplorePanel(QWidget):
    """Controls of a point in latent space. It shows a state and reports wishes; the page acts on them.

    Signals
    -------
    arranged
        Order, folding, range or set of the sliders was changed.
    """

    arranged = Signal()
    reset_wanted = Signal()
    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self, context: AppContext, directions: DirectionStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(WIDTH)
        self.picker = ClassPicker()
        self.seeds = SeedControls()
        self.start = StartFrom(context)
        self.more = MoreStarts(context)
        self.sliders = LatentSliderList()
        self.arrangement = Arrangement(self.sliders)
        self.order, self.fold, self.range = self.arrangement.order, self.arrangement.fold, self.arrangement.range
        self.arrangement.data.setChecked(True)
        self.directions = directions
        self.bar = DirectionBar(directions)
        self.bar.current = self._current_direction
        self.hint = ElidedLabel()
        self.hint.setProperty("role", "muted")
        self.hint.setAccessibleName("Why there are no sliders")
        self.data: ExploreData | None = None
        self.stats: DimensionStats | None = None
        self._bounds: Floats | None = None
        self._dim = 0
        self.reset = self._button("reset", "Reset", "Set all unlocked dimensions to 0, the prior's mean (0)", "0")
        self.undo = self._button("undo", "", "Undo the last move (Ctrl+Z)", QKeySequence.StandardKey.Undo)
        self.redo = self._button("redo", "", "Redo (Ctrl+Shift+Z)", "Ctrl+Shift+Z")
        self._build()
        self._connect()

    def _connect(self) -> None:
        self.reset.clicked.connect(self.reset_wanted)
        self.undo.clicked.connect(self.undo_wanted)
        self.redo.clicked.connect(self.redo_wanted)
        self.arrangement.changed.connect(self._on_arranged)
        self.arrangement.set_changed.connect(self._on_set)
        self.directions.changed.connect(self._on_directions)
        self.sliders.current_changed.connect(self.bar.refresh)
        on_key(self, "Ctrl+D", self._begin_direction)
        on_key(self, "C", self._next_class)
        on_key(self, "Shift+C", self._previous_class)

    def _button(self, icon: str, text: str, tooltip: str, keys: Keys) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        style_ = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if text else Qt.ToolButtonStyle.ToolButtonIconOnly
        button.setToolButtonStyle(style_)
        button.setToolTip(tooltip)
        button.setAccessibleName(tooltip)
        click_on_key(button, keys)
        icons.set_icon(button, icon)
        return button

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(style.SPACING)
        layout.addWidget(self.picker)
        layout.addWidget(self.seeds)
        self.seeds.add_tools(self.reset, self.undo, self.redo)
        self.start.add_more(self.more)
        layout.addWidget(self.start)
        rule = QFrame()
        rule.setProperty("role", "rule")
        rule.setFixedHeight(1)
        layout.addWidget(rule)
        layout.addWidget(self.arrangement)
        layout.addWidget(self.bar)
        layout.addWidget(self.hint)
        layout.addWidget(self.sliders, 1)
        self.bar.hide()
        self.hint.hide()

    # What the page tells

    def set_model(self, info: ModelInfo) -> None:
        """Offer the classes and the dimensions of a model."""
        self.picker.setVisible(info.conditional and info.num_classes > 0)
        self.picker.set_classes(class_names(info.class_names, info.num_classes))
        self.start.set_model(info)
        self.more.set_model(info)
        self.data = self.stats = self._bounds = None
        self._dim = info.latent_dim
        self.arrangement.choose_set(DIMENSIONS)
        self.arrangement.set_model(info)
        self.directions.open(info)

    def show_state(self, state: LatentState) -> None:
        """Show the point and what can be undone."""
        point = state.point
        self.sliders.set_point(point)
        self.picker.set_label(point.label)
        self.seeds.set_seed(point.seed)
        self.undo.setEnabled(state.can_undo)
        self.redo.setEnabled(state.can_redo)

    def set_stats(self, stats: DimensionStats) -> None:
        """Take the use of the dimensions; rows change places only when no hand is in the list."""
        first, self.stats = self.stats is None, stats
        self.sliders.set_stats(stats, self.arrangement.measure)
        if first or not (self.sliders.busy or self.arrangement.settled()):
            self.arrange()

    def set_data(self, data: ExploreData) -> None:
        """Take what is known of the data: ranges, and directions of the set in front."""
        self.data = data
        self.more.set_data(data)
        if self.sliders.busy and self.sliders.axes.kind != DIMENSIONS:
            return  # A direction must not turn under the hand that moves along it.
        self._make_axes()

    # Sets of sliders

    def _make_axes(self) -> None:
        kind = self.arrangement.kind
        axes = axes_of(kind, self._dim, self.data, self.directions.directions)
        if kind != DIMENSIONS or self.sliders.axes.kind != DIMENSIONS:
            if axes.names != self.sliders.axes.names or axes.kind != self.sliders.axes.kind:
                self._bounds = None
            self.sliders.set_axes(axes)
        self._set_bounds(self.sliders.axes)
        self.bar.setVisible(kind == SAVED)
        self.bar.refresh()
        self.hint.setVisible(not len(axes))
        if not len(axes):
            self.hint.setText(EMPTY_SETS.get(kind, NOT_YET))
            self.hint.setToolTip(EMPTY_SETS.get(kind, NOT_YET))
        self.arrangement.apply()

    def _set_bounds(self, axes: Axes) -> None:
        if self.data is not None and len(axes) and self.data.dim == axes.dim:
            self._bounds = steady_bounds(self._bounds, bounds_along(axes, self.data.draws))
        self.sliders.set_bounds(self._bounds, self.arrangement.data.isChecked())

    @Slot(str)
    def _on_set(self, kind: str) -> None:
        if kind == SAVED:
            self.directions.reload()
        self._make_axes()
        self.arranged.emit()

    @Slot()
    def _on_directions(self) -> None:
        if self.arrangement.kind == SAVED:
            self._make_axes()
            self.arranged.emit()

    def _current_direction(self) -> str:
        axes, current = self.sliders.axes, self.sliders.current
        return axes.names[current] if axes.kind == SAVED and current < len(axes) else ""

    @Slot()
    def _begin_direction(self) -> None:
        self.arrangement.choose_set(SAVED)
        self.bar.begin()

    @Slot()
    def _next_class(self) -> None:
        if not self.picker.isHidden():
            self.picker.step(1)

    @Slot()
    def _previous_class(self) -> None:
        if not self.picker.isHidden():
            self.picker.step(-1)

    def arrange(self) -> None:
        """Put the sliders in the order asked for."""
        self.arrangement.apply()

    @Slot()
    def _on_arranged(self) -> None:
        self.sliders.set_bounds(self._bounds, self.arrangement.data.isChecked())
        if self.stats is not None:
            self.sliders.set_stats(self.stats, self.arrangement.measure)
        self.arranged.emit()

    def save_state(self) -> dict[str, object]:
        """Return how the sliders are arranged."""
        return self.arrangement.save_state() | {"temperature": self.seeds.temperature}

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring back what ``save_state`` returned; what is odd is left out."""
        self.arrangement.restore_state({"data": True} | state)
        temperature = state.get("temperature")
        if isinstance(temperature, int | float) and not isinstance(temperature, bool):
            self.seeds.set_temperature(float(temperature))
