"""Which way a drag on the picture goes: two random directions, or two dimensions."""

from __future__ import annotations

import secrets

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from latentlab.core.latent_state import MAX_SEED, random_directions
from latentlab.core.messages import Floats
from latentlab.ui import icons

REACH = 6.0
"""Sigmas that a drag across the whole picture moves."""


class DragButton(QToolButton):
    """A small menu that says what a drag on the picture does, and lets it be chosen.

    Signals
    -------
    chosen
        The directions were changed.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.seed = 0
        self.axes: tuple[int, int] | None = None
        self._current = 0
        self.setObjectName("dragButton")
        self.setAccessibleName("What a drag on the picture moves")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setStyleSheet("QToolButton::menu-indicator { image: none; }")  # The icon says enough.
        icons.set_icon(self, "drag")
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        group = QActionGroup(self)
        self.random = menu.addAction("Drag along two random directions", self._use_random)
        self.dimensions = menu.addAction("", self._use_dimensions)
        for action in (self.random, self.dimensions):
            action.setCheckable(True)
            group.addAction(action)
        menu.addSeparator()
        self.renew: QAction = menu.addAction("New random directions", self._renew)
        self.across = menu.addAction("", self._set_across)
        self.up = menu.addAction("", self._set_up)
        self.setMenu(menu)
        self._axes_kept = (0, 1)
        self._describe()

    def directions(self, dim: int) -> Floats:
        """Return what a drag across and a drag up by one picture add to z: (2, D) in sigma."""
        if self.axes is None:
            return random_directions(self.seed, dim) * np.float32(REACH)
        ways = np.zeros((2, dim), dtype=np.float32)
        for way, axis in zip(ways, self.axes, strict=True):
            way[min(axis, dim - 1)] = REACH
        return ways

    @Slot(int)
    def set_current(self, dimension: int) -> None:
        """Tell which dimension the menu can put on an axis."""
        self._current = dimension
        self._describe()

    def restart(self, dim: int) -> None:
        """Begin with a model of ``dim`` dimensions: random directions again, axes inside it."""
        self._axes_kept, self.axes, self._current = (0, min(1, dim - 1)), None, 0
        self._describe()

    def _describe(self) -> None:
        x, y = self._axes_kept
        self.dimensions.setText(f"Drag along z{x} (across) and z{y} (up)")
        self.across.setText(f"Put z{self._current} across")
        self.up.setText(f"Put z{self._current} up")
        (self.random if self.axes is None else self.dimensions).setChecked(True)
        what = "two random directions" if self.axes is None else f"z{x} (across) and z{y} (up)"
        self.setToolTip(
            f"Drag on the picture to move along {what}: {REACH:g} σ from edge to edge\n"
            "Click to choose others. Locked dimensions stay"
        )
        self.chosen.emit()

    @Slot()
    def _use_random(self) -> None:
        self.axes = None
        self._describe()

    @Slot()
    def _renew(self) -> None:
        self.seed = secrets.randbelow(MAX_SEED)
        self._use_random()

    @Slot()
    def _use_dimensions(self) -> None:
        self.axes = self._axes_kept
        self._describe()

    @Slot()
    def _set_across(self) -> None:
        self._axes_kept = (self._current, self._axes_kept[1])
        self._use_dimensions()

    @Slot()
    def _set_up(self) -> None:
        self._axes_kept = (self._axes_kept[0], self._current)
        self._use_dimensions()
