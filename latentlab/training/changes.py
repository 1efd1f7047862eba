"""Settings that change while a training runs, and those carried over when it resumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from latentlab.core.errors import InputError
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import recipe_fields, validate


def live_keys() -> frozenset[str]:
    """Return the settings, ``"section.key"``, that may be changed while training runs."""
    return frozenset(
        key
        for key, field in recipe_fields()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("live")
    )


def with_changes(recipe: Recipe, changes: Mapping[str, object]) -> Recipe:
    """Return a recipe with live settings changed.

    Raises
    ------
    InputError
        If a key cannot be changed live or its value is out of bounds; nothing is changed then.
    """
    values: dict[str, Any] = recipe.model_dump()
    allowed = live_keys()
    for key, value in changes.items():
        if key not in allowed:
            raise InputError(
                f"{key} cannot be changed while training runs",
                where=key,
                hint=f"These can: {', '.join(sorted(allowed))}.",
            )
        section, _, name = key.partition(".")
        values[section][name] = value
    return validate(values, where="live change")


def value_of(recipe: Recipe, key: str) -> Any:
    """Return the value of ``"section.key"``."""
    section, _, name = key.partition(".")
    return getattr(getattr(recipe, section), name)


def carry_over(recipe: Recipe, started_with: Recipe, changes: Mapping[str, object]) -> Recipe:
    """Return the recipe to resume with: earlier live changes hold where the user has not set the key anew.

    Parameters
    ----------
    recipe
        What the user resumes with.
    started_with
        What the run was started with.
    changes
        Live changes made before the checkpoint.
    """
    kept = {key: value for key, value in changes.items() if value_of(recipe, key) == value_of(started_with, key)}
    return with_changes(recipe, kept)


def check_resumable(recipe: Recipe, started_with: Recipe) -> None:
    """Make sure that a checkpoint of ``started_with`` fits ``recipe``.

    Raises
    ------
    InputError
        If the model would differ, or the pictures' shape.
    """
    for key, _ in recipe_fields():
        fixed = key.startswith("model.") or key in ("data.size", "data.colour", "objective.kld")
        if fixed and value_of(recipe, key) != value_of(started_with, key):
            raise InputError(
                f"{key} cannot differ from the run's when resuming: "
                f"{value_of(started_with, key)} there, {value_of(recipe, key)} here",
                where=key,
                hint="Start a new run instead, without --resume.",
            )
