"""The layout of a run folder, and the facts in it that need neither torch nor SQLite.

::

    recipe.toml         the recipe as it was started
    model.json          image shape, classes, data set name: what the networks were built for
    environment.json    versions, device, host facts
    metrics.db          SQLite (WAL): see latentlab.training.metrics_db
    events.jsonl        start, stop, resume, live changes, warnings
    confusion.json      of a semi-supervised run: true against guessed classes of the test images, newest
    previews/           step_00000100_{reconstructions,samples}.png
    checkpoints/        last, best, step_00000500: a folder each, safetensors + JSON
    history/            weights for looking at, a file for each step: see latentlab.core.weights_kept
"""

from __future__ import annotations

import json
from pathlib import Path

from latentlab.core.errors import InputError
from latentlab.core.messages import ModelInfo
from latentlab.core.recipe_io import read_recipe

RECIPE = "recipe.toml"
MODEL = "model.json"
ENVIRONMENT = "environment.json"
METRICS = "metrics.db"
EVENTS = "events.jsonl"
CONFUSION = "confusion.json"
PREVIEWS = "previews"
CHECKPOINTS = "checkpoints"
LAST, BEST = "last", "best"


def is_run(path: Path) -> bool:
    """Whether ``path`` is a run folder."""
    return (path / RECIPE).is_file() and (path / MODEL).is_file()


def checkpoint_names(run: Path) -> list[str]:
    """Return the names of a run's checkpoints: last, best, then the numbered ones, newest first."""
    try:
        found = {path.name for path in (run / CHECKPOINTS).iterdir() if path.is_dir() and not path.name.startswith(".")}
    except OSError:
        return []
    named = [name for name in (LAST, BEST) if name in found]
    return named + sorted((name for name in found if name.startswith("step_")), reverse=True)


def write_model_info(run: Path, info: ModelInfo, *, data_name: str, num_train: int, num_test: int) -> None:
    """Write ``model.json``."""
    facts = {
        "image_shape": list(info.image_shape),
        "num_classes": info.num_classes,
        "class_names": list(info.class_names),
        "attribute_names": list(info.attribute_names),
        "data": data_name,
        "num_train": num_train,
        "num_test": num_test,
    }
    (run / MODEL).write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_model_info(run: Path) -> ModelInfo:
    """Read what the networks of a run were built for.

    Raises
    ------
    InputError
        If ``run`` is not a run folder or its ``model.json`` is damaged.
    """
    if not is_run(run):
        raise InputError(
            f"{run} is not a run folder",
            where=str(run),
            hint=f"A run folder holds {RECIPE} and {MODEL}; latentlab train makes one.",
        )
    try:
        facts = json.loads((run / MODEL).read_text(encoding="utf-8"))
        height, width, channels = facts["image_shape"]
        if min(height, width) < 1 or channels not in (1, 3) or facts["num_classes"] < 0:
            raise ValueError(f"pictures of {facts['image_shape']} in {facts['num_classes']} classes")
        return ModelInfo(
            recipe=read_recipe(run / RECIPE),
            image_shape=(int(height), int(width), int(channels)),
            num_classes=int(facts["num_classes"]),
            class_names=tuple(facts["class_names"]),
            attribute_names=tuple(facts.get("attribute_names", ())),
            run=run,
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError(f"{MODEL} of this run is damaged: {error}", where=str(run / MODEL)) from None
