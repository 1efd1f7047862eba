"""Which sliders there are, in which order, over which range, and how to find one."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QGridLayout, QLineEdit, QSizePolicy, QToolButton, QWidget

from latentlab.core.latent_axes import ATTRIBUTES, CLASSES, DIMENSIONS, PRINCIPAL, SAVED
from latentlab.core.latent_stats import BY_CHANGE, BY_KL, BY_VARIANCE
from latentlab.core.messages import ModelInfo
from latentlab.ui import style
from latentlab.ui.widgets.latent_slider_list import LatentSliderList
from latentlab.ui.widgets.shortcuts import LettersPass, on_key

BY_INDEX = "index"
LEAST_COMBO = 110
ORDERS = ((BY_INDEX, "By index"), (BY_KL, "By KL"), (BY_VARIANCE, "By variance"), (BY_CHANGE, "By change"))
SETS = (
    (DIMENSIONS, "Dimensions", "one slider for each latent dimension"),
    (PRINCIPAL, "Principal", "along the principal directions (PCA) of the encoded data"),
    (CLASSES, "Classes", "from the other classes towards one"),
    (ATTRIBUTES, "Attributes", "from images without an attribute towards those with it"),
    (SAVED, "Saved", "directions that were saved with this run (Ctrl+D saves the present move)"),
)
SETS_TIP = "What the sliders move (S: next)\n" + "\n".join(f"{title}: {what}" for _, title, what in SETS)
ORDER = (
    "Order of the sliders; dimensions that are used come before dead ones\n"
    "By KL: divergence from the prior over encoded images, in nats (variance, where the model has none)\n"
    "By variance: of the mean of q(z|x) over images, in σ²\n"
    "By change: of the picture from −1 σ to +1 σ, measured in the background"
)
FOLD = "Hide dimensions whose mean hardly varies over images (variance of at most 0.01 σ²)"
DATA = "Range of each slider from the data: 0.5 % to 99.5 % of the aggregate posterior, and a little more"
NO_USE = "This model has no encoder, so that no image tells how much a dimension is used."
FIND = "Find sliders by number or name: 7, 10-20, or part of a name (/). Escape shows all"


def matches(name: str, text: str) -> bool:
    """Whether a slider is what was looked for: part of its name, its number, or a range such as ``3-9``."""
    name, digits = name.casefold(), "".join(c for c in name if c.isdigit())
    for wanted in (part.strip().casefold() for part in text.split(",")):
        low, _, high = wanted.removeprefix("z").partition("-")
        if low.isdigit() and (not high or high.removeprefix("z").isdigit()):
            last = high.removeprefix("z") or low
            if digits and int(low) <= int(digits) <= int(last):
                return True
        elif wanted and wanted in name:
            return True
    return False


class Arrangement(QWidget):
    """The controls above the sliders, and what they make of the list.

    Signals
    -------
    changed
        Order, folding, range or search was changed by hand.
    set_changed
        Another set of sliders was chosen: one of ``latent_axes.KINDS``.
    """

    changed = Signal()
    set_changed = Signal(str)

    def __init__(self, sliders: LatentSliderList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sliders = sliders
        self.sets = self._combo("sliderSet", "Set of sliders", SETS_TIP)
        for kind, title, _ in SETS:
            self.sets.addItem(title, kind)
        self.find_field = QLineEdit()
        self.find_field.setObjectName("findSlider")
        self.find_field.setPlaceholderText("find")
        self.find_field.setClearButtonEnabled(True)
        for button in self.find_field.findChildren(QToolButton):  # The cross that empties the field.
            button.setToolTip("Show all sliders again (Escape)")
            button.setAccessibleName("Show all sliders again")
        self.find_field.setAccessibleName("Find a slider")
        self.find_field.setToolTip(FIND)
        self.order = self._combo("sliderOrder", "Order of the dimensions", ORDER)
        for by, title in ORDERS:
            self.order.addItem(title, by)
        self.order.setCurrentIndex(1)
        self.fold = self._chip("Fold dead", "Fold dead dimensions away", FOLD)
        self.data = self._chip("Data range", "Range of the sliders from the data", DATA)
        self.range = QDoubleSpinBox()
        self._make_range()
        self._build()
        self._connect()

    def _combo(self, name: str, accessible: str, tooltip: str) -> QComboBox:
        combo = QComboBox()
        combo.setObjectName(name)
        combo.setAccessibleName(accessible)
        combo.setToolTip(tooltip)
        combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        combo.setMinimumWidth(LEAST_COMBO)
        return combo

    def _chip(self, text: str, accessible: str, tooltip: str) -> QToolButton:
        chip = QToolButton()
        chip.setText(text)
        chip.setCheckable(True)
        chip.setProperty("kind", "chip")
        chip.setAccessibleName(accessible)
        chip.setToolTip(tooltip)
        chip.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        return chip

    def _make_range(self) -> None:
        self.range.setRange(0.5, 10.0)
        self.range.setSingleStep(0.5)
        self.range.setDecimals(1)
        self.range.setValue(3.0)
        self.range.setPrefix("±")
        self.range.setSuffix(" σ")
        self.range.setAccessibleName("Range of the sliders")
        self.range.setToolTip("Range of the sliders and of the strip, in standard deviations (σ) of the prior")
        LettersPass(self.range)

    def _build(self) -> None:
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(style.SPACING)
        layout.addWidget(self.sets, 0, 0)
        layout.addWidget(self.find_field, 0, 1)
        layout.addWidget(self.range, 0, 2)
        layout.addWidget(self.order, 1, 0)
        layout.addWidget(self.fold, 1, 1)
        layout.addWidget(self.data, 1, 2)
        for column, stretch in enumerate((5, 4, 4)):
            layout.setColumnStretch(column, stretch)

    def _connect(self) -> None:
        self.sets.activated.connect(self._on_set)
        self.order.currentIndexChanged.connect(self._on_changed)
        self.fold.toggled.connect(self._on_changed)
        self.data.toggled.connect(self._on_changed)
        self.range.valueChanged.connect(self._on_changed)
        self.find_field.textChanged.connect(self._on_changed)
        self.find_field.returnPressed.connect(self._on_found)
        on_key(self, "/", self._begin_find)
        on_key(self, "S", self.next_set)
        escape = on_key(self.find_field, "Escape", self._end_find)
        escape.setContext(Qt.ShortcutContext.WidgetShortcut)

    @property
    def kind(self) -> str:
        """The set of sliders that is chosen."""
        return str(self.sets.currentData())

    def choose_set(self, kind: str) -> None:
        """Choose a set of sliders."""
        place = self.sets.findData(kind)
        if place >= 0 and place != self.sets.currentIndex():
            self.sets.setCurrentIndex(place)
            self._on_set()

    def set_model(self, info: ModelInfo) -> None:
        """Offer what the model can be asked; without an encoder nothing is known of its dimensions."""
        for widget, tooltip in ((self.order, ORDER), (self.fold, FOLD), (self.data, DATA)):
            widget.setToolTip(tooltip if info.has_encoder else f"{tooltip}\n{NO_USE}")
            widget.setEnabled(info.has_encoder)

    def apply(self) -> None:
        """Put the sliders in the order asked for, with what is known about them."""
        sliders = self._sliders
        sliders.set_limit(self.range.value())
        dims = list(range(len(sliders.axes)))
        dimensions = sliders.axes.kind == DIMENSIONS
        self.order.setVisible(dimensions)
        self.fold.setVisible(dimensions)
        if dimensions:
            dims = self._ordered(dims)
        if self.find_field.text().strip():
            dims = [d for d in dims if matches(sliders.axes.names[d], self.find_field.text())]
        if dims != sliders.order:
            sliders.set_order(dims)

    def settled(self) -> bool:
        """Whether the rows may stay where they are though newer measures are known."""
        stats, by, order = self._sliders.stats, str(self.order.currentData()), self._sliders.order
        if stats is None or self._sliders.axes.kind != DIMENSIONS or by == BY_INDEX or self.fold.isChecked():
            return False
        return len(order) == len(stats.variance) and stats.agrees(order, by)

    def _ordered(self, dims: list[int]) -> list[int]:
        stats = self._sliders.stats
        if stats is None or len(stats.variance) != len(dims):
            self.fold.setText("Fold dead")
            return dims
        by = str(self.order.currentData())
        dims = dims if by == BY_INDEX else [int(d) for d in stats.order(by)]
        dead = len(dims) - int(stats.active.sum())
        if self.fold.isChecked():
            dims = [d for d in dims if stats.active[d] or d == self._sliders.current]
        self.fold.setText(f"Fold dead ({dead})")
        self.fold.setEnabled(dead > 0 or self.fold.isChecked())
        return dims

    @property
    def measure(self) -> str:
        """What the bars under the names show: what the order is by, KL for the order of the index."""
        by = str(self.order.currentData())
        return BY_KL if by == BY_INDEX else by

    @Slot()
    def next_set(self) -> None:
        """Choose the next set of sliders."""
        self.sets.setCurrentIndex((self.sets.currentIndex() + 1) % self.sets.count())
        self._on_set()

    @Slot()
    def _on_set(self) -> None:
        with QSignalBlocker(self.find_field):
            self.find_field.clear()
        self.set_changed.emit(self.kind)

    @Slot()
    def _on_changed(self) -> None:
        self.apply()
        self.changed.emit()

    @Slot()
    def _begin_find(self) -> None:
        self.find_field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.find_field.selectAll()

    @Slot()
    def _on_found(self) -> None:
        if self._sliders.order:
            self._sliders.focus_dimension(self._sliders.order[0])

    @Slot()
    def _end_find(self) -> None:
        current = self._sliders.current
        self.find_field.clear()
        self._sliders.focus_dimension(current)

    def save_state(self) -> dict[str, object]:
        """Return how the sliders are arranged."""
        return {
            "order": self.order.currentData(),
            "fold": self.fold.isChecked(),
            "data": self.data.isChecked(),
            "range": self.range.value(),
        }

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring back what ``save_state`` returned; what is odd is left out."""
        order, limit = state.get("order"), state.get("range")
        if isinstance(order, str) and self.order.findData(order) >= 0:
            self.order.setCurrentIndex(self.order.findData(order))
        self.fold.setChecked(state.get("fold") is True)
        self.data.setChecked(state.get("data") is True)
        if isinstance(limit, int | float) and not isinstance(limit, bool):
            self.range.setValue(float(limit))
