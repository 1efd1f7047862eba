from __future__ import annotations

import threading
import time

import pytest
from runtime_fakes import snapshot

from latentlab.runtime import priority as module
from latentlab.runtime.priority import WAIT_S, ExplorePriority, FollowedWeights


def test_nobody_waits_for_nothing():
    assert ExplorePriority().give_way() == 0.0


def test_training_waits_for_the_picture_in_the_making_and_no_longer():
    priority = ExplorePriority()
    inside, done = threading.Event(), threading.Event()

    def explore() -> None:
        with priority.busy():
            inside.set()
            done.wait(5)

    thread = threading.Thread(target=explore)
    thread.start()
    assert inside.wait(5)
    time.sleep(WAIT_S)  # Work done before; a wait may take as long.
    threading.Timer(WAIT_S / 4, done.set).start()
    waited = priority.give_way()
    thread.join()
    assert 0.0 < waited < WAIT_S
    assert priority.give_way() == 0.0


class EndlesslyBusy:
    """An explorer that is never idle, in a time of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(module.time, "perf_counter", lambda: self.now)

    def is_set(self) -> bool:
        return False

    def wait(self, timeout_s: float) -> None:
        self.now += timeout_s


@pytest.mark.parametrize("step_s", [0.001, 0.01, 0.3])
def test_training_keeps_half_of_the_time_however_busy_the_explorer_is(monkeypatch, step_s):
    idle = EndlesslyBusy(monkeypatch)
    priority = ExplorePriority()
    priority._idle = idle
    waits = []
    for _ in range(50):
        idle.now += step_s
        waits.append(priority.give_way())
    assert sum(waits) <= 50 * step_s * 1.001
    assert max(waits) <= WAIT_S * 1.001
    assert min(waits) > 0.0


def test_nested_pictures_count():
    priority = ExplorePriority()
    with priority.busy():
        with priority.busy():
            pass
        time.sleep(0.002)
        assert priority.give_way() > 0.0


def test_reading_marks_the_weights_as_followed():
    weights = FollowedWeights()
    weights.put(snapshot(3))
    assert weights.read_at < 0
    assert weights.peek()[1].step == 3
    assert weights.read_at < 0
    assert weights.get()[1].step == 3
    assert weights.read_at > 0
