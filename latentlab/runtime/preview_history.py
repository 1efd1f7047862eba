"""Reads past preview pictures of a run in a thread of its own: the window asks for a step and polls the answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from latentlab.core.mailbox import LatestSlot, Mailbox
from latentlab.core.messages import ModelInfo, Preview
from latentlab.runtime.previews import preview_sheets, read_preview


@dataclass(frozen=True, slots=True)
class _Wish:
    """List the previews of a run, or, with a step, read one."""

    info: ModelInfo
    step: int | None = None


class PreviewHistory:
    """Past previews. Thread: ``list`` and ``read`` are for the window, which polls the slots; a worker reads files.

    Attributes
    ----------
    steps
        The steps of the previews on disk, ascending.
    pictures
        The preview asked for last.
    """

    def __init__(self) -> None:
        self.steps: LatestSlot[tuple[int, ...]] = LatestSlot()
        self.pictures: LatestSlot[Preview] = LatestSlot()
        self._mail: Mailbox[_Wish] = Mailbox()
        self._thread: threading.Thread | None = None
        self._sheets: dict[int, Path] = {}

    def list(self, info: ModelInfo) -> None:
        """Look which previews a run has."""
        self._post("list", _Wish(info))

    def read(self, info: ModelInfo, step: int) -> None:
        """Read the preview of a step; a newer wish replaces an older one."""
        self._post("read", _Wish(info, step))

    def restart(self) -> None:
        """Forget the run that was looked at."""
        self.steps.clear()
        self.pictures.clear()

    def close(self) -> None:
        """End the worker and wait for it."""
        self._mail.close()
        if self._thread is not None:
            self._thread.join()

    def _post(self, key: str, wish: _Wish) -> None:
        if wish.info.run is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="previews", daemon=True)
            self._thread.start()
        self._mail.post(key, wish)

    def _work(self) -> None:
        while (taken := self._mail.take()) is not None:
            wish = taken[1]
            assert wish.info.run is not None
            sheets = preview_sheets(wish.info.run)
            if tuple(sheets) != self.steps.get()[1]:
                self.steps.put(tuple(sheets))
            if wish.step is None or wish.step not in sheets:
                continue
            try:
                self.pictures.put(read_preview(sheets[wish.step], wish.info))
            except (OSError, ValueError, SyntaxError):  # SyntaxError is Pillow's word for a broken PNG.
                continue
