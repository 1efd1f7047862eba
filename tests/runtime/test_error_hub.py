from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QThread, qCritical, qWarning
from pytestqt.qtbot import QtBot

from latentlab.core.errors import Cancelled, InputError
from latentlab.core.messages import ErrorReport
from latentlab.runtime.error_hub import ErrorHub


class Listener:
    def __init__(self, hub: ErrorHub) -> None:
        self.reports: list[ErrorReport] = []
        self.threads: set[int] = set()
        hub.reported.connect(self.on_report)

    def on_report(self, report: ErrorReport) -> None:
        self.reports.append(report)
        self.threads.add(threading.get_ident())


@pytest.fixture
def hub(qtbot: QtBot, tmp_path: Path) -> Iterator[ErrorHub]:
    made = ErrorHub()
    made.log_file = made.install(tmp_path)
    yield made
    made.uninstall()


@pytest.fixture
def listener(hub: ErrorHub) -> Listener:
    return Listener(hub)


def test_an_error_is_told_and_logged(hub, listener):
    hub.report(InputError("clip.mp4 is not a video", where="clip.mp4", hint="Choose another."))
    assert [r.what for r in listener.reports] == ["clip.mp4 is not a video"]
    assert "clip.mp4 is not a video" in hub.log_file.read_text()


def test_repeats_are_logged_but_told_once(hub, listener):
    for _ in range(5):
        hub.report(InputError("the disk is full"))
    hub.report(InputError("another thing"))
    assert [r.what for r in listener.reports] == ["the disk is full", "another thing"]
    assert hub.log_file.read_text().count("the disk is full []") == 5


def test_a_repeat_is_told_again_after_a_while(qtbot, tmp_path):
    hub = ErrorHub(repeat_after_s=0.0)
    listener = Listener(hub)
    hub.report(InputError("the disk is full"))
    hub.report(InputError("the disk is full"))
    assert len(listener.reports) == 2


def test_cancelling_is_no_error(hub, listener):
    hub.report(Cancelled())
    assert listener.reports == []


@pytest.mark.parametrize("kind", ["report", "excepthook"])
def test_from_a_worker_it_arrives_in_the_gui_thread(qtbot, hub, listener, kind):
    def work() -> None:
        if kind == "report":
            hub.report(ValueError("from a worker"), doing="decoding")
        else:
            raise ValueError("from a worker")

    thread = threading.Thread(target=work)
    thread.start()
    qtbot.waitUntil(lambda: len(listener.reports) == 1)
    thread.join()
    assert "from a worker" in listener.reports[0].what
    assert ("Traceback" in listener.reports[0].details) == (kind == "excepthook")
    assert listener.threads == {threading.get_ident()}


def test_an_exception_that_leaves_a_qthread_is_reported(qtbot, hub, listener):
    class Failing(QThread):
        def run(self) -> None:
            raise ValueError("from a QThread")

    thread = Failing()
    thread.start()
    qtbot.waitUntil(lambda: len(listener.reports) == 1)
    assert thread.wait(5000)
    assert "from a QThread" in listener.reports[0].what


def test_keyboard_interrupts_go_to_the_previous_hook(qtbot, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "excepthook", lambda *args: seen.append(args[0]))
    hub = ErrorHub()
    listener = Listener(hub)
    hub.install(tmp_path)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    hub.uninstall()
    assert seen == [KeyboardInterrupt]
    assert listener.reports == []


@pytest.mark.qt_log_ignore("a warning of Qt")
def test_warnings_of_qt_are_logged_only(hub, listener):
    qWarning("a warning of Qt")
    assert listener.reports == []
    assert "Qt: a warning of Qt" in hub.log_file.read_text()


@pytest.mark.qt_log_ignore("something critical")
def test_what_qt_calls_critical_is_told(hub, listener):
    qCritical("something critical")
    assert [r.what for r in listener.reports] == ["something critical"]


def test_uninstalling_gives_the_hooks_back(qtbot, tmp_path):
    before = sys.excepthook, threading.excepthook
    hub = ErrorHub()
    hub.install(tmp_path)
    hub.install(tmp_path)
    assert sys.excepthook != before[0]
    hub.uninstall()
    hub.uninstall()
    assert (sys.excepthook, threading.excepthook) == before
