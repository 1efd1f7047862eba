"""What the panes below the picture share: a row of controls over a grid of decoded pictures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QSpinBox, QToolButton, QVBoxLayout, QWidget

from latentlab.core.latent_axes import Axes
from latentlab.core.latent_grids import Grid, NamedPoint
from latentlab.core.latent_state import LatentPoint
from latentlab.core.messages import Images
from latentlab.ui import icons, style
from latentlab.ui.views.picture import PictureView
from latentlab.ui.widgets.elided_label import ElidedLabel
from latentlab.ui.widgets.segments import Squeezable
from latentlab.ui.widgets.shortcuts import LettersPass

HERE = "here"
COMBO_LEAST, SPIN_LEAST = 68, 84


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """What a grid can be made of.

    Attributes
    ----------
    point
        Where the picture is.
    axes, order, current, spans
        The sliders: what they move, in which order they stand, the current one, and the range of each in sigma.
    choices
        Points by name: here, the origin, seeds, class means, saved points.
    class_names
        Of a conditional model.
    """

    point: LatentPoint
    axes: Axes
    order: Sequence[int]
    current: int
    spans: Sequence[tuple[float, float]]
    choices: Mapping[str, NamedPoint] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()


class GridPane(QWidget):
    """A grid of pictures and its controls. A click on a cell wishes to go there.

    Signals
    -------
    changed
        A control was moved: another grid is wanted.
    chosen
        (z (D,), class, source): go there.
    """

    changed = Signal()
    chosen = Signal(object, int, str)
    title = ""
    tooltip = ""
    name = ""
    view_class: type[PictureView] = PictureView

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = self.view_class()
        self.view.setObjectName(f"{self.name}Grid")
        self.view.setAccessibleName(self.title)
        self.view.clicked.connect(self._on_clicked)
        self.grid: Grid | None = None
        self.images: Images | None = None
        self.label = ElidedLabel()
        self.label.setToolTip(self.tooltip)
        self.label.setAccessibleName(self.tooltip.split("\n")[0])
        self.label.setProperty("role", "muted")
        row = Squeezable()
        self.controls = QHBoxLayout(row)
        self.controls.setContentsMargins(0, 0, 0, 0)
        self.controls.setSpacing(style.SPACING)
        self.make_controls()
        self.controls.addWidget(self.label, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(row)
        layout.addWidget(self.view, 1)

    # What a pane overrides

    def make_controls(self) -> None:
        """Fill ``controls``."""

    def set_scene(self, scene: Scene) -> None:
        """Offer what the scene offers."""

    @abstractmethod
    def key(self, scene: Scene) -> object:
        """Return what the grid depends on; equal keys, equal grids."""

    @abstractmethod
    def build(self, scene: Scene) -> Grid | None:
        """Return the grid to decode; None where there is none, the label says why."""

    def mark(self, scene: Scene) -> None:
        """Mark where the present point is in the grid that is shown."""

    # What all do

    def show_grid(self, images: Images, grid: Grid) -> None:
        """Show the decoded cells."""
        self.grid, self.images = grid, images
        self.view.set_images(
            images,
            columns=grid.columns,
            captions=grid.captions or None,
            row_labels=grid.rows or None,
            column_labels=grid.heads or None,
            highlight=grid.marked,
        )

    def clear(self, message: str = "") -> None:
        """Show nothing, and why."""
        self.grid = self.images = None
        self.view.clear(message)

    def save_state(self) -> dict[str, object]:
        """Return what the controls are set to."""
        state: dict[str, object] = {}
        for spin in self.findChildren(QSpinBox):
            state[spin.objectName()] = spin.value()
        return state

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring back what ``save_state`` returned; what is odd is left out."""
        for spin in self.findChildren(QSpinBox):
            value = state.get(spin.objectName())
            if isinstance(value, int) and not isinstance(value, bool):
                with QSignalBlocker(spin):
                    spin.setValue(value)

    @Slot(int)
    def _on_clicked(self, index: int) -> None:
        if self.grid is not None and 0 <= index < len(self.grid.z):
            self.chosen.emit(self.grid.z[index], int(self.grid.labels[index]), self.grid.source)

    @Slot()
    def tell_changed(self) -> None:
        """Say that a control was moved. A slot: controls of every kind connect to it."""
        self.changed.emit()

    # Parts

    def spin(self, name: str, low: int, high: int, value: int, suffix: str, tooltip: str) -> QSpinBox:
        """Return a number field that changes the grid, placed in the controls."""
        spin = QSpinBox()
        spin.setObjectName(f"{self.name}{name}")
        spin.setRange(low, high)
        spin.setValue(value)
        spin.setSuffix(suffix)
        spin.setAccessibleName(tooltip)
        spin.setToolTip(tooltip)
        spin.valueChanged.connect(self.tell_changed)
        spin.setMinimumWidth(SPIN_LEAST)
        LettersPass(spin)
        self.controls.addWidget(spin)
        return spin

    def combo(self, name: str, tooltip: str, items: Sequence[tuple[str, object]] = ()) -> QComboBox:
        """Return a list to choose from that changes the grid, placed in the controls."""
        combo = QComboBox()
        combo.setObjectName(f"{self.name}{name}")
        combo.setAccessibleName(tooltip)
        combo.setToolTip(tooltip)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(5)
        combo.setMinimumWidth(COMBO_LEAST)
        combo.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        for text, data in items:
            combo.addItem(text, data)
        combo.activated.connect(self.tell_changed)
        self.controls.addWidget(combo)
        return combo

    def path_combo(self) -> QComboBox:
        """Return the choice between the great arc and the straight line."""
        tip = "slerp: along the sphere on which the prior's points lie, lengths in step\nlerp: on a straight line"
        combo = self.combo("Path", tip, (("slerp", "slerp"), ("lerp", "lerp")))
        combo.setAccessibleName("Way between the points")
        return combo

    def button(self, icon: str, text: str, tooltip: str) -> QToolButton:
        """Return a button, placed in the controls."""
        button = QToolButton()
        button.setText(text)
        style_ = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if text else Qt.ToolButtonStyle.ToolButtonIconOnly
        button.setToolButtonStyle(style_)
        button.setToolTip(tooltip)
        button.setAccessibleName(tooltip.split("\n")[0])
        icons.set_icon(button, icon)
        self.controls.addWidget(button)
        return button


class PointChoice:
    """A list of the scene's points; keeps its choice by name while the list changes."""

    def __init__(self, combo: QComboBox, wanted: str) -> None:
        self.combo, self.wanted = combo, wanted
        self._names: tuple[str, ...] = ()

    def offer(self, names: Sequence[str]) -> None:
        """Offer these points."""
        if tuple(names) != self._names:
            chosen = self.combo.currentText() or self.wanted
            self._names = tuple(names)
            with QSignalBlocker(self.combo):
                self.combo.clear()
                self.combo.addItems(list(names))
            self.choose(chosen if chosen in names else self.wanted)

    def choose(self, name: str) -> None:
        """Choose a point by name; without such a point, the first."""
        with QSignalBlocker(self.combo):
            self.combo.setCurrentIndex(max(0, self.combo.findText(name)))

    def of(self, scene: Scene) -> NamedPoint:
        """Return the point that is chosen."""
        return scene.choices.get(self.combo.currentText()) or NamedPoint(HERE, scene.point.z, scene.point.label)
