"""Choosing one of a few views: chips in a row while they fit, a list otherwise; and rows that may be squeezed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QStackedLayout, QToolButton, QWidget

from latentlab.ui.widgets.shortcuts import on_key

LEAST = 96


class Squeezable(QWidget):
    """A row that a window narrower than its contents would like may squeeze, rather than stop shrinking."""

    def minimumSizeHint(self) -> QSize:
        """Return the row's own height, and hardly any width."""
        return QSize(LEAST, super().minimumSizeHint().height())


class Segments(QWidget):
    """One view out of several, by name. ``chosen`` fires for the user's choice only.

    Parameters
    ----------
    what
        What is chosen, for screen readers.
    segments
        (title, tooltip, object name) of each; Alt+1, Alt+2, ... choose them.
    """

    chosen = Signal(int)

    def __init__(self, what: str, segments: Sequence[tuple[str, str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(what)
        self._chips = QWidget()
        self._row = QHBoxLayout(self._chips)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._choose)
        self._combo = QComboBox()
        self._combo.setAccessibleName(what)
        self._combo.setToolTip(what)
        self._combo.activated.connect(self._choose)
        for place, segment in enumerate(segments):
            self._add(place, *segment)
        self._row.addStretch(1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._chips)
        self._stack.addWidget(self._combo)
        self.current = 0
        self.set_current(0)

    def _add(self, place: int, title: str, tooltip: str, name: str) -> None:
        chip = QToolButton()
        chip.setText(title)
        chip.setObjectName(name)
        chip.setCheckable(True)
        chip.setProperty("kind", "chip")
        chip.setStyleSheet("padding: 2px 5px;")
        chip.setAccessibleName(f"{self.accessibleName()}: {title}")
        chip.setToolTip(f"{tooltip}\nAlt+{place + 1}")
        on_key(self, f"Alt+{place + 1}", chip.click)
        self._group.addButton(chip, place)
        self._row.addWidget(chip)
        self._combo.addItem(title)

    def set_current(self, place: int) -> None:
        """Show a view as chosen."""
        self.current = place
        self._group.button(place).setChecked(True)
        self._combo.setCurrentIndex(place)

    @Slot(int)
    def _choose(self, place: int) -> None:
        self.set_current(place)
        self.chosen.emit(place)

    def minimumSizeHint(self) -> QSize:
        """Return the width of a list, which always does."""
        return QSize(LEAST, self._chips.minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show chips where they fit."""
        super().resizeEvent(event)
        fits = self.width() >= self._chips.minimumSizeHint().width()
        self._stack.setCurrentWidget(self._chips if fits else self._combo)
