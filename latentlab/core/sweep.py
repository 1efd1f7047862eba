"""A sweep: one recipe with a few settings varied, as a TOML file describes it, and the plan that comes of it.

::

    title = "Targets of the adaptive beta"
    recipe = "vaegan-arena"                 # a bundled name, or a TOML file (a path beside this one works too)
    data = "video:clips/*.mp4"              # optional: in place of the recipe's
    steps = 1300                            # optional: of every run
    metrics = ["pixel", "beta"]             # optional: what the report draws; otherwise chosen by the model

    [settings]                              # optional: the same in every run
    "data.size" = [36, 64]

    [grid]                                  # every combination ...
    "objective.target_kld" = [0.05, 0.1, 0.2]

    [[list]]                                # ... of each of these, where there are any
    name = "single point"
    recipe = "vaegan-part7-single"          # optional: a recipe of its own
    "objective.kld" = "single-point"
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from latentlab.core.errors import InputError
from latentlab.core.paths import resources_dir
from latentlab.core.recipe import SECTIONS, Recipe
from latentlab.core.recipe_io import apply_settings, find_recipe, read_recipe, recipe_toml, validate
from latentlab.core.toml_file import read_toml

PLAN = "sweep.json"
RECIPES = "recipes"
MAX_RUNS = 1000
_KEYS = ("title", "recipe", "data", "steps", "metrics", "settings", "grid", "list")


@dataclass(frozen=True)
class SweepRun:
    """One run of a sweep: its folder's name, what people call it, and the settings that make it different."""

    name: str
    label: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SweepPlan:
    """Everything a sweep needs to start and to go on. ``threads`` is fixed, so that a resumed run repeats its bits.

    ``jobs``: runs at a time. ``metrics``: what the report draws; empty leaves the choice to it.
    """

    title: str
    runs: tuple[SweepRun, ...]
    metrics: tuple[str, ...] = ()
    jobs: int = 1
    threads: int = 1
    device: str = "auto"


def is_sweep(folder: Path) -> bool:
    """Whether ``folder`` is that of a sweep."""
    return (folder / PLAN).is_file()


def bundled_sweeps() -> dict[str, Path]:
    """Return the sweeps that come with latentlab, by name."""
    return {path.stem: path for path in sorted((resources_dir() / "sweeps").glob("*.toml"))}


def find_sweep(name: str) -> Path:
    """Return the file of the bundled sweep called ``name``, or the file of that path.

    Raises
    ------
    InputError
        If there is neither.
    """
    bundled = bundled_sweeps()
    if name in bundled:
        return bundled[name]
    path = Path(name).expanduser()
    if path.is_file():
        return path
    raise InputError(
        f"There is no sweep {name}",
        where="FILE",
        hint=f"Name a TOML file, or one that comes with latentlab: {', '.join(bundled) or 'none'}.",
    )


def read_sweep(
    path: Path, *, data: str | None = None, steps: int | None = None, assignments: Sequence[str] = ()
) -> tuple[str, tuple[str, ...], list[tuple[SweepRun, Recipe]]]:
    """Read a sweep file; return its title, the metrics to draw, and each run with its whole recipe.

    Parameters
    ----------
    path
        The file.
    data, steps
        In place of the file's.
    assignments
        ``section.key=value``, for every run.

    Raises
    ------
    InputError
        If the file is missing, not TOML, empty, or any of its runs would be no valid recipe; all are checked first.
    """
    values = read_toml(path, "sweep", "A sweep is a TOML file; see: latentlab sweep --help")
    _check_shape(values, path)
    values |= {} if data is None else {"data": data}
    values |= {} if steps is None else {"steps": steps}
    entries = list(_combinations(values, path))
    if len(entries) > MAX_RUNS:
        raise InputError(f"{path.name} makes {len(entries)} runs; {MAX_RUNS} is the most", where=str(path))
    runs = []
    width = max(2, len(str(len(entries))))
    for number, (label, base, settings) in enumerate(entries, 1):
        run = SweepRun(f"{number:0{width}}-{_slug(label)}", label, settings)
        runs.append((run, apply_settings(_recipe(path, values, base, run), assignments)))
    return values.get("title") or path.stem, tuple(values.get("metrics", ())), runs


