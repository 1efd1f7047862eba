"""Forks: a new run that begins at a checkpoint of another one, with settings of its own."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.recipe import Recipe
from latentlab.core.run_facts import differences, recipe_at
from latentlab.core.run_folder import LAST, METRICS
from latentlab.data.dataset import Dataset
from latentlab.models.weights import STATE_FILE, atomic_folder, read_step
from latentlab.training.changes import check_resumable
from latentlab.training.checkpoint import LOOP_FILE
from latentlab.training.metrics_db import connect_readonly
from latentlab.training.run import RunWriter


def forkable(run: Path, checkpoint: str) -> int:
    """Return the step of a checkpoint that a training can go on from.

    Raises
    ------
    InputError
        If there is none, it is damaged, or it holds weights only, as ``best`` does.
    """
    folder = run / "checkpoints" / checkpoint
    step = read_step(folder)
    if not (folder / LOOP_FILE).is_file():
        raise InputError(
            f"A training cannot go on from {checkpoint}: it holds weights only",
            where=str(folder),
            hint="Fork from last or from a numbered checkpoint.",
        )
    return step


def as_it_was(run: Path, checkpoint: str) -> Recipe:
    """Return the settings that held at a checkpoint: the recipe's, with the live changes before it."""
    forkable(run, checkpoint)
    return recipe_at(run, checkpoint)


def fork(
    source: Path, checkpoint: str, recipe: Recipe, data: Dataset, root: Path, *, out: Path | None = None
) -> RunWriter:
    """Make a run that begins where a checkpoint of ``source`` left off; ``fit`` then resumes it.

    It has the curves up to there, so that they part where the settings do, and an event ``fork`` that says
    from where and with which changes.

    Parameters
    ----------
    source, checkpoint
        Where to begin: ``last`` or ``step_00000500``.
    recipe
        All settings of the new run.
    data
        What it trains on.
    root, out
        Folder of runs, or the very folder to make.

    Raises
    ------
    InputError
        If the checkpoint cannot be gone on from, or does not fit the recipe.
    LatentLabError
        If the run cannot be written.
    """
    step = forkable(source, checkpoint)
    before = recipe_at(source, checkpoint)
    check_resumable(recipe, before)
    if recipe.training.steps <= step:
        raise InputError(
            f"{checkpoint} has {step} steps behind it, and training.steps is {recipe.training.steps}",
            where="training.steps",
            hint="Set it to the steps that the fork is to have in all.",
        )
    label = f"{recipe.title or recipe.model.kind} fork"
    writer = (
        RunWriter.create(root, recipe, data, label=label) if out is None else RunWriter.create_at(out, recipe, data)
    )
    try:
        _copy(source, checkpoint, writer)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(writer.path, ignore_errors=True)
        raise LatentLabError(f"The fork cannot be written: {error}", where=str(writer.path)) from error
    writer.event("fork", step, **{"from": source.name}, checkpoint=checkpoint, changes=changes_of(before, recipe))
    return writer


def changes_of(before: Recipe, recipe: Recipe) -> Mapping[str, Any]:
    """Return what a fork sets anew, ``{key: [before, now]}``."""
    return differences([before, recipe])


def _copy(source: Path, checkpoint: str, writer: RunWriter) -> None:
    with closing(connect_readonly(source / METRICS)) as there, closing(sqlite3.connect(writer.path / METRICS)) as here:
        there.backup(here)  # Beside a trainer too; what comes after the checkpoint is dropped when the fork resumes.
    with atomic_folder(writer.checkpoints / LAST) as part:
        for file in (source / "checkpoints" / checkpoint).iterdir():
            shutil.copy2(file, part / file.name)
        state = json.loads((part / STATE_FILE).read_text(encoding="utf-8"))
        state["changes"] = {}  # They are in the recipe now, and must not undo what the fork sets anew.
        (part / STATE_FILE).write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
