"""Randomise, seed and temperature: where random points in latent space come from."""

from __future__ import annotations

import secrets

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSpinBox, QToolButton, QVBoxLayout, QWidget

from latentlab.core.latent_state import MAX_SEED
from latentlab.ui import icons, style
from latentlab.ui.widgets.shortcuts import LettersPass, click_on_key

NEW_SEEDS = 10_000  # Short numbers can be read out and typed again.


class SeedControls(QWidget):
    """A button for a new seed, the seed, and the temperature. The same seed gives the same point.

    Signals
    -------
    drawn
        (seed, temperature): draw from this seed.
    temperature_changed
        The temperature was changed.
    """

    drawn = Signal(int, float)
    temperature_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QToolButton()
        self.button.setText("Randomise")
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setProperty("kind", "primary")
        self.button.setToolTip("Draw the unlocked dimensions from the prior, with a new seed (R)")
        self.button.setAccessibleName("Randomise")
        click_on_key(self.button, "R")
        icons.set_icon(self.button, "random", "accent_text")
        self.button.clicked.connect(self.randomise)
        self.seed = QSpinBox()
        self.seed.setObjectName("seedSpin")
        self.seed.setRange(0, MAX_SEED)
        self.seed.setPrefix("seed ")
        self.seed.setKeyboardTracking(False)
        self.seed.setAccessibleName("Seed")
        self.seed.setToolTip("Seed of the draw: the same seed gives the same point in every session")
        self.seed.valueChanged.connect(self._on_seed)
        self.scale = QDoubleSpinBox()
        self.scale.setObjectName("temperatureSpin")
        self.scale.setRange(0.0, 3.0)
        self.scale.setSingleStep(0.1)
        self.scale.setDecimals(2)
        self.scale.setValue(1.0)
        self.scale.setPrefix("temperature ")
        self.scale.setAccessibleName("Temperature")
        self.scale.setToolTip("Temperature: standard deviation of the draw, in σ of the prior (1 = the prior)")
        self.scale.valueChanged.connect(self.temperature_changed)
        LettersPass(self.seed)
        LettersPass(self.scale)
        self._build()

    def _build(self) -> None:
        self.tools = QHBoxLayout()
        self.tools.setSpacing(4)
        self.tools.addWidget(self.button)
        numbers = QHBoxLayout()
        numbers.setSpacing(style.SPACING)
        numbers.addWidget(self.seed, 3)
        numbers.addWidget(self.scale, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(style.SPACING)
        layout.addLayout(self.tools)
        layout.addLayout(numbers)

    def add_tools(self, *tools: QWidget) -> None:
        """Put more buttons into the row of the first one, after a gap."""
        self.tools.addStretch(1)
        for tool in tools:
            self.tools.addWidget(tool)

    @property
    def temperature(self) -> float:
        """Standard deviation of the draw, in σ of the prior."""
        return self.scale.value()

    def set_temperature(self, value: float) -> None:
        """Show a temperature without a draw."""
        self.scale.blockSignals(True)
        self.scale.setValue(value)
        self.scale.blockSignals(False)

    def set_seed(self, seed: int) -> None:
        """Show a seed without a draw."""
        self.seed.blockSignals(True)
        self.seed.setValue(seed)
        self.seed.blockSignals(False)

    @Slot()
    def randomise(self) -> None:
        """Draw from a seed that nobody chose."""
        seed = secrets.randbelow(NEW_SEEDS)
        self.set_seed(seed)
        self.drawn.emit(seed, self.temperature)

    @Slot(int)
    def _on_seed(self, seed: int) -> None:
        self.drawn.emit(seed, self.temperature)
