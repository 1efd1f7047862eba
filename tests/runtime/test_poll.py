from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from latentlab.runtime.poll import Poller
from latentlab.runtime.rolling import Rolling


@pytest.fixture
def poller(qtbot):
    made = Poller(hz=200)
    yield made
    made.stop()


def test_callbacks_are_called_until_removed(qtbot, poller):
    calls = []

    def tick() -> None:
        calls.append(1)

    poller.add(tick)
    poller.add(tick)
    poller.start()
    qtbot.waitUntil(lambda: len(calls) >= 3)
    poller.remove(tick)
    poller.remove(tick)
    seen = len(calls)
    qtbot.wait(40)
    assert len(calls) == seen
    assert poller.cost.summary().count > 0


def test_a_failing_callback_does_not_stop_the_others(qtbot, poller, monkeypatch):
    errors, calls = [], []
    monkeypatch.setattr(sys, "excepthook", lambda *args: errors.append(args[1]))

    def broken() -> None:
        raise ValueError("a broken view")

    poller.add(broken)
    poller.add(lambda: calls.append(1))
    poller.start()
    qtbot.waitUntil(lambda: len(calls) >= 2)
    assert str(errors[0]) == "a broken view"


def test_a_blocked_event_loop_is_seen(qtbot, poller):
    poller.start()
    qtbot.waitUntil(lambda: poller.monitor.delay.summary().count >= 3)
    poller.monitor.delay.reset()
    end = time.perf_counter() + 0.12
    while time.perf_counter() < end:
        pass
    qtbot.waitUntil(lambda: poller.monitor.delay.summary().count >= 1)
    assert poller.monitor.delay.summary().maximum > 90
    assert poller.delay_ms >= 0.0


def test_stopping_ends_all_timers(qtbot, poller):
    poller.start()
    assert poller.running
    poller.stop()
    assert not poller.running
    count = poller.monitor.delay.summary().count
    qtbot.wait(40)
    assert poller.monitor.delay.summary().count == count


def test_rolling_agrees_with_numpy_over_the_newest_values():
    rolling = Rolling(100)
    values = np.random.default_rng(0).exponential(size=250)
    for value in values:
        rolling.add(value)
    summary = rolling.summary()
    held = values[-100:]
    assert summary.last == values[-1]
    assert summary.median == pytest.approx(np.median(held))
    assert summary.p99 == pytest.approx(np.percentile(held, 99))
    assert summary.maximum == values.max()
    assert summary.count == 250


def test_an_empty_rolling_is_all_zero():
    rolling = Rolling(10)
    rolling.add(3.0)
    rolling.reset()
    assert (rolling.summary().median, rolling.summary().maximum, rolling.summary().count) == (0.0, 0.0, 0)
