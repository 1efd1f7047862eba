"""The list of keyboard shortcuts, read from the actions themselves so that it cannot be out of date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from latentlab.ui.actions import SPECS
from latentlab.ui.page import Page
from latentlab.ui.style import SPACING

Row = tuple[str, str, str]  # where, keys, what


def window_rows(actions: Mapping[str, QAction]) -> list[Row]:
    """Return the shortcuts of the window's own actions."""
    return [
        (spec.menu.replace("&", ""), _keys(actions[spec.name].shortcut()), spec.tooltip)
        for spec in SPECS
        if spec.shortcut
    ]


def page_rows(pages: Iterable[Page]) -> list[Row]:
    """Return the shortcuts that pages declare: as actions, as QShortcuts with a name or a tooltip, or as rows."""
    rows: list[Row] = []
    for page in pages:
        actions = [action for action in page.findChildren(QAction) if not action.shortcut().isEmpty()]
        rows += [(page.title, _keys(action.shortcut()), action.toolTip() or action.text()) for action in actions]
        rows += [(page.title, keys, words) for keys, words in page.key_rows()]
        for shortcut in page.findChildren(QShortcut):
            words = shortcut.whatsThis() or shortcut.objectName()
            if words:
                rows.append((page.title, _keys(shortcut.key()), words))
    return rows


def _keys(sequence: QKeySequence) -> str:
    return sequence.toString(QKeySequence.SequenceFormat.NativeText)


class ShortcutsDialog(QDialog):
    """A table of where, keys and what they do."""

    def __init__(self, rows: list[Row], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Shortcuts")
        self.resize(640, 560)
        self.table = QTableWidget(len(rows), 3)
        self.table.setAccessibleName("Keyboard shortcuts")
        self.table.setHorizontalHeaderLabels(["Where", "Keys", "What it does"])
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                self.table.setItem(i, j, QTableWidgetItem(text))
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACING * 2, SPACING * 2, SPACING * 2, SPACING * 2)
        column.addWidget(self.table)
