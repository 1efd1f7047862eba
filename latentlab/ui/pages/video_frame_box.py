"""A number field for frames that also understands times."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QValidator
from PySide6.QtWidgets import QSpinBox, QWidget

from latentlab.ui.widgets.shortcuts import LettersPass

_TYPING = re.compile(r"[\d:.,s ]*")
_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d*)?) ?s?")


def seconds_of(text: str) -> float | None:
    """Return the seconds that ``1:05.5``, ``0:10:00`` or ``12.5 s`` means; None for a plain number or anything else."""
    text = text.strip()
    found = _TIME.fullmatch(text)
    if found is None or text.isdigit():
        return None
    hours, minutes, seconds = found.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds.replace(",", "."))


class FrameBox(QSpinBox):
    """Takes a frame number, counted from 0, or a time from the beginning of the film. Thread: GUI."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._times: npt.NDArray[np.float64] = np.zeros(1)
        self.setKeyboardTracking(False)
        self.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setRange(0, 0)
        LettersPass(self)

    def set_times(self, times_s: npt.NDArray[np.float64]) -> None:
        """Take numbers of a film whose frames have these times in seconds."""
        self._times = times_s - times_s[0]
        self.setRange(0, len(times_s) - 1)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Let digits and the signs of times be typed; a number is complete, a time once it can be read."""
        states = QValidator.State
        if not _TYPING.fullmatch(text):
            return states.Invalid, text, position
        complete = text.strip().isdigit() or seconds_of(text) is not None
        return (states.Acceptable if complete else states.Intermediate), text, position

    def valueFromText(self, text: str) -> int:
        """Return the frame: the number, or the one on screen at the time."""
        seconds = seconds_of(text)
        if seconds is None:
            return min(self.maximum(), int(text)) if text.strip().isdigit() else self.value()
        return max(0, int(np.searchsorted(self._times, seconds + 1e-6, side="right")) - 1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give the keyboard back to the page once a frame was chosen or given up."""
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            event.accept()
            self.clearFocus()
