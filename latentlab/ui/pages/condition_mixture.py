"""The mixture of the Condition page: shares of the classes, and Gumbel samples of them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from latentlab.core.class_mixture import described, gumbel_softmax, is_one_class
from latentlab.core.messages import DecodeRequest, Floats, InferenceResult
from latentlab.ui import icons, style
from latentlab.ui.context import AppContext
from latentlab.ui.views.picture import PictureView
from latentlab.ui.widgets.pane_requests import PaneRequests
from latentlab.ui.widgets.share_bars import ShareBars
from latentlab.ui.widgets.shortcuts import LettersPass, click_on_key

DRAWS = 8
PLAIN = "Raise a second bar to mix classes"


class MixturePanel(QWidget):
    """Bars for the classes, and below them soft classes drawn from these shares at a temperature.

    Signals
    -------
    changed
        The user mixed anew, or went back to one class.
    """

    changed = Signal()

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars = ShareBars()
        self.note = QLabel(PLAIN)
        self.note.setProperty("role", "muted")
        self.note.setAccessibleName("Shares of the mixture")
        self.note.setToolTip("What the decoder is told in the column mixture")
        self.predicted = QLabel()
        self.predicted.setProperty("role", "muted")
        self.predicted.setAccessibleName("Predicted class")
        self.predicted.setToolTip("q(y|x): what the model's own classifier finds in the picture (marks on the bars)")
        self.adopt = self._button("Use", "check", "Mix the classes as the classifier finds them in the picture")
        self.draw = self._button("Draw", "random", "Draw other samples of the class from these shares (G)")
        click_on_key(self.draw, "G")
        self.temperature = QDoubleSpinBox()
        self.temperature.setRange(0.05, 10.0)
        self.temperature.setSingleStep(0.1)
        self.temperature.setValue(0.67)
        self.temperature.setPrefix("Gumbel τ ")
        self.temperature.setAccessibleName("Temperature of the Gumbel samples")
        self.temperature.setToolTip(
            "Temperature of the Gumbel-softmax (no unit): near 0 each sample is one class, above 1 classes blend"
        )
        LettersPass(self.temperature)
        self.samples = PictureView()
        self.samples.setObjectName("gumbelSamples")
        self.samples.setAccessibleName("Gumbel samples")
        self.samples.setFixedHeight(56)
        self.seed = 0
        self._style: Floats | None = None
        self._requests = PaneRequests(context.inference, "condition.gumbel", self)
        self._requests.answered.connect(self._on_answer)
        self._build()
        self.bars.changed.connect(self._on_bars)
        self.adopt.clicked.connect(self._on_adopt)
        self.draw.clicked.connect(self._on_draw)
        self.temperature.valueChanged.connect(self._ask)

    def _button(self, text: str, icon: str, tooltip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tooltip)
        button.setAccessibleName(tooltip)
        icons.set_icon(button, icon)
        return button

    def _build(self) -> None:
        found = QHBoxLayout()
        found.addWidget(self.predicted, 1)
        found.addWidget(self.adopt)
        row = QHBoxLayout()
        row.addWidget(self.note, 1)
        row.addWidget(self.temperature)
        row.addWidget(self.draw)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(style.SPACING // 2)
        column.addLayout(found)
        column.addWidget(self.bars)
        column.addLayout(row)
        column.addWidget(self.samples)
        self.show_prediction(None)
        self._show()

    @property
    def shares(self) -> Floats | None:
        """The mixture (K,) float32; None while there is but one class."""
        return None if is_one_class(self.bars.shares) else self.bars.shares

    def set_classes(self, names: tuple[str, ...]) -> None:
        """Offer a model's classes, unmixed."""
        if names != self.bars.names:
            self.bars.set_classes(names)
        self.show_prediction(None)
        self._show()

    def set_shares(self, shares_K: Floats) -> None:
        """Show a mixture, or one class, without telling anybody."""
        self.bars.set_shares(shares_K)
        self._show()

    def set_draws(self, temperature: float, seed: int) -> None:
        """Show these Gumbel samples without telling anybody."""
        self.seed = seed
        self.temperature.blockSignals(True)
        self.temperature.setValue(temperature)
        self.temperature.blockSignals(False)

    def show_prediction(self, probabilities_K: Floats | None) -> None:
        """Show what the model's classifier finds in the encoded picture; None: there is no picture or classifier."""
        self.bars.set_marks(probabilities_K)
        for widget in (self.predicted, self.adopt):
            widget.setVisible(probabilities_K is not None)
        if probabilities_K is not None:
            self.predicted.setText(f"q(y|x): {described(probabilities_K, self.bars.names, 4)}")

    def decode(self, z: Floats) -> None:
        """Decode the samples with the style ``z`` (D,), by the newest weights."""
        self._style = z
        self._ask()

    def cancel(self) -> None:
        """Ask for nothing more."""
        self._requests.cancel()

    def _show(self) -> None:
        mixed = self.shares is not None
        self.note.setText(described(self.bars.shares, self.bars.names) if mixed else PLAIN)
        for widget in (self.temperature, self.draw, self.samples):
            widget.setVisible(mixed)

    @Slot()
    def _ask(self) -> None:
        shares, z = self.shares, self._style
        if shares is None or z is None or not self.isVisible():
            return
        soft = gumbel_softmax(shares, self.temperature.value(), DRAWS, self.seed)
        labels = soft.argmax(axis=1).astype(np.int64)
        self._requests.ask(DecodeRequest(np.tile(z, (DRAWS, 1)), labels, shares=soft))

    @Slot(object)
    def _on_answer(self, result: InferenceResult) -> None:
        request = result.request
        if result.images is None or not isinstance(request, DecodeRequest) or request.shares is None:
            return
        tips = [described(shares, self.bars.names) for shares in request.shares]
        self.samples.set_images(result.images, columns=DRAWS, tips=tips)

    @Slot()
    def _on_bars(self) -> None:
        self._show()
        self.changed.emit()

    @Slot()
    def _on_adopt(self) -> None:
        if self.bars.marks is not None:
            self.bars.set_shares(self.bars.marks)
            self._on_bars()

    @Slot()
    def _on_draw(self) -> None:
        self.seed += 1
        self._ask()
