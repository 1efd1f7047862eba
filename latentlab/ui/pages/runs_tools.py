"""The row of tools over the table of runs: search, and what can be done with the chosen ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QSpinBox,
    QTableView,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from latentlab.core.sweep import bundled_sweeps
from latentlab.ui import icons, style

EXPORTS = {
    "csv": ("Metrics as CSV…", "A row per step, a column per metric"),
    "tensorboard": ("TensorBoard files…", "Scalars, pictures, histograms and settings for tensorboard --logdir"),
    "onnx": ("Networks as ONNX…", "Encoder and decoder of the last checkpoint for other runtimes"),
    "html": ("Report…", "One HTML file with curves, table and pictures of all chosen runs"),
}
MAX_JOBS = 64
MIN_WIDTH, WORDS_FROM = 480, 900


class RunTools(QWidget):
    """Search and buttons. Thread: GUI."""

    searched = Signal(str)
    wanted = Signal(str)  # open, continue, fork, folder, trash
    export_wanted = Signal(str)
    sweep_wanted = Signal(object)  # Path of a sweep file, or None to ask for one

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search runs")
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(260)
        self.search.setAccessibleName("Search runs")
        self.search.setToolTip(
            "Show runs with all of these words in name, recipe, data, settings, #tags or note (Ctrl+F)"
        )
        self.search.textChanged.connect(self.searched)
        find = QShortcut(QKeySequence.StandardKey.Find, self.window())
        find.setParent(self)
        find.setContext(Qt.ShortcutContext.WindowShortcut)
        find.activated.connect(self.search.setFocus)
        self.buttons: dict[str, QToolButton] = {
            "open": self._button("open", "Open", "Open the run: curves, pictures and weights (Enter)"),
            "continue": self._button("resume", "Continue", "Go on training this run from its last checkpoint"),
            "fork": self._button("copy", "Fork…", "Begin a new run at a checkpoint of this one, with other settings"),
            "folder": self._button("folder", "Folder", "Show the run's folder in the file manager"),
            "trash": self._button("close", "Trash", "Move the chosen runs to the system's trash (Del)"),
        }
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _checked=False, name=name: self.wanted.emit(name))
        self.exports = self._menu_button("Export", "Export the chosen runs")
        self.export_actions: dict[str, QAction] = {}
        for name, (words, tip) in EXPORTS.items():
            action = self.exports.menu().addAction(words)
            action.setToolTip(tip)
            action.triggered.connect(lambda _checked=False, name=name: self.export_wanted.emit(name))
            self.export_actions[name] = action
        self.sweeps = self._menu_button(
            "New sweep", "Train a recipe with settings varied, each run in a process of its own"
        )
        self.jobs = QSpinBox()
        self._fill_sweeps(self.sweeps.menu())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(style.SPACING)
        row.addWidget(self.search, 1)
        for button in (*self.buttons.values(), self.exports):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.sweeps)

    def minimumSizeHint(self) -> QSize:
        """Return the size without the words of the buttons."""
        return QSize(MIN_WIDTH, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out the words of the buttons where there is no room for them."""
        super().resizeEvent(event)
        styles = Qt.ToolButtonStyle
        chosen = styles.ToolButtonTextBesideIcon if self.width() >= WORDS_FROM else styles.ToolButtonIconOnly
        for button in self.buttons.values():
            button.setToolButtonStyle(chosen)

    def _button(self, icon: str, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(f"{text.rstrip('…')} run")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        icons.set_icon(button, icon)
        return button

    def _menu_button(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(text)
        button.setProperty("kind", "menu")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        button.setMenu(menu)
        return button

    def _fill_sweeps(self, menu: QMenu) -> None:
        for name, path in bundled_sweeps().items():
            action = menu.addAction(name)
            action.setToolTip(_first_comment(path))
            action.triggered.connect(lambda _checked=False, path=path: self.sweep_wanted.emit(path))
        menu.addSeparator()
        action = menu.addAction("From a file…")
        action.setToolTip("A TOML file: a base recipe with [grid] or [[list]]")
        action.triggered.connect(lambda: self.sweep_wanted.emit(None))
        menu.addSeparator()
        self.jobs.setRange(1, MAX_JOBS)
        self.jobs.setPrefix("at a time: ")
        self.jobs.setToolTip("How many trainings of a sweep run at the same time")
        self.jobs.setAccessibleName("Trainings at a time")
        holder = QWidgetAction(menu)
        holder.setDefaultWidget(self.jobs)
        menu.addAction(holder)

    def allow(self, reasons: Mapping[str, str]) -> None:
        """Enable the buttons for which there is no reason against it; the others say theirs."""
        for name, button in self.buttons.items():
            reason = reasons.get(name, "")
            button.setEnabled(not reason)
            plain = button.toolTip().partition("\n")[0]
            button.setToolTip(f"{plain}\n{reason}" if reason else plain)
        self.exports.setEnabled(not reasons.get("export", ""))
        for name in ("csv", "tensorboard", "onnx"):
            self.export_actions[name].setEnabled(not reasons.get("one", ""))


def name_inner_buttons(root: QWidget) -> None:
    """Say what the buttons do that Qt puts into fields, tables and tab bars itself."""
    for button in root.findChildren(QAbstractButton):
        holder = button.parent()
        words = {
            "ScrollLeftButton": "Earlier tabs",
            "ScrollRightButton": "Later tabs",
        }.get(button.objectName(), "")
        if not words and isinstance(holder, QLineEdit):
            words = "Empty this field"
        elif not words and isinstance(holder, QTableView):
            words = "Choose all rows"
        if words and not button.toolTip():
            button.setToolTip(words)
            button.setAccessibleName(words)


def _first_comment(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[0].lstrip("# ") if lines and lines[0].startswith("#") else path.name


class NotesEditor(QWidget):
    """Tags and a note of one run; what is typed is kept when Enter is pressed or the field is left."""

    edited = Signal(str, object)  # note, tuple of tags

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tags = self._line("Tags", "Tags of the chosen run, parted by spaces; search finds them as #tag", 200)
        self.note = self._line("Note", "A note about the chosen run", 10_000)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(style.SPACING)
        row.addWidget(self.tags, 1)
        row.addWidget(self.note, 3)
        self._shown = ("", "")

    def _line(self, name: str, tip: str, width: int) -> QLineEdit:
        line = QLineEdit()
        line.setPlaceholderText(name)
        line.setMaximumWidth(width)
        line.setAccessibleName(name)
        line.setToolTip(tip)
        line.editingFinished.connect(self._on_edited)
        return line

    def show_notes(self, note: str, tags: tuple[str, ...], *, enabled: bool) -> None:
        """Show what a run has, unless somebody is typing."""
        self.setEnabled(enabled)
        shown = (note, " ".join(tags))
        if shown != self._shown and not (self.tags.isModified() or self.note.isModified()):
            self._shown = shown
            self.note.setText(note)
            self.tags.setText(shown[1])

    def _on_edited(self) -> None:
        if self.tags.isModified() or self.note.isModified():
            self.tags.setModified(False)
            self.note.setModified(False)
            tags = tuple(dict.fromkeys(tag.lstrip("#") for tag in self.tags.text().split() if tag.lstrip("#")))
            self._shown = (self.note.text(), " ".join(tags))
            self.edited.emit(self.note.text(), tags)
