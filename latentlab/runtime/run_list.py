"""Looks at the runs folder in a thread of its own, so that the window never waits for a disk or a network."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal

from latentlab.core.buffers import MetricHistory
from latentlab.core.errors import InputError
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ErrorReport
from latentlab.core.run_facts import RunFacts, what_is_special
from latentlab.core.run_listing import Listing, Sheets, Wish
from latentlab.core.sweep import SweepPlan, SweepRun, read_plan
from latentlab.core.sweep_state import RunState, SweepState
from latentlab.runtime.run_watch import CurveWatch, SheetFiles, Thumbnails, find_sheets, read_sheets
from latentlab.training.run_facts import RunList, sweeps_in
from latentlab.training.sweep import steps_of

WATCH_S = 0.25
LIST_S = 1.0
SHEETS_S = 1.0


class RunListService(QObject):
    """Lists the runs under a root and follows those that are compared, while somebody looks.

    ::

        want(Wish) ──▶ thread: CurveWatch.poll every 0.25 s ──▶ history (polled by the plots)
                               read_sheets                  ──▶ sheets
        look(True)  ──▶        RunList.look every second    ──▶ listing

    Thread: GUI, except the slots and the history, which any thread may read.

    Attributes
    ----------
    listing, sheets
        Newest answers, with versions to poll.
    history
        The curves of the newest wish; a new one per change of the wish's runs or axis.
    """

    failed = Signal(object)  # ErrorReport

    def __init__(self, root: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.root = root
        self.listing: LatestSlot[Listing] = LatestSlot()
        self.sheets: LatestSlot[Sheets] = LatestSlot()
        self.history = MetricHistory()
        self._condition = threading.Condition()
        self._wish = Wish()
        self._looking = self._hurry = self._over = False
        self._thread: _Worker | None = None

    def look(self, looking: bool) -> None:
        """Begin to look at the folder every second, or rest."""
        with self._condition:
            if looking == self._looking:
                return
            self._looking, self._hurry = looking, looking
            self._condition.notify_all()
        if looking and self._thread is None and not self._over:
            self._thread = _Worker(self, self)
            self._thread.failed.connect(self.failed)
            self._thread.start()

    def look_now(self) -> None:
        """Look again at once: something was changed here."""
        with self._condition:
            self._hurry = True
            self._condition.notify_all()

    def want(self, wish: Wish) -> None:
        """Follow these runs from now on."""
        with self._condition:
            if (wish.runs, wish.axis) != (self._wish.runs, self._wish.axis):
                self.history = MetricHistory()
            self._wish = wish
            self._condition.notify_all()

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """End the thread; return whether it has."""
        with self._condition:
            self._over = True
            self._condition.notify_all()
        return self._thread is None or self._thread.wait(timeout_ms)

    # -- for the worker ----------------------------------------------------------------------------

    def wait(self, seen: Wish) -> tuple[bool, Wish, MetricHistory, bool]:
        """Wait a quarter of a second, or until something is wanted; return (over, wish, its history, look now)."""
        with self._condition:
            self._condition.wait_for(
                lambda: self._over or self._hurry or self._wish != seen, WATCH_S if self._looking else None
            )
            hurry, self._hurry = self._hurry, False
            return self._over, self._wish, self.history, hurry

    @property
    def looking(self) -> bool:
        """Whether anybody looks."""
        return self._looking


class _Worker(QThread):
    failed = Signal(object)

    def __init__(self, service: RunListService, parent: QObject) -> None:
        super().__init__(parent)
        self.setObjectName("run list")
        self._service = service
        self._thumbnails = Thumbnails()
        self._sweeps = _Sweeps(service.root)
        self._told = ""
        self._shown: tuple[Wish | None, SheetFiles] = (None, ())
        self._recipes: tuple[int, ...] = ()
        self._special: dict[Path, str] = {}

    def run(self) -> None:
        """Look and follow until the end. Thread: run list."""
        service, runs = self._service, RunList(self._service.root)
        wish, curves = Wish(), CurveWatch(Wish(), MetricHistory())
        listed_at = read_at = float("-inf")
        over, hurry = False, True
        while not over:
            try:
                curves.poll()
                now = time.monotonic()
                if hurry or now - listed_at >= LIST_S:
                    self._list(runs)
                    listed_at = time.monotonic()
                if wish != self._shown[0] or now - read_at >= SHEETS_S:
                    self._read_sheets(wish)
                    read_at = time.monotonic()
            except Exception as error:  # noqa: BLE001 - whatever lies in the folder, the list goes on.
                self._tell(error)
            over, wish, history, hurry = service.wait(wish)
            if history is not curves.history:
                curves = CurveWatch(wish, history)

    def _tell(self, error: Exception) -> None:
        """Report a problem once, not once a second."""
        if str(error) != self._told:
            self._told = str(error)
            self.failed.emit(ErrorReport.of(error, f"looking at the runs in {self._service.root}"))

    def _list(self, runs: RunList) -> None:
        found = runs.look()
        thumbnails = self._thumbnails.of(facts.path for facts in found)
        recipes = tuple(id(facts.recipe) for facts in found)
        if recipes != self._recipes:
            self._recipes, self._special = recipes, _special(found)
        self._service.listing.put(Listing(found, thumbnails, tuple(self._sweeps.states(found)), self._special))

    def _read_sheets(self, wish: Wish) -> None:
        files = find_sheets(wish)
        if (wish, files) != self._shown:
            self._service.sheets.put(read_sheets(wish, files))
            self._shown = (wish, files)


def _special(found: Iterable[RunFacts]) -> dict[Path, str]:
    """Return in which settings each run differs from the other runs of its kind of model."""
    kinds: dict[str, list[RunFacts]] = {}
    for facts in found:
        kinds.setdefault(facts.recipe.model.kind, []).append(facts)
    words: dict[Path, str] = {}
    for group in kinds.values():
        found_words = what_is_special([facts.recipe for facts in group])
        words.update(zip((facts.path for facts in group), found_words, strict=True))
    return words


class _Sweeps:
    """Knows the plans of the sweeps it has met. Thread: one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Path, tuple[SweepPlan, dict[str, int]]] = {}

    def states(self, found: Iterable[RunFacts]) -> Iterator[SweepState]:
        """Yield the sweeps under the root with the state of their runs, newest first."""
        facts = {one.path: one for one in found}
        for folder in sweeps_in(self._root):
            try:
                if folder not in self._known:
                    plan = read_plan(folder)
                    self._known[folder] = (plan, steps_of(folder, plan))
            except InputError:
                continue  # Told when somebody tries to go on with it.
            plan, steps = self._known[folder]
            runs = tuple(_run_state(run, steps[run.name], facts.get(folder / run.name)) for run in plan.runs)
            over = all(run.state in ("finished", "failed") for run in runs)
            yield SweepState(plan.title, folder, runs, plan.jobs, over=over)


def _run_state(run: SweepRun, steps: int, facts: RunFacts | None) -> RunState:
    if facts is None:
        return RunState(run.name, run.label, "waiting", 0, steps)
    word = {"training": "running", "finished": "finished", "failed": "failed"}.get(facts.state, "stopped")
    return RunState(run.name, run.label, word, facts.step, steps, facts.elapsed_s)
