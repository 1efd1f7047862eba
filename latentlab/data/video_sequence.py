"""Numbered pictures in a folder, read as if they were a video."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from latentlab.core.errors import InputError
from latentlab.core.messages import Images
from latentlab.core.video_messages import VideoInfo
from latentlab.data.files import read_picture
from latentlab.data.pictures import to_channels
from latentlab.data.video_index import FrameIndex

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
RATE = Fraction(25)
"""Pictures a second, as pictures carry no times."""
_PRINTF = re.compile(r"%0?\d*d")
# What Pillow raises for files that are not what their name says; SyntaxError stands for a broken PNG.
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError)


def is_sequence(path: Path) -> bool:
    """Whether ``path`` names many pictures: a folder, or a pattern that is not itself a file's name."""
    return path.is_dir() or (_is_pattern(path) and not path.is_file())


def sequence_files(path: Path) -> list[Path]:
    """Return the pictures of a folder or pattern, in the order of the numbers in their names."""
    if path.is_dir():
        found = list(path.iterdir())
    else:
        found = [Path(name) for name in glob.glob(str(path.with_name(_PRINTF.sub("[0-9]*", path.name))))]
    pictures = [file for file in found if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")]
    return sorted((file for file in pictures if file.is_file()), key=_natural)


class PictureSequence:
    """Frames that are files, with the interface of ``VideoReader``; 25 of them a second.

    Thread: whichever created it, and only that one.

    Parameters
    ----------
    path
        A folder, or a pattern with ``*``, ``?`` or ``%04d`` in the file's name.

    Raises
    ------
    InputError
        If no picture is there or the first one cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.files = sequence_files(self.path)
        if not self.files:
            raise InputError(
                f"There are no pictures in {path}" if self.path.is_dir() else f"No picture matches {path}",
                where=str(path),
                hint=f"Pictures end in {', '.join(SUFFIXES)}; a video is opened by its own file.",
            )
        numbers = np.arange(len(self.files), dtype=np.int64)
        self.index = FrameIndex(numbers, numbers, numbers, True)
        self.rate = RATE
        height, width = self._load(0).shape[:2]
        self.size = (width, height)

    @property
    def frames(self) -> int:
        """How many pictures there are."""
        return len(self.index.pts)

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick of ``index.pts``."""
        return 1 / self.rate

    @property
    def fps(self) -> float:
        """Pictures per second."""
        return float(self.rate)

    @property
    def times_s(self) -> npt.NDArray[np.float64]:
        """(N,) time of each picture in seconds."""
        return np.asarray(self.index.pts / self.fps, dtype=np.float64)

    @property
    def info(self) -> VideoInfo:
        """The facts about the pictures."""
        width, height = self.size
        kind = f"{self.files[0].suffix[1:].upper()} pictures"
        return VideoInfo(self.path, self.frames, self.fps, width, height, kind, 0, self.times_s)

    def cost(self, n: int) -> int:
        """Return how many frames have to be decoded for frame ``n``: its own."""
        return 1

    def jumps(self, n: int) -> bool:
        """Whether reading frame ``n`` begins somewhere else: every picture stands by itself."""
        return False

    def recent(self) -> list[int]:
        """Return the frames that cost nothing: none."""
        return []

    def read(self, n: int, stop: Callable[[], bool] | None = None) -> Images:
        """Return picture ``n``: a fresh (height, width, 3) uint8 RGB array.

        Raises
        ------
        IndexError
            If there is no picture ``n``.
        InputError
            If it cannot be read, has vanished, or has another size than the first one.
        """
        if not 0 <= n < self.frames:
            raise IndexError(f"picture {n} of {self.frames}")
        picture = self._load(n)
        if picture.shape[1::-1] != self.size:
            raise InputError(
                f"{self.files[n].name} is {picture.shape[1]}x{picture.shape[0]}, not {self.size[0]}x{self.size[1]}",
                where=str(self.files[n]),
                hint="The pictures of one film must be as large as the first one.",
            )
        return picture

    def iterate(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[tuple[int, Images]]:
        """Yield ``(n, picture)`` for n in ``range(start, stop, step)``."""
        return self.each(range(start, self.frames if stop is None else stop, step))

    def each(self, numbers: Iterable[int]) -> Iterator[tuple[int, Images]]:
        """Yield ``(n, picture)`` for ascending numbers."""
        for n in numbers:
            yield n, self.read(n)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def __enter__(self) -> PictureSequence:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load(self, n: int) -> Images:
        file = self.files[n]
        try:
            return np.array(to_channels(read_picture(file), 3), dtype=np.uint8, order="C")
        except FileNotFoundError:
            raise InputError(f"There is no picture {file}", where=str(file), hint="Check the folder.") from None
        except _UNREADABLE as error:
            raise InputError(f"{file.name} cannot be read as a picture: {error}", where=str(file)) from None


def _is_pattern(path: Path) -> bool:
    return any(sign in path.name for sign in "*?[") or _PRINTF.search(path.name) is not None


def _natural(path: Path) -> list[int | str]:
    """Return a key that sorts img_9 before img_10: texts and numbers by turns."""
    return [int(part) if place % 2 else part.lower() for place, part in enumerate(re.split(r"(\d+)", path.name))]
