"""Progress that costs nothing when called often."""

from __future__ import annotations

import time

from latentlab.core.messages import Progress, ProgressSink

INTERVAL_S = 0.05


def ignore(_: Progress) -> None:
    """Take progress and do nothing with it."""


class Ticker:
    """Reports how far a count has come, at most twenty times a second; the last report is never dropped.

    Whatever the sink raises (``Cancelled``) passes through.
    """

    def __init__(self, sink: ProgressSink, what: str, total: int | None = None) -> None:
        self._sink = sink
        self._total = total
        self._next = 0.0
        self.what = what

    def at(self, done: int) -> None:
        """Say that ``done`` items are finished."""
        now = time.monotonic()
        if now >= self._next or done == self._total:
            self._next = now + INTERVAL_S
            self._sink(Progress(self.what, done, self._total))
