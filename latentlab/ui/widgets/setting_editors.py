"""One editor per type of setting: choice, flag, whole number, number, size, region.

Every editor has ``changed``, ``value()``, ``set_value()`` and ``set_locked()``. Out-of-range and
unreadable input is returned as it was typed: the recipe model judges it, so that there is one judge.
The wheel changes a value only while the editor has the focus; otherwise it scrolls the form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QLineEdit, QSpinBox, QWidget

from latentlab.ui.style import SPACING, repolish

WIDEST = 2**31 - 1


def _ignore_unless_focused(widget: QWidget, event: QWheelEvent) -> bool:
    if widget.hasFocus():
        return False
    event.ignore()
    return True


def mark_invalid(widget: QWidget, invalid: bool) -> None:
    """Give a widget and its inner fields the red edge of the theme, or take it away."""
    for part in (widget, *widget.findChildren(QWidget)):
        if bool(part.property("invalid")) != invalid:
            part.setProperty("invalid", invalid)
            repolish(part)


class ChoiceEditor(QComboBox):
    """One of a few named values."""

    changed = Signal()

    def __init__(self, choices: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.addItems([str(choice) for choice in choices])
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.currentIndexChanged.connect(self.changed)

    def value(self) -> str:
        """Return the chosen name."""
        return self.currentText()

    def set_value(self, value: object) -> None:
        """Choose ``value``; an unknown one is ignored."""
        self.setCurrentIndex(max(0, self.findText(str(value))))

    def set_locked(self, locked: bool) -> None:
        """Let the value be seen but not changed."""
        self.setEnabled(not locked)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the form unless focused."""
        if not _ignore_unless_focused(self, event):
            super().wheelEvent(event)


class FlagEditor(QCheckBox):
    """Yes or no."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.toggled.connect(self.changed)

    def value(self) -> bool:
        """Return whether the box is checked."""
        return self.isChecked()

    def set_value(self, value: object) -> None:
        """Check or clear the box."""
        self.setChecked(bool(value))

    def set_locked(self, locked: bool) -> None:
        """Let the value be seen but not changed."""
        self.setEnabled(not locked)


class CountEditor(QSpinBox):
    """A whole number. The arrows stay within the bounds; typing does not, so that the reason can be shown."""

    changed = Signal()

    def __init__(self, low: int, high: int, unit: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bounds = (low, high)
        self.setRange(-WIDEST, WIDEST)
        self.setGroupSeparatorShown(True)
        self._unit = unit
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.valueChanged.connect(self._show_unit)
        self.valueChanged.connect(self.changed)
        self._show_unit(self.value())

    def _show_unit(self, value: int) -> None:
        if self._unit:
            self.setSuffix(f" {self._unit.removesuffix('s') if value == 1 else self._unit}")

    def stepBy(self, steps: int) -> None:
        """Move by single steps, by about a tenth above 100, within the bounds."""
        low, high = self._bounds
        size = 10 ** max(0, int(math.log10(max(1, abs(self.value())))) - 1)
        self.setValue(min(high, max(low, self.value() + steps * size)))

    def set_value(self, value: object) -> None:
        """Show a number."""
        self.setValue(int(value) if isinstance(value, int | float) else 0)
        self._show_unit(self.value())  # Also when signals are blocked.

    def set_locked(self, locked: bool) -> None:
        """Let the value be seen but not changed."""
        self.setEnabled(not locked)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the form unless focused."""
        if not _ignore_unless_focused(self, event):
            super().wheelEvent(event)


