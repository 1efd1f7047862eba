"""A recipe on the welcome page: a drawing, its name and story, and the button that trains it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from latentlab.core.recipe import Recipe
from latentlab.ui.style import SPACING, format_steps
from latentlab.ui.thumbnails import SIDE, thumbnail

CARD_WIDTH = 250
KIND_WORDS = {
    "ae": "AE",
    "vae": "VAE",
    "cvae": "Conditional VAE",
    "ssvae": "Semi-supervised VAE",
    "vaegan": "VAE-GAN",
    "cgan": "Conditional GAN",
}


class RecipeCard(QFrame):
    """One bundled recipe. ``train_requested`` and ``settings_requested`` carry its name."""

    train_requested = Signal(str)
    settings_requested = Signal(str)

    def __init__(self, name: str, recipe: Recipe, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.recipe = recipe
        self.setObjectName(f"card.{name}")
        self.setProperty("role", "card")
        self.setAccessibleName(f"Recipe {recipe.title or name}")
        self.picture = QLabel()
        self.picture.setFixedSize(SIDE, SIDE)
        self.train = QPushButton("Train")
        self.settings = QPushButton("Settings")
        self._build()
        self.apply_theme()

    def _build(self) -> None:
        group = QLabel(self.recipe.group)
        group.setProperty("role", "muted")
        title = QLabel(self.recipe.title or self.name)
        title.setProperty("role", "heading")
        title.setWordWrap(True)
        facts = QLabel(self.facts())
        facts.setProperty("role", "muted")
        facts.setWordWrap(True)
        story = QLabel(self.recipe.story)
        story.setWordWrap(True)
        story.setAlignment(Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(group)
        words.addWidget(title)
        words.addWidget(facts)
        words.addStretch(1)
        head = QHBoxLayout()
        head.setSpacing(SPACING + 4)
        head.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACING * 2, SPACING * 2, SPACING * 2, SPACING + 4)
        column.setSpacing(SPACING)
        column.addLayout(head)
        column.addWidget(story, 1)
        column.addLayout(self._buttons())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(CARD_WIDTH)

    def _buttons(self) -> QHBoxLayout:
        self.train.setProperty("kind", "primary")
        self.train.setToolTip(f"Start training {self.name} now")
        self.train.setAccessibleName(f"Train {self.name}")
        self.train.clicked.connect(lambda: self.train_requested.emit(self.name))
        self.settings.setProperty("kind", "quiet")
        self.settings.setToolTip(f"Load {self.name} into the settings panel without training")
        self.settings.setAccessibleName(f"Settings of {self.name}")
        self.settings.clicked.connect(lambda: self.settings_requested.emit(self.name))
        row = QHBoxLayout()
        row.addWidget(self.train)
        row.addWidget(self.settings)
        row.addStretch(1)
        return row

    def facts(self) -> str:
        """Return model, data and length as one line."""
        data = self.recipe.data.spec.partition(":")[0]
        kind = KIND_WORDS.get(self.recipe.model.kind, self.recipe.model.kind)
        return f"{kind} · {data} · {format_steps(self.recipe.training.steps)} steps"

    def apply_theme(self) -> None:
        """Draw the picture in the colours in force."""
        self.picture.setPixmap(thumbnail(self.recipe.data.spec, self.devicePixelRatioF(), self.name))


class CardGrid(QWidget):
    """Cards of equal width in as many columns as fit."""

    def __init__(self, cards: list[RecipeCard], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards = cards
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(SPACING * 2)
        self.set_columns(3)

    def set_columns(self, columns: int) -> None:
        """Lay the cards out in this many columns; columns stay as wide when there are fewer cards."""
        if columns == self._columns:
            return
        for column in range(max(columns, self._columns)):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
            self._grid.setColumnMinimumWidth(column, CARD_WIDTH if column < columns else 0)
        self._columns = columns
        for i, card in enumerate(self.cards):
            self._grid.addWidget(card, i // columns, i % columns)
