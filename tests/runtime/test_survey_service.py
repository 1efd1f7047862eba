from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from runtime_fakes import info_of

from latentlab.core.errors import InputError
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.messages import Progress, ProgressSink, WeightSnapshot
from latentlab.runtime import latent_survey_worker as worker
from latentlab.runtime.latent_survey import NearestImages, SurveyPictures, SurveyService
from latentlab.runtime.priority import FollowedWeights

TOTAL = 5000


class FakeSurveyor:
    """Encodes a row to its number; ``gate`` holds the pieces."""

    def __init__(self) -> None:
        self.done, self.total = 0, TOTAL
        self.gate = threading.Event()
        self.gate.set()
        self.began: list[int] = []
        self.released = 0
        self.problem: Exception | None = None
        self.threads: set[int] = set()
        self.pieces: list[int] = []

    def begin(self, snapshot: WeightSnapshot, progress: ProgressSink) -> None:
        self.threads.add(threading.get_ident())
        progress(Progress("Decoding", 0))
        if self.problem is not None:
            raise self.problem
        self.began.append(snapshot.step)
        self.snapshot, self.done = snapshot, 0

    def piece(self, count: int) -> bool:
        assert self.gate.wait(10)
        self.pieces.append(count)
        self.done = min(self.done + count, self.total)
        return self.done < self.total

    def result(self) -> LatentSurvey:
        rows = np.arange(self.done)
        mu = np.repeat(rows[:, None], 2, axis=1).astype(np.float32)
        return LatentSurvey(self.snapshot.step, self.snapshot.info, rows, mu, complete=self.done == self.total)

    def pictures(self, rows: np.ndarray, side: int | None = None) -> np.ndarray:
        if rows.max() >= TOTAL:
            raise InputError("There is no such row")
        return np.full((len(rows), side or 4, 4, 1), rows[:, None, None, None] % 256, dtype=np.uint8)

    def release(self) -> None:
        self.released += 1


class Harness:
    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot, self.fake = qtbot, FakeSurveyor()
        self.service = SurveyService(make=lambda: self.fake)
        self.weights = FollowedWeights()
        self.service.bind(self.weights)
        self.answers: list[tuple[str, SurveyPictures | NearestImages]] = []
        self.service.pictures_ready.connect(self.on_answer)
        self.service.nearest_ready.connect(self.on_answer)
        self.answer_threads: set[int] = set()

    def on_answer(self, pane: str, answer: SurveyPictures | NearestImages) -> None:
        self.answer_threads.add(threading.get_ident())
        self.answers.append((pane, answer))

    def put(self, step: int, run: str = "run") -> None:
        self.weights.put(WeightSnapshot(step, replace(info_of(), run=Path(run)), {}))

    def wait_complete(self, step: int) -> LatentSurvey:
        def there() -> bool:
            survey = self.service.surveys.get()[1]
            return survey is not None and survey.complete and survey.step == step

        self.qtbot.waitUntil(there)
        self.qtbot.waitUntil(lambda: not self.service.busy)
        return self.service.surveys.get()[1]


@pytest.fixture
def harness(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    monkeypatch.setattr(worker, "IDLE_S", 0.005)
    made = Harness(qtbot)
    yield made
    made.fake.gate.set()
    assert made.service.shutdown(5000)


def test_a_watched_run_is_surveyed_once_it_has_weights(harness):
    harness.service.watch("map", True)
    harness.qtbot.wait(30)
    assert harness.service.surveys.get()[1] is None
    harness.put(7)
    survey = harness.wait_complete(7)
    assert len(survey) == TOTAL
    assert threading.get_ident() not in harness.fake.threads


def test_nothing_is_surveyed_for_nobody(harness):
    harness.service.watch("map", True)
    harness.service.watch("map", False)
    harness.put(7)  # Only now, or the first glance might have begun one.
    harness.service.ask_nearest("x", np.zeros(2, dtype=np.float32))
    harness.qtbot.waitUntil(lambda: len(harness.answers) == 1)
    harness.qtbot.wait(50)
    assert harness.fake.began == []
    assert harness.answers[0][1].index is None
    assert harness.answers[0][1].error is None


def test_the_first_survey_grows_and_a_later_one_replaces_it_when_complete(harness, monkeypatch):
    monkeypatch.setattr(worker, "FIRST_SHOWN", 100)
    seen: list[tuple[int, int, bool]] = []
    put = harness.service.surveys.put

    def remember(survey: LatentSurvey) -> int:
        seen.append((survey.step, len(survey), survey.complete))
        return put(survey)

    harness.service.surveys.put = remember
    harness.put(1)
    harness.service.survey()
    harness.wait_complete(1)
    harness.put(2)
    harness.service.survey()
    harness.wait_complete(2)
    first = [size for step, size, _ in seen if step == 1]
    assert len(first) > 2
    assert all(2 * a <= b for a, b in pairwise(first[:-1]))
    assert [row for row in seen if row[0] == 2] == [(2, TOTAL, True)]


def test_unasked_a_survey_is_taken_again_only_when_it_is_old(harness, monkeypatch):
    harness.service.watch("map", True)
    harness.put(1)
    harness.wait_complete(1)
    harness.put(2)
    harness.qtbot.wait(60)
    assert harness.fake.began == [1]
    monkeypatch.setattr(worker, "PACE_S", 0.01)
    monkeypatch.setattr(worker, "PACE_FACTOR", 0.0)
    harness.wait_complete(2)
    harness.qtbot.wait(60)
    assert harness.fake.began == [1, 2]


def test_cancelling_ends_the_survey_until_it_is_asked_for_again(harness):
    harness.fake.gate.clear()
    harness.service.watch("map", True)
    harness.put(1)
    harness.qtbot.waitUntil(lambda: harness.service.busy)
    harness.service.cancel()
    harness.fake.gate.set()
    harness.qtbot.waitUntil(lambda: not harness.service.busy)
    harness.qtbot.wait(50)
    survey = harness.service.surveys.get()[1]
    assert survey is None or not survey.complete
    harness.service.survey()
    harness.wait_complete(1)


def test_a_problem_is_told_once_and_tried_again_when_asked(harness):
    harness.fake.problem = InputError("The data set is gone", where="npz:x")
    harness.service.watch("map", True)
    harness.put(1)
    harness.qtbot.waitUntil(lambda: harness.service.problem.get()[1] is not None)
    assert harness.service.problem.get()[1].what == "The data set is gone"
    version = harness.service.problem.version
    harness.put(2)
    harness.qtbot.wait(50)
    assert harness.service.problem.version == version
    harness.fake.problem = None
    harness.service.survey()
    harness.wait_complete(2)
    assert harness.service.problem.get()[1] is None


def test_another_run_starts_with_nothing(harness):
    harness.service.watch("map", True)
    harness.put(1, "one")
    harness.wait_complete(1)
    harness.service.watch("map", False)
    harness.put(9, "two")
    harness.qtbot.waitUntil(lambda: harness.service.surveys.get()[1] is None)
    assert harness.fake.released > 0
    harness.service.watch("map", True)
    assert harness.wait_complete(9).info.run == Path("two")


def test_pictures_and_neighbours_arrive_in_the_window_s_thread(harness):
    harness.put(3)
    harness.service.survey()
    harness.wait_complete(3)
    harness.service.ask_pictures("map", np.array([5, 6]), 9)
    harness.service.ask_nearest("explore", np.array([10.2, 10.2], dtype=np.float32), 3)
    harness.qtbot.waitUntil(lambda: len(harness.answers) == 2)
    answers = dict(harness.answers)
    assert answers["map"].images.shape == (2, 9, 4, 1)
    nearest = answers["explore"]
    assert nearest.rows.tolist() == [10, 11, 9]
    assert nearest.images[:, 0, 0, 0].tolist() == [10, 11, 9]
    assert (nearest.step, nearest.density.off_map) == (3, False)
    assert harness.answer_threads == {threading.get_ident()}


def test_only_the_newest_question_of_a_pane_is_answered(harness):
    harness.put(3)
    harness.service.survey()
    harness.wait_complete(3)
    generations = [harness.service.ask_pictures("map", np.array([row])) for row in range(50)]
    harness.qtbot.waitUntil(lambda: bool(harness.answers) and harness.answers[-1][1].generation == generations[-1])
    assert [answer.generation for _, answer in harness.answers] == [generations[-1]]


def test_what_is_wrong_with_a_question_is_its_answer(harness):
    harness.service.ask_pictures("map", np.array([TOTAL]))
    harness.qtbot.waitUntil(lambda: bool(harness.answers))
    assert harness.answers[0][1].error.what == "There is no such row"


def test_beside_a_training_a_survey_rests_three_quarters_of_the_time(harness):
    thread = harness.service._thread
    harness.put(1)
    thread._surveyor = harness.fake
    for step in (1, 2):
        harness.put(step)
        thread._notice()
    harness.fake.begin(harness.weights.get()[1], lambda progress: None)
    began = time.perf_counter()
    rest = thread._one_piece()
    assert rest == pytest.approx(3 * (time.perf_counter() - began), rel=0.9)
    thread._moved = (thread._moved[0], -worker.TRAINING_S)
    assert thread._one_piece() < rest
