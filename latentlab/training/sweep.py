"""Works a sweep off, some trainings at a time, each a process of its own: a crash of one is not the end of all.

What has been done is read from the run folders and nothing else, so that a sweep whose process was killed goes on
where it stood: finished runs stay, broken ones resume from their last checkpoint, the rest start. A run that is
still being trained by the process of an earlier sweep is waited for.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from latentlab.core.errors import EXIT_INTERRUPTED, EXIT_OK, InputError
from latentlab.core.recipe_io import read_recipe
from latentlab.core.run_folder import METRICS, is_run
from latentlab.core.sweep import RECIPES, SweepPlan, SweepRun, read_sweep, write_plan
from latentlab.core.sweep_state import RunState, SweepState
from latentlab.training.metrics_db import read_progress
from latentlab.training.run_facts import how_it_ended
from latentlab.training.run_lock import is_being_trained
from latentlab.training.sweep_place import Job, LocalPlace, Place, Training

LOG = "{name}.log"
LOOK_S = 0.1
TELL_S = 0.5
LOG_TAIL = 2000


def new_sweep(
    file: Path,
    root: Path,
    *,
    out: Path | None = None,
    jobs: int = 1,
    device: str = "auto",
    data: str | None = None,
    steps: int | None = None,
    assignments: Sequence[str] = (),
) -> Path:
    """Read a sweep file and make the sweep's folder; every recipe is checked before anything is written.

    Parameters
    ----------
    file
        The TOML file.
    root, out
        Folder of runs, or the very folder to make.
    jobs, device
        How many trainings at a time, and on what.
    data, steps, assignments
        In place of the file's: see ``latentlab.core.sweep.read_sweep``.

    Raises
    ------
    InputError
        If the file is no sweep, or the folder holds anything.
    """
    title, metrics, runs = read_sweep(file, data=data, steps=steps, assignments=assignments)
    folder = out or root / f"{datetime.now():%Y%m%d-%H%M%S}-{_slug(title)}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} already holds something", where="--out", hint="Choose another, or add --resume.")
    plan = SweepPlan(title, tuple(run for run, _ in runs), metrics, jobs, threads_for(jobs), device)
    write_plan(folder, plan, {run.name: recipe for run, recipe in runs})
    return folder


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-") or "sweep"


def threads_for(jobs: int) -> int:
    """Return how many threads each of ``jobs`` trainings at a time should compute with."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, (cores - 1) // jobs)


class SweepRunner:
    """Works a plan off. ``pause``, ``resume`` and ``stop`` may be called from any thread; ``run`` is for one.

    Parameters
    ----------
    folder
        Of the sweep; its runs are folders in it.
    plan
        What to train.
    place
        Where they are trained; this machine if None.
    """

    def __init__(self, folder: Path, plan: SweepPlan, place: Place | None = None) -> None:
        self.folder, self.plan = folder.absolute(), plan
        self.paused = self.stopped = False
        self._place = place or LocalPlace()
        self._children: dict[str, Training] = {}
        self._failed: dict[str, str] = {}
        self._done: set[str] = set()
        self._told_at = float("-inf")
        self._steps = steps_of(folder, plan)

    def pause(self) -> None:
        """Let the trainings at work save and end; none is started before ``resume``."""
        self.paused = True

    def resume(self) -> None:
        """Go on after a pause."""
        self.paused = False

    def stop(self) -> None:
        """Let the trainings at work save and end, and return from ``run``."""
        self.stopped = True

    def run(self, tell: Callable[[SweepState], object]) -> SweepState:
        """Work until every run is finished or has failed, or ``stop`` is called.

        Parameters
        ----------
        tell
            Hears the state about twice a second, and at the end.
        """
        try:
            while True:
                self._collect()
                if self.stopped or self.paused:
                    for child in self._children.values():
                        child.stop()
                else:
                    self._start_more()
                if not self._children and (self.stopped or self._over()):
                    break
                self._tell(tell)
                time.sleep(LOOK_S)
        finally:
            for child in self._children.values():  # Only after an error here: a closed pipe ends them.
                child.close()
        state = self.state()
        tell(state)
        return state

    def _over(self) -> bool:
        return all(run.name in self._done or run.name in self._failed for run in self.plan.runs)

    def _start_more(self) -> None:
        for run in self.plan.runs:
            if len(self._children) >= self.plan.jobs:
                return
            if run.name not in self._children and run.name not in self._done and run.name not in self._failed:
                self._begin(run)

    def _begin(self, run: SweepRun) -> None:
        path = self.folder / run.name
        if how_it_ended(path) == "finished":
            self._done.add(run.name)
            return
        if is_being_trained(path):
            return  # By what is left of a sweep that was killed: it ends soon, and then this one takes over.
        recipe, log = self.folder / RECIPES / f"{run.name}.toml", self.folder / LOG.format(name=run.name)
        self._children[run.name] = self._place.start(Job(recipe, path, log, self.plan.device, self.plan.threads))

    def _collect(self) -> None:
        for name, child in list(self._children.items()):
            code = child.poll()
            if code is None:
                continue
            child.close()
            del self._children[name]
            if code == EXIT_OK:
                self._done.add(name)
            elif not (child.stopping and code == EXIT_INTERRUPTED):
                self._failed[name] = self._last_words(name, code)

    def _last_words(self, name: str, code: int) -> str:
        try:
            text = (self.folder / LOG.format(name=name)).read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:]
        except OSError:
            text = ""
        said = [line.strip() for line in text.splitlines() if line.startswith("latentlab: ")]
        return said[-1].removeprefix("latentlab: ") if said else f"the process ended with code {code}"

    def _tell(self, tell: Callable[[SweepState], object]) -> None:
        now = time.monotonic()
        if now - self._told_at >= TELL_S:
            self._told_at = now
            tell(self.state())

    def state(self) -> SweepState:
        """Return where every run stands."""
        states = read_states(self.folder, self.plan, self._steps, running=self._children, failed=self._failed)
        return SweepState(
            self.plan.title, self.folder, tuple(states), self.plan.jobs, paused=self.paused, over=self._over()
        )


def steps_of(folder: Path, plan: SweepPlan) -> dict[str, int]:
    """Return the steps of each run's recipe."""
    steps = {}
    for run in plan.runs:
        try:
            steps[run.name] = read_recipe(folder / RECIPES / f"{run.name}.toml").training.steps
        except InputError:
            steps[run.name] = 0
    return steps


def read_states(
    folder: Path,
    plan: SweepPlan,
    steps: Mapping[str, int],
    *,
    running: Collection[str] = (),
    failed: Mapping[str, str] = MappingProxyType({}),
) -> list[RunState]:
    """Return where each run of a sweep stands, from its folder; ``running`` and ``failed`` know better."""
    states = []
    for run in plan.runs:
        step, elapsed_s = read_progress(folder / run.name / METRICS)
        word = "running" if run.name in running else "failed" if run.name in failed else _word(folder / run.name)
        states.append(RunState(run.name, run.label, word, step, steps[run.name], elapsed_s, failed.get(run.name, "")))
    return states


def _word(run: Path) -> str:
    ended = how_it_ended(run)
    if ended in ("finished", "failed"):
        return ended
    if is_being_trained(run):
        return "running"
    return "stopped" if is_run(run) else "waiting"
