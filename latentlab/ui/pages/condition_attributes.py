"""Attribute toggles: every style moved along the directions that tell images with an attribute from those without."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from latentlab.core.latent_survey import LatentSurvey, attribute_directions
from latentlab.core.messages import Floats, ModelInfo
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.widgets.flow_layout import FlowLayout
from latentlab.ui.widgets.shortcuts import LettersPass

WAITING = "Encoding the data set to find the directions…"
HELP = (
    "Move every style along the attribute, from the mean of the images without it to the mean of those with it\n"
    "Click once to add, again to take away, a third time to leave it alone"
)
SIGNS = {0: "", 1: "+ ", -1: "− "}


class AttributeChips(QWidget):
    """A chip for each attribute of a run's data, with a strength for all.

    Signals
    -------
    changed
        The user toggled an attribute or changed the strength, or directions were found.
    """

    changed = Signal()

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._survey = context.survey
        self._version = -1
        self.names: tuple[str, ...] = ()
        self.signs: list[int] = []
        self.directions: Floats | None = None
        self.note = QLabel(WAITING)
        self.note.setProperty("role", "muted")
        self.strength = QDoubleSpinBox()
        self.strength.setRange(0.1, 5.0)
        self.strength.setSingleStep(0.1)
        self.strength.setValue(1.0)
        self.strength.setPrefix("strength ")
        self.strength.setAccessibleName("Strength of the attributes")
        self.strength.setToolTip("1 moves z by the whole way between the means without and with the attribute")
        self.strength.valueChanged.connect(self.changed)
        LettersPass(self.strength)
        self._chips = QWidget()
        self._flow = FlowLayout(self._chips)
        row = QHBoxLayout()
        row.addWidget(self.note, 1)
        row.addWidget(self.strength)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(style.SPACING // 2)
        column.addWidget(self._chips)
        column.addLayout(row)

    @property
    def usable(self) -> bool:
        """Whether the model's data has attributes that can be looked for."""
        return bool(self.names) and self._survey is not None

    def set_model(self, info: ModelInfo) -> None:
        """Offer a run's attributes; none where there is no encoder to find their directions."""
        names = info.attribute_names if info.has_encoder else ()
        self.directions, self._version = None, -1
        self.note.setText(WAITING)
        if names == self.names:
            return
        self.names, self.signs = names, [0] * len(names)
        while (item := self._flow.takeAt(0)) is not None:
            chip = item.widget()
            chip.setParent(None)
            chip.deleteLater()
        for index, name in enumerate(names):
            chip = QToolButton()
            chip.setObjectName(f"attributeChip{index}")
            chip.setCheckable(True)
            chip.setProperty("kind", "chip")
            chip.setProperty("attribute", index)
            chip.setToolTip(f"{name}\n{HELP}")
            chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            chip.clicked.connect(self._on_chip)
            self._flow.addWidget(chip)
        self._show()

    def watch(self, on: bool) -> None:
        """Have the data set surveyed while the page is on screen."""
        if self._survey is not None:
            self._survey.watch("conditionPage", on and bool(self.names))

    def tick(self, info: ModelInfo) -> None:
        """Take directions from the newest survey."""
        if not self.usable or self._survey is None or self._survey.surveys.version == self._version:
            return
        self._version, survey = self._survey.surveys.get()
        if survey is not None and survey.info.run == info.run and survey.dim == info.latent_dim:
            self.set_survey(survey)

    def set_survey(self, survey: LatentSurvey) -> None:
        """Adopt the directions of a survey."""
        found = attribute_directions(survey)
        if found.shape != (len(self.names), survey.dim):
            return
        self.directions = np.nan_to_num(found)
        self.note.setText(f"from {len(survey):,} images")
        self.changed.emit()

    def moves(self) -> Floats | None:
        """Return how far each attribute moves z, (A, D) float32; None until that is known."""
        if self.directions is None:
            return None
        return (self.directions * np.float32(self.strength.value())).astype(np.float32)

    def shift(self) -> Floats | None:
        """Return the sum of what is toggled, (D,) float32; None where nothing is."""
        moves = self.moves()
        if moves is None or not any(self.signs):
            return None
        return (np.array(self.signs, dtype=np.float32) @ moves).astype(np.float32)

    def set_signs(self, signs: list[int]) -> None:
        """Show toggles without telling anybody."""
        if len(signs) == len(self.names):
            self.signs = [int(np.sign(sign)) for sign in signs]
            self._show()

    def _show(self) -> None:
        for index, (name, sign) in enumerate(zip(self.names, self.signs, strict=True)):
            chip = self._chips.findChild(QToolButton, f"attributeChip{index}")
            if chip is not None:
                chip.setText(f"{SIGNS[sign]}{name}")
                chip.setChecked(sign != 0)
                chip.setAccessibleName(f"Attribute {name}: {('left alone', 'added', 'taken away')[sign]}")

    @Slot()
    def _on_chip(self) -> None:
        index = int(self.sender().property("attribute"))
        self.signs[index] = {0: 1, 1: -1, -1: 0}[self.signs[index]]
        self._show()
        self.changed.emit()
