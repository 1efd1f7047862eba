"""What the doctor says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from latentlab.core.errors import InputError
from latentlab.core.recipe import Recipe, setting_facts
from latentlab.core.recipe_io import recipe_fields, validate


@dataclass(frozen=True)
class Fix:
    """What to do about it: a live change of ``key`` to ``value`` or, with action ``stop``, to stop and keep the run."""

    label: str
    key: str = ""
    value: object = None
    action: Literal["change", "stop"] = "change"


@dataclass(frozen=True)
class Finding:
    """One thing that goes wrong: a sentence, the figures that say so, and a fix where there is one."""

    rule: str
    step: int
    sentence: str
    evidence: str
    fix: Fix | None = None


def change(recipe: Recipe, key: str, value: object) -> Fix | None:
    """Return the fix that sets ``key`` live; None where that changes nothing or is not allowed.

    Numbers are rounded to two digits, as nobody reads more.
    """
    field = dict(recipe_fields()).get(key)
    if field is None or not setting_facts(key, field)["live"]:
        return None
    section, _, name = key.partition(".")
    old = getattr(getattr(recipe, section), name)
    if isinstance(value, float):
        value = float(f"{value:.2g}")
    values = recipe.model_dump()
    values[section][name] = value
    try:
        validate(values)
    except InputError:
        return None
    return None if value == old else Fix(f"Set {key} to {_said(value)}", key, value)


def scaled(recipe: Recipe, key: str, factor: float) -> Fix | None:
    """Return the fix that multiplies a live number; None where it is not set or would leave its bounds."""
    section, _, name = key.partition(".")
    old = getattr(getattr(recipe, section), name)
    if key == "training.discriminator_lr" and old is None:
        old = recipe.training.lr
    return change(recipe, key, float(old) * factor) if old else None


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
