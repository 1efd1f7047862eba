"""Latest-value hand-over between threads: nothing queues, the newest wins."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds the newest value and a version that grows with each one.

    Thread: any. A reader polls ``version`` (one attribute read) and calls ``get`` when it moved.
    The value must not be changed after ``put``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: T | None = None
        self.version = 0

    def put(self, value: T) -> int:
        """Replace the value and return the new version."""
        with self._lock:
            self._value = value
            self.version += 1
            return self.version

    def get(self) -> tuple[int, T | None]:
        """Return the version and the value that belongs to it (None before the first ``put``)."""
        with self._lock:
            return self.version, self._value

    def clear(self) -> None:
        """Forget the value; the version grows so that readers notice."""
        with self._lock:
            self._value = None
            self.version += 1


class Mailbox(Generic[T]):
    """Keyed latest-wins requests for one worker: each key holds its newest request only.

    Thread: any may ``post``; one worker calls ``take``. Keys are served in the order in which they
    were first posted, so a busy pane cannot starve a quiet one.
    """

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._pending: dict[str, T] = {}
        self._closed = False

    def post(self, key: str, request: T) -> bool:
        """Leave ``request`` under ``key``; return whether it replaced one not yet taken."""
        with self._ready:
            replaced = key in self._pending
            self._pending[key] = request
            self._ready.notify()
            return replaced

    def take(self, timeout_s: float | None = None) -> tuple[str, T] | None:
        """Wait for a request and return it with its key; None on time-out or once closed."""
        with self._ready:
            if not self._pending and not self._closed:
                self._ready.wait(timeout_s)
            if self._closed or not self._pending:
                return None
            key = next(iter(self._pending))
            return key, self._pending.pop(key)

    def drop(self, key: str) -> None:
        """Forget the request waiting under ``key``, if any."""
        with self._ready:
            self._pending.pop(key, None)

    def close(self) -> None:
        """Wake the worker for good: every later ``take`` returns None at once."""
        with self._ready:
            self._closed = True
            self._pending.clear()
            self._ready.notify_all()

    def waiting(self, key: str) -> bool:
        """Whether a request under ``key`` waits, or nothing is to be done any more."""
        with self._ready:
            return self._closed or key in self._pending

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed
