"""The latent survey for the pages: encoded in the background, pictures and neighbours on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from latentlab.core.latent_nearest import NEIGHBOURS, Density, NearestCodes
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ErrorReport, Floats, Images, Ints, Progress, WeightSnapshot
from latentlab.runtime.latent_survey_worker import Surveying, SurveyThread, make_surveyor


@dataclass(frozen=True, eq=False, slots=True)
class SurveyPictures:
    """Pictures of the data set for a pane: ``images`` (B, H, W, C) uint8 of ``rows`` (B,), or an ``error``."""

    generation: int
    rows: Ints
    images: Images | None = None
    error: ErrorReport | None = None


@dataclass(frozen=True, eq=False, slots=True)
class NearestImages:
    """The encoded images nearest to a z, nearest first, and how much data there is (``core.latent_nearest``).

    ``index``: places in the survey, (k,); ``rows``: rows of the data set; ``distance``: to ``z`` (D,) over active
    dimensions; ``images`` their pictures. ``step`` is that of the survey. ``error`` replaces them all; the answer to
    a question before there is any survey has neither.
    """

    generation: int
    z: Floats
    step: int = -1
    index: Ints | None = None
    rows: Ints | None = None
    distance: Floats | None = None
    images: Images | None = None
    density: Density | None = None
    error: ErrorReport | None = None


class SurveyService(QObject):
    """Surveys the data set of the run at hand, trained here or opened.

    ::

        context.survey.watch("map", True)        # while a page is visible: there should be a survey, not too old
        version, survey = context.survey.surveys.get()   # poll ``surveys.version`` at each tick
        context.survey.survey()                  # now, with the newest weights
        context.survey.ask_nearest("explore", z) # answered by nearest_ready(pane, NearestImages)

    The first survey of a run grows before one's eyes: ``surveys`` gets a fair sample of 1,000 images, then one twice
    as large, until ``complete``. A later one replaces it when it is complete. Unasked, and only while somebody
    watches, it is taken again when the weights moved, at most once a minute and never for more than a tenth of the
    time. ``problem`` says why a run has none (its data set is gone, for one); ``survey()`` tries again.

    Answers to questions arrive in the GUI thread, the newest of each pane last; older ones are dropped.

    Thread: GUI, except the slots, which any thread may read. The work is done in one thread of its own, started with
    the first wish; it rests while pictures are decoded for the pages, and three quarters of the time beside a training.
    """

    pictures_ready = Signal(str, object)  # pane, SurveyPictures
    nearest_ready = Signal(str, object)  # pane, NearestImages

    def __init__(self, parent: QObject | None = None, *, make: Callable[[], Surveying] = make_surveyor) -> None:
        super().__init__(parent)
        self._thread = SurveyThread(make, self)
        self._thread.answered.connect(self._on_answered)
        self._asked: dict[str, int] = {}
        self._generation = 0
        self._closed = False

    @property
    def surveys(self) -> LatestSlot[LatentSurvey]:
        """The newest survey of the run; empty before the first."""
        return self._thread.slots.surveys

    @property
    def progress(self) -> LatestSlot[Progress]:
        """How far the survey at work has come; empty while none is."""
        return self._thread.slots.progress

    @property
    def problem(self) -> LatestSlot[ErrorReport]:
        """Why the last attempt failed; empty when it did not."""
        return self._thread.slots.problem

    @property
    def busy(self) -> bool:
        """Whether a survey is at work."""
        return self.progress.get()[1] is not None

    def bind(self, weights: LatestSlot[WeightSnapshot]) -> None:
        """Survey with the newest weights of this slot, and the data set of the run they belong to."""
        self._thread.weights = weights

    def watch(self, name: str, on: bool) -> None:
        """Say whether ``name`` (a page) is looking: while any is, there should be a survey, not too old."""
        self._thread.wishes.watch(name, on)
        if on:
            self._start()

    def survey(self) -> None:
        """Take a survey now with the newest weights; one at work goes on."""
        self._thread.wishes.survey()
        self._start()

    def cancel(self) -> None:
        """Give up the survey at work; no other is taken until asked for, or until another run."""
        self._thread.wishes.cancel()

    def ask_pictures(self, pane: str, rows: Ints, side: int | None = None) -> int:
        """Ask for pictures of rows of the data set, at the model's size or shrunk to ``side`` pixels.

        Returns the generation that the answer (``pictures_ready``) will carry.
        """
        return self._post(
            f"pictures {pane}", lambda number: lambda thread: _send_pictures(thread, pane, number, rows, side)
        )

    def ask_nearest(self, pane: str, z: Floats, count: int = NEIGHBOURS, side: int | None = None) -> int:
        """Ask for the images nearest to ``z`` (D,) and the density of the data there (``nearest_ready``)."""
        point = z.copy()
        return self._post(
            f"nearest {pane}", lambda number: lambda thread: _send_nearest(thread, pane, number, point, count, side)
        )

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """End the thread after the piece in hand; return whether it has ended."""
        self._closed = True
        self._thread.calls.close()
        return self._thread.wait(timeout_ms)

    def _post(self, key: str, call: Callable[[int], Callable[[SurveyThread], None]]) -> int:
        self._generation += 1
        self._asked[key] = self._generation
        self._thread.calls.post(key, call(self._generation))
        self._start()
        return self._generation

    def _start(self) -> None:
        if not self._closed and not self._thread.isRunning():
            self._thread.start()

    @Slot(str, object)
    def _on_answered(self, key: str, answer: SurveyPictures | NearestImages) -> None:
        if self._closed or answer.generation != self._asked.get(key):
            return
        _, pane = key.split(" ", 1)
        (self.pictures_ready if isinstance(answer, SurveyPictures) else self.nearest_ready).emit(pane, answer)


def _send_pictures(thread: SurveyThread, pane: str, generation: int, rows: Ints, side: int | None) -> None:
    """Thread: survey."""
    try:
        answer = SurveyPictures(generation, rows, thread.pictures(rows, side))
    except Exception as error:  # noqa: BLE001 - it travels in the answer and the thread lives on.
        answer = SurveyPictures(generation, rows, error=ErrorReport.of(error, "showing pictures of the data set"))
    thread.answered.emit(f"pictures {pane}", answer)


def _send_nearest(thread: SurveyThread, pane: str, generation: int, z: Floats, count: int, side: int | None) -> None:
    """Thread: survey."""
    try:
        codes = thread.nearest()
        answer = NearestImages(generation, z) if codes is None else _found(thread, codes, generation, z, count, side)
    except Exception as error:  # noqa: BLE001 - it travels in the answer and the thread lives on.
        answer = NearestImages(generation, z, error=ErrorReport.of(error, "looking for the nearest images"))
    thread.answered.emit(f"nearest {pane}", answer)


def _found(
    thread: SurveyThread, codes: NearestCodes, generation: int, z: Floats, count: int, side: int | None
) -> NearestImages:
    found, density = codes.around(z, count)
    rows = codes.survey.rows[found.index]
    images = thread.pictures(rows, side)
    return NearestImages(generation, z, codes.survey.step, found.index, rows, found.distance, images, density)
