"""The thread that trains: loads the data, makes the run, and stays in ``fit`` until it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal

from latentlab.core.errors import Cancelled, LatentLabError
from latentlab.core.events import read_events
from latentlab.core.messages import ErrorReport, Progress, TrainingState
from latentlab.core.recipe import Recipe
from latentlab.core.run_folder import LAST
from latentlab.runtime.session_sink import Control, SessionSink, SessionSlots
from latentlab.runtime.threads import prepare_torch, step_aside

if TYPE_CHECKING:
    from latentlab.training.run import RunWriter


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What to train, where to keep it and on what.

    ``resume_run`` continues that run instead of a new one; ``fork_from`` is a run and the checkpoint of it that a
    new one begins at.
    """

    recipe: Recipe
    runs_root: Path
    resume_run: Path | None = None
    device: str = "auto"
    fork_from: tuple[Path, str] | None = None


Engine = Callable[[TrainingJob, SessionSink], bool]
"""Does the job and returns whether it was stopped before its last step. Thread: trainer."""


def train(job: TrainingJob, sink: SessionSink) -> bool:
    """Load the data, create or continue the run, and fit; the engine of real sessions.

    Returns
    -------
    bool
        Whether the training was stopped before its last step.

    Raises
    ------
    InputError
        For a data set, run or device that cannot be used.
    Cancelled
        If a stop was wished before the first step.
    """
    sink.on_progress(Progress("Loading torch", 0))
    prepare_torch()
    from latentlab.data.catalog import load_dataset
    from latentlab.training.fit import fit
    from latentlab.training.run import RunWriter

    sink.on_progress(Progress("Loading the data set", 0))
    data = load_dataset(job.recipe.data, seed=job.recipe.training.seed, progress=sink.on_progress)
    sink.on_progress(Progress("Building the networks", 0))
    if job.fork_from is not None:
        from latentlab.training.fork import fork

        run = fork(*job.fork_from, job.recipe, data, job.runs_root)
        _recall(run, sink)
    elif job.resume_run is None:
        run = RunWriter.create(job.runs_root, job.recipe, data, label=job.recipe.title)
    else:
        run = RunWriter.open(job.resume_run)
        _recall(run, sink)
    return fit(
        job.recipe,
        data,
        sink,
        run=run,
        device=job.device,
        resume=job.resume_run is not None or job.fork_from is not None,
    ).stopped


def _recall(run: RunWriter, sink: SessionSink) -> None:
    """Show the curves that a resumed run already has; a run killed before its first checkpoint starts over."""
    from latentlab.models.weights import read_step
    from latentlab.training.checkpoint import has_checkpoint
    from latentlab.training.metrics_db import ELAPSED, read_metrics
    from latentlab.training.vectors_db import read_vectors

    if has_checkpoint(run.checkpoints):
        history = read_metrics(run.metrics)
        history.pop(ELAPSED, None)
        sink.recall(history, read_step(run.checkpoints / LAST), read_vectors(run.metrics), read_events(run.path))


def explain(error: BaseException) -> ErrorReport:
    """Describe a failed training; a full device gets advice instead of the allocator's table."""
    report = ErrorReport.of(error, "training")
    if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
        return ErrorReport(
            "The device ran out of memory",
            "training",
            "Lower training.batch_size, model.width or data.size and train again.",
            report.details,
        )
    if not isinstance(error, LatentLabError):
        return ErrorReport(f"Training failed: {report.what}", "training", report.hint, report.details)
    return report


class TrainerThread(QThread):
    """Runs one job. The session reads ``outcome`` and ``error`` after ``finished``.

    The object lives in the GUI thread and has no slots; only ``run`` is the trainer's.
    """

    run_started = Signal(object)  # ModelInfo
    checkpoint_saved = Signal(int)

    def __init__(
        self, job: TrainingJob, slots: SessionSlots, control: Control, engine: Engine, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("trainer")
        self.sink = SessionSink(slots, control, self.run_started.emit, self.checkpoint_saved.emit)
        self.outcome = TrainingState.FAILED
        self.error: ErrorReport | None = None
        self._job = job
        self._engine = engine

    def run(self) -> None:
        """Train until the last step, a stop or a failure. Thread: trainer."""
        step_aside()
        try:
            stopped = self._engine(self._job, self.sink)
            self.outcome = TrainingState.STOPPED if stopped else TrainingState.FINISHED
        except Cancelled:
            self.outcome = TrainingState.STOPPED
        except Exception as error:  # noqa: BLE001 - whatever it is, the user must hear of it and the app live on.
            self.error = explain(error)
