"""The menu bar, from the table of actions, and the menu under the run's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from latentlab.ui.actions import FILE, MENUS, SPECS, VIEW
from latentlab.ui.icons import set_icon
from latentlab.ui.settings_store import SettingsStore
from latentlab.ui.toolbar import short_run_name
from latentlab.ui.welcome import newest_runs, readable_recipes


class RecentMenu(QMenu):
    """What was opened last; filled when it is about to show."""

    def __init__(self, store: SettingsStore, open_path: Callable[[Path], None], parent: QWidget | None = None) -> None:
        super().__init__("Open &recent", parent)
        self._store = store
        self._open_path = open_path
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """List the recent paths that still exist."""
        self.clear()
        for path in self._store.recent():
            action = self.addAction(path.name, lambda path=path: self._open_path(path))
            action.setToolTip(str(path))
        if self.isEmpty():
            nothing = self.addAction("Nothing was opened yet")
            nothing.setEnabled(False)


class RunMenu(QMenu):
    """Under the run's name: other recipes, recent runs, and files."""

    def __init__(
        self,
        actions: Mapping[str, QAction],
        runs_root: Path,
        load_preset: Callable[[str], object],
        open_path: Callable[[Path], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._runs_root = runs_root
        self._load_preset = load_preset
        self._open_path = open_path
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """List recipes by group and the newest runs."""
        self.clear()
        group = None
        for name, recipe in sorted(readable_recipes().items(), key=lambda item: item[1].group):
            if recipe.group != group:
                group = recipe.group
                self._add_heading(group or "Recipes")
            action = self.addAction(name, lambda name=name: self._load_preset(name))
            action.setToolTip(recipe.story)
            action.setEnabled(self._actions["actionNew"].isEnabled())
        runs = newest_runs(self._runs_root)
        if runs:
            self._add_heading("Recent runs")
        for run in runs:
            action = self.addAction(short_run_name(run.name), lambda run=run: self._open_path(run))
            set_icon(action, "runs", "muted")
            action.setToolTip(str(run))
        self.addSeparator()
        self.addActions([self._actions[name] for name in ("actionOpen", "actionOpenFolder", "actionSaveRecipe")])

    def _add_heading(self, text: str) -> None:
        """Add a line that cannot be chosen: a styled menu does not draw the text of a section."""
        self.addSeparator()
        heading = self.addAction(text)
        heading.setEnabled(False)


def fill_menu_bar(bar: QMenuBar, actions: Mapping[str, QAction], recent: RecentMenu) -> None:
    """Put every action of the table into its menu, the themes into a submenu of View."""
    menus = {title: bar.addMenu(title) for title in MENUS}
    themes = QMenu("&Theme", menus[VIEW])
    themes.setToolTipsVisible(True)
    for spec in SPECS:
        menu = menus[spec.menu]
        menu.setToolTipsVisible(True)
        if spec.separator:
            menu.addSeparator()
        if spec.group == "theme":
            if spec.separator:
                menu.addMenu(themes)
            themes.addAction(actions[spec.name])
            continue
        menu.addAction(actions[spec.name])
        if spec.name == "actionOpenFolder" and spec.menu == FILE:
            menu.addMenu(recent)
