"""A label that ends in an ellipsis where its text does not fit."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from latentlab.ui import style

FEWEST_LETTERS = 5


class ElidedLabel(QLabel):
    """One muted line that needs no more room than its short text, so that it cannot widen the window.

    Parameters
    ----------
    widest
        What to ask room for whatever is shown, so that nothing moves when the text changes; empty: the text.
    """

    def __init__(self, widest: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._widest, self._short = widest, ""
        self.setProperty("role", "muted")

    def set_short(self, text: str) -> None:
        """Choose what is shown where the text does not fit; empty: as much of the text as does."""
        if text != self._short:
            before, self._short = self.minimumSizeHint(), text
            if self.minimumSizeHint() != before:  # Several times a second the number is another, and seldom its width.
                self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """Room for the widest text."""
        hint = super().sizeHint()
        return QSize(self.fontMetrics().horizontalAdvance(self._widest), hint.height()) if self._widest else hint

    def minimumSizeHint(self) -> QSize:
        """Room for the short text; without one, for next to nothing."""
        room = self.fontMetrics().horizontalAdvance(self._short) + 2  # Advances are rounded; half a pixel cuts letters.
        return QSize(max(24, room), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much of the text as fits."""
        painter = QPainter(self)
        painter.setPen(style.colour("muted"))
        fits = self.fontMetrics().horizontalAdvance(self.text()) <= self.width()
        whole = self.text() if fits or not self._short else self._short
        text = self.fontMetrics().elidedText(whole, Qt.TextElideMode.ElideRight, self.width())
        if len(text) >= min(FEWEST_LETTERS, len(whole)):  # Fewer say nothing.
            painter.drawText(self.rect(), self.alignment(), text)
