"""A training as the window sees it: state, slots to poll, and wishes that take effect at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from latentlab.core.buffers import MetricHistory
from latentlab.core.errors import InputError
from latentlab.core.events import EventLog
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ErrorReport, Gallery, ModelInfo, Preview, Progress, TrainingState, TrainingStatus
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import recipe_fields, validate
from latentlab.core.run_folder import read_model_info
from latentlab.core.vectors import VectorHistory
from latentlab.runtime.priority import FollowedWeights
from latentlab.runtime.run_follower import RunFollower
from latentlab.runtime.run_loader import RunLoader
from latentlab.runtime.session_sink import Control, SessionSlots
from latentlab.runtime.trainer_thread import Engine, TrainerThread, TrainingJob, train

_HOLDABLE = (TrainingState.PREPARING, TrainingState.RUNNING)


class TrainingSession(QObject):
    """Trains one recipe at a time, or shows a run that was trained before.

    ::

        IDLE ──start──▶ PREPARING ──first step──▶ RUNNING ◀──pause/resume──▶ PAUSED
                            │ stop                   │ stop                    │ stop
                            ▼                        ▼                         ▼
                         STOPPING ───────────────▶ STOPPED      (last step: FINISHED, error: FAILED)

    ``start`` and ``open_run`` are possible in every state that is not active.

    Thread: GUI, except the slots, which any thread may read.

    Parameters
    ----------
    engine
        What does the training; the default is the real one. Tests pass a fake.
    """

    state_changed = Signal(object)  # TrainingState
    run_started = Signal(object)  # ModelInfo, its run set
    checkpoint_saved = Signal(int)  # step
    failed = Signal(object)  # ErrorReport

    def __init__(self, parent: QObject | None = None, *, engine: Engine = train) -> None:
        super().__init__(parent)
        self.slots = SessionSlots()
        self.state = TrainingState.IDLE
        self.info: ModelInfo | None = None
        self.recipe: Recipe | None = None
        self._engine = engine
        self._control = Control()
        self._thread: TrainerThread | RunLoader | None = None
        self._followers: list[RunFollower] = []
        self._changes: dict[str, object] = {}

    @property
    def history(self) -> MetricHistory:
        """All metrics of the run."""
        return self.slots.history

    @property
    def vectors(self) -> VectorHistory:
        """All vector metrics of the run."""
        return self.slots.vectors

    @property
    def events(self) -> EventLog:
        """What else happened in the run: changes, checkpoints, warnings."""
        return self.slots.events

    @property
    def previews(self) -> LatestSlot[Preview]:
        """The newest preview pictures."""
        return self.slots.previews

    @property
    def weights(self) -> FollowedWeights:
        """The newest weights; reading them asks the trainer for more."""
        return self.slots.weights

    @property
    def status(self) -> LatestSlot[TrainingStatus]:
        """Step, speed, device and memory."""
        return self.slots.status

    @property
    def progress(self) -> LatestSlot[Progress]:
        """How far the preparation has come; empty while training."""
        return self.slots.progress

    @property
    def gallery(self) -> LatestSlot[Gallery]:
        """Pictures of the data set to pick from."""
        return self.slots.gallery

    def start(
        self,
        recipe: Recipe,
        *,
        runs_root: Path,
        resume_run: Path | None = None,
        device: str = "auto",
        fork_from: tuple[Path, str] | None = None,
    ) -> None:
        """Begin to train a copy of ``recipe`` in a new folder under ``runs_root``, or continue ``resume_run``.

        ``fork_from``: a run and a checkpoint of it that the new run begins at.

        Returns at once. Failures, a bad data set included, arrive as ``failed``.

        Raises
        ------
        InputError
            If a training is at work.
        """
        self._begin(recipe.model_copy(deep=True))
        assert self.recipe is not None
        job = TrainingJob(self.recipe, runs_root, resume_run, device, fork_from)
        thread = TrainerThread(job, self.slots, self._control, self._engine, self)
        thread.run_started.connect(self._on_run_started)
        thread.checkpoint_saved.connect(self.checkpoint_saved)
        self._launch(thread)

    def open_run(self, run: Path) -> None:
        """Show a run that is on disk: its curves, pictures and weights, read in the background.

        ``run_started`` follows when everything is there, then the state is STOPPED. From then on the
        files are watched: where another process still trains the run, its curves, pictures and
        checkpoints go on arriving. Failures arrive as ``failed`` and leave what was shown before
        untouched when ``run`` is not a run folder.

        Raises
        ------
        InputError
            If a training is at work.
        """
        self._refuse_while_active()
        try:
            info = read_model_info(run)
        except InputError as error:
            self.failed.emit(ErrorReport.of(error))
            return
        self._begin(info.recipe)
        thread = RunLoader(info, self.slots, self._control, self)
        thread.loaded.connect(self._on_run_loaded)
        self._launch(thread)

    def pause(self) -> None:
        """Hold before the next step; while preparing, before the first."""
        if self.state in _HOLDABLE:
            self._control.pause()
            if self.state is TrainingState.RUNNING:
                self._enter(TrainingState.PAUSED)

    def resume(self) -> None:
        """Go on after a pause."""
        self._control.resume()
        if self.state is TrainingState.PAUSED:
            self._enter(TrainingState.RUNNING)

    def step(self) -> None:
        """Train one step, show it, and hold; where training runs, hold first."""
        if self.state is TrainingState.RUNNING:
            self.pause()
        elif self.state is TrainingState.PAUSED:
            self._control.step()

    def set_pace(self, seconds: float) -> None:
        """Wait so many seconds before every step of this training and show each (0: full speed)."""
        self._control.set_pace(seconds)

    def save_checkpoint(self) -> None:
        """Write a numbered checkpoint before the next step; ``checkpoint_saved`` follows."""
        if self.state in (TrainingState.RUNNING, TrainingState.PAUSED):
            self._control.ask_for_checkpoint()

    def stop(self) -> None:
        """End after the step in hand and keep the run; while preparing, give up the preparation."""
        if self.state.active and self.state is not TrainingState.STOPPING:
            self._control.stop()
            self._enter(TrainingState.STOPPING)

    def change(self, key: str, value: object) -> None:
        """Change a setting of the running training, e.g. ``change("objective.target_kld", 0.2)``.

        Raises
        ------
        InputError
            If nothing is training, the setting cannot be changed live, or the value is out of range.
        """
        if self.recipe is None or not self.state.active:
            raise InputError("Nothing is training", where=key, hint="Set it in the recipe and press Train.")
        live = {name for name, field in recipe_fields() if (field.json_schema_extra or {}).get("live")}  # type: ignore[union-attr]
        if key not in live:
            raise InputError(
                f"{key} cannot be changed while training", where=key, hint="Stop, set it, and train again."
            )
        section, _, name = key.partition(".")
        self.recipe = _changed(self.recipe, {key: value})
        self._changes[key] = getattr(getattr(self.recipe, section), name)
        self._control.change(key, self._changes[key])

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """Wish for a stop and wait; return whether no thread is at work. Call again until it is True."""
        self.stop()
        self._end_followers()
        if self._thread is not None:
            if not self._thread.wait(timeout_ms):
                return False
            self._on_thread_finished()
        return all(follower.wait(timeout_ms) for follower in self._followers)

    def _refuse_while_active(self) -> None:
        if self.state.active:
            raise InputError("A training is at work already", where="Train", hint="Stop it first.")

    def _begin(self, recipe: Recipe) -> None:
        self._refuse_while_active()
        self._end_followers()
        self.slots.clear()
        self.recipe, self.info = recipe, None
        self._changes = {}
        self._control = Control()

    def _launch(self, thread: TrainerThread | RunLoader) -> None:
        thread.finished.connect(self._on_thread_finished)
        self._thread = thread
        self._enter(TrainingState.PREPARING)
        thread.start()

    def _follow(self, loader: RunLoader) -> None:
        follower = RunFollower(loader.reader, self)
        follower.finished.connect(self._on_follower_finished)
        self._followers.append(follower)
        follower.start()

    def _end_followers(self) -> None:
        for follower in self._followers:
            follower.end()

    def _enter(self, state: TrainingState) -> None:
        if state is not self.state:
            self.state = state
            self.state_changed.emit(state)

    @Slot(object)
    def _on_run_started(self, info: ModelInfo) -> None:
        self.info = info
        self.recipe = _changed(info.recipe, self._changes)  # A run that goes on keeps its earlier live changes.
        self.run_started.emit(info)
        if self.state is TrainingState.PREPARING:
            self._enter(TrainingState.PAUSED if self._control.paused else TrainingState.RUNNING)

    @Slot(object)
    def _on_run_loaded(self, info: ModelInfo) -> None:
        self.info = info
        self.run_started.emit(info)

    @Slot()
    def _on_thread_finished(self) -> None:
        """Settle the state once, whether the signal or ``shutdown`` comes first."""
        thread = self._thread
        if thread is None or not thread.wait(1000):
            return
        self._thread = None
        self.slots.progress.clear()
        self._enter(thread.outcome)
        if isinstance(thread, RunLoader) and thread.complete and not self._control.stopped:
            self._follow(thread)
        if thread.error is not None:
            self.failed.emit(thread.error)
        thread.deleteLater()

    @Slot()
    def _on_follower_finished(self) -> None:
        for follower in [f for f in self._followers if f.isFinished() and f.wait(1000)]:
            self._followers.remove(follower)
            follower.deleteLater()


def _changed(recipe: Recipe, changes: Mapping[str, object]) -> Recipe:
    """Return a copy of ``recipe`` with settings changed, by ``"section.key"``; InputError for a bad value."""
    values = recipe.model_dump()
    for key, value in changes.items():
        section, _, name = key.partition(".")
        values[section][name] = value
    return validate(values, where=", ".join(changes))
