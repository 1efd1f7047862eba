"""Choosing a class: chips in a row while they fit, a list otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QSizePolicy, QStackedLayout, QToolButton, QWidget

CHIP_ROOM = 320
CHIP_PADDING = 16
CHIP_GAP = 4
TOOLTIP = "Class that the decoder is told; z stays as it is (C next, Shift+C previous)"


class ClassPicker(QWidget):
    """One class out of several. ``chosen`` fires for the user's choice only."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classPicker")
        self.setAccessibleName("Class")
        self.label = 0
        self.names: tuple[str, ...] = ()
        self._chips = QWidget()
        self._row = QHBoxLayout(self._chips)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(CHIP_GAP)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._choose)
        self._combo = QComboBox()
        self._combo.setAccessibleName("Class")
        self._combo.setToolTip(TOOLTIP)
        self._combo.activated.connect(self._choose)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._chips)
        self._stack.addWidget(self._combo)

    def set_classes(self, names: Sequence[str]) -> None:
        """Offer these classes; their order is their index."""
        if tuple(names) == self.names:
            return
        self.names, self.label = tuple(names), 0
        for button in self._group.buttons():
            self._group.removeButton(button)
            button.setParent(None)
            button.deleteLater()
        while self._row.count():
            self._row.takeAt(0)
        widths = [self.fontMetrics().horizontalAdvance(name) + CHIP_PADDING for name in self.names]
        chips = sum(widths) + CHIP_GAP * (len(widths) - 1) <= CHIP_ROOM
        if chips:
            self._add_chips()
        self._combo.clear()
        self._combo.addItems(list(self.names))
        self._stack.setCurrentWidget(self._chips if chips else self._combo)
        self.set_label(0)

    def _add_chips(self) -> None:
        for index, name in enumerate(self.names):
            chip = QToolButton()
            chip.setText(name)
            chip.setCheckable(True)
            chip.setProperty("kind", "chip")
            chip.setObjectName(f"classButton{index}")
            chip.setAccessibleName(f"Class {name}")
            chip.setToolTip(f"Class {name}\n{TOOLTIP}")
            self._group.addButton(chip, index)
            chip.setStyleSheet("padding: 1px 4px;")
            chip.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self._row.addWidget(chip, 1)

    def set_label(self, label: int) -> None:
        """Show class ``label`` as chosen."""
        self.label = label
        button = self._group.button(label)
        if button is not None:
            button.setChecked(True)
        if 0 <= label < self._combo.count():
            self._combo.setCurrentIndex(label)

    def step(self, by: int) -> None:
        """Choose a neighbour; after the last class comes the first."""
        if self.names:
            self._choose((self.label + by) % len(self.names))

    @Slot(int)
    def _choose(self, label: int) -> None:
        if label != self.label:
            self.set_label(label)
            self.chosen.emit(label)


def class_names(names: Sequence[str], count: int) -> tuple[str, ...]:
    """Return ``count`` class names; classes without one are called by their number."""
    return tuple(names[i] if i < len(names) and names[i] else str(i) for i in range(count))
