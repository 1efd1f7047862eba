from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from runtime_fakes import FakeReplica, decode, snapshot

from latentlab.core.messages import InferenceResult, WeightSnapshot
from latentlab.runtime.inference import InferenceService
from latentlab.runtime.priority import FollowedWeights


class Harness:
    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.replica = FakeReplica()
        self.service = InferenceService(make=lambda: self.replica)
        self.weights = FollowedWeights()
        self.service.bind(self.weights)
        self.results: list[tuple[str, InferenceResult]] = []
        self.service.result_ready.connect(self.on_result)
        self.result_threads: set[int] = set()

    def on_result(self, pane: str, result: InferenceResult) -> None:
        self.result_threads.add(threading.get_ident())
        self.results.append((pane, result))

    def of(self, pane: str) -> list[InferenceResult]:
        return [result for name, result in self.results if name == pane]

    def wait_for(self, pane: str, generation: int) -> InferenceResult:
        self.qtbot.waitUntil(lambda: any(r.request.generation == generation for r in self.of(pane)))
        return self.of(pane)[-1]


@pytest.fixture
def harness(qtbot: QtBot) -> Iterator[Harness]:
    made = Harness(qtbot)
    yield made
    made.replica.gate.set()
    assert made.service.shutdown(5000)


def test_an_answer_comes_back_in_the_gui_thread(harness):
    harness.weights.put(snapshot(step=7, taken_at=123.0))
    generation = harness.service.request("explore", decode(5))
    result = harness.wait_for("explore", generation)
    assert result.step == 7
    assert (result.images == 5).all()
    assert harness.service.weights_step == 7
    assert harness.service.weights_taken_at == 123.0
    assert harness.result_threads == {threading.get_ident()}
    assert threading.get_ident() not in harness.replica.threads


def test_before_any_weights_requests_wait_and_the_newest_is_served(harness):
    assert harness.service.weights_step == -1
    harness.service.request("explore", decode(1))
    newest = harness.service.request("explore", decode(2))
    harness.qtbot.wait(80)
    assert harness.results == []
    harness.weights.put(snapshot())
    result = harness.wait_for("explore", newest)
    assert (result.images == 2).all()
    assert len(harness.results) == 1


def test_a_request_without_any_bound_training_waits_too(qtbot):
    service = InferenceService(make=FakeReplica)
    service.request("explore", decode(1))
    with qtbot.waitSignal(service.result_ready):
        weights: FollowedWeights = FollowedWeights()
        weights.put(snapshot())
        service.bind(weights)
    assert service.shutdown(5000)


def test_the_newest_weights_are_loaded_once_between_requests(harness):
    harness.weights.put(snapshot(step=1))
    harness.wait_for("a", harness.service.request("a", decode(1)))
    harness.wait_for("a", harness.service.request("a", decode(2)))
    assert harness.replica.loads == 1
    harness.weights.put(snapshot(step=2))
    harness.weights.put(snapshot(step=3))
    assert harness.wait_for("a", harness.service.request("a", decode(3))).step == 3
    assert harness.replica.loads == 2


def test_cleared_weights_make_requests_wait_again(harness):
    harness.weights.put(snapshot(step=9))
    harness.wait_for("a", harness.service.request("a", decode(1)))
    harness.weights.clear()
    generation = harness.service.request("a", decode(2))
    harness.qtbot.wait(80)
    assert len(harness.results) == 1
    harness.weights.put(snapshot(step=1))
    assert harness.wait_for("a", generation).step == 1


def test_a_superseded_request_is_never_decoded(harness):
    harness.weights.put(snapshot())
    harness.replica.gate.clear()
    first = harness.service.request("other", decode(0))
    harness.qtbot.waitUntil(harness.replica.entered.is_set)
    for value in range(1, 50):
        newest = harness.service.request("drag", decode(value))
    harness.replica.gate.set()
    harness.wait_for("other", first)
    result = harness.wait_for("drag", newest)
    assert (result.images == 49).all()
    assert len(harness.of("drag")) == 1


def test_while_a_slider_moves_answers_come_in_order_and_the_newest_last(harness):
    harness.weights.put(snapshot())
    harness.replica.delay_s = 0.004
    for value in range(120):
        newest = harness.service.request("drag", decode(value))
        harness.qtbot.wait(1)
    harness.wait_for("drag", newest)
    generations = [r.request.generation for r in harness.of("drag")]
    assert generations == sorted(set(generations))
    assert generations[-1] == newest
    assert 3 <= len(generations) < 120


