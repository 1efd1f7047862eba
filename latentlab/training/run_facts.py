"""Reads what a list of runs shows, cheaply: a few small files of each run, and nothing of one that has not changed."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from latentlab.core.errors import InputError
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import read_recipe
from latentlab.core.run_facts import NOTES, RunFacts, read_notes
from latentlab.core.run_folder import BEST, CHECKPOINTS, EVENTS, METRICS, MODEL, RECIPE, is_run
from latentlab.core.sweep import is_sweep
from latentlab.training.metrics_db import read_latest, read_progress
from latentlab.training.run_lock import is_being_trained

FRESH_S = 10.0
"""A run on another machine counts as being trained while its metrics were written this recently."""
_ENDINGS = {"finish": "finished", "stop": "stopped", "failure": "failed"}
Stamp = tuple[int, ...]


def find_runs(root: Path) -> Iterator[tuple[Path, Path | None]]:
    """Yield (run, sweep or None) of every run in ``root``, and in the sweeps in it."""
    for folder in _folders(root):
        if is_run(folder):
            yield folder, None
        elif is_sweep(folder):
            yield from ((run, folder) for run in _folders(folder) if is_run(run))


def sweeps_in(root: Path) -> list[Path]:
    """Return the sweeps in ``root``, those with the last names first: names begin with the date."""
    return [folder for folder in reversed(_folders(root)) if is_sweep(folder)]


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []


def read_event_facts(run: Path) -> list[dict[str, Any]]:
    """Return the lines of ``events.jsonl`` that can be read."""
    try:
        lines = (run / EVENTS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            fact = json.loads(line)
        except ValueError:
            continue
        if isinstance(fact, dict) and "event" in fact:
            found.append(fact)
    return found


def how_it_ended(run: Path) -> str:
    """Return finished, stopped or failed by the last event of a run; "" for one that has not ended, or is none."""
    events = read_event_facts(run)
    return _ENDINGS.get(str(events[-1]["event"]), "") if events else ""


def read_run_facts(run: Path, sweep: Path | None = None) -> RunFacts:
    """Read one run. A damaged one is told by ``problem``, never by an error."""
    problem = ""
    try:
        recipe = read_recipe(run / RECIPE)
        model = json.loads((run / MODEL).read_text(encoding="utf-8"))
    except (InputError, OSError, ValueError) as error:
        recipe, model, problem = Recipe(), {}, str(error)
    events = read_event_facts(run)
    try:
        latest = read_latest(run / METRICS)
    except (InputError, sqlite3.Error):  # An error of SQLite: its trainer is just making the file.
        latest = {}
    step, elapsed_s = read_progress(run / METRICS)
    note, tags = read_notes(run)
    fork = next((event for event in events if event["event"] == "fork"), None)
    return RunFacts(
        path=run,
        recipe=recipe,
        data_name=str(model.get("data", "")),
        state=_state(run, events, step),
        started=_started(events, run),
        step=step,
        elapsed_s=elapsed_s,
        latest={name: value for name, (_, value) in latest.items()},
        best=_best(run),
        note=note,
        tags=tags,
        sweep=sweep,
        forked_from=f"{fork.get('from', '')} {fork.get('checkpoint', '')}".strip() if fork else "",
        problem=problem,
    )


def _state(run: Path, events: list[dict[str, Any]], step: int) -> str:
    ending = _ENDINGS.get(str(events[-1]["event"])) if events else None
    if ending is not None:
        return ending
    if is_being_trained(run) or _written_lately(run):
        return "training"
    return "interrupted" if step else "new"


def _written_lately(run: Path) -> bool:
    newest = max(stamp(run / METRICS, run / f"{METRICS}-wal")[1::2])
    return time.time() - newest / 1e9 < FRESH_S


def _started(events: list[dict[str, Any]], run: Path) -> float:
    for event in events:
        try:
            return datetime.fromisoformat(str(event["time"])).timestamp()
        except (KeyError, ValueError):
            continue
    return stamp(run / MODEL)[1] / 1e9


def _best(run: Path) -> tuple[int, float] | None:
    try:
        state = json.loads((run / CHECKPOINTS / BEST / "state.json").read_text(encoding="utf-8"))
        return int(state["step"]), float(state.get("best_score", state.get("best_test_pixel")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def stamp(*paths: Path) -> Stamp:
    """Return size and time of each file, one after the other; zeros for missing ones."""
    found: list[int] = []
    for path in paths:
        try:
            facts = path.stat()
            found += [facts.st_size, facts.st_mtime_ns]
        except OSError:
            found += [0, 0]
    return tuple(found)


class RunList:
    """Lists the runs under a root again and again; only those that changed are read. Thread: one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[Path, tuple[Stamp, RunFacts]] = {}

    def look(self) -> tuple[RunFacts, ...]:
        """Return all runs, newest first."""
        seen: dict[Path, tuple[Stamp, RunFacts]] = {}
        for run, sweep in find_runs(self.root):
            now = self._stamp(run)
            known = self._known.get(run)
            # What trains, or did until it was killed, may change without a file changing.
            if known is None or known[0] != now or known[1].state in ("training", "new"):
                known = (now, read_run_facts(run, sweep))
            seen[run] = known
        self._known = seen
        return tuple(sorted((facts for _, facts in seen.values()), key=lambda facts: (-facts.started, facts.name)))

    @staticmethod
    def _stamp(run: Path) -> Stamp:
        names = (EVENTS, METRICS, f"{METRICS}-wal", NOTES, RECIPE, f"{CHECKPOINTS}/{BEST}/state.json")
        return stamp(*(run / name for name in names))
