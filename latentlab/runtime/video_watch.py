"""Whether the film is still the file that was opened."""

from __future__ import annotations

import time
from pathlib import Path

from latentlab.core.errors import InputError

CHECK_S = 1.0
HINT = "What is prepared can still be looked at; open it again for the rest."


class FileWatch:
    """Remembers what a film was when it was opened. Thread: video.

    Raises
    ------
    OSError
        If it is gone already.
    """

    def __init__(self, path: Path) -> None:
        from latentlab.data.video_frames import file_facts

        self._path = path
        self._facts = file_facts(path)
        self._due = 0.0

    def problem(self) -> InputError | None:
        """Look, once a second at most; return what happened to the file, if anything did."""
        now = time.monotonic()
        if now < self._due:
            return None
        self._due = now + CHECK_S
        from latentlab.data.video_frames import file_facts

        try:
            facts = file_facts(self._path)
        except OSError:
            return InputError(f"{self._path.name} has vanished", where=str(self._path), hint=HINT)
        if facts != self._facts:
            return InputError(f"{self._path.name} was changed while open", where=str(self._path), hint=HINT)
        return None