def _check_shape(values: Mapping[str, Any], path: Path) -> None:
    def refuse(what: str, hint: str = "") -> None:
        raise InputError(what, where=str(path), hint=hint)

    for key in values:
        if key not in _KEYS:
            refuse(f"{key} is not a key of a sweep file", f"These are: {', '.join(_KEYS)}.")
    grid, entries = values.get("grid", {}), values.get("list", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        refuse("list must be tables", "Write [[list]] before the settings of each run.")
    if not isinstance(grid, dict) or not isinstance(values.get("settings", {}), dict):
        refuse("grid and settings must be tables", 'For example: [grid] and then "objective.beta" = [1, 2].')
    if not grid and not entries:
        refuse("There is nothing to vary", "Add [grid] or [[list]].")
    if "recipe" not in values and not (entries and all("recipe" in entry for entry in entries)):
        refuse("Which recipe?", 'Add a line such as recipe = "vaegan-arena".')
    for key, choices in _flat(grid).items():
        if not isinstance(choices, list) or not choices:
            refuse(f"grid.{key} must be a list of values", f'For example: "{key}" = [1, 2].')
    metrics = values.get("metrics", [])
    if not isinstance(metrics, list) or not all(isinstance(name, str) for name in metrics):
        refuse("metrics must be a list of names", 'For example: metrics = ["pixel", "beta"].')


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by ``section.key``, whether they are written so or as tables in tables."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= {f"{key}.{name}": inner for name, inner in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _combinations(values: Mapping[str, Any], path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (label, recipe's name, varied settings) of every run."""
    grid = _flat(values.get("grid", {}))
    for entry in values.get("list", [{}]):
        own = {key: value for key, value in entry.items() if key not in ("name", "recipe")}
        base = str(entry.get("recipe") or values["recipe"])
        for choice in itertools.product(*grid.values()):
            varied = _flat(own) | dict(zip(grid, choice, strict=True))
            name = str(entry.get("name", ""))
            shown = dict(zip(grid, choice, strict=True)) if name else varied
            told = ", ".join(f"{key.rpartition('.')[2]} {_short(value)}" for key, value in shown.items())
            yield ", ".join(filter(None, (name, told))) or base, base, varied


def _recipe(path: Path, values: Mapping[str, Any], base: str, run: SweepRun) -> Recipe:
    """Return the whole recipe of a run."""
    beside = path.parent / base
    recipe = read_recipe(beside) if base.endswith(".toml") and beside.is_file() else find_recipe(base)
    whole = recipe.model_dump()
    settings = _flat(values.get("settings", {})) | run.settings
    settings |= {"data.spec": values["data"]} if "data" in values else {}
    settings |= {"training.steps": values["steps"]} if "steps" in values else {}
    for key, value in settings.items():
        section, _, name = key.partition(".")
        if section not in SECTIONS:
            raise InputError(f"{key} is not a recipe key", where=str(path), hint="See: latentlab recipes --keys")
        whole[section][name] = value
    whole["title"] = f"{values.get('title') or path.stem}: {run.label}"
    return validate(whole, where=f"{path.name}, run {run.label}")


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:48].strip("-.") or "run"


def write_plan(folder: Path, plan: SweepPlan, recipes: Mapping[str, Recipe]) -> None:
    """Write the plan, each run's whole recipe beside it: going on does not depend on the sweep's file.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    try:
        (folder / RECIPES).mkdir(parents=True, exist_ok=True)
        for name, recipe in recipes.items():
            (folder / RECIPES / f"{name}.toml").write_text(recipe_toml(recipe), encoding="utf-8")
        part = folder / f"{PLAN}.part"
        part.write_text(json.dumps(asdict(plan), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(folder / PLAN)
    except OSError as error:
        raise InputError(f"The sweep cannot be written: {error.strerror}", where=str(folder)) from None


def read_plan(folder: Path) -> SweepPlan:
    """Read the plan of the sweep in ``folder``.

    Raises
    ------
    InputError
        If there is none, or it is damaged.
    """
    try:
        facts = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        runs = tuple(SweepRun(str(run["name"]), str(run["label"]), dict(run["settings"])) for run in facts["runs"])
        jobs, threads = max(1, int(facts["jobs"])), max(1, int(facts["threads"]))
        return SweepPlan(str(facts["title"]), runs, tuple(facts["metrics"]), jobs, threads, str(facts["device"]))
    except FileNotFoundError:
        raise InputError(
            f"{folder} is not the folder of a sweep", where=str(folder), hint=f"It has no {PLAN}."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{PLAN} is damaged: {error}", where=str(folder / PLAN)) from None
