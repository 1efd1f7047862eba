"""How far long work is, as one line on standard error."""

from __future__ import annotations

import sys
import time

from latentlab.core.messages import Progress


class ProgressLine:
    """A progress sink: one line that is rewritten on a terminal, a line now and then in a log.

    Thread: the one that works.
    """

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._interval_s = 0.2 if self._live else 10.0
        self._due = time.monotonic() + self._interval_s
        self._open = False

    def __call__(self, progress: Progress) -> None:
        """Show progress, when it is time to."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + self._interval_s
        total = f" of {progress.total:,}" if progress.total else ""
        text = f"{progress.what}: {progress.done:,}{total}"
        sys.stderr.write(f"\r\033[K{text}" if self._live else f"{text}\n")
        sys.stderr.flush()
        self._open = self._live

    def end(self) -> None:
        """Leave a clean line."""
        if self._open:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self._open = False
