"""A slider through the steps of a run whose weights were kept; its right end is the newest."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QSizePolicy, QSlider, QToolTip, QWidget

from latentlab.ui.formatting import format_steps
from latentlab.ui.widgets.shortcuts import on_key

WIDTH = 140
HELP = "Step whose weights every page decodes; the right end follows the newest ([ and ] go a kept step back and on)"


class StepSlider(QSlider):
    """Stops at kept steps, oldest at the left, evenly spaced; the last stop means the newest weights.

    A step that was chosen stays chosen when there are more: they only extend the range.

    Signals
    -------
    step_chosen
        A step was chosen by the user.
    newest_chosen
        The right end was chosen by the user.
    """

    step_chosen = Signal(int)
    newest_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setObjectName("stepSlider")
        self.setAccessibleName("Step of the weights")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setSingleStep(1)
        self.setPageStep(5)
        self.steps: tuple[int, ...] = ()
        self.set_steps((), None)
        self.valueChanged.connect(self._on_value)
        on_key(self, "[", self.go_back)
        on_key(self, "]", self.go_on)

    def set_steps(self, steps: tuple[int, ...], chosen: int | None) -> None:
        """Offer ``steps`` (ascending) and show ``chosen``, None for the newest, without telling anybody."""
        self.steps = steps
        place = steps.index(chosen) if chosen in steps else len(steps)
        self.blockSignals(True)
        self.setRange(0, len(steps))
        self.setValue(place)
        self.blockSignals(False)
        self.setEnabled(bool(steps))
        self.setToolTip(f"{self.text_at(self.value())}\n{HELP}" if steps else f"{HELP}\nNo step is kept yet")
        self.update()

    def text_at(self, place: int) -> str:
        """Return what a stop stands for."""
        if place >= len(self.steps):
            return f"The newest weights; {len(self.steps)} earlier steps are kept"
        return f"Step {format_steps(self.steps[place])}, {place + 1} of {len(self.steps)} kept"

    def sizeHint(self) -> QSize:
        """Room enough to hit a stop."""
        return QSize(WIDTH, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Next to nothing where the window is narrow: the keys work all the same."""
        return QSize(32, super().minimumSizeHint().height())

    @Slot()
    def go_back(self) -> None:
        """Choose the kept step before."""
        self.setValue(self.value() - 1)

    @Slot()
    def go_on(self) -> None:
        """Choose the kept step after, at last the newest."""
        self.setValue(self.value() + 1)

    @Slot(int)
    def _on_value(self, place: int) -> None:
        self.setToolTip(f"{self.text_at(place)}\n{HELP}")
        if place < len(self.steps):
            self.step_chosen.emit(self.steps[place])
        else:
            self.newest_chosen.emit()

    def event(self, event: QEvent) -> bool:
        """Tell the step under the handle while it is dragged."""
        handled = super().event(event)
        if self.isSliderDown() and event.type() == QEvent.Type.MouseMove:
            QToolTip.showText(self.mapToGlobal(self.rect().topLeft()), self.text_at(self.value()), self)
        return handled
