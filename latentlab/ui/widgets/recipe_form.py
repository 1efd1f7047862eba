"""The settings panel: a form generated from the recipe model, so that a setting is described once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from latentlab.core.recipe import SECTIONS, Recipe
from latentlab.core.recipe_io import field_errors, recipe_fields
from latentlab.ui.style import SPACING
from latentlab.ui.widgets.recipe_header import RecipeHeader
from latentlab.ui.widgets.setting_row import SettingRow
from latentlab.ui.widgets.setting_section import SettingSection
from latentlab.ui.widgets.wrapped_label import WrappedLabel


def short_error(key: str, message: str) -> str:
    """Return an error without the key and value that stand beside it anyway."""
    if key == "data.crop" and ("tuple" in message or "valid integer" in message):
        return "Write four whole numbers: x, y, width, height."
    prefix, colon, rest = message.partition(": ")
    text = rest if colon and prefix.startswith(key) else message
    for long, short in (
        ("input should be a valid number, unable to parse string as a number", "this is not a number"),
        ("less than or equal to", "at most"),
        ("greater than or equal to", "at least"),
        ("greater than", "above"),
        ("input should be a valid integer, unable to parse string as an integer", "this is not a whole number"),
        ("input should be", "must be"),
        ("string should have at least 1 character", "choose a data set"),
    ):
        text = text.replace(long, short)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


class RecipeForm(QWidget):
    """Every setting of a recipe, with its errors at the field.

    Signals
    -------
    recipe_changed
        Something was edited or another recipe was loaded; ``recipe()`` and ``problem`` are up to date.
    live_changed
        ``(key, value)`` of a valid edit made while training, to be handed to the trainer.
    preset_chosen
        Name of the bundled recipe the user picked at the top; the form has loaded nothing yet.

    Thread: GUI.
    """

    recipe_changed = Signal()
    live_changed = Signal(str, object)
    preset_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recipeForm")
        self.setAccessibleName("Settings of the recipe")
        self.problem = ""
        self.name = ""
        self.locked = False
        self._base = Recipe()
        self._recipe: Recipe | None = self._base
        self._loading = False
        self.rows = {key: SettingRow(key, field) for key, field in recipe_fields()}
        self.sections = [
            SettingSection(name, [row for key, row in self.rows.items() if key.startswith(f"{name}.")])
            for name in SECTIONS
        ]
        self.header = RecipeHeader()
        self.summary = WrappedLabel()
        self.scroll_area = QScrollArea()
        self._live_timer = QTimer(self, singleShot=True, interval=150)
        self._live_pending: dict[str, object] = {}
        self._build()
        self._connect()
        self.set_recipe(self._base, "")

    def _build(self) -> None:
        body = QWidget()
        inner = QVBoxLayout(body)
        inner.setContentsMargins(SPACING, SPACING, SPACING, SPACING)
        inner.setSpacing(SPACING)
        for section in self.sections:
            inner.addWidget(section)
        inner.addStretch(1)
        self.scroll_area.setWidget(body)
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.summary.setProperty("role", "error")
        self.summary.setContentsMargins(SPACING, SPACING, SPACING, SPACING)
        self.summary.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.scroll_area, 1)
        column.addWidget(self.summary)

    def _connect(self) -> None:
        for row in self.rows.values():
            row.changed.connect(self._on_row_changed)
        self.header.preset_chosen.connect(self.preset_chosen)
        self.header.revert_requested.connect(self.revert)
        self._live_timer.timeout.connect(self._send_live_changes)

    def set_recipe(self, recipe: Recipe, name: str) -> None:
        """Load a recipe as the new starting point; ``name`` is how the header calls it."""
        self._base = recipe
        self.name = name
        values = recipe.model_dump()
        self._loading = True
        for key, row in self.rows.items():
            section, _, field = key.partition(".")
            row.set_baseline(values[section][field])
        self._loading = False
        self.header.show_recipe(name, recipe.story)
        self._refresh()

    def show_changes(self, recipe: Recipe) -> None:
        """Show the values of ``recipe`` as edits of the loaded one."""
        values = recipe.model_dump()
        for key, row in self.rows.items():
            section, _, field = key.partition(".")
            if row.value() != values[section][field]:
                row.set_value(values[section][field])

    def change(self, key: str, value: object) -> None:
        """Set one field as if the user had; while a training runs the change is made live, at once."""
        self.rows[key].set_value(value)
        self._live_timer.stop()
        self._send_live_changes()

    def set_data(self, spec: str) -> None:
        """Point the recipe at other data: the crop and limit of the old data no longer apply."""
        self.rows["data.crop"].set_value(None)
        self.rows["data.limit"].set_value(None)
        self.rows["data.spec"].set_value(spec)

    def values(self) -> dict[str, Any]:
        """Return what the fields hold, nested by section, valid or not."""
        result: dict[str, Any] = {"title": self._base.title, "story": self._base.story, "group": self._base.group}
        for key, row in self.rows.items():
            section, _, field = key.partition(".")
            result.setdefault(section, {})[field] = row.value()
        return result

    def recipe(self) -> Recipe | None:
        """Return a copy of the recipe the fields describe, or None while one is invalid."""
        return None if self._recipe is None else self._recipe.model_copy(deep=True)

    @property
    def modified(self) -> bool:
        """Whether any field differs from the loaded recipe."""
        return any(row.modified for row in self.rows.values())

    def revert(self) -> None:
        """Put every field that may be edited now back to the loaded recipe."""
        for row in self.rows.values():
            if not self.locked or row.live:
                row.revert_to_baseline()

    def set_locked(self, locked: bool) -> None:
        """While a training runs only live settings may be edited."""
        self.locked = locked
        for row in self.rows.values():
            row.set_locked(locked and not row.live)
        self.header.set_locked(locked)
        for section in self.sections:
            section.revert.setEnabled(not locked)

    def show_first_problem(self) -> None:
        """Scroll to the first invalid field and put the cursor there."""
        for row in self.rows.values():
            if row.message:
                self.scroll_area.ensureWidgetVisible(row)
                row.first_field().setFocus()
                return

    def _on_row_changed(self, key: str) -> None:
        if self._loading:
            return
        self._refresh()
        row = self.rows[key]
        if self.locked and row.live and not row.message:
            self._live_pending[key] = row.value()
            self._live_timer.start()  # Typing 0.05 must not send 0 and 0.0 on the way.

    def _send_live_changes(self) -> None:
        pending, self._live_pending = self._live_pending, {}
        for key, value in pending.items():
            if not self.rows[key].message:
                self.live_changed.emit(key, value)

    def _refresh(self) -> None:
        values = self.values()
        errors = {key: short_error(key, text) for key, text in _by_field(field_errors(values)).items()}
        kind = str(values["model"]["kind"])
        for section in self.sections:
            section.refresh(values[section.name], kind, errors)
        self._recipe = None if errors else Recipe.model_validate(values)
        self.problem = self._describe(errors)
        self.summary.setText(self.problem)
        self.summary.setVisible(bool(self.problem))
        self.header.set_modified(self.modified)
        self.recipe_changed.emit()

    def _describe(self, errors: dict[str, str]) -> str:
        if not errors:
            return ""
        names = [self.rows[key].label.text() if key in self.rows else key for key in errors]
        first = next(iter(errors.values()))
        return f"{names[0]}: {first}" + (f" ({len(names) - 1} more)" if len(names) > 1 else "")

    def save_state(self) -> dict[str, object]:
        """Return which folds are open."""
        return {"open": [section.name for section in self.sections if section.fold.isChecked()]}

    def restore_state(self, state: dict[str, object]) -> None:
        """Open the folds named by ``save_state``; anything else is ignored."""
        opened = state.get("open")
        for section in self.sections:
            section.fold.setChecked(isinstance(opened, list) and section.name in opened)

    def label(self) -> str:
        """Return the recipe's name for titles: the preset, file or run, or ``custom``."""
        return Path(self.name).stem if self.name else "custom"


def _by_field(errors: dict[str, str]) -> dict[str, str]:
    """Give errors of the recipe as a whole to the field their text begins with."""
    result = {}
    for key, text in errors.items():
        head, colon, rest = text.partition(": ")
        result[head if not key and colon else key] = rest if not key and colon else text
    return result
