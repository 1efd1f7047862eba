"""From films to a data set in one window: films, region, frames, a look at the result, then train on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.errors import LatentLabError, cannot_write
from latentlab.core.messages import ErrorReport
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_base import CONDITIONAL
from latentlab.core.recipe_io import bundled_recipes, find_recipe, recipe_toml
from latentlab.core.video_dataset import FilmFacts, video_spec
from latentlab.core.video_messages import Crop
from latentlab.runtime.dataset_preview import COUNT_UP_TO_MB
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.dialogs.dataset_films import FilmList
from latentlab.ui.dialogs.dataset_form import DatasetForm
from latentlab.ui.dialogs.dataset_preview import DatasetPreviewView
from latentlab.ui.views.picture import to_qimage
from latentlab.ui.widgets.crop_view import CropView

POLL_MS = 50
SETTLE_MS = 300
"""Settings that rest this long are looked at."""
NO_FILMS = "Add films to take frames from, or drop them on the list."
STEPS = 1000
PANEL = "The settings panel's"


class DatasetDialog(QDialog):
    """Chooses films and frames, shows what comes of it, and trains on it.

    Everything chosen is a key of the recipe's data section, so that ``latentlab train`` does the same.

    Parameters
    ----------
    context
        Its ``datasets`` looks at the films; the recipe comes from and goes to the settings panel.
    paths
        Films to begin with.
    crop
        Region to begin with; None is the whole frame.
    """

    def __init__(
        self, context: AppContext, paths: Sequence[Path], crop: Crop | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        assert context.datasets is not None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("datasetDialog")
        self.setWindowTitle("Make a data set of films")
        self.resize(1120, 760)
        self.context, self.service = context, context.datasets
        self.films, self.form, self.view = FilmList(), DatasetForm(), DatasetPreviewView()
        self.crop_view = CropView()
        self.crop_view.setMinimumHeight(160)
        self.place = QSlider(Qt.Orientation.Horizontal)
        self.place.setRange(0, STEPS)
        self.place.setValue(STEPS // 2)
        self.place.setAccessibleName("Frame shown")
        self.place.setToolTip("Which frame of the film is shown to choose the region on")
        self._generation = 0
        self._seen = [self.service.frame.version, self.service.preview.version, self.service.progress.version]
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._poll = QTimer(self, interval=POLL_MS)
        self._make_buttons()
        self._arrange()
        self._connect()
        self.form.set_crop(crop)
        self.crop_view.set_crop(crop)
        self.films.add(paths)
        self._poll.start()
        self._on_changed()

    # -- making ---------------------------------------------------------------------------------

    def _make_buttons(self) -> None:
        self.base = QComboBox()
        self.base.setAccessibleName("Recipe")
        self.base.setToolTip("The recipe that is trained on these films; its data section is replaced")
        if self.context.recipe() is not None:
            self.base.addItem(f"{PANEL} recipe", "")
        for name in _usable_recipes():
            self.base.addItem(name, name)
        self.count = self._button("Count standing frames", "Decode everything now, as the training would")
        self.count.hide()
        self.save = self._button("Save recipe…", "Write a recipe file, for latentlab train")
        self.train = self._button("Train on it", "Put this data set into the settings and start to train (Ctrl+Return)")
        self.train.setProperty("kind", "primary")
        self.train.setShortcut("Ctrl+Return")
        self.close_button = self._button("Close", "Close this window; nothing is changed (Esc)")

    def _button(self, text: str, tooltip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tooltip)
        button.setAccessibleName(text)
        button.setAutoDefault(False)
        return button

    def _arrange(self) -> None:
        left = _column(
            _title("Films"),
            (self.films, 2),
            _title("Region"),
            (self.crop_view, 3),
            self.place,
            _title("Frames"),
            self.form,
        )
        right = _column(_title("What it will be"), (self.view, 1), self.count)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.setChildrenCollapsible(False)
        parts.addWidget(left)
        parts.addWidget(right)
        parts.setSizes([520, 600])
        buttons = QHBoxLayout()
        buttons.setSpacing(style.SPACING)
        buttons.addWidget(QLabel("Recipe"))
        buttons.addWidget(self.base)
        self.why_not = QLabel()
        self.why_not.setProperty("role", "muted")
        buttons.addWidget(self.why_not, 1)
        for button in (self.close_button, self.save, self.train):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[2 * style.SPACING] * 4)
        column.setSpacing(2 * style.SPACING)
        column.addWidget(parts, 1)
        column.addLayout(buttons)

    def _connect(self) -> None:
        self.service.facts_found.connect(self._on_facts)
        self.service.problem_found.connect(self._on_problem)
        self.service.failed.connect(self._on_failed)
        self.films.looked_at.connect(self.service.look_at)
        self.films.changed.connect(self._on_changed)
        self.films.chosen.connect(self._show_frame)
        self.form.changed.connect(self._on_changed)
        self.form.whole_wanted.connect(self._on_whole)
        self.crop_view.crop_chosen.connect(self.form.set_crop)
        self.crop_view.reset_wanted.connect(self._on_whole)
        self.place.valueChanged.connect(self._show_frame)
        self._settle.timeout.connect(self._ask)
        self._poll.timeout.connect(self._collect)
        self.base.currentIndexChanged.connect(self._enable)
        self.context.training.state_changed.connect(self._enable)
        self.count.clicked.connect(self._on_count)
        self.save.clicked.connect(self._on_save)
        self.train.clicked.connect(self.begin_training)
        self.close_button.clicked.connect(self.close)

    # -- what a person can do -------------------------------------------------------------------

    def recipe(self) -> Recipe | None:
        """Return the chosen recipe with this data set in it, or None where one of them is not valid."""
        name = self.base.currentData()
        try:
            recipe = find_recipe(name) if name else self.context.recipe()
            if recipe is None or not self.films.paths:
                return None
            recipe = recipe.model_copy(deep=True)
            kept = {key: getattr(recipe.data, key) for key in ("flip", "shift", "hue", "colour")}
            recipe.data = self.form.config(video_spec(self.films.paths)).model_copy(update=kept)
        except LatentLabError as error:
            self.context.errors.report(error)
            return None
        return recipe

    @Slot()
    def begin_training(self) -> None:
        """Put the recipe into the settings panel, start to train, and close."""
        recipe = self.recipe()
        if recipe is not None and self.train.isEnabled():
            self.context.use_recipe(recipe, self.base.currentData() or "")
            self.context.train()
            self.close()

    def save_recipe(self, path: Path) -> None:
        """Write the recipe to a file."""
        recipe = self.recipe()
        if recipe is None:
            return
        try:
            path.write_text(recipe_toml(recipe), encoding="utf-8")
        except OSError as error:
            self.context.errors.report(ErrorReport.of(cannot_write(path, error)))
        else:
            self.context.show_message(f"Saved {path}")

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop looking."""
        self._poll.stop()
        self._settle.stop()
        self.service.stop()
        super().closeEvent(event)

    # -- slots ----------------------------------------------------------------------------------

    @Slot()
    def _on_changed(self) -> None:
        """Look again when the settings have come to rest."""
        self._enable()
        self.service.stop()
        if not self.films.paths:
            self.view.clear(NO_FILMS)
        elif self.films.problem:
            self.view.show_problem(self.films.problem)
        elif len(self.films.facts) == len(self.films.paths):
            self._settle.start()

    @Slot()
    def _ask(self) -> None:
        self._look(count=False)

    @Slot()
    def _on_count(self) -> None:
        self._look(count=True)

    def _look(self, *, count: bool) -> None:
        try:
            config = self.form.config(video_spec(self.films.paths))
        except LatentLabError as error:
            self.view.show_problem(f"{error.what}. {error.hint}")
            return
        self._generation = self.service.request(config, count=count)

    @Slot()
    def _collect(self) -> None:
        """Show what was found out."""
        service = self.service
        if service.frame.version != self._seen[0]:
            self._seen[0], frame = service.frame.get()
            if frame is not None:
                self.crop_view.set_image(to_qimage(frame.image))
        if service.preview.version != self._seen[1]:
            self._seen[1], preview = service.preview.get()
            if preview is not None and preview.generation == self._generation:
                self.view.show_preview(preview)
                self.count.setVisible(preview.still is None and preview.megabytes > COUNT_UP_TO_MB)
        if service.progress.version != self._seen[2]:
            self._seen[2], progress = service.progress.get()
            self.view.show_progress(progress)

    @Slot(object)
    def _on_facts(self, facts: FilmFacts) -> None:
        self.films.show_facts(facts)
        if facts.problem is None and facts.path == self.films.current:
            self.form.set_frame_size(facts.width, facts.height)

    @Slot()
    def _show_frame(self) -> None:
        path = self.films.current
        if path is None:
            self.crop_view.set_image(None)
            return
        facts = self.films.facts.get(path)
        if facts is not None and facts.problem is None:
            self.form.set_frame_size(facts.width, facts.height)
        self.service.show_frame(path, self.place.value() / STEPS)

    @Slot()
    def _on_whole(self) -> None:
        self.crop_view.set_crop(None)
        self.form.set_crop(None)

    @Slot(int, object)
    def _on_problem(self, generation: int, report: ErrorReport) -> None:
        if generation == self._generation:
            self.view.show_problem(f"{report.what}. {report.hint}")

    @Slot(object)
    def _on_failed(self, report: ErrorReport) -> None:
        self.context.errors.report(report)

    @Slot()
    def _enable(self) -> None:
        """Say in words why nothing can be trained yet."""
        why = self._why_not()
        self.train.setEnabled(not why)
        self.save.setEnabled(bool(self.films.paths) and not self.films.problem and self.base.count() > 0)
        self.why_not.setText(why)
        self.why_not.setToolTip(why)

    def _why_not(self) -> str:
        if not self.films.paths or self.films.problem:
            return ""  # Said over the pictures.
        if self.context.training.state.active:
            return "A training is at work: stop it first."
        panel = self.context.recipe() if not self.base.currentData() else None
        if panel is not None and panel.model.kind in CONDITIONAL:
            return f"A {panel.model.kind} needs classes, which films have not: choose another recipe."
        return "" if self.base.count() else "There is no recipe."

    @Slot()
    def _on_save(self) -> None:
        stem = self.films.paths[0].stem if self.films.paths else "films"
        dialog = QFileDialog(self, "Save recipe", str(Path.home() / f"{stem}.toml"), "Recipes (*.toml)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("toml")
        dialog.fileSelected.connect(self._on_save_as)
        dialog.open()

    @Slot(str)
    def _on_save_as(self, name: str) -> None:
        self.save_recipe(Path(name))


def _usable_recipes() -> list[str]:
    """Return the bundled recipes that need no classes."""
    usable = []
    for name in bundled_recipes():
        try:
            if find_recipe(name).model.kind not in CONDITIONAL:
                usable.append(name)
        except LatentLabError:  # A recipe that cannot be read is no choice.
            continue
    return usable


def _title(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "section")
    return label


def _column(*parts: QWidget | tuple[QWidget, int]) -> QWidget:
    box = QWidget()
    column = QVBoxLayout(box)
    column.setContentsMargins(style.SPACING, 0, style.SPACING, 0)
    column.setSpacing(style.SPACING)
    for part in parts:
        widget, stretch = part if isinstance(part, tuple) else (part, 0)
        column.addWidget(widget, stretch)
    return box
