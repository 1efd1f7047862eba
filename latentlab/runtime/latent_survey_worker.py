"""The thread that surveys the data set in the quiet and answers what is asked about it at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, QThread, Signal

from latentlab.core.errors import Cancelled
from latentlab.core.latent_nearest import NearestCodes
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.mailbox import LatestSlot, Mailbox
from latentlab.core.messages import ErrorReport, Images, Ints, Progress, ProgressSink, WeightSnapshot
from latentlab.runtime.priority import FollowedWeights
from latentlab.runtime.threads import prepare_torch, step_aside

PIECE_MS = 20.0
LEAST_PIECE, MOST_PIECE = 8, 512
TRAINING_S = 3.0
"""Weights that moved within this time are taken for those of a running training,"""
TRAINING_SHARE, ALONE_SHARE = 0.25, 0.9
"""beside which a survey works for this share of the time; without one for the other."""
IDLE_S = 0.2
MAKE_WAY_S = 0.1
FIRST_SHOWN = 1000
PACE_S = 60.0
PACE_FACTOR = 10.0
"""Unasked, a survey is taken again only after a minute and ten times as long as the last one took."""


class Surveying(Protocol):
    """What encodes: ``latentlab.explore.survey.Surveyor``. Thread: the survey's only."""

    @property
    def done(self) -> int:
        """Images encoded."""

    @property
    def total(self) -> int:
        """Images to encode."""

    def begin(self, snapshot: WeightSnapshot, progress: ProgressSink) -> None:
        """Take weights, load the data set, start over."""

    def piece(self, count: int) -> bool:
        """Encode the next images; return whether more are left."""

    def result(self) -> LatentSurvey:
        """Return what has been encoded so far."""

    def pictures(self, rows: Ints, side: int | None = None) -> Images:
        """Return pictures of rows of the data set."""

    def release(self) -> None:
        """Let go of the data."""


def make_surveyor() -> Surveying:
    """Build the real one; imports torch. Thread: survey."""
    prepare_torch()
    from latentlab.explore.survey import Surveyor

    return Surveyor()


class SurveySlots:
    """What the thread publishes. ``problem`` holds why there is no survey of this run. Thread: any."""

    def __init__(self) -> None:
        self.surveys: LatestSlot[LatentSurvey] = LatestSlot()
        self.progress: LatestSlot[Progress] = LatestSlot()
        self.problem: LatestSlot[ErrorReport] = LatestSlot()

    def clear(self) -> None:
        """Forget the previous run."""
        for slot in (self.surveys, self.progress, self.problem):
            if slot.get()[1] is not None:
                slot.clear()


