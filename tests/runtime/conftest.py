"""Every test here fails when it leaves one of our threads running."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QThread
from shiboken6 import isValid


@pytest.fixture(autouse=True)
def no_thread_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    started: list[weakref.ref[QThread]] = []
    start = QThread.start

    def remember(self: QThread, *args: object) -> None:
        started.append(weakref.ref(self))
        start(self, *args)

    monkeypatch.setattr(QThread, "start", remember)
    yield
    threads = [thread for ref in started if (thread := ref()) is not None and isValid(thread)]
    left = [thread.objectName() or type(thread).__name__ for thread in threads if not thread.wait(2000)]
    assert not left, f"threads still running: {left}"
