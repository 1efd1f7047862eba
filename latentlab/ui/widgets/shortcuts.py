"""Keys that act at once: a button's own shortcut waits 100 ms for its animation."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QWidget

Keys = str | QKeySequence.StandardKey


def on_key(owner: QWidget, keys: Keys, act: Callable[[], object]) -> QShortcut:
    """Call ``act`` (a bound method) when ``keys`` are pressed in the window while ``owner`` is visible."""
    shortcut = QShortcut(QKeySequence(keys), owner)
    shortcut.activated.connect(act)
    return shortcut


def click_on_key(button: QAbstractButton, keys: Keys) -> None:
    """Let ``keys`` press a button; nothing happens while it is disabled."""
    on_key(button, keys, button.click)
