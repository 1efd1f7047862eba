"""Keys that act at once, wherever the keyboard is on a page."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QWidget

Keys = str | QKeySequence.StandardKey


def on_key(owner: QWidget, keys: Keys, act: Callable[[], object]) -> QShortcut:
    """Call ``act`` (a bound method) when ``keys`` are pressed in the window while ``owner`` is visible."""
    shortcut = QShortcut(QKeySequence(keys), owner)
    shortcut.activated.connect(act)
    return shortcut


def click_on_key(button: QAbstractButton, keys: Keys) -> None:
    """Let ``keys`` press a button; nothing happens while it is disabled.

    A button's own shortcut would wait 100 ms for its animation.
    """
    on_key(button, keys, button.click)


class LettersPass(QObject):
    """Lets a number field give up the keys that it has no use for, so that they reach the page.

    A field that has the keyboard takes every letter, though it can only refuse it, and Ctrl+Z, though
    it may have nothing to undo.
    """

    def __init__(self, field: QAbstractSpinBox) -> None:
        super().__init__(field)
        self._field = field
        field.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Decline the override of letters, and of undo and redo where the text has none."""
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        edit = self._field.lineEdit()
        letter = event.text().isalpha() and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        undo = event.matches(QKeySequence.StandardKey.Undo) and not edit.isUndoAvailable()
        redo = event.matches(QKeySequence.StandardKey.Redo) and not edit.isRedoAvailable()
        if letter or undo or redo:
            event.ignore()
            return True
        return False
