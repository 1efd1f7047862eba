"""The right side of the Explore page: class, seed, start points, order, and a slider per dimension."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.latent_state import LatentState
from latentlab.core.messages import ModelInfo
from latentlab.ui import icons, style
from latentlab.ui.context import AppContext
from latentlab.ui.widgets.class_picker import ClassPicker, class_names
from latentlab.ui.widgets.latent_slider_list import LatentSliderList
from latentlab.ui.widgets.seed_controls import SeedControls
from latentlab.ui.widgets.shortcuts import Keys, LettersPass, click_on_key
from latentlab.ui.widgets.start_from import StartFrom

WIDTH = 336
BY_INDEX, BY_USE = "By index", "By use"
ORDER = (
    "Order of the sliders. By use: dimensions that encoded images spread along most come first\n"
    "(KL in nats, where the model has one, else the variance of the mean in σ²)"
)
FOLD = "Hide dimensions whose mean hardly varies over images (variance of at most 0.01 σ²)"
NO_USE = "This model has no encoder, so that no image tells how much a dimension is used."


class ExplorePanel(QWidget):
    """Controls of a point in latent space. It shows a state and reports wishes; the page acts on them.

    Signals
    -------
    arranged
        Order, folding or range of the sliders was changed.
    """

    arranged = Signal()
    reset_wanted = Signal()
    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(WIDTH)
        self.picker = ClassPicker()
        self.seeds = SeedControls()
        self.start = StartFrom(context)
        self.sliders = LatentSliderList()
        self.reset = self._button("reset", "Reset", "Set all unlocked dimensions to 0, the prior's mean (0)", "0")
        self.undo = self._button("undo", "", "Undo the last move (Ctrl+Z)", QKeySequence.StandardKey.Undo)
        self.redo = self._button("redo", "", "Redo (Ctrl+Shift+Z)", "Ctrl+Shift+Z")
        self.reset.clicked.connect(self.reset_wanted)
        self.undo.clicked.connect(self.undo_wanted)
        self.redo.clicked.connect(self.redo_wanted)
        self._make_arrangement()
        self._build()

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

    def _make_arrangement(self) -> None:
        self.order = QComboBox()
        self.order.addItems([BY_INDEX, BY_USE])
        self.order.setAccessibleName("Order of the dimensions")
        self.order.setToolTip(ORDER)
        self.fold = QToolButton()
        self.fold.setText("Fold dead")
        self.fold.setCheckable(True)
        self.fold.setProperty("kind", "chip")
        self.fold.setAccessibleName("Fold dead dimensions away")
        self.fold.setToolTip(FOLD)
        self.range = QDoubleSpinBox()
        self.range.setRange(0.5, 10.0)
        self.range.setSingleStep(0.5)
        self.range.setDecimals(1)
        self.range.setValue(3.0)
        self.range.setPrefix("±")
        self.range.setSuffix(" σ")
        self.range.setAccessibleName("Range of the sliders")
        self.range.setToolTip("Range of the sliders and of the strip, in standard deviations (σ) of the prior")
        LettersPass(self.range)
        self.order.currentIndexChanged.connect(self._on_arranged)
        self.fold.toggled.connect(self._on_arranged)
        self.range.valueChanged.connect(self._on_arranged)

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(style.SPACING)
        layout.addWidget(self.picker)
        layout.addWidget(self.seeds)
        self.seeds.add_tools(self.reset, self.undo, self.redo)
        layout.addWidget(self.start)
        rule = QFrame()
        rule.setProperty("role", "rule")
        rule.setFixedHeight(1)
        layout.addWidget(rule)
        row = QHBoxLayout()
        row.setSpacing(style.SPACING)
        for widget in (self.order, self.fold):
            widget.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.range)
        layout.addLayout(row)
        layout.addWidget(self.sliders, 1)

    def set_model(self, info: ModelInfo) -> None:
        """Offer the classes and the dimensions of a model."""
        self.picker.setVisible(info.conditional and info.num_classes > 0)
        self.picker.set_classes(class_names(info.class_names, info.num_classes))
        self.start.set_model(info)
        for widget, tooltip in ((self.order, ORDER), (self.fold, FOLD)):
            widget.setToolTip(tooltip if info.has_encoder else f"{tooltip}\n{NO_USE}")
            widget.setEnabled(info.has_encoder)

    def show_state(self, state: LatentState) -> None:
        """Show the point and what can be undone."""
        point = state.point
        self.sliders.set_point(point)
        self.picker.set_label(point.label)
        self.seeds.set_seed(point.seed)
        self.undo.setEnabled(state.can_undo)
        self.redo.setEnabled(state.can_redo)

    def arrange(self) -> None:
        """Put the sliders in the order asked for, with what is known about the dimensions."""
        sliders = self.sliders
        sliders.set_limit(self.range.value())
        stats = sliders.stats
        if stats is not None and len(stats.variance) == sliders.dim:
            dims = stats.order() if self.order.currentText() == BY_USE else range(sliders.dim)
            dead = sliders.dim - int(stats.active.sum())
            if self.fold.isChecked():
                dims = [d for d in dims if stats.active[d] or d == sliders.current]
            self.fold.setText(f"Fold dead ({dead})")
            self.fold.setEnabled(dead > 0 or self.fold.isChecked())
        else:
            dims = range(sliders.dim)
            self.fold.setText("Fold dead")
        order = [int(d) for d in dims]
        if order != sliders.order:
            sliders.set_order(order)

    @Slot()
    def _on_arranged(self) -> None:
        self.arrange()
        self.arranged.emit()

    def save_state(self) -> dict[str, object]:
        """Return how the sliders are arranged."""
        return {
            "order": self.order.currentText(),
            "fold": self.fold.isChecked(),
            "range": self.range.value(),
            "temperature": self.seeds.temperature,
        }

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring back what ``save_state`` returned; what is odd is left out."""
        order, limit, temperature = state.get("order"), state.get("range"), state.get("temperature")
        if isinstance(order, str) and self.order.findText(order) >= 0:
            self.order.setCurrentText(order)
        self.fold.setChecked(state.get("fold") is True)
        if isinstance(limit, int | float) and not isinstance(limit, bool):
            self.range.setValue(float(limit))
        if isinstance(temperature, int | float) and not isinstance(temperature, bool):
            self.seeds.set_temperature(float(temperature))
