"""The steps of a run that can be seen again, and their weights, read in the background."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal, Slot

from latentlab.core.errors import InputError
from latentlab.core.mailbox import LatestSlot, Mailbox
from latentlab.core.messages import ErrorReport, WeightSnapshot
from latentlab.core.weights_kept import kept_steps, places_of
from latentlab.runtime.threads import prepare_torch

CACHE_BYTES = 256_000_000
CACHE_COUNT = 48


@dataclass(frozen=True, slots=True)
class KeptSteps:
    """The steps of ``run`` whose weights are on disk, ascending."""

    run: Path
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WantedState:
    """Weights to read: of ``step``, and of several copies the one with ``fingerprint`` (empty: any)."""

    run: Path
    step: int
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class LoadedState:
    """What came of it. ``exact``: whether the weights have the fingerprint that was asked for."""

    wanted: WantedState
    snapshot: WeightSnapshot | None = None
    exact: bool = True
    error: ErrorReport | None = None


class SnapshotCache:
    """The states read last, as many as fit. Thread: one."""

    def __init__(self, limit_bytes: int = CACHE_BYTES, count: int = CACHE_COUNT) -> None:
        self._limit, self._count = limit_bytes, count
        self._states: OrderedDict[object, tuple[WeightSnapshot, bool, int]] = OrderedDict()

    def get(self, key: object) -> tuple[WeightSnapshot, bool] | None:
        """Return a state, which is then the last to go."""
        found = self._states.get(key)
        if found is None:
            return None
        self._states.move_to_end(key)
        return found[0], found[1]

    def put(self, key: object, snapshot: WeightSnapshot, exact: bool) -> None:
        """Add a state; the ones that were not asked for the longest make room."""
        size = sum(tensor.numel() * tensor.element_size() for tensor in snapshot.state.values())
        self._states[key] = (snapshot, exact, size)
        while len(self._states) > 1 and (self.bytes > self._limit or len(self._states) > self._count):
            self._states.popitem(last=False)

    @property
    def bytes(self) -> int:
        """Memory in use."""
        return sum(size for _, _, size in self._states.values())


class HistoryThread(QThread):
    """Lists and reads, newest wish first done; ``run`` is the only method of its own thread."""

    loaded = Signal(object)  # LoadedState

    def __init__(self, steps: LatestSlot[KeptSteps], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("weights history")
        self.wishes: Mailbox[Path | WantedState] = Mailbox()
        self._steps = steps
        self._cache = SnapshotCache()

    def run(self) -> None:
        """Serve until the mailbox is closed. Thread: history."""
        while not self.wishes.closed:
            wish = self.wishes.take()
            if wish is not None:
                self._serve(wish[1])

    def _serve(self, wish: Path | WantedState) -> None:
        if isinstance(wish, WantedState):
            self.loaded.emit(self._load(wish))
            return
        found = KeptSteps(wish, kept_steps(wish))
        if found != self._steps.get()[1]:
            self._steps.put(found)

    def _load(self, wanted: WantedState) -> LoadedState:
        try:
            prepare_torch()
            from latentlab.models.weights import read_state

            key = (wanted, tuple((place, _touched(place)) for place in places_of(wanted.run, wanted.step)))
            found = self._cache.get(key)
            if found is None:
                found = read_state(wanted.run, wanted.step, wanted.fingerprint)
                self._cache.put(key, *found)
            return LoadedState(wanted, *found)
        except Exception as error:  # noqa: BLE001 - it travels in the answer and the thread lives on.
            return LoadedState(wanted, error=ErrorReport.of(error, f"reading the weights of step {wanted.step}"))


def _touched(place: Path) -> int:
    try:
        return place.stat().st_mtime_ns
    except OSError as error:  # It was replaced between the look and this one.
        raise InputError(f"{place.name} is gone", where=str(place)) from error


class HistoryService(QObject):
    """Lists the steps a run kept and reads their weights; of waiting wishes the newest wins.

    Thread: GUI; ``steps`` may be read by any. The thread is started with the first wish.

    Attributes
    ----------
    steps
        The list of the run that was looked at last; its version moves when the list does.
    """

    loaded = Signal(object)  # LoadedState

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.steps: LatestSlot[KeptSteps] = LatestSlot()
        self._thread = HistoryThread(self.steps, self)
        self._thread.loaded.connect(self._on_loaded)
        self._newest: WantedState | None = None

    def look(self, run: Path) -> None:
        """List the steps of ``run`` again, soon."""
        self._post("look", run)

    def load(self, wanted: WantedState) -> None:
        """Read weights; ``loaded`` follows, unless others are wanted before that."""
        self._newest = wanted
        self._post("load", wanted)

    def forget(self) -> None:
        """Want nothing any more."""
        self._newest = None
        self._thread.wishes.drop("load")

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """End the thread after the file in hand; return whether it has ended."""
        self._newest = None
        self._thread.wishes.close()
        return self._thread.wait(timeout_ms)

    def _post(self, key: str, wish: Path | WantedState) -> None:
        if self._thread.wishes.closed:
            return
        self._thread.wishes.post(key, wish)
        if not self._thread.isRunning():
            self._thread.start()

    @Slot(object)
    def _on_loaded(self, state: LoadedState) -> None:
        if state.wanted == self._newest:
            self._newest = None
            self.loaded.emit(state)
