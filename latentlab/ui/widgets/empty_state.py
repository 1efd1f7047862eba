"""What a page shows while it has nothing to show: a sentence and a button."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from latentlab.ui import icons, style

ICON_SIZE = 48
TEXT_WIDTH = 420


class EmptyState(QWidget):
    """A calm centre: an optional icon, one sentence, one button that does what the sentence says.

    Parameters
    ----------
    text
        What is missing and what to do about it.
    button_text
        The button's words; "" leaves the button out.
    on_click
        Called when the button is pressed.
    icon
        Name of an icon shown above the sentence; "" for none.
    """

    def __init__(
        self,
        text: str,
        button_text: str = "",
        on_click: Callable[[], None] | None = None,
        icon: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(text)
        self._icon_name = icon
        self._on_click = on_click
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.label = QLabel(text)
        self.label.setProperty("role", "muted")
        self.label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.label.setWordWrap(True)
        self.label.setFixedWidth(TEXT_WIDTH)
        self._fit_label()
        self.button = QPushButton(button_text)
        self.button.setProperty("kind", "primary")
        self.button.setToolTip(text)
        self.button.clicked.connect(self._clicked)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * style.SPACING)
        layout.addStretch(2)
        for widget in (self._picture, self.label, self.button):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        self._picture.setVisible(bool(icon))
        self.button.setVisible(bool(button_text))
        self.apply_theme()
        style.theme_events().changed.connect(self.apply_theme)

    def set_text(self, text: str) -> None:
        """Show another sentence."""
        if text == self.label.text():
            return
        self.label.setText(text)
        self._fit_label()
        self.setAccessibleName(text)

    def _fit_label(self) -> None:
        """Keep the height of the wrapped sentence: centred in a layout, a label gets that of one line."""
        self.label.ensurePolished()
        self.label.setMinimumHeight(self.label.heightForWidth(TEXT_WIDTH))

    @Slot()
    def _clicked(self) -> None:
        if self._on_click is not None:
            self._on_click()

    @Slot()
    def apply_theme(self) -> None:
        """Draw the icon in the colours in force."""
        if self._icon_name:
            ratio = self.devicePixelRatioF()
            self._picture.setPixmap(icons.pixmap(self._icon_name, ICON_SIZE, "faint", ratio))
