from __future__ import annotations

import threading

from latentlab.core.mailbox import LatestSlot, Mailbox


def test_the_newest_value_wins():
    slot: LatestSlot[int] = LatestSlot()
    assert slot.get() == (0, None)
    slot.put(1)
    slot.put(2)
    assert slot.get() == (2, 2)
    slot.clear()
    assert slot.get() == (3, None)


def test_a_busy_key_does_not_starve_another():
    box: Mailbox[int] = Mailbox()
    assert box.post("drag", 1) is False
    box.post("grid", 7)
    assert box.post("drag", 2) is True
    assert [box.take(0), box.take(0), box.take(0)] == [("drag", 2), ("grid", 7), None]


def test_a_dropped_request_is_not_served():
    box: Mailbox[int] = Mailbox()
    box.post("a", 1)
    box.drop("a")
    assert box.take(0) is None


def test_close_wakes_a_waiting_worker():
    box: Mailbox[int] = Mailbox()
    taken = []
    worker = threading.Thread(target=lambda: taken.append(box.take()))
    worker.start()
    box.close()
    worker.join(5)
    assert taken == [None]
    assert not worker.is_alive()
    box.post("a", 1)
    assert box.take(0) is None


def test_a_worker_under_fire_ends_with_the_newest():
    box: Mailbox[int] = Mailbox()
    taken: list[int] = []

    def serve() -> None:
        while (item := box.take(5)) is not None and item[1] >= 0:
            taken.append(item[1])
            if item[1] == 9999:
                return

    worker = threading.Thread(target=serve)
    worker.start()
    for i in range(10_000):
        box.post("a", i)
    worker.join(10)
    assert taken[-1] == 9999
    assert taken == sorted(taken)
