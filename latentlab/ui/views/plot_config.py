"""The one place that sets pyqtgraph's global options, and the pens that plots share."""

from __future__ import annotations

import threading
from functools import cache
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPen
from PySide6.QtWidgets import QApplication

from latentlab.ui import style

TICK_POINTS_SMALLER = 1.0
Dash = Literal["solid", "test", "target"]
_DASHES = {"test": [4.0, 3.0], "target": [9.0, 5.0]}
FADED = 0.62
"""How far a raw curve moves towards the ground when its smoothed twin is drawn over it."""


@cache
def configure_pyqtgraph() -> None:
    """Set the options that decide what drawing costs; safe to call any number of times.

    pyqtgraph takes half a second to import: it is left to the moment the first plot is made, or to
    ``preload`` before that, so that the window is on screen sooner.
    """
    import pyqtgraph as pg

    pg.setConfigOptions(
        antialias=False,  # with wider pens it costs a hundredfold
        imageAxisOrder="row-major",
        useOpenGL=False,  # one-pixel lines are slower there, and offscreen grabs are blank
        foreground="#808080",
        background=None,
    )


def line_pen(colour: QColor, dash: Dash = "solid", width: int = 1) -> QPen:
    """Return a cosmetic pen. Curves want one pixel: wider ones leave Qt's fast path."""
    pen = QPen(colour, width)
    pen.setCosmetic(True)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dash != "solid":
        pen.setStyle(Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([length / width for length in _DASHES[dash]])
    return pen


def tick_font() -> QFont:
    """Return the font of axis numbers: the system's, a little smaller, digits of equal width."""
    font = QApplication.font()
    return style.figure_font(font, points=max(6.5, font.pointSizeF() - TICK_POINTS_SMALLER))


def preload() -> threading.Thread:
    """Import what plots need in a thread of its own and return it; whoever comes first waits for the import."""

    def load() -> None:
        import latentlab.ui.views.plot  # noqa: F401

    thread = threading.Thread(target=load, name="preload plots", daemon=True)
    thread.start()
    return thread
