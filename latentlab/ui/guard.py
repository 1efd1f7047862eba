"""Keep an exception in one widget from taking the process down.

On Python 3.11, PySide6 6.8 and 6.9 crash when an exception raised by C code (``int("x")``,
``[][1]``) leaves a Python override that Qt called from within another Qt call: they read the
arguments of an exception that Python has not made an object yet. A widget with a bug then ends the
app and the training with it. Guarded overrides report the exception and do what the base class does.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

OVERRIDES = frozenset(
    [
        "event",
        "eventFilter",
        "viewportEvent",
        "paintEvent",
        "resizeEvent",
        "moveEvent",
        "showEvent",
        "hideEvent",
        "closeEvent",
        "changeEvent",
        "enterEvent",
        "leaveEvent",
        "focusInEvent",
        "focusOutEvent",
        "focusNextPrevChild",
        "keyPressEvent",
        "keyReleaseEvent",
        "mousePressEvent",
        "mouseReleaseEvent",
        "mouseMoveEvent",
        "mouseDoubleClickEvent",
        "wheelEvent",
        "contextMenuEvent",
        "dragEnterEvent",
        "dragMoveEvent",
        "dragLeaveEvent",
        "dropEvent",
        "timerEvent",
        "childEvent",
        "customEvent",
        "sizeHint",
        "minimumSizeHint",
        "heightForWidth",
        "hasHeightForWidth",
        "scrollContentsBy",
        "drawContents",
        "paint",
        "boundingRect",
        "shape",
        "sizeFromContents",
        "validate",
        "fixup",
        "textFromValue",
        "valueFromText",
        "stepBy",
    ]
)


def guard_package(prefix: str) -> None:
    """Guard the classes of every module loaded so far whose name begins with ``prefix``.

    Guarding twice changes nothing. Thread: GUI.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith(prefix) and module is not None:
            for value in vars(module).values():
                if isinstance(value, type) and value.__module__ == name and issubclass(value, QObject):
                    guard(value)


def guard(cls: type) -> None:
    """Guard the overrides that ``cls`` itself defines."""
    for name in OVERRIDES & vars(cls).keys():
        override = vars(cls)[name]
        if callable(override) and not hasattr(override, "guarded"):
            setattr(cls, name, _guarded(cls, name, override))


def _guarded(cls: type, name: str, override: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(override)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return override(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - any widget may be broken in any way; the app stays up.
            sys.excepthook(type(error), error, error.__traceback__)
            base = getattr(super(cls, self), name, None)
            return base(*args, **kwargs) if base is not None else None

    vars(call)["guarded"] = True
    return call
