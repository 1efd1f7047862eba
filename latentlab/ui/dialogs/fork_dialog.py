"""The dialogue that forks a run: where to begin, and what to change."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from latentlab.core.errors import InputError
from latentlab.core.recipe import Recipe
from latentlab.core.run_facts import RunFacts, recipe_at
from latentlab.ui import style
from latentlab.ui.widgets.recipe_form import RecipeForm


def checkpoint_label(name: str) -> str:
    """Return what a checkpoint is called: ``step 1,500`` or ``the last one``."""
    return f"step {int(name.removeprefix('step_')):,}" if name.startswith("step_") else "the last one"


class ForkDialog(QDialog):
    """Asks for a checkpoint and settings. Settings that cannot differ from the run's are grey.

    Attributes
    ----------
    checkpoint, recipe
        What was chosen; read them after ``exec`` or ``accepted``.
    """

    def __init__(self, facts: RunFacts, checkpoints: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Fork {facts.path.name}")
        self.resize(460, 640)
        self.choice = QComboBox()
        for name in checkpoints:
            self.choice.addItem(checkpoint_label(name), name)
        self.choice.setToolTip("Checkpoint of this run that the new one begins at, with its curves up to there")
        self.choice.setAccessibleName("Checkpoint to begin at")
        label = QLabel("&Begin at")
        label.setBuddy(self.choice)
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(self.choice, 1)
        self.form = RecipeForm()
        self.form.header.hide()
        self._facts = facts
        self._load()
        for section in self.form.sections:  # What cannot differ from the run's is left out.
            section.setVisible(section.name not in ("data", "model"))
        self.buttons = QDialogButtonBox()
        self.fork = self.buttons.addButton("Fork and train", QDialogButtonBox.ButtonRole.AcceptRole)
        self.fork.setToolTip("Start a new run at this checkpoint with these settings")
        cancel = self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        cancel.setToolTip("Close without a fork")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.fork.setMinimumWidth(self.fork.fontMetrics().horizontalAdvance("Fork and train") + 6 * style.SPACING)
        column = QVBoxLayout(self)
        column.setSpacing(style.SPACING)
        column.addLayout(row)
        column.addWidget(self.form, 1)
        column.addWidget(self.buttons)
        self.choice.currentIndexChanged.connect(self._load)
        self.form.recipe_changed.connect(self._refresh)
        self._refresh()

    @property
    def checkpoint(self) -> str:
        """The chosen checkpoint's name."""
        return str(self.choice.currentData() or "")

    @property
    def recipe(self) -> Recipe | None:
        """The settings, or None while they make no sense."""
        return self.form.recipe()

    @Slot()
    def _load(self) -> None:
        """Show the settings that held at the checkpoint, unless some were edited already."""
        if self.form.modified:
            return
        try:
            recipe = recipe_at(self._facts.path, self.checkpoint)
        except InputError:
            recipe = self._facts.recipe.model_copy(deep=True)
        if self._facts.step >= recipe.training.steps:  # A fork of a finished run wants steps to make.
            recipe.training.steps = 2 * recipe.training.steps
        self.form.set_recipe(recipe, self._facts.path.name)
        self.form.set_locked(True)
        self.form.rows["training.steps"].set_locked(False)

    @Slot()
    def _refresh(self) -> None:
        self.fork.setEnabled(bool(self.checkpoint) and self.recipe is not None)
