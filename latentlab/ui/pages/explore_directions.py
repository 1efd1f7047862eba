"""Directions that a person saved: kept with the run, named, renamed and forgotten in a row above the sliders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QWidget

from latentlab.core.directions import (
    MAX_NAME,
    Direction,
    delete_direction,
    read_directions,
    rename_direction,
    save_direction,
)
from latentlab.core.errors import InputError
from latentlab.core.messages import Floats, ModelInfo
from latentlab.ui import icons
from latentlab.ui.context import AppContext

NO_MOVE = "Nothing was moved yet: a direction leads from where a move began to where it is now."


class DirectionStore(QObject):
    """The saved directions of a run; of a model without a run folder they live as long as the window. Thread: GUI.

    Signals
    -------
    changed
        Directions were saved, renamed, forgotten, or read anew.
    """

    changed = Signal()

    def __init__(self, context: AppContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._info: ModelInfo | None = None
        self.directions: list[Direction] = []

    def open(self, info: ModelInfo) -> None:
        """Read the directions of a model's run."""
        self._info, self.directions = info, []
        self.reload()

    def reload(self) -> None:
        """Read them again: other pages save directions too."""
        info = self._info
        if info is None or info.run is None:
            self.changed.emit()
            return
        try:
            found = read_directions(info.run, info.latent_dim)
        except InputError as error:
            self._context.errors.report(error)
            return
        if found != self.directions:
            self.directions = found
        self.changed.emit()

    def save(self, name: str, way: Floats) -> bool:
        """Save a direction, in place of one of the same name; return whether it was."""

        def act() -> list[Direction]:
            direction = Direction(name.strip(), tuple(float(value) for value in way))
            if self._folder is not None:
                return save_direction(self._folder, direction)
            return [*(kept for kept in self.directions if kept.name != direction.name), direction]

        return self._try(act)

    def rename(self, old: str, new: str) -> bool:
        """Give a direction another name; return whether it has it now."""

        def act() -> list[Direction]:
            if self._folder is not None:
                return rename_direction(self._folder, old, new.strip())
            others = [kept for kept in self.directions if kept.name != new.strip() or kept.name == old]
            return [Direction(new.strip(), kept.vector) if kept.name == old else kept for kept in others]

        return self._try(act)

    def delete(self, name: str) -> bool:
        """Forget a direction; return whether it is gone."""

        def act() -> list[Direction]:
            if self._folder is not None:
                return delete_direction(self._folder, name)
            return [kept for kept in self.directions if kept.name != name]

        return self._try(act)

    @property
    def _folder(self) -> Path | None:
        run = None if self._info is None else self._info.run
        return run if run is not None and run.is_dir() else None

    def _try(self, act: Callable[[], list[Direction]]) -> bool:
        try:
            found = act()
        except InputError as error:
            self._context.errors.report(error)
            return False
        dim = None if self._info is None else self._info.latent_dim
        self.directions = [way for way in found if dim is None or len(way.vector) == dim]
        self.changed.emit()
        return True


class DirectionBar(QWidget):
    """A name, and what to do with it: save the move under it, give it to the current direction, or forget that one."""

    def __init__(self, store: DirectionStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self.present_move: Callable[[], Floats | None] = lambda: None
        self.current: Callable[[], str] = str
        self.name = QLineEdit()
        self.name.setObjectName("directionName")
        self.name.setMaxLength(MAX_NAME)
        self.name.setPlaceholderText("name of a direction")
        self.name.setAccessibleName("Name of a direction")
        self.name.setToolTip("Name to save the present move under, or to give to the current direction; Enter saves")
        self.name.returnPressed.connect(self.save)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.name, 1)
        self.save_button = self._button(
            "direction", "Save move", "Save the move from where it began to here as a direction (Ctrl+D)", self.save
        )
        self.rename_button = self._button("", "Rename", "Give this name to the current direction", self.rename)
        self.delete_button = self._button("trash", "", "Forget the current direction", self.delete)
        for button in (self.save_button, self.rename_button, self.delete_button):
            layout.addWidget(button)

    def _button(self, icon: str, text: str, tooltip: str, act: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tooltip)
        button.setAccessibleName(tooltip)
        if icon:
            icons.set_icon(button, icon)
        button.clicked.connect(act)
        return button

    def begin(self) -> None:
        """Take the keyboard, with a free name selected."""
        taken = {way.name for way in self._store.directions}
        number = next(i for i in range(1, len(taken) + 2) if f"direction {i}" not in taken)
        self.name.setText(f"direction {number}")
        self.name.selectAll()
        self.name.setFocus()

    def refresh(self) -> None:
        """Enable what can be done."""
        some = bool(self.current())
        self.rename_button.setEnabled(some)
        self.delete_button.setEnabled(some)

    @Slot()
    def save(self) -> None:
        """Save the present move under the name."""
        way = self.present_move()
        if way is None or not np.any(way):
            self._store._context.show_message(NO_MOVE)
            return
        if self._store.save(self.name.text(), way):
            self.name.clear()

    @Slot()
    def rename(self) -> None:
        """Give the name to the current direction."""
        if self.current() and self._store.rename(self.current(), self.name.text()):
            self.name.clear()

    @Slot()
    def delete(self) -> None:
        """Forget the current direction."""
        if self.current():
            self._store.delete(self.current())
