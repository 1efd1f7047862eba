"""Reading, checking, changing and writing recipes, with errors that name the key."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from latentlab.core.errors import InputError
from latentlab.core.paths import resources_dir
from latentlab.core.recipe import SECTIONS, Recipe
from latentlab.core.toml_file import read_toml


def recipe_fields() -> Iterator[tuple[str, FieldInfo]]:
    """Yield ``("section.key", field)`` for every setting, in the order of the form."""
    for section in SECTIONS:
        model = Recipe.model_fields[section].annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        for key, field in model.model_fields.items():
            yield f"{section}.{key}", field


def _explain(error: Any) -> tuple[str, str]:
    """Return (what, hint) for one pydantic error."""
    key = ".".join(str(part) for part in error["loc"] if not str(part).startswith("function-"))
    if error["type"] == "extra_forbidden":
        known = [*(name for name, _ in recipe_fields()), *SECTIONS, "title", "story", "group"]
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        return f"{key} is not a recipe key", f"Did you mean {near[0]}?" if near else "See: latentlab recipes --keys"
    message = str(error["msg"]).removeprefix("Value error, ")
    hint = ""
    if error["type"] == "literal_error":
        allowed = [part.strip("'") for part in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        near = difflib.get_close_matches(str(error["input"]), allowed, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]!r}?" if near else ""
    if not key:
        return message, hint
    return f"{key} = {error['input']!r}: {message[:1].lower()}{message[1:]}", hint


def validate(values: dict[str, Any], *, where: str = "") -> Recipe:
    """Turn nested settings into a recipe.

    Raises
    ------
    InputError
        Naming the first offending key, its value, what is allowed and the nearest valid name.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        what, hint = _explain(first)
        more = error.error_count() - 1
        what += f" (and {more} more)" if more else ""
        raise InputError(what, where=where, hint=hint) from None


def field_errors(values: dict[str, Any]) -> dict[str, str]:
    """Return every problem of ``values`` as ``{"section.key": message}``; empty when it is valid."""
    try:
        Recipe.model_validate(values)
    except ValidationError as error:
        return {".".join(str(p) for p in e["loc"][:2]): " ".join(_explain(e)).strip() for e in error.errors()}
    return {}


def apply_settings(recipe: Recipe, assignments: Sequence[str]) -> Recipe:
    """Return ``recipe`` with ``section.key=value`` assignments applied; values are TOML or plain text.

    Raises
    ------
    InputError
        If an assignment is not ``section.key=value`` or the result is invalid.
    """
    values = recipe.model_dump()
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        section, dot, name = key.strip().partition(".")
        if not (equals and dot and name):
            raise InputError(
                f"--set {assignment} is not of the form section.key=value",
                where="--set",
                hint="For example: --set training.lr=0.001",
            )
        if section not in SECTIONS:
            near = difflib.get_close_matches(section, SECTIONS, n=1, cutoff=0.3)
            raise InputError(
                f"{key.strip()} is not a recipe key",
                where="--set",
                hint=f"Did you mean {near[0]}.{name}?" if near else f"Sections: {', '.join(SECTIONS)}",
            )
        values[section][name] = _parse_value(text.strip())
    return validate(values, where="--set")


def _parse_value(text: str) -> Any:
    if text in ("none", "null", ""):
        return None
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def read_recipe(path: Path) -> Recipe:
    """Read a TOML recipe.

    Raises
    ------
    InputError
        If the file is missing, not TOML, or holds a bad key or value.
    """
    return validate(read_toml(path, "recipe", "See: latentlab recipes"), where=str(path))


def bundled_recipes() -> dict[str, Path]:
    """Return the recipes that come with latentlab, by name."""
    root = resources_dir() / "recipes"
    return {path.stem: path for path in sorted(root.rglob("*.toml"))}


def find_recipe(name: str) -> Recipe:
    """Return the bundled recipe called ``name``, or the one in the TOML file of that path.

    Raises
    ------
    InputError
        If there is neither; the nearest bundled name is suggested.
    """
    bundled = bundled_recipes()
    if name in bundled:
        return read_recipe(bundled[name])
    path = Path(name).expanduser()
    if path.suffix == ".toml" or path.exists():
        return read_recipe(path)
    near = difflib.get_close_matches(name, bundled, n=1, cutoff=0.4)
    raise InputError(
        f"There is no recipe called {name}",
        where="RECIPE",
        hint=f"Did you mean {near[0]}?" if near else f"Bundled: {', '.join(bundled)}",
    )


def recipe_toml(recipe: Recipe) -> str:
    """Return the recipe as TOML text; settings that are None are left out, as TOML has no null."""
    return tomli_w.dumps(_without_none(recipe.model_dump()))


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            result[key] = _without_none(value)
        elif value is not None:
            result[key] = list(value) if isinstance(value, tuple) else value
    return result
