"""Writing the frames of a film as pictures: numbered ones in a folder of their own, or many on one sheet."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np

from latentlab.core.errors import InputError, cannot_write
from latentlab.core.messages import Images
from latentlab.explore.export import Origin, write_png
from latentlab.explore.mosaic import mosaic
from latentlab.explore.video_export_timing import Timing

MAX_ON_SHEET = 256
SHEET_GAP = 4


class PicturesWriter:
    """Writes ``frame_000120.png`` and so on, numbered as in the film, to a folder that appears when it is whole.

    Parameters
    ----------
    path
        The folder; it must not be there yet, or be empty.
    timing
        Gives the numbers.
    origin
        Kept in every picture.

    Raises
    ------
    InputError
        If there is something in the folder already.
    """

    sound: Literal["none"] = "none"

    def __init__(self, path: Path, timing: Timing, origin: Origin | None = None) -> None:
        check_free(path)
        self.path, self.timing = path, timing
        self.size = (0, 0)
        self.bytes_written = 0
        self._origin = origin
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._written = 0
        self._digits = max(6, len(str(len(timing.numbers) + int(timing.numbers[-1]))))
        # At a higher rate than the film's a frame comes twice: then pictures are counted, not frames.
        self._counted = len(np.unique(timing.numbers)) < len(timing.numbers)

    def write(self, frame: Images) -> None:
        """Write the next frame, (H, W, 1 or 3) uint8."""
        number = self._written if self._counted else int(self.timing.numbers[self._written])
        try:
            if not self._written:
                self._part.mkdir()
            path = self._part / f"frame_{number:0{self._digits}d}.png"
            write_png(path, frame, self._origin)
            self.bytes_written += path.stat().st_size
        except InputError as error:  # Names the hidden folder, which nobody asked for.
            raise InputError(error.what, where=str(self.path), hint=error.hint) from None
        except OSError as error:
            raise cannot_write(self.path, error) from None
        self.size = (frame.shape[1], frame.shape[0])
        self._written += 1

    def __enter__(self) -> PicturesWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._written:
                if self.path.is_dir():
                    self.path.rmdir()  # Only an empty one goes; what was put there meanwhile stays.
                self._part.replace(self.path)
        except OSError as failure:
            raise cannot_write(self.path, failure) from None
        finally:
            shutil.rmtree(self._part, ignore_errors=True)


class SheetWriter:
    """Puts all frames, or as many as go on it, evenly spread, on one picture, which is written at the end.

    Parameters
    ----------
    path
        Ends in ``.png``.
    timing
        Says how many frames there are.
    origin
        Kept in the picture.
    """

    sound: Literal["none"] = "none"
    bytes_written = 0

    def __init__(self, path: Path, timing: Timing, origin: Origin | None = None) -> None:
        self.path = path
        self.size = (0, 0)
        self._origin = origin
        total = len(timing.numbers)
        self._chosen = set(np.linspace(0, total - 1, min(total, MAX_ON_SHEET)).round().astype(int).tolist())
        self._pictures: list[Images] = []
        self._written = 0

    @property
    def shown(self) -> int:
        """How many frames are on the sheet."""
        return len(self._pictures)

    def write(self, frame: Images) -> None:
        """Take the next frame, (H, W, 1 or 3) uint8."""
        if self._written in self._chosen:
            self._pictures.append(frame)
        self._written += 1

    def __enter__(self) -> SheetWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._pictures:
            sheet = mosaic(np.stack(self._pictures), gap=SHEET_GAP)
            self.size = (sheet.shape[1], sheet.shape[0])
            write_png(self.path, sheet, self._origin)


def check_free(path: Path) -> None:
    """Refuse a folder that has something in it, or a file of that name.

    Raises
    ------
    InputError
        Naming it.
    """
    try:
        taken = path.exists() and (not path.is_dir() or any(path.iterdir()))
    except OSError as error:
        raise cannot_write(path, error) from None
    if taken:
        what = "is a file, not a folder" if not path.is_dir() else "is not empty"
        raise InputError(f"{path.name} {what}", where=str(path), hint="Name a new folder; nothing is overwritten.")
