"""A window with a heading and text that can be selected and copied; it never blocks the main window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from latentlab.core.messages import ErrorReport
from latentlab.ui.style import SPACING


class TextDialog(QDialog):
    """Heading, explanation, a box of plain text, and Copy and Close."""

    def __init__(self, title: str, heading: str, note: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.resize(640, 420 if text else 160)
        head = QLabel(heading)
        head.setProperty("role", "heading")
        for label in (head, hint := QLabel(note)):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text = QPlainTextEdit(text)
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("Details")
        self.text.setVisible(bool(text))
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACING * 2, SPACING * 2, SPACING * 2, SPACING * 2)
        column.setSpacing(SPACING)
        column.addWidget(head)
        column.addWidget(hint)
        column.addWidget(self.text, 1)
        column.addLayout(self._buttons(f"{heading}\n{note}\n\n{text}"))

    def _buttons(self, whole: str) -> QHBoxLayout:
        copy = QPushButton("Copy")
        copy.setToolTip("Copy everything to the clipboard")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(whole))
        close = QPushButton("Close")
        close.setToolTip("Close this window (Esc)")
        close.setDefault(True)
        close.clicked.connect(self.close)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(copy)
        row.addWidget(close)
        return row


def error_dialog(report: ErrorReport, parent: QWidget) -> TextDialog:
    """Return a window with everything known about an error."""
    hint = "" if report.hint.startswith("Details ") else report.hint  # These are the details.
    note = "\n".join(part for part in (report.where and f"Where: {report.where}", hint) if part)
    return TextDialog("Details", report.what, note, "" if report.expected else report.details.strip(), parent)
