"""Train, pause, stop and continue: what the buttons do, and which of them make sense now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic.fields import FieldInfo
from PySide6.QtCore import QFile, QObject, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMessageBox

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.messages import ErrorReport, ModelInfo, TrainingState
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import find_recipe, recipe_fields
from latentlab.core.run_folder import read_model_info
from latentlab.ui.actions import set_tooltip
from latentlab.ui.context import AppContext
from latentlab.ui.icons import set_icon
from latentlab.ui.toolbar import short_run_name
from latentlab.ui.widgets.recipe_form import RecipeForm

_RESUMABLE = (TrainingState.STOPPED, TrainingState.FINISHED, TrainingState.FAILED)
_DISCARDABLE = (TrainingState.RUNNING, TrainingState.PAUSED)
_HOLDABLE = (TrainingState.PREPARING, TrainingState.RUNNING, TrainingState.PAUSED)


class RunControl(QObject):
    """Connects the training actions and the settings panel with the training session.

    Signals
    -------
    starting
        A training is about to start (its recipe's name): pages forget the previous run.
    attention
        The settings need to be looked at before training can start.

    Thread: GUI.
    """

    starting = Signal(str)
    attention = Signal()

    def __init__(
        self, context: AppContext, form: RecipeForm, actions: Mapping[str, QAction], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._session = context.training
        self._form = form
        self._actions = actions
        self.recipe_name = ""
        self._pause_asked = False
        self._opening = self._continuing = False
        self._discarding: Path | None = None
        self._session.state_changed.connect(self._on_state_changed)
        self._session.run_started.connect(self._on_run_started)
        form.recipe_changed.connect(self.refresh)
        form.live_changed.connect(self._on_live_changed)
        form.preset_chosen.connect(self.load_preset)
        self.refresh()

    def train(self) -> None:
        """Start a new run with the settings of the panel, or show what is wrong with them."""
        recipe = self._form.recipe()
        if self._session.state.active:
            return
        if recipe is None:
            self.attention.emit()
            self._form.show_first_problem()
            self._context.show_message(self._form.problem)
            return
        self._start(recipe, self._form.label())

    def train_preset(self, name: str) -> None:
        """Load a recipe by name or file and train it at once."""
        if self.load_preset(name):
            self.train()

    def load_preset(self, name: str) -> bool:
        """Load a recipe by name or file into the panel; return whether that worked."""
        try:
            self._refuse_while_active()
            self._form.set_recipe(find_recipe(name), name)
        except LatentLabError as error:
            self._context.errors.report(error)
            return False
        return True

    def continue_run(self) -> None:
        """Go on training the run on screen; it ends at the panel's number of steps if that is larger.

        Where the panel still describes this run, its live settings hold from the first step on.
        """
        info = self._session.info
        if info is None or info.run is None or self._session.state not in _RESUMABLE:
            return
        recipe = info.recipe.model_copy(deep=True)
        wanted = self._form.recipe()
        changes: dict[str, object] = {}
        if wanted is not None:
            recipe.training.steps = max(recipe.training.steps, wanted.training.steps)
            changes = live_differences(self._session.recipe or recipe, wanted)
        self._continuing = True
        self._start(recipe, self.recipe_name or self._form.label(), info)
        for key, value in changes.items():
            self._on_live_changed(key, value)

    def resume_run(self, run: Path, steps: int | None = None) -> bool:
        """Go on training a run that is on disk, to ``steps`` in all if given; return whether that has begun."""
        try:
            self._refuse_while_active()
            info = read_model_info(run)
        except LatentLabError as error:
            self._context.errors.report(error)
            return False
        recipe = info.recipe.model_copy(deep=True)
        recipe.training.steps = steps or recipe.training.steps
        self._continuing = True
        self._form.set_recipe(recipe, short_run_name(run.name))
        self._start(recipe, info.recipe.title or short_run_name(run.name), info)
        return True

    def fork_run(self, run: Path, checkpoint: str, recipe: Recipe) -> bool:
        """Train a new run that begins at a checkpoint of ``run``; return whether that has begun."""
        try:
            self._refuse_while_active()
        except LatentLabError as error:
            self._context.errors.report(error)
            return False
        self._form.set_recipe(recipe, f"{short_run_name(run.name)} fork")
        self._start(recipe, recipe.title, fork_from=(run, checkpoint))
        return True

    def _start(
        self, recipe: Recipe, name: str, resume: ModelInfo | None = None, fork_from: tuple[Path, str] | None = None
    ) -> None:
        self.recipe_name = name
        self.starting.emit(name)
        try:
            self._session.start(
                recipe,
                runs_root=self._context.runs_root,
                resume_run=resume.run if resume is not None else None,
                fork_from=fork_from,
            )
        except LatentLabError as error:
            self._context.errors.report(error)

    def toggle_pause(self) -> None:
        """Hold the training at its step, or go on."""
        if self._pause_asked:
            self._pause_asked = False
            self._session.resume()
        elif self._session.state in _HOLDABLE:
            self._pause_asked = True
            self._session.pause()
        self.refresh()

    def stop(self) -> None:
        """End the training after the step in hand and keep the run."""
        self._session.stop()

    def ask_to_discard(self) -> None:
        """Ask, then stop the training and move its run to the system's trash."""
        info = self._session.info
        if self._session.state not in _DISCARDABLE or info is None or info.run is None:
            return
        box = QMessageBox(QMessageBox.Icon.Question, "Discard the run", f"Stop, and move {info.run.name} to the trash?")
        box.setInformativeText("Weights, curves and pictures go with it. Stop alone keeps them.")
        discard = box.addButton("Discard", QMessageBox.ButtonRole.DestructiveRole)
        keep = box.addButton("Go on training", QMessageBox.ButtonRole.RejectRole)
        for button, tip in ((discard, "Stop and move the run to the trash"), (keep, "Change nothing")):
            button.setToolTip(tip)
        box.setDefaultButton(keep)
        box.exec()
        if box.clickedButton() is discard:
            self.discard()

    def discard(self) -> None:
        """Stop the training; once it has ended its run goes to the trash."""
        info = self._session.info
        if self._session.state in _DISCARDABLE and info is not None:
            self._discarding = info.run
            self._session.stop()

    def _throw_away(self, run: Path) -> None:
        """Move a run whose training has ended to the trash, and start over with nothing."""
        if QFile.moveToTrash(str(run)):
            self._context.show_message(f"{run.name} is in the trash.")
        else:
            hint = f"It is kept at {run}. Delete the folder yourself if you do not want it."
            self._context.errors.report(ErrorReport(f"{run.name} could not be moved to the trash", str(run), hint))

    def open_run(self, run: Path) -> None:
        """Show a run that is on disk; its recipe is loaded into the panel once it is read."""
        try:
            self._refuse_while_active()
            self._opening = True
            self.starting.emit("")
            self._session.open_run(run)
        except LatentLabError as error:
            self._opening = False
            self._context.errors.report(error)

    def _refuse_while_active(self) -> None:
        if self._session.state.active:
            raise InputError("A training is at work", where="Train", hint="Stop it first; its run is kept.")

    @Slot(object)
    def _on_state_changed(self, state: TrainingState) -> None:
        if state is not TrainingState.PREPARING:  # While preparing, a pause is a wish that the state does not show yet.
            self._pause_asked = state is TrainingState.PAUSED
        self._form.set_locked(state.active)
        if self._discarding is not None and not state.active:
            run, self._discarding = self._discarding, None
            self._throw_away(run)
        self.refresh()

    @Slot(object)
    def _on_run_started(self, info: ModelInfo) -> None:
        if self._opening and info.run is not None:
            self._form.set_recipe(info.recipe, short_run_name(info.run.name))
            self.recipe_name = info.recipe.title
        elif self._continuing and self._session.recipe is not None:
            self._form.set_recipe(self._session.recipe, self._form.name)
        self._opening = self._continuing = False
        self.refresh()

    @Slot(str, object)
    def _on_live_changed(self, key: str, value: object) -> None:
        try:
            self._session.change(key, value)
        except LatentLabError as error:
            self._context.errors.report(error)
        else:
            self._context.show_message(
                f"{key} is now {value:g}." if isinstance(value, float) else f"{key} is now {value}."
            )

    @Slot()
    def refresh(self) -> None:
        """Enable what makes sense now, and say in the tooltip why the rest does not."""
        state, info = self._session.state, self._session.info
        train = self._actions["actionTrain"]
        train.setEnabled(not state.active and not self._form.problem)
        set_tooltip(train, self._why_not() or "Start a new run with the settings of the panel")
        pause = self._actions["actionPause"]
        pause.setEnabled(state in _HOLDABLE)
        pause.setText("&Resume" if self._pause_asked else "&Pause")
        pause.setIconText("Resume" if self._pause_asked else "Pause")
        set_icon(pause, "resume" if self._pause_asked else "pause")
        set_tooltip(pause, "Go on training" if self._pause_asked else "Hold the training at its step")
        for name in ("actionStop", "actionStep", "actionCheckpoint"):
            self._actions[name].setEnabled(state in _HOLDABLE)
        self._actions["actionDiscard"].setEnabled(self._discarding is None and state in _DISCARDABLE)
        self._actions["actionContinue"].setEnabled(state in _RESUMABLE and info is not None and info.run is not None)

    def _why_not(self) -> str:
        if self._session.state.active:
            return "A training is at work: stop it to start another"
        return f"Cannot train yet. {self._form.problem}" if self._form.problem else ""


def live_differences(before: Recipe, wanted: Recipe) -> dict[str, object]:
    """Return the live settings of ``wanted`` that differ; none where the two are not about the same training."""
    keys = [key for key, _ in recipe_fields() if key != "training.steps" and _value(before, key) != _value(wanted, key)]
    live = {key for key, field in recipe_fields() if _is_live(field)}
    return {key: _value(wanted, key) for key in keys} if live.issuperset(keys) else {}


def _is_live(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("live"))


def _value(recipe: Recipe, key: str) -> object:
    section, _, name = key.partition(".")
    return getattr(getattr(recipe, section), name)