class NumberEditor(QLineEdit):
    """A number in plain or scientific writing (``0.001`` or ``1e-3``), or empty where that is allowed.

    The arrow keys walk the series 1, 2, 5, 10: halves and doubles are what one tries for rates and weights.
    """

    changed = Signal()

    def __init__(
        self, *, whole: bool = False, empty: str | None = None, unit: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._whole = whole
        self._optional = empty is not None
        self.setPlaceholderText(empty or "")
        self.textChanged.connect(self.changed)
        if unit:
            self._show_unit(unit)

    def _show_unit(self, unit: str) -> None:
        label = QLabel(unit, self)
        label.setProperty("role", "muted")
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, SPACING, 0)
        row.addWidget(label, 0, Qt.AlignmentFlag.AlignRight)
        self.setTextMargins(0, 0, label.sizeHint().width() + 4, 0)

    def value(self) -> Any:
        """Return the number, None for an allowed empty field, or the text when it is not a number."""
        text = self.text().strip()
        if not text and self._optional:
            return None
        try:
            return int(text.replace(",", "")) if self._whole else float(text)
        except ValueError:
            return text

    def set_value(self, value: object) -> None:
        """Show a number, or nothing for None."""
        self.setText("" if value is None else f"{value:g}" if isinstance(value, float) else str(value))
        self.setCursorPosition(0)

    def set_locked(self, locked: bool) -> None:
        """Let the value be seen but not changed."""
        self.setEnabled(not locked)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step along 1, 2, 5 with the arrow keys."""
        direction = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
        number = self.value()
        if direction and isinstance(number, int | float) and number > 0:
            stepped = one_two_five(float(number), direction)
            self.set_value(max(1, round(stepped)) if self._whole else stepped)
        else:
            super().keyPressEvent(event)


def one_two_five(number: float, direction: int) -> float:
    """Return the next member of ... 0.1, 0.2, 0.5, 1, 2, 5, 10 ... above (1) or below (-1) a positive number."""
    decade = math.floor(math.log10(number))
    ladder = [float(f"{digit}e{power}") for power in range(decade - 1, decade + 2) for digit in (1, 2, 5)]
    if direction > 0:
        return next(rung for rung in ladder if rung > number * (1 + 1e-9))
    return next(rung for rung in reversed(ladder) if rung < number * (1 - 1e-9))


class SizeEditor(QWidget):
    """Height × width in pixels."""

    changed = Signal()

    def __init__(self, low: int, high: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.height_box = CountEditor(low, high)
        self.width_box = CountEditor(low, high)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for box, name in ((self.height_box, "Height"), (self.width_box, "Width")):
            box.setAccessibleName(f"{name} in pixels")
            box.setMinimumWidth(40)
            box.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
            box.changed.connect(self.changed)
        row.addWidget(self.height_box, 1)
        row.addWidget(QLabel("×"))
        row.addWidget(self.width_box, 1)
        self.first = self.height_box

    def value(self) -> tuple[int, int]:
        """Return (height, width)."""
        return self.height_box.value(), self.width_box.value()

    def set_value(self, value: Any) -> None:
        """Show (height, width)."""
        self.height_box.set_value(value[0])
        self.width_box.set_value(value[1])
        for box in (self.height_box, self.width_box):
            box.setToolTip(self.toolTip())

    def set_locked(self, locked: bool) -> None:
        """Let the value be seen but not changed."""
        self.setEnabled(not locked)


class RegionEditor(QLineEdit):
    """``x, y, width, height`` in pixels, or empty for the whole frame."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText("whole frame (x, y, w, h)")
        self.textChanged.connect(self.changed)

    def value(self) -> Any:
        """Return four integers, None when empty, or the text when it is not four integers."""
        text = self.text().strip().strip("[]()")
        if not text:
            return None
        try:
            numbers = tuple(int(part) for part in text.replace(";", ",").split(","))
        except ValueError:
            return text
        return numbers if len(numbers) == 4 else text

    def set_value(self, value: Any) -> None:
        """Show a region, or nothing for None."""
        self.setText("" if value is None else ", ".join(str(part) for part in value))
        self.setCursorPosition(0)

    def set_locked(self, locked: bool) -> None:
        """Let the value be seen but not changed."""
        self.setEnabled(not locked)
