"""Measure a run's weights over a split of a data set."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from latentlab.core.errors import InputError
from latentlab.core.measures import MEASURES, Measure, choose, named
from latentlab.core.messages import Ints, ModelInfo, ProgressSink, WeightSnapshot
from latentlab.core.recipe_data import DataConfig
from latentlab.core.run_folder import LAST, read_model_info
from latentlab.data.catalog import load_dataset
from latentlab.data.dataset import Dataset
from latentlab.models.base import LatentModel
from latentlab.models.device import choose_device
from latentlab.models.registry import build_model, is_convolutional
from latentlab.models.weights import read_snapshot
from latentlab.training.batches import Pictures, usable_rows
from latentlab.training.evaluation.families import measure_all
from latentlab.training.evaluation.subject import EvaluationOptions, Subject
from latentlab.training.previews import spread

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Evaluation:
    """What was measured of a run.

    Attributes
    ----------
    run, which, step
        Run folder, checkpoint and its training step.
    split, images
        The images that were measured.
    values
        Metrics by the names of ``latentlab.core.measures.MEASURES``, in its order.
    details
        What is behind them: standard errors, counts, the confusion matrix.
    notes
        Sentences without which a value would be misread.
    took_s
        Seconds of work, without decoding the data.
    """

    run: Path
    which: str
    step: int
    split: Split
    images: int
    values: Mapping[str, float]
    details: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    took_s: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints: metric names to values, beside split, images, step, details and notes."""
        facts = {"run": str(self.run), "checkpoint": self.which, "step": self.step}
        facts |= {"split": self.split, "images": self.images, "took_s": round(self.took_s, 3)}
        return {**facts, **self.values, "details": dict(self.details), "notes": list(self.notes)}


def evaluate(
    run: Path,
    config: DataConfig | None = None,
    split: Split = "test",
    *,
    device: str = "auto",
    which: str = LAST,
    progress: ProgressSink | None = None,
    metrics: str | Sequence[str] = "default",
    options: EvaluationOptions | None = None,
) -> dict[str, Any]:
    """Return ``assess(...)`` as a dictionary: metric names to values, with ``split``, ``images`` and ``step``."""
    assessed = assess(
        run,
        config,
        split,
        device=device,
        which=which,
        progress=progress,
        metrics=metrics,
        options=options,
    )
    return assessed.as_dict()


def assess(
    run: Path,
    config: DataConfig | None = None,
    split: Split = "test",
    *,
    device: str = "auto",
    which: str = LAST,
    progress: ProgressSink | None = None,
    metrics: str | Sequence[str] = "default",
    options: EvaluationOptions | None = None,
) -> Evaluation:
    """Measure a checkpoint of a run over the images of a split, in float32.

    Parameters
    ----------
    run
        Run folder.
    config
        Data to measure on; None is the run's own, split as in training.
    split
        ``train`` or ``test``.
    device
        ``auto``, ``cpu`` or ``cuda``.
    which
        Checkpoint: ``last``, ``best`` or e.g. ``step_00000500``.
    progress
        Told how far decoding and each measurement are; may raise ``Cancelled``, which leaves nothing behind.
    metrics
        ``quick``, ``default`` or ``all``, names of ``latentlab.core.measures.MEASURES``, or both.
    options
        Numbers of draws, seed, and a limit of images.

    Raises
    ------
    InputError
        If run, checkpoint or data cannot be used, the pictures do not fit the networks, or a metric is unknown,
        does not apply to the kind of model, or asks for classes or attributes that the data has not.
    """
    options = options or EvaluationOptions()
    info = read_model_info(run)
    recipe = info.recipe
    chosen = choose(metrics, info.kind)
    snapshot = read_snapshot(run, which)
    data = load_dataset(config or recipe.data, seed=recipe.training.seed, progress=progress)
    _check_fits(info, data)
    rows = _rows(info, data, split, options.limit)
    measures = _possible(chosen, data, named(metrics))
    policy = choose_device(device, "fp32", convolutional=is_convolutional(info))
    model = build_model(info, seed=0)
    _load(model, snapshot)
    policy.place(model).eval()
    began = time.monotonic()
    subject = Subject(model, data, rows, Pictures(data.images, policy), policy, options, split, progress)
    found = measure_all(subject, measures)
    took_s = time.monotonic() - began
    absent = [name for name in named(metrics) if name in MEASURES and name not in found.values]
    notes = (*found.notes, *(f"{name} cannot be measured on these images and this run." for name in absent))
    return Evaluation(run, which, snapshot.step, split, len(rows), found.values, found.details, notes, took_s)


def _check_fits(info: ModelInfo, data: Dataset) -> None:
    if data.image_shape != info.image_shape:
        raise InputError(
            f"This run's networks take {info.image_shape} pictures, {data.name} has {data.image_shape}",
            where="--data",
            hint="Use data with the same size and number of channels.",
        )
    if info.conditional and data.num_classes != info.num_classes:
        raise InputError(
            f"This run knows {info.num_classes} classes, {data.name} has {data.num_classes}", where="--data"
        )


def _rows(info: ModelInfo, data: Dataset, split: Split, limit: int | None) -> Ints:
    rows = data.train_index if split == "train" else data.test_index
    rows = usable_rows(data, rows, info.needs_labels)
    if not len(rows):
        raise InputError(f"The {split} split of {data.name} has no images this model can use", where="--split")
    return rows if limit is None else spread(rows, limit)


def _possible(measures: list[Measure], data: Dataset, names: Sequence[str]) -> list[Measure]:
    """Return the measures that the data allows; one asked for by name that it does not allow is an error."""
    there = {"": True, "classes": data.num_classes > 0 and data.labels is not None}
    there["attributes"] = data.attributes is not None
    for measure in measures:
        if measure.name in names and not there[measure.needs]:
            raise InputError(f"{data.name} has no {measure.needs}, which {measure.name} needs", where="--metrics")
    return [measure for measure in measures if there[measure.needs]]


def _load(model: LatentModel, snapshot: WeightSnapshot) -> None:
    """Put encoder and decoder of a snapshot into a model that was built for its run."""
    misfit = InputError("The checkpoint does not fit the run's recipe", where=str(snapshot.info.run or ""))
    try:
        missing = model.load_state_dict(dict(snapshot.state), strict=False).missing_keys
    except RuntimeError:  # Sizes differ: torch names every one of them, which helps nobody here.
        raise misfit from None
    if any(not name.startswith("discriminator.") for name in missing):
        raise misfit
