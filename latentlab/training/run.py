"""Run folders: created with a readable name of their own, opened again to resume, never overwritten."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.messages import ModelInfo
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import recipe_toml
from latentlab.core.run_folder import (
    CHECKPOINTS,
    ENVIRONMENT,
    EVENTS,
    METRICS,
    PREVIEWS,
    RECIPE,
    read_model_info,
    write_model_info,
)
from latentlab.training.environment import environment
from latentlab.training.run_lock import LOCK, locked_soon

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset


def _slug(text: str, limit: int = 40) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:limit].strip("-")


def run_name(recipe: Recipe, label: str = "", now: datetime | None = None) -> str:
    """Return ``<date-time>-<label or model kind>-<data>``; the data is left out where the label names it."""
    kind, _, source = recipe.data.spec.partition(":")
    data = _slug(f"{kind}-{Path(source).stem}" if source else kind, 24)
    label = _slug(label) or recipe.model.kind
    parts = [f"{now or datetime.now():%Y%m%d-%H%M%S}", label, *([] if data in label else [data])]
    return "-".join(parts)


def model_info(recipe: Recipe, data: Dataset, run: Path) -> ModelInfo:
    """Return what the networks of a training of ``recipe`` on ``data`` are built for; the recipe is copied."""
    return ModelInfo(
        recipe=recipe.model_copy(deep=True),
        image_shape=data.image_shape,
        num_classes=data.num_classes,
        class_names=data.class_names,
        run=run,
        attribute_names=data.attribute_names,
    )


class RunWriter:
    """The folder of one run: facts at its creation, and events as they come.

    Metrics, previews and checkpoints are written by ``fit``.
    """

    def __init__(self, path: Path, info: ModelInfo) -> None:
        self.path = path
        self.info = info
        self._made_here = False

    @classmethod
    def create(cls, root: Path, recipe: Recipe, data: Dataset, *, label: str = "") -> RunWriter:
        """Create a run with a new name under ``root``.

        Parameters
        ----------
        root
            Folder of runs; made when missing.
        recipe
            The settings, written as they are.
        data
            What the networks are built for.
        label
            What the run is called in its name: usually the recipe's name.

        Raises
        ------
        InputError
            If the folder cannot be made.
        """
        name = run_name(recipe, label)
        for attempt in range(1, 1000):
            path = root / (name if attempt == 1 else f"{name}-{attempt}")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise InputError(f"The run folder cannot be made: {error.strerror}", where=str(path)) from None
            return cls._fill(path, recipe, data)
        raise InputError(f"There are too many runs called {name}", where=str(root))

    @classmethod
    def create_at(cls, path: Path, recipe: Recipe, data: Dataset) -> RunWriter:
        """Create a run in exactly this folder, which must be empty or missing.

        Raises
        ------
        InputError
            If it holds anything, or cannot be made.
        """
        check_free(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"The run folder cannot be made: {error.strerror}", where=str(path)) from None
        return cls._fill(path, recipe, data)

    @classmethod
    def open(cls, path: Path) -> RunWriter:
        """Open an existing run, to resume it.

        Raises
        ------
        InputError
            If it is not a run folder, or is damaged.
        """
        return cls(path, read_model_info(path))

    @classmethod
    def _fill(cls, path: Path, recipe: Recipe, data: Dataset) -> RunWriter:
        info = model_info(recipe, data, path)
        try:
            for folder in (CHECKPOINTS, PREVIEWS):
                (path / folder).mkdir()
            text = json.dumps(environment(), indent=1, ensure_ascii=False)
            (path / ENVIRONMENT).write_text(text + "\n", encoding="utf-8")
            (path / RECIPE).write_text(recipe_toml(recipe), encoding="utf-8")
            # Last, because model.json together with recipe.toml is what makes a folder a run.
            write_model_info(
                path, info, data_name=data.name, num_train=len(data.train_index), num_test=len(data.test_index)
            )
        except OSError as error:
            raise InputError(f"The run folder cannot be written: {error.strerror}", where=str(path)) from None
        run = cls(path, info)
        run._made_here = True
        return run

    def discard_unused(self) -> None:
        """Remove the folder if this object made it and nothing was trained into it; otherwise do nothing."""
        if self._made_here and not any(self.checkpoints.iterdir()):
            shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep the run for this process while the block lasts; a kill ends the claim too.

        Raises
        ------
        InputError
            If another training is writing it: two would spoil each other's curves and checkpoints.
        """
        try:
            file = (self.path / LOCK).open("ab")
        except OSError as error:
            raise InputError(f"The run folder cannot be written: {error.strerror}", where=str(self.path)) from None
        with file:
            if not locked_soon(file.fileno()):
                raise InputError(
                    "Another training is writing this run", where=str(self.path), hint="Wait for it, or stop it first."
                )
            yield

    def event(self, event: str, step: int, **facts: Any) -> None:
        """Append one line to ``events.jsonl``: start, resume, pause, stop, finish, change, warning or failure."""
        line = {"time": datetime.now().astimezone().isoformat(timespec="seconds"), "event": event, "step": step}
        try:
            with (self.path / EVENTS).open("a", encoding="utf-8") as file:
                file.write(json.dumps({**line, **facts}, ensure_ascii=False, default=str) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            if event == "failure":  # On a full disk the failure itself is the news.
                return
            raise LatentLabError(
                f"{EVENTS} cannot be written: {error.strerror}",
                where=str(self.path),
                hint="Earlier checkpoints are untouched. Make room or give write permission, then resume the run.",
            ) from error

    @property
    def metrics(self) -> Path:
        """The run's metrics file."""
        return self.path / METRICS

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / CHECKPOINTS


def check_free(path: Path) -> None:
    """Make sure that a new run can be put in ``path`` without touching anything.

    Raises
    ------
    InputError
        If it is a file or a folder that holds anything.
    """
    if path.is_dir() and not any(path.iterdir()):
        return
    if path.exists():
        raise InputError(
            f"{path} already holds something, and runs are never overwritten",
            where="--out",
            hint="Choose another folder, or add --resume to continue the run in it.",
        )
