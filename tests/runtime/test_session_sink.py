from __future__ import annotations

import math
import threading

import numpy as np
import pytest
from runtime_fakes import info_of, snapshot

from latentlab.core.errors import Cancelled
from latentlab.core.messages import Progress, StepMetrics, TrainingStatus
from latentlab.runtime import session_sink
from latentlab.runtime.session_sink import Control, SessionSink, SessionSlots


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(session_sink.time, "monotonic", clock.monotonic)
    return clock


class Rig:
    def __init__(self) -> None:
        self.slots, self.control = SessionSlots(), Control()
        self.started, self.saved = [], []
        self.sink = SessionSink(self.slots, self.control, self.started.append, self.saved.append)


@pytest.fixture
def rig():
    return Rig()


def count_wishes(rig: Rig, clock: Clock, seconds: float, *, read: bool, cost_s: float = 0.0) -> int:
    wishes, end = 0, clock.now + seconds
    while clock.now < end:
        clock.now += 0.01
        if rig.sink.wants_weights():
            wishes += 1
            clock.now += cost_s
            rig.sink.on_weights(snapshot(wishes))
        if read:
            rig.slots.weights.get()
    return wishes


def test_followed_weights_come_about_four_times_a_second(rig, clock):
    assert 36 <= count_wishes(rig, clock, 10.0, read=True) <= 41


def test_unfollowed_weights_come_every_two_seconds(rig, clock):
    assert 5 <= count_wishes(rig, clock, 10.0, read=False) <= 6


def test_dear_snapshots_take_at_most_a_twentieth_of_the_time(rig, clock):
    assert count_wishes(rig, clock, 40.0, read=True, cost_s=0.1) * 0.1 <= 40.0 * 0.06


def test_weights_nobody_asked_for_do_not_count_as_dear(rig, clock):
    rig.sink.on_weights(snapshot(0))
    assert count_wishes(rig, clock, 10.0, read=True) >= 36


def test_peeking_is_not_following(rig, clock):
    rig.slots.weights.peek()
    assert count_wishes(rig, clock, 10.0, read=False) <= 6


def test_a_pause_takes_effect_once_the_weights_of_its_step_are_shown(rig):
    rig.sink.wants_weights()
    assert not rig.sink.wants_weights()
    rig.control.pause()
    rig.sink.wait_if_paused()  # Would block for ever if it held here.
    assert rig.sink.wants_weights()
    rig.sink.on_weights(snapshot(5))
    held = threading.Thread(target=rig.sink.wait_if_paused)
    held.start()
    assert rig.sink.holding.wait(5)
    rig.control.resume()
    held.join(5)
    assert not held.is_alive()


def test_a_trainer_that_shows_no_weights_is_held_all_the_same(rig):
    rig.control.pause()
    rig.sink.wait_if_paused()
    held = threading.Thread(target=rig.sink.wait_if_paused)
    held.start()
    assert rig.sink.holding.wait(5)
    rig.control.stop()
    held.join(5)
    assert not held.is_alive()


def test_a_stop_ends_a_pause_and_later_pauses_hold_nothing(rig):
    rig.control.pause()
    rig.control.stop()
    assert not rig.control.paused
    rig.control.pause()
    rig.sink.wait_if_paused()
    assert rig.sink.should_stop()


def test_progress_cancels_once_a_stop_is_wished(rig):
    rig.sink.on_progress(Progress("Loading", 1, 2))
    assert rig.slots.progress.get()[1] == Progress("Loading", 1, 2)
    rig.control.stop()
    with pytest.raises(Cancelled):
        rig.sink.on_progress(Progress("Loading", 2, 2))


def test_the_newest_change_of_each_key_is_taken_once(rig):
    rig.control.change("training.lr", 0.1)
    rig.control.change("training.lr", 0.2)
    assert rig.sink.take_changes() == {"training.lr": 0.2}
    assert rig.sink.take_changes() == {}


def test_an_unmeasured_speed_keeps_the_last_one(rig):
    def status(speed: float) -> TrainingStatus:
        return TrainingStatus(1, 10, speed, 1.0, "CPU", 1.0)

    rig.sink.on_step(StepMetrics(1, 1.0, {"pixel": 0.5}), status(800.0))
    rig.sink.on_step(StepMetrics(2, 1.0, {"test_pixel": 0.5}), status(math.nan))
    assert rig.slots.status.get()[1].images_per_s == 800.0
    assert rig.slots.history.names() == ["pixel", "test_pixel"]


def test_recalled_curves_end_at_the_step_resumed_from(rig):
    steps = np.arange(10.0, 60.0, 10.0)
    rig.sink.recall({"pixel": (steps, steps / 100)}, last_step=30)
    assert rig.slots.history.span() == (10.0, 30.0)


def test_the_start_is_announced_with_an_empty_progress(rig):
    rig.sink.on_progress(Progress("Loading", 1, 2))
    info = info_of()
    rig.sink.on_start(info, "CPU, fp32")
    assert rig.started == [info]
    assert rig.slots.progress.get()[1] is None
    assert rig.slots.status.get()[1].device == "CPU, fp32"
