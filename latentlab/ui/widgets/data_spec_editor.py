"""The editor of a data spec: type it, complete it, or browse for a folder, video or array file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCompleter, QFileDialog, QHBoxLayout, QLineEdit, QMenu, QToolButton, QWidget

from latentlab.ui.icons import set_icon

SPECS = ("digits", "arena", "mnist", "fashion-mnist", "kmnist", "cifar10", "celeba", "folder:", "video:", "npz:")
VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif")


class DataSpecEditor(QWidget):
    """A line for the data spec with a completer of what is built in and a Browse menu."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QLineEdit()
        self.line.setClearButtonEnabled(False)
        self.line.setAccessibleName("Data set")
        completer = QCompleter(SPECS, self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.line.setCompleter(completer)
        self.line.textChanged.connect(self.changed)
        self.browse = QToolButton()
        set_icon(self.browse, "open")
        self.browse.setToolTip("Choose a folder of images, a video or an array file")
        self.browse.setAccessibleName("Browse for data")
        self.browse.setStyleSheet("QToolButton::menu-indicator { image: none; width: 0; }")
        self.browse.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.browse.setMenu(self._menu())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.line, 1)
        row.addWidget(self.browse)
        self.first = self.line  # Not a focus proxy: with one, Tab goes round and round between the two fields.

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        for name in ("digits", "arena", "mnist", "fashion-mnist", "cifar10"):
            menu.addAction(name, lambda name=name: self.set_value(name))
        menu.addSeparator()
        menu.addAction("Folder of images…", self._choose_folder)
        menu.addAction("Video…", self._choose_video)
        menu.addAction("Array file (npz)…", self._choose_arrays)
        return menu

    def _choose_folder(self) -> None:
        self._take("folder", QFileDialog.getExistingDirectory(self, "Folder of images"))

    def _choose_video(self) -> None:
        pattern = " ".join(f"*{suffix}" for suffix in VIDEO_SUFFIXES)
        self._take("video", QFileDialog.getOpenFileName(self, "Video", "", f"Videos ({pattern});;All files (*)")[0])

    def _choose_arrays(self) -> None:
        self._take("npz", QFileDialog.getOpenFileName(self, "Array file", "", "NumPy arrays (*.npz)")[0])

    def _take(self, scheme: str, chosen: str) -> None:
        if chosen:
            self.set_value(f"{scheme}:{Path(chosen)}")

    def value(self) -> str:
        """Return the spec as typed, without spaces around it."""
        return self.line.text().strip()

    def set_value(self, value: object) -> None:
        """Show a spec."""
        self.line.setText(str(value))
        self.line.setCursorPosition(0)
        self.line.setToolTip(self.toolTip())

    def set_locked(self, locked: bool) -> None:
        """Let the value be seen but not changed."""
        self.setEnabled(not locked)
