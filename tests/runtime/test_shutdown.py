from __future__ import annotations

from latentlab.runtime.shutdown import Shutdown


class Service:
    def __init__(self, log: list[str], name: str, busy_for: int = 0) -> None:
        self.log, self.name, self.busy_for = log, name, busy_for
        self.asked = 0

    def shutdown(self, timeout_ms: int) -> bool:
        self.asked += 1
        if self.asked == 1:
            self.log.append(f"ask {self.name}")
        if timeout_ms == 0 and self.asked <= self.busy_for:
            return False
        self.log.append(f"end {self.name}")
        return True


def test_everything_is_asked_first_and_ends_in_order(qtbot):
    log: list[str] = []
    shutdown = Shutdown()
    shutdown.add_step(lambda: log.append("polls"))
    shutdown.add("training", Service(log, "training", busy_for=5))
    shutdown.add("inference", Service(log, "inference", busy_for=1))
    with qtbot.waitSignal(shutdown.finished):
        shutdown.begin()
        assert log == ["polls", "ask training", "ask inference"]
        assert not shutdown.done
    assert log[3:] == ["end training", "end inference"]
    assert shutdown.done


def test_beginning_twice_ends_once(qtbot):
    log: list[str] = []
    finished = []
    shutdown = Shutdown()
    shutdown.add("a", Service(log, "a", busy_for=1))
    shutdown.finished.connect(lambda: finished.append(1))
    shutdown.begin()
    shutdown.begin()
    qtbot.waitUntil(lambda: finished == [1])
    shutdown.begin()
    qtbot.wait(40)
    assert finished == [1]
    assert log.count("ask a") == 1


def test_who_is_late_is_named_once(qtbot):
    late = []
    shutdown = Shutdown()
    service = Service([], "training", busy_for=40)
    shutdown.add("training", service)
    shutdown.late.connect(late.append)
    with qtbot.waitSignal(shutdown.finished):
        shutdown.begin()
    assert late == ["training"]


def test_without_an_event_loop_it_waits_here(qtbot):
    log: list[str] = []
    shutdown = Shutdown()
    shutdown.add("a", Service(log, "a", busy_for=1))
    assert shutdown.run(1000)
    assert shutdown.done
    assert log == ["ask a", "end a"]


def test_waiting_here_gives_up_at_the_time_out(qtbot):
    class Stuck:
        def shutdown(self, timeout_ms: int) -> bool:
            return False

    late = []
    shutdown = Shutdown()
    shutdown.add("stuck", Stuck())
    shutdown.late.connect(late.append)
    assert not shutdown.run(10)
    assert late == ["stuck"]
    assert not shutdown.done
