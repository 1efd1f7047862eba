"""The status bar: speed, event-loop delay, what the page says, and messages that wait until they are read."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStatusBar, QToolButton, QWidget

from latentlab.core.messages import ErrorReport
from latentlab.ui import icons
from latentlab.ui.style import SPACING, colour, format_value

INFO_MS = 8000
HEIGHT = 32


class ElidedLabel(QWidget):
    """One line of text that ends in … where it does not fit, with the whole text as tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self.colour_key = "muted"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def text(self) -> str:
        """Return the whole text."""
        return self._text

    def set_text(self, text: str, colour_key: str = "muted") -> None:
        """Show ``text`` in a colour of the theme."""
        self._text, self.colour_key = text, colour_key
        self.setToolTip(text)
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for the whole text."""
        metrics = QFontMetrics(self.font())
        return QSize(metrics.horizontalAdvance(self._text) + 2, metrics.height())

    def minimumSizeHint(self) -> QSize:
        """Room for next to nothing."""
        return QSize(24 if self._text else 0, QFontMetrics(self.font()).height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much of the text as fits."""
        painter = QPainter(self)
        painter.setPen(colour(self.colour_key))
        text = QFontMetrics(self.font()).elidedText(self._text, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        painter.end()


class MessageArea(QWidget):
    """Says one thing at a time: news fade after some seconds, errors stay until they are read.

    ``details_requested`` carries the ``ErrorReport`` whose Details button was pressed. The error
    counts as read then, or when it is dismissed; the next one waiting follows.
    """

    details_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messageArea")
        self.errors: list[ErrorReport] = []
        self.symbol = QLabel()
        self.label = ElidedLabel()
        self.details = self._button("Details", "Show where the error came from and what to do", self._on_details)
        self.dismiss = self._button("", "Dismiss: I have read this", self._on_dismiss)
        self.dismiss.setAccessibleName("Dismiss")
        icons.set_icon(self.dismiss, "close", "muted")
        self._fade = QTimer(self, singleShot=True, interval=INFO_MS)
        self._fade.timeout.connect(self.clear_info)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACING, 0, 4, 0)
        row.setSpacing(6)
        row.addWidget(self.symbol)
        row.addWidget(self.label, 1)
        row.addWidget(self.details)
        row.addWidget(self.dismiss)
        self._refresh("")

    def _button(self, text: str, tooltip: str, slot: object) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tooltip)
        button.setIconSize(QSize(12, 12))
        button.clicked.connect(slot)
        return button

    def show_info(self, text: str) -> None:
        """Show news for some seconds; while an error waits to be read, the error stays."""
        if not self.errors:
            self._refresh(text)
            self._fade.start()

    def show_error(self, report: ErrorReport) -> None:
        """Show an error until it is read, after those that came before it."""
        self.errors.append(report)
        self._refresh("")

    def clear_info(self) -> None:
        """Take the news away."""
        if not self.errors:
            self._refresh("")

    def _on_details(self) -> None:
        if self.errors:
            report = self.errors.pop(0)
            self._refresh("")
            self.details_requested.emit(report)

    def _on_dismiss(self) -> None:
        if self.errors:
            self.errors.pop(0)
        self._refresh("")

    def _refresh(self, info: str) -> None:
        self._fade.stop()
        failed = bool(self.errors)
        if failed:
            report = self.errors[0]
            count = f"1 of {len(self.errors)}: " if len(self.errors) > 1 else ""
            info = f"{count}{sentence(report)}"
            self.symbol.setPixmap(icons.pixmap("warning", 14, "danger", self.devicePixelRatioF()))
        self.label.set_text(info, "danger" if failed else "text")
        self.symbol.setVisible(failed)
        self.details.setVisible(failed)
        self.dismiss.setVisible(bool(info))


def sentence(report: ErrorReport) -> str:
    """Return what happened and what to do as one line."""
    what = report.what if report.what.endswith((".", "!", "?")) else f"{report.what}."
    return f"{what} {report.hint}".strip()


class StatusLine(QStatusBar):
    """``803 images/s · window 4 ms · weights 0.4 s old``, then the message area."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.setFixedHeight(HEIGHT)  # The bar must not grow when a message brings its buttons.
        self.speed = self._readout("speedLabel", "Training images per second", "00.0 k images/s")
        self.delay = self._readout(
            "delayLabel", "Typical time an event waits for the window, in milliseconds", "window 000 ms"
        )
        self.page = self._readout("pageStatusLabel", "What the page shows", "")
        self.messages = MessageArea()
        self.addWidget(self.messages, 1)

    def _readout(self, name: str, tooltip: str, widest: str) -> QLabel:
        label = QLabel()
        label.setObjectName(name)
        label.setToolTip(tooltip)
        if widest:
            label.setMinimumWidth(QFontMetrics(label.font()).horizontalAdvance(widest) + 2 * SPACING)
        self.addWidget(label)
        return label

    def show_readings(self, images_per_s: float | None, delay_ms: float, page: str) -> None:
        """Update the numbers; None for the speed means that nothing is training."""
        self.speed.setText("" if images_per_s is None else f"{format_value(images_per_s)} images/s")
        self.speed.setVisible(images_per_s is not None)
        self.delay.setText(f"window {delay_ms:.0f} ms")
        self.page.setText(page)
