"""The list of films that a data set is made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.video_dataset import FilmFacts
from latentlab.ui import style
from latentlab.ui.widgets.data_spec_editor import VIDEO_SUFFIXES

COLUMNS = ("Film", "Frames", "Size", "Length")
LIST_HEIGHT = 120
NUMBER_COLUMNS = (1, 2, 3)


class FilmTree(QTreeWidget):
    """A table of films that takes dropped files and folders."""

    dropped = Signal(list)  # list of Path
    remove_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self.setColumnCount(len(COLUMNS))
        self.setHeaderLabels(COLUMNS)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setMinimumHeight(LIST_HEIGHT)
        self.setAccessibleName("Films")
        self.setToolTip("Films the frames are taken from, in this order; drop files or folders here")
        self.setFont(style.figure_font(self.font()))
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in NUMBER_COLUMNS:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
            self.headerItem().setTextAlignment(column, Qt.AlignmentFlag.AlignRight)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take local files."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Take them anywhere."""
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add what was dropped."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Remove the selected films with Delete."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_wanted.emit()
        else:
            super().keyPressEvent(event)


class FilmList(QWidget):
    """The table, and buttons to add, remove and move films.

    ``changed`` follows every change of the list; ``looked_at`` wants facts about a film; ``chosen``
    tells which film is in front. Thread: GUI.
    """

    changed = Signal()
    looked_at = Signal(object)  # Path
    chosen = Signal(object)  # Path or None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.facts: dict[Path, FilmFacts] = {}
        self.paths: list[Path] = []
        self.tree = FilmTree()
        self.tree.dropped.connect(self.add)
        self.tree.remove_wanted.connect(self.remove_selected)
        self.tree.currentItemChanged.connect(self._on_current)
        self.plus = self._button("Add films…", "Choose one or more films", self.browse)
        self.minus = self._button("Remove", "Take the selected films off the list (Delete)", self.remove_selected)
        self.up = self._button(
            "Up", "Move the film up: with several films, the last ones are for testing", self.move_up
        )
        row = QHBoxLayout()
        row.setSpacing(style.SPACING)
        for button in (self.plus, self.minus, self.up):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(style.SPACING)
        column.addWidget(self.tree, 1)
        column.addLayout(row)
        self._enable()

    @Slot(list)
    def add(self, paths: Sequence[Path]) -> None:
        """Add films, and the films in folders; those already there are passed over."""
        for path in _films_of(paths):
            if path not in self.paths:
                self.paths.append(path)
                item = QTreeWidgetItem([path.name, "…"])
                item.setToolTip(0, str(path))
                for number in NUMBER_COLUMNS:
                    item.setTextAlignment(number, Qt.AlignmentFlag.AlignRight)
                self.tree.addTopLevelItem(item)
                self.looked_at.emit(path)
        first = self.tree.topLevelItem(0)
        if self.tree.currentItem() is None and first is not None:
            self.tree.setCurrentItem(first)
        self._tell()

    @Slot()
    def remove_selected(self) -> None:
        """Take the selected films off the list."""
        for item in self.tree.selectedItems():
            place = self.tree.indexOfTopLevelItem(item)
            self.tree.takeTopLevelItem(place)
            self.facts.pop(self.paths.pop(place), None)
        self._tell()

    @Slot()
    def move_up(self) -> None:
        """Move the film in front one place up."""
        place = self.tree.indexOfTopLevelItem(self.tree.currentItem())
        if place > 0:
            item = self.tree.takeTopLevelItem(place)
            assert item is not None
            self.tree.insertTopLevelItem(place - 1, item)
            self.paths.insert(place - 1, self.paths.pop(place))
            self.tree.setCurrentItem(item)
            self._tell()

    def show_facts(self, facts: FilmFacts) -> None:
        """Fill in what was found out about a film."""
        if facts.path not in self.paths:
            return
        self.facts[facts.path] = facts
        item = self.tree.topLevelItem(self.paths.index(facts.path))
        assert item is not None
        if facts.problem is not None:
            item.setText(1, "cannot be used")
            item.setForeground(1, style.colour("danger"))
            item.setToolTip(0, f"{facts.problem.what}. {facts.problem.hint}")
            item.setToolTip(1, item.toolTip(0))
        else:
            item.setText(1, f"{facts.frames:,}")
            item.setText(2, f"{facts.width}×{facts.height}")
            item.setText(3, style.format_duration(facts.duration_s))
            item.setToolTip(1, f"{facts.frames:,} frames, {facts.keyframes:,} of them keyframes")
        self.changed.emit()

    @property
    def current(self) -> Path | None:
        """The film in front."""
        place = self.tree.indexOfTopLevelItem(self.tree.currentItem()) if self.tree.currentItem() is not None else -1
        return self.paths[place] if 0 <= place < len(self.paths) else None

    @property
    def problem(self) -> str:
        """What is wrong with one of the films, empty when nothing is."""
        reports = [facts.problem for facts in self.facts.values() if facts.problem is not None]
        return f"{reports[0].what}. Remove it from the list." if reports else ""

    @Slot()
    def browse(self) -> None:
        """Let the user choose films; the window goes on meanwhile."""
        folder = str(self.paths[-1].parent) if self.paths else ""
        pattern = " ".join(f"*{suffix}" for suffix in VIDEO_SUFFIXES)
        dialog = QFileDialog(self, "Add films", folder, f"Videos ({pattern});;All files (*)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self._on_files)
        dialog.open()

    @Slot(list)
    def _on_files(self, names: list[str]) -> None:
        self.add([Path(name) for name in names])

    @Slot()
    def _on_current(self) -> None:
        self._enable()
        self.chosen.emit(self.current)

    def _tell(self) -> None:
        self._enable()
        self.changed.emit()

    def _enable(self) -> None:
        self.minus.setEnabled(bool(self.paths))
        self.up.setEnabled(len(self.paths) > 1)

    def _button(self, text: str, tooltip: str, slot: object) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tooltip)
        button.setAccessibleName(text)
        button.setAutoDefault(False)
        button.clicked.connect(slot)
        return button


def _films_of(paths: Sequence[Path]) -> list[Path]:
    """Return files as they are, and of folders the films directly in them."""
    films: list[Path] = []
    for path in paths:
        path = path.absolute()
        if path.is_dir():
            films += sorted(item for item in path.iterdir() if item.suffix.lower() in VIDEO_SUFFIXES and item.is_file())
        else:
            films.append(path)
    return films
