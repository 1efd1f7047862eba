from __future__ import annotations

import threading

from latentlab.runtime.latest_work import LatestWork


def test_the_newest_wish_replaces_one_that_waits(qtbot):
    work: LatestWork[int] = LatestWork("counting")
    begun, go, done = threading.Event(), threading.Event(), []

    def first() -> int:
        begun.set()
        go.wait(5)
        return 1

    work.post(first)
    assert begun.wait(5)
    work.post(lambda: done.append(2) or 2)
    work.post(lambda: done.append(3) or 3)
    assert work.busy
    go.set()
    qtbot.waitUntil(lambda: work.results.get()[1] == 3)
    assert done == [3]
    work.close()
    work.post(lambda: done.append(4) or 4)
    assert done == [3]


def test_a_failure_is_told_and_the_next_wish_is_served(qtbot):
    work: LatestWork[int] = LatestWork("dividing")
    work.post(lambda: 1 // 0)
    qtbot.waitUntil(lambda: work.problem.get()[1] is not None)
    assert "division" in work.problem.get()[1].what
    work.post(lambda: 7)
    qtbot.waitUntil(lambda: work.results.get()[1] == 7)
    work.close()


def test_what_was_forgotten_does_not_come_back(qtbot):
    work: LatestWork[int] = LatestWork("waiting")
    begun, go = threading.Event(), threading.Event()

    def slow() -> int:
        begun.set()
        go.wait(5)
        return 1

    work.post(slow)
    assert begun.wait(5)
    work.forget()
    go.set()
    work.close()
    assert work.results.get()[1] is None
