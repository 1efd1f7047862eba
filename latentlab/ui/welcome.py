"""The first thing one sees: recipes that train with one click, one's own data, and recent runs."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from latentlab.core.errors import InputError
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import bundled_recipes, read_recipe
from latentlab.core.run_folder import is_run
from latentlab.ui.icons import set_icon
from latentlab.ui.recipe_card import CARD_WIDTH, CardGrid, RecipeCard
from latentlab.ui.style import SPACING, theme_events
from latentlab.ui.toolbar import short_run_name

MAX_WIDTH = 1120
MAX_RUNS = 6


def readable_recipes() -> dict[str, Recipe]:
    """Return the bundled recipes that can be read: quickstart first, then group by group."""
    recipes = {}
    for name, path in bundled_recipes().items():
        try:
            recipes[name] = read_recipe(path)
        except InputError:
            continue  # Opening it by name tells what is wrong with it.
    return dict(sorted(recipes.items(), key=lambda item: (item[0] != "quickstart", item[1].group)))


def newest_runs(root: Path, count: int = MAX_RUNS) -> list[Path]:
    """Return the run folders under ``root``, newest first."""
    try:
        runs = [(path.stat().st_mtime, path) for path in root.iterdir() if is_run(path)]
    except OSError:
        return []
    return [path for _, path in sorted(runs, reverse=True)[:count]]


def age_words(seconds: float) -> str:
    """Return how long ago something was, in the largest sensible unit: ``5 min ago``."""
    for size, unit in ((86400, "day"), (3600, "h"), (60, "min")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''} ago"
    return "just now"


class WelcomePage(QWidget):
    """Cards of the bundled recipes, buttons for one's own data, recent runs.

    Signals
    -------
    train_requested, settings_requested
        Name of a bundled recipe.
    open_requested, folder_requested
        The user wants to pick a file, or a folder.
    path_requested
        A recent run (``Path``).
    """

    train_requested = Signal(str)
    settings_requested = Signal(str)
    open_requested = Signal()
    folder_requested = Signal()
    path_requested = Signal(object)

    def __init__(self, runs_root: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcomePage")
        self._runs_root = runs_root
        self.cards: list[RecipeCard] = []
        self.runs = QVBoxLayout()
        self._column = QVBoxLayout()
        self._build()
        self.refresh_runs()
        theme_events().changed.connect(self.apply_theme)

    def _build(self) -> None:
        body = QWidget()
        self._column.setContentsMargins(SPACING * 4, SPACING * 4, SPACING * 4, SPACING * 4)
        self._column.setSpacing(SPACING * 2)
        self._add_label("latentlab", "title")
        self._add_label(
            "Pick a recipe: one click trains it while you watch, and every page follows its weights.", "muted"
        )
        self._add_cards()
        self._add_own_data()
        self._column.addLayout(self.runs)
        self._column.addStretch(1)
        inner = QWidget()
        inner.setMaximumWidth(MAX_WIDTH)
        inner.setLayout(self._column)
        centred = QHBoxLayout(body)
        centred.setContentsMargins(0, 0, 0, 0)
        centred.addStretch(1)
        centred.addWidget(inner, 1000)
        centred.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

    def _add_label(self, text: str, role: str) -> None:
        label = QLabel(text)
        label.setProperty("role", role)
        label.setWordWrap(True)
        self._column.addWidget(label)

    def _add_cards(self) -> None:
        for name, recipe in readable_recipes().items():
            card = RecipeCard(name, recipe)
            card.train_requested.connect(self.train_requested)
            card.settings_requested.connect(self.settings_requested)
            self.cards.append(card)
        self.grid = CardGrid(self.cards)
        self._column.addWidget(self.grid)

    def _add_own_data(self) -> None:
        self._add_label("Your own data", "section")
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        for text, icon, tooltip, signal in (
            (
                "Open a video…",
                "video",
                "Train on a video file, or open a run, recipe or exported picture",
                self.open_requested,
            ),
            ("Open a folder…", "folder", "Train on a folder of images, or open a run folder", self.folder_requested),
        ):
            button = QPushButton(text)
            set_icon(button, icon)
            button.setToolTip(tooltip)
            button.setAccessibleName(text.rstrip("…"))
            button.clicked.connect(signal)
            row.addWidget(button)
        note = QLabel("or drop it anywhere on this window")
        note.setProperty("role", "muted")
        row.addSpacing(SPACING)
        row.addWidget(note)
        row.addStretch(1)
        self._column.addLayout(row)

    def refresh_runs(self) -> None:
        """List the newest runs again."""
        while (item := self.runs.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        found = newest_runs(self._runs_root)
        self.runs.setSpacing(2)
        if found:
            heading = QLabel("Recent runs")
            heading.setProperty("role", "section")
            self.runs.addWidget(heading)
        for run in found:
            self.runs.addWidget(self._run_button(run), 0, Qt.AlignmentFlag.AlignLeft)

    def _run_button(self, run: Path) -> QPushButton:
        age = age_words(time.time() - run.stat().st_mtime)
        button = QPushButton(f"{short_run_name(run.name)}   ·   {age}")
        set_icon(button, "runs", "muted")
        button.setProperty("kind", "quiet")
        button.setStyleSheet("padding-left: 4px;")
        button.setToolTip(f"Open {run}")
        button.setAccessibleName(f"Open run {run.name}")
        button.clicked.connect(lambda: self.path_requested.emit(run))
        return button

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit as many columns of cards as there is room for."""
        super().resizeEvent(event)
        room = min(self.width(), MAX_WIDTH) - SPACING * 8
        self.grid.set_columns(max(1, min(3, room // CARD_WIDTH)))

    @Slot()
    def apply_theme(self) -> None:
        """Draw the cards' pictures in the colours in force."""
        for card in self.cards:
            card.apply_theme()
