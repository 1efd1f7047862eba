"""The grid of the Condition page as a view: walked over with the arrow keys, opened with Enter or a double click."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from latentlab.ui.views.picture import PictureView

ARROWS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}


class CellsView(PictureView):
    """Styles by classes or attributes.

    Signals
    -------
    walked
        (rows down, columns right) by the keyboard.
    opened
        The chosen cell is to be opened.
    """

    walked = Signal(int, int)
    opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("conditionGrid")
        self.setAccessibleName("Styles by classes")
        self.setToolTip("Every style (row) in every class (column); click one, or walk with the arrow keys")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the cell."""
        self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk, or open the cell."""
        key = Qt.Key(event.key())
        if key in ARROWS:
            self.walked.emit(*ARROWS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        else:
            super().keyPressEvent(event)