def test_cancelled_requests_never_answer(harness):
    harness.weights.put(snapshot())
    harness.replica.gate.clear()
    harness.service.request("a", decode(1))
    harness.qtbot.waitUntil(harness.replica.entered.is_set)
    harness.service.cancel("a")
    harness.replica.gate.set()
    harness.wait_for("b", harness.service.request("b", decode(2)))
    assert harness.of("a") == []
    harness.wait_for("a", harness.service.request("a", decode(3)))


def test_an_error_travels_in_the_answer_and_the_thread_lives_on(harness):
    harness.weights.put(snapshot())
    request = decode(1)
    request.z[:] = np.nan
    result = harness.wait_for("a", harness.service.request("a", request))
    assert "z is not a number" in result.error.what
    assert result.images is None
    assert harness.wait_for("a", harness.service.request("a", decode(2))).error is None


def test_weights_that_do_not_load_are_an_error_until_better_ones_come(harness):
    def refuse(weights: WeightSnapshot) -> None:
        raise RuntimeError("wrong shapes")

    load, harness.replica.load = harness.replica.load, refuse
    harness.weights.put(snapshot())
    result = harness.wait_for("a", harness.service.request("a", decode(1)))
    assert "wrong shapes" in result.error.what
    harness.replica.load = load
    harness.weights.put(snapshot())
    assert harness.wait_for("a", harness.service.request("a", decode(2))).error is None


def test_a_slider_does_not_wait_behind_a_grid(harness):
    harness.weights.put(snapshot())
    harness.replica.delay_s = 0.01  # Ten milliseconds a picture piece: the grid is cut into pieces of at least eight.
    grid = harness.service.request("grid", decode(1, count=400))
    harness.qtbot.waitUntil(harness.replica.entered.is_set)
    drag = harness.service.request("drag", decode(2))
    harness.wait_for("drag", drag)
    harness.wait_for("grid", grid)
    assert [pane for pane, _ in harness.results] == ["drag", "grid"]
    assert len(harness.replica.served) > 3


def test_a_big_answer_comes_whole_in_order_from_one_set_of_weights(harness):
    harness.weights.put(snapshot(step=1))
    harness.replica.delay_s = 0.005
    request = decode(0, count=200)
    request.z[:, 0] = np.arange(200)
    grid = harness.service.request("grid", request)
    harness.qtbot.waitUntil(harness.replica.entered.is_set)
    harness.weights.put(snapshot(step=2))
    result = harness.wait_for("grid", grid)
    assert result.step == 1
    assert (result.images[:, 0, 0, 0] == np.arange(200)).all()
    assert result.request.z.shape == (200, 2)
    assert harness.wait_for("a", harness.service.request("a", decode(3))).step == 2


def test_a_newer_grid_replaces_a_half_done_one(harness):
    harness.weights.put(snapshot())
    harness.replica.delay_s = 0.01
    harness.service.request("grid", decode(1, count=4000))
    harness.qtbot.waitUntil(lambda: len(harness.replica.served) >= 2)
    result = harness.wait_for("grid", harness.service.request("grid", decode(2, count=10)))
    assert (result.images == 2).all()
    assert len(harness.of("grid")) == 1


def test_an_empty_request_is_answered(harness):
    harness.weights.put(snapshot())
    result = harness.wait_for("a", harness.service.request("a", decode(1, count=0)))
    assert len(result.images) == 0


def test_latency_is_measured(harness):
    harness.weights.put(snapshot(taken_at=0.0))
    harness.wait_for("a", harness.service.request("a", decode(1)))
    summary = harness.service.latency.summary()
    assert summary.count == 1
    assert 0.0 < summary.last < 5000.0


def test_shutdown_is_repeatable_and_ends_with_requests_waiting(qtbot):
    service = InferenceService(make=FakeReplica)
    assert service.shutdown(0)
    service = InferenceService(make=FakeReplica)
    service.request("a", decode(1))
    assert service.shutdown(5000)
    assert service.shutdown(0)
    assert service.request("a", decode(1)) > 0
