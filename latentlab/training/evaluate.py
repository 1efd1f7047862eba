"""Measure a run's weights over a whole split of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from latentlab.core.errors import InputError
from latentlab.core.messages import ProgressSink, WeightSnapshot
from latentlab.core.recipe_data import DataConfig
from latentlab.core.run_folder import LAST, read_model_info
from latentlab.data.catalog import load_dataset
from latentlab.data.dataset import Dataset
from latentlab.models.base import LatentModel
from latentlab.models.device import choose_device
from latentlab.models.registry import build_model, is_convolutional
from latentlab.models.weights import read_snapshot
from latentlab.training.batches import Pictures, usable_rows
from latentlab.training.measure import measure

Split = Literal["train", "test"]


def evaluate(
    run: Path,
    config: DataConfig | None = None,
    split: Split = "test",
    *,
    device: str = "auto",
    which: str = LAST,
    progress: ProgressSink | None = None,
) -> dict[str, Any]:
    """Measure a checkpoint of a run over all images of a split, in float32.

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
        Told while the data is decoded.

    Returns
    -------
    dict
        ``split``, ``images``, ``step`` and the metrics of ``latentlab.training.measure.measure``.

    Raises
    ------
    InputError
        If run, checkpoint or data cannot be used, or the pictures do not fit the networks.
    """
    info = read_model_info(run)
    recipe = info.recipe
    data = load_dataset(config or recipe.data, seed=recipe.training.seed, progress=progress)
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
    rows = usable_rows(data, _split_rows(data, split), info.needs_labels)
    if not len(rows):
        raise InputError(f"The {split} split of {data.name} has no images this model can use", where="--split")
    policy = choose_device(device, "fp32", convolutional=is_convolutional(info))
    snapshot = read_snapshot(run, which)
    model = build_model(info, seed=0)
    _load(model, snapshot)
    policy.place(model).eval()
    metrics = measure(model, Pictures(data.images, policy), rows, data.labels, policy, recipe.objective)
    return {"split": split, "images": len(rows), "step": snapshot.step, **metrics}


def _load(model: LatentModel, snapshot: WeightSnapshot) -> None:
    """Put encoder and decoder of a snapshot into a model that was built for its run."""
    misfit = InputError("The checkpoint does not fit the run's recipe", where=str(snapshot.info.run or ""))
    try:
        missing = model.load_state_dict(dict(snapshot.state), strict=False).missing_keys
    except RuntimeError:  # Sizes differ: torch names every one of them, which helps nobody here.
        raise misfit from None
    if any(not name.startswith("discriminator.") for name in missing):
        raise misfit


def _split_rows(data: Dataset, split: Split) -> Any:
    return data.train_index if split == "train" else data.test_index
