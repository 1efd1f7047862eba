"""The top of the settings panel: which recipe this is, whether it was changed, and the way back."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from latentlab.core.errors import InputError
from latentlab.core.recipe_io import bundled_recipes, read_recipe
from latentlab.ui.icons import set_icon
from latentlab.ui.style import SPACING
from latentlab.ui.widgets.wrapped_label import WrappedLabel

LIVE_HINT = "Training. The fields that are not grey change it while it runs."


class PresetBox(QComboBox):
    """The bundled recipes by group, headed by one that is none of them when such a one is loaded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip("Start from one of the recipes that come with latentlab")
        self.setAccessibleName("Recipe")
        self.setObjectName("recipePreset")
        self._items = QStandardItemModel(self)
        self.setModel(self._items)
        self._fill()

    def _fill(self) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, path in bundled_recipes().items():
            try:
                recipe = read_recipe(path)
            except InputError:
                continue  # A broken bundled recipe is told where it is opened, not by a form that cannot build.
            groups.setdefault(recipe.group, []).append((name, recipe.story))
        for group, members in groups.items():
            if group:
                heading = QStandardItem(group)
                heading.setFlags(Qt.ItemFlag.NoItemFlags)
                self._items.appendRow(heading)
            for name, story in members:
                item = QStandardItem(name)
                item.setToolTip(story)
                item.setData(name, Qt.ItemDataRole.UserRole)
                self._items.appendRow(item)

    def show_name(self, name: str) -> None:
        """Select a bundled recipe by name, or show another name above them."""
        first = self._items.item(0)
        if first is not None and first.data(Qt.ItemDataRole.UserRole) == "":
            self._items.removeRow(0)
        index = self.findData(name, Qt.ItemDataRole.UserRole) if name else -1
        if index < 0:
            own = QStandardItem(name or "custom")
            own.setData("", Qt.ItemDataRole.UserRole)
            self._items.insertRow(0, own)
            index = 0
        self.setCurrentIndex(index)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Never change the recipe by scrolling past it."""
        event.ignore()


class RecipeHeader(QWidget):
    """Preset box, ``modified`` marker, revert, and the recipe's one-line story."""

    preset_chosen = Signal(str)
    revert_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.presets = PresetBox()
        self.modified = QLabel("modified")
        self.revert = QToolButton()
        self.story = WrappedLabel()
        self._story = ""
        self._build()
        self.presets.activated.connect(self._on_activated)
        self.revert.clicked.connect(self.revert_requested)

    def _build(self) -> None:
        self.modified.setProperty("role", "warning")
        self.modified.setToolTip("Some settings differ from the recipe")
        set_icon(self.revert, "reset", "muted")
        self.revert.setToolTip("Put all settings back to the recipe's values")
        self.revert.setAccessibleName("Revert all settings")
        self.revert.setFixedWidth(24)
        self.story.setProperty("role", "muted")
        keep = self.revert.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.revert.setSizePolicy(keep)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.presets, 1)
        line.addWidget(self.modified)
        line.addWidget(self.revert)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACING, SPACING * 2, SPACING, SPACING)
        column.setSpacing(SPACING)
        column.addLayout(line)
        column.addWidget(self.story)

    def _on_activated(self, index: int) -> None:
        name = self.presets.itemData(index, Qt.ItemDataRole.UserRole)
        if name:
            self.preset_chosen.emit(name)

    def show_recipe(self, name: str, story: str) -> None:
        """Name the loaded recipe."""
        self.presets.show_name(name)
        self._story = story
        if self.presets.isEnabled():
            self.story.setText(story)
        self.story.setVisible(bool(self.story.text()))

    def set_modified(self, modified: bool) -> None:
        """Show or hide the marker and the way back."""
        self.modified.setVisible(modified)
        self.revert.setVisible(modified)

    def set_locked(self, locked: bool) -> None:
        """No other recipe while one is training; say what can be changed."""
        self.presets.setEnabled(not locked)
        self.story.setText(LIVE_HINT if locked else self._story)
        self.story.setVisible(bool(self.story.text()))