class Wishes:
    """What the window wants of the thread. Thread: any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: set[str] = set()
        self.now = False
        self.cancelled = False

    def survey(self) -> None:
        """Wish for a survey with the newest weights."""
        with self._lock:
            self.now, self.cancelled = True, False

    def cancel(self) -> None:
        """Wish for the end of the one at work, and for none unasked."""
        with self._lock:
            self.now, self.cancelled = False, True

    def watch(self, name: str, on: bool) -> None:
        """Say whether somebody looks at surveys, so that there should be one, not too old."""
        with self._lock:
            (self._watchers.add if on else self._watchers.discard)(name)

    @property
    def watched(self) -> bool:
        """Whether anybody does."""
        return bool(self._watchers)

    def take_now(self) -> bool:
        """Return whether a survey was wished for, and forget it."""
        with self._lock:
            wished, self.now = self.now, False
            return wished


class SurveyThread(QThread):
    """Surveys in small pieces with rests between them; what is asked goes before the next piece.

    The object lives in the GUI thread and has no slots; ``run`` is the survey thread's.
    """

    answered = Signal(str, object)  # kind of the answer, the answer

    def __init__(self, make: Callable[[], Surveying], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("survey")
        self.slots, self.wishes = SurveySlots(), Wishes()
        self.calls: Mailbox[Callable[[SurveyThread], None]] = Mailbox()
        self.weights: LatestSlot[WeightSnapshot] | None = None
        self._make = make
        self._surveyor: Surveying | None = None
        self._busy = False
        self._run: object = None
        self._began = self._ended = self._took_s = 0.0
        self._step = -1
        self._shown = 0
        self._ms_per_image = 1.0
        self._moved: tuple[int, float] = (-1, -TRAINING_S)
        self._nearest: NearestCodes | None = None

    def run(self) -> None:
        """Serve until closed. Thread: survey."""
        step_aside()
        step_aside()
        rest_s = 0.0
        while not self.calls.closed:
            taken = self.calls.take(rest_s)
            if taken is not None:
                taken[1](self)
                rest_s = 0.0
            elif not self.calls.closed:
                rest_s = self._go_on()
        self._surveyor = self._nearest = None  # Freed here, in the thread that made it.

    def pictures(self, rows: Ints, side: int | None) -> Images:
        """Return pictures of the data set that was surveyed last. Thread: survey."""
        surveyor = self._surveyor = self._surveyor or self._make()
        return surveyor.pictures(rows, side)

    def nearest(self) -> NearestCodes | None:
        """Return the codes of the newest survey, ready to be searched; None when there is none. Thread: survey."""
        survey = self.slots.surveys.get()[1]
        if survey is None:
            self._nearest = None
        elif self._nearest is None or self._nearest.survey is not survey:
            self._nearest = NearestCodes(survey)
        return self._nearest

    def _go_on(self) -> float:
        """Do a piece of what is to be done; return for how long to rest, in seconds."""
        snapshot = self._notice()
        try:
            if self._busy and self.wishes.cancelled:
                raise Cancelled
            if self._busy:
                return self._one_piece()
            if snapshot is None or not self._should_begin(snapshot):
                return IDLE_S
            self._begin()
        except Cancelled:
            self._stop()
        except Exception as error:  # noqa: BLE001 - the thread lives on and the window is told.
            self._stop()
            self.slots.problem.put(ErrorReport.of(error, "encoding the data set"))
        return 0.0

    def _notice(self) -> WeightSnapshot | None:
        """Return the newest weights without asking for more; forget everything when they are of another run."""
        weights = self.weights
        if weights is None:
            return None
        version, snapshot = weights.peek() if isinstance(weights, FollowedWeights) else weights.get()
        if version != self._moved[0]:
            self._moved = (version, time.monotonic() if self._moved[0] >= 0 else -TRAINING_S)
        run = None if snapshot is None else (snapshot.info.run, snapshot.info.recipe.data.spec)
        if run != self._run:
            self._run, self._step, self.wishes.cancelled = run, -1, False
            self._moved = (version, -TRAINING_S)
            self._stop()
            if self._surveyor is not None:
                self._surveyor.release()
            self._nearest = None
            self.slots.clear()
        return snapshot

    def _should_begin(self, snapshot: WeightSnapshot) -> bool:
        if self.wishes.take_now():
            return True
        if not self.wishes.watched or self.wishes.cancelled or self.slots.problem.get()[1] is not None:
            return False
        old = time.monotonic() - self._ended >= max(PACE_S, PACE_FACTOR * self._took_s)
        return self._step < 0 or (snapshot.step != self._step and old)

    def _begin(self) -> None:
        self.slots.problem.clear()
        self.slots.progress.put(Progress("Loading the data set", 0))
        assert self.weights is not None
        snapshot = self.weights.get()[1]
        if snapshot is None:
            return self._stop()
        surveyor = self._surveyor = self._surveyor or self._make()
        self._busy, self._began, self._shown = True, time.monotonic(), 0
        surveyor.begin(snapshot, self._tell)
        self._step = snapshot.step

    def _tell(self, progress: Progress) -> None:
        if self.wishes.cancelled or self.calls.closed:
            raise Cancelled
        self.slots.progress.put(progress)

    def _one_piece(self) -> float:
        surveyor = self._surveyor
        assert surveyor is not None
        if isinstance(self.weights, FollowedWeights):
            self.weights.priority.wait_idle(MAKE_WAY_S)  # A picture that somebody waits for goes first.
        count = max(LEAST_PIECE, min(MOST_PIECE, int(PIECE_MS / self._ms_per_image)))
        before, began = surveyor.done, time.perf_counter()
        more = surveyor.piece(count)
        took_s = time.perf_counter() - began
        each_ms = took_s * 1000 / max(surveyor.done - before, 1)
        self._ms_per_image = 0.7 * self._ms_per_image + 0.3 * max(each_ms, 1e-3)
        self.slots.progress.put(Progress("Encoding the data set", surveyor.done, surveyor.total))
        self._publish(surveyor, more)
        training = time.monotonic() - self._moved[1] < TRAINING_S
        share = TRAINING_SHARE if training else ALONE_SHARE
        return took_s * (1 - share) / share if more else 0.0

    def _publish(self, surveyor: Surveying, more: bool) -> None:
        """Show the first survey of a run while it grows, at every doubling; a later one only when it is complete."""
        if not more:
            self.slots.surveys.put(surveyor.result())
            self._took_s = time.monotonic() - self._began
            self._stop()
            self.nearest()  # Made ready now, the first question need not wait for it.
            return
        newest = self.slots.surveys.get()[1]
        first = newest is None or not newest.complete
        if first and surveyor.done >= max(FIRST_SHOWN, 2 * self._shown):
            self._shown = surveyor.done
            self.slots.surveys.put(surveyor.result())

    def _stop(self) -> None:
        self._busy, self._ended = False, time.monotonic()
        if self.slots.progress.get()[1] is not None:
            self.slots.progress.clear()
