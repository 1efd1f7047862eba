"""``fit``: train a recipe on data, tell a sink, leave a run folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentlab.core.errors import Cancelled, InputError, LatentLabError
from latentlab.core.recipe import Recipe
from latentlab.data.dataset import Dataset
from latentlab.training.changes import carry_over, check_resumable
from latentlab.training.checkpoint import Checkpoint, has_checkpoint, load_checkpoint
from latentlab.training.metrics_db import read_latest, read_metrics
from latentlab.training.recorder import Recorder
from latentlab.training.run import RunWriter, model_info
from latentlab.training.sink import SilentSink, Sink
from latentlab.training.trainer import Trainer

__all__ = ["FitResult", "SilentSink", "Sink", "fit"]

MEAN_ROWS = 200


@dataclass(frozen=True)
class FitResult:
    """How a training ended.

    ``final``: the last logged value of each metric; ``mean_200``: its mean over the last 200 logged steps, so that a
    metric measured seldom has as many values in it as fell into them, its last one where none did.
    ``images_per_s``: training images per active second of this session, measuring and saving included.
    """

    run: Path
    step: int
    stopped: bool
    final: dict[str, float]
    mean_200: dict[str, float]
    images_per_s: float


def fit(
    recipe: Recipe, data: Dataset, sink: Sink, *, run: RunWriter, device: str = "auto", resume: bool = False
) -> FitResult:
    """Train until ``recipe.training.steps`` steps are done or the sink says stop.

    Logged metrics are means over the steps since the last logged one, but for ``beta`` and ``lr``, which are
    the values at the logged step. They cross from the device to the host once per logged step. A checkpoint
    is written at the end, however the training ends, unless the numbers stopped being finite.

    Thread: the caller's, which becomes the trainer; sink methods are called from it.

    Parameters
    ----------
    recipe
        The settings; a copy is used. When resuming it may differ from the run's in steps, learning rates,
        weights and intervals, not in the model.
    data
        Images as uint8; see ``latentlab.data.catalog.load_dataset``.
    sink
        Hears what happens and steers; ``Cancelled``, raised by its ``on_progress``, passes through and leaves no run.
    run
        The folder, new or opened.
    device
        ``auto``, ``cpu`` or ``cuda``.
    resume
        Go on from the run's last checkpoint; on the CPU in float32 the weights are then bit for bit those
        of a training that was never interrupted.

    Raises
    ------
    LatentLabError
        If a metric stops being finite (the last checkpoint is kept) or the run cannot be written.
    InputError
        If device, data and recipe do not go together, or a trained run is to be trained anew.
    """
    checkpoint = _checkpoint_of(run, data) if resume else None
    if not resume and has_checkpoint(run.checkpoints):
        raise InputError(
            "This run has been trained already", where=str(run.path), hint="Resume it, or start a new run."
        )
    if resume:
        recipe = _continued(recipe, run, checkpoint)
    recorder = Recorder(run.path, truncate_after=checkpoint.step if checkpoint else 0)
    try:
        trainer = Trainer(model_info(recipe, data, run.path), data, sink, run, recorder, device)
        if checkpoint is None:
            trainer.solve()
    except (InputError, Cancelled):
        run.discard_unused()  # A recipe that cannot be trained leaves no empty run in the list.
        raise
    with run.claimed(), recorder:
        try:
            if checkpoint is not None:
                trainer.restore(checkpoint)
            stopped = trainer.train()
        except Exception as error:
            told = error.as_dict() if isinstance(error, LatentLabError) else {"what": repr(error)}
            run.event("failure", trainer.step, **told)
            raise
    return _result(run, trainer, stopped)


def _continued(recipe: Recipe, run: RunWriter, checkpoint: Checkpoint | None) -> Recipe:
    started_with = run.info.recipe
    check_resumable(recipe, started_with)
    return carry_over(recipe, started_with, checkpoint.state.get("changes", {})) if checkpoint else recipe


def _checkpoint_of(run: RunWriter, data: Dataset) -> Checkpoint | None:
    """Return what to resume from; None for a run that was killed before its first checkpoint."""
    if data.image_shape != run.info.image_shape or data.num_classes != run.info.num_classes:
        raise InputError(
            f"This run was trained on {run.info.image_shape} pictures of {run.info.num_classes} classes, "
            f"{data.name} has {data.image_shape} of {data.num_classes}",
            where="data.spec",
            hint="Start a new run instead, without --resume.",
        )
    return load_checkpoint(run.checkpoints) if has_checkpoint(run.checkpoints) else None


def _result(run: RunWriter, trainer: Trainer, stopped: bool) -> FitResult:
    final = {name: value for name, (_, value) in read_latest(run.metrics).items()}
    tails = {name: tail for name, tail in read_metrics(run.metrics, last_rows=MEAN_ROWS).items() if name in final}
    logged = np.unique(np.concatenate([steps for steps, _ in tails.values()])) if tails else np.zeros(1)
    since = logged[-MEAN_ROWS:][0]
    mean_200 = {
        name: float(values[steps >= since].mean()) if steps[-1] >= since else float(values[-1])
        for name, (steps, values) in tails.items()
    }
    return FitResult(run.path, trainer.step, stopped, final, mean_200, trainer.session_images_per_s)
