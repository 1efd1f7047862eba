"""What a list of runs says about each: read from its folder by ``latentlab.training.run_facts``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from latentlab.core.errors import InputError
from latentlab.core.recipe import SECTIONS, Recipe
from latentlab.core.recipe_io import read_recipe, validate
from latentlab.core.run_folder import CHECKPOINTS, RECIPE

NOTES = "notes.json"
STATES = ("training", "finished", "stopped", "interrupted", "failed", "new")
FIGURES = ("test_pixel", "test_kld_per_dim", "pixel", "kld_per_dim", "beta", "feature_matching", "loss")
"""The figures of a list of runs, where a run has them."""


@dataclass(frozen=True)
class RunFacts:
    """One run in a list.

    Attributes
    ----------
    state
        One of ``STATES``: ``training`` by any process of this machine, or written a moment ago by one of another;
        ``interrupted`` was killed, ``new`` has not made a step.
    started
        When the training began, in seconds since 1970; 0 where unknown.
    latest, best
        Newest value of each metric; ``best`` holds the step and score of the checkpoint ``best``, where there is one.
    sweep
        Folder of the sweep that the run belongs to.
    forked_from
        Run and checkpoint that it began from, e.g. ``20260801-161738-digits step_00000500``.
    """

    path: Path
    recipe: Recipe
    data_name: str = ""
    state: str = "new"
    started: float = 0.0
    step: int = 0
    elapsed_s: float = 0.0
    latest: Mapping[str, float] = field(default_factory=dict)
    best: tuple[int, float] | None = None
    note: str = ""
    tags: tuple[str, ...] = ()
    sweep: Path | None = None
    forked_from: str = ""
    problem: str = ""

    @property
    def name(self) -> str:
        """The folder's name, in a sweep with the sweep's before it."""
        return self.path.name if self.sweep is None else f"{self.sweep.name}/{self.path.name}"

    @property
    def steps(self) -> int:
        """Steps of the recipe."""
        return self.recipe.training.steps

    def as_dict(self) -> dict[str, Any]:
        """Return the facts under the names that ``--json`` prints."""
        return {
            "run": str(self.path),
            "title": self.recipe.title,
            "kind": self.recipe.model.kind,
            "data": self.recipe.data.spec,
            "state": self.state,
            "started": datetime.fromtimestamp(self.started).astimezone().isoformat() if self.started else None,
            "step": self.step,
            "steps": self.steps,
            "elapsed_s": round(self.elapsed_s, 3),
            "latest": dict(self.latest),
            "best": None if self.best is None else {"step": self.best[0], "score": self.best[1]},
            "note": self.note,
            "tags": list(self.tags),
            "sweep": None if self.sweep is None else str(self.sweep),
            "forked_from": self.forked_from,
        }


def flat_settings(recipe: Recipe) -> dict[str, Any]:
    """Return every setting by ``section.key``."""
    values = recipe.model_dump()
    return {f"{section}.{key}": value for section in SECTIONS for key, value in values[section].items()}


def differences(recipes: Sequence[Recipe]) -> dict[str, list[Any]]:
    """Return the settings in which recipes differ, each with its value in every one of them."""
    flat = [flat_settings(recipe) for recipe in recipes]
    keys = list(flat[0]) if flat else []
    return {key: [one.get(key) for one in flat] for key in keys if len({repr(one.get(key)) for one in flat}) > 1}


def what_is_special(recipes: Sequence[Recipe]) -> list[str]:
    """Return for each recipe, in a few words, the settings in which it differs from the most common value."""
    differing = differences(recipes)
    words: list[list[str]] = [[] for _ in recipes]
    for key, values in differing.items():
        shown = [repr(value) for value in values]
        usual = max(set(shown), key=lambda text: (shown.count(text), text))
        for i, value in enumerate(values):
            if repr(value) != usual or shown.count(usual) == 1:
                words[i].append(f"{key.partition('.')[2]} {setting_text(value)}")
    return [", ".join(part) for part in words]


def setting_text(value: object) -> str:
    """Return a setting's value as a table shows it."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return "×".join(map(str, value)) if len(value) == 2 else ", ".join(map(str, value))
    return "–" if value is None else str(value)


def recipe_at(run: Path, checkpoint: str) -> Recipe:
    """Return the settings that held at a checkpoint: the run's, with the live changes before it.

    Raises
    ------
    InputError
        If the run is damaged.
    """
    values = read_recipe(run / RECIPE).model_dump()
    try:
        state = json.loads((run / CHECKPOINTS / checkpoint / "state.json").read_text(encoding="utf-8"))
        changes = dict(state.get("changes", {}))
    except (OSError, ValueError, AttributeError, TypeError):
        changes = {}  # What is wrong with the checkpoint is told by whoever loads it.
    for key, value in changes.items():
        section, _, name = key.partition(".")
        values[section][name] = value
    return validate(values, where=f"{run.name}, {checkpoint}")


def read_notes(run: Path) -> tuple[str, tuple[str, ...]]:
    """Return the note and the tags of a run; both empty where there are none or they are damaged."""
    try:
        facts = json.loads((run / NOTES).read_text(encoding="utf-8"))
        return str(facts.get("note", "")), tuple(str(tag) for tag in facts.get("tags", ()))
    except (OSError, ValueError, AttributeError, TypeError):
        return "", ()


def write_notes(run: Path, note: str, tags: Iterable[str]) -> None:
    """Keep a note and tags with a run.

    Raises
    ------
    InputError
        If the run cannot be written.
    """
    part = run / f"{NOTES}.part"
    try:
        part.write_text(json.dumps({"note": note, "tags": list(tags)}, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(run / NOTES)
    except OSError as error:
        raise InputError(f"The note cannot be kept: {error.strerror}", where=str(run)) from None


def with_notes(facts: RunFacts, note: str, tags: Iterable[str]) -> RunFacts:
    """Return the facts with another note and other tags."""
    return replace(facts, note=note, tags=tuple(tags))
