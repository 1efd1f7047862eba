"""What can be reconstructed: a video, a picture or a folder of pictures, as a stream of frames at a model's size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, Ints, ModelInfo
from latentlab.core.video_messages import Crop
from latentlab.data.files import read_picture
from latentlab.data.video import VideoReader
from latentlab.data.video_sequence import SUFFIXES, is_sequence, sequence_files
from latentlab.data.video_shape import FrameShape, check_crop, crop_fits
from latentlab.explore.video_export_timing import Timing, plan_pictures, plan_timing

# What Pillow raises for files that are not what their name says; SyntaxError stands for a broken PNG.
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


class FrameInput:
    """Frames of a file, a folder or a pattern such as ``img_%04d.png``, cropped and resized for a model.

    Pictures of many that cannot be read are passed over; ``skipped`` names them as they turn up.

    Parameters
    ----------
    path
        A video, a picture, or a folder or pattern of pictures, in the order of the numbers in their names.
    info
        The model: its image shape, and its recipe's crop.
    crop
        ``"recipe"`` uses the recipe's crop where it fits the frames; None the whole frame.

    Raises
    ------
    InputError
        If there is nothing usable at ``path`` or the crop does not fit.
    """

    def __init__(self, path: Path, info: ModelInfo, crop: Crop | str | None = "recipe") -> None:
        self.path = path
        self.reader: VideoReader | None = None
        self.skipped: list[str] = []
        self.pictures = _pictures(path)
        if self.pictures:
            size = self._first_size()
        else:
            self.reader = VideoReader(path, onwards=True)
            size = self.reader.size
        if isinstance(crop, str):
            wanted = info.recipe.data.crop
            crop = wanted if crop_fits(wanted, size) else None
        try:
            check_crop(crop, size, path.name)
        except InputError:
            self.close()
            raise
        rows, columns, channels = info.image_shape
        self.shape = FrameShape(crop, (rows, columns), channels)

    @property
    def frames(self) -> int:
        """How many frames there are, as far as is known."""
        return self.reader.frames if self.reader is not None else len(self.pictures)

    @property
    def fps(self) -> float | None:
        """Frames per second of a video, None for pictures."""
        return self.reader.fps if self.reader is not None else None

    def timing(self, first: int = 0, last: int | None = None, rate: float | None = None) -> Timing:
        """Return which frames go into a film made of these, and when.

        Raises
        ------
        InputError
            If there are no such frames.
        """
        if self.reader is not None:
            return plan_timing(self.reader, first, last, rate)
        return plan_pictures(self.frames, first, last, rate)

    def batches(self, size: int, numbers: Ints | None = None) -> Iterator[tuple[Ints, Images]]:
        """Yield numbers and up to ``size`` (H, W, C) uint8 frames, in order; ``numbers`` ascend, None is all."""
        batch: list[Images] = []
        taken: list[int] = []
        for number, frame in self._each(range(self.frames) if numbers is None else numbers.tolist()):
            batch.append(self.shape.apply(frame))
            taken.append(number)
            if len(batch) == size:
                yield np.asarray(taken, dtype=np.int64), np.stack(batch)
                batch, taken = [], []
        if batch:
            yield np.asarray(taken, dtype=np.int64), np.stack(batch)

    def close(self) -> None:
        """Release the file."""
        if self.reader is not None:
            self.reader.close()

    def _each(self, numbers: Iterable[int]) -> Iterator[tuple[int, Images]]:
        if self.reader is not None:
            yield from self.reader.each(numbers)
            return
        for number in numbers:
            path = self.pictures[number]
            picture = self._read(path)
            if picture is not None:
                check_crop(self.shape.crop, (picture.shape[1], picture.shape[0]), path.name)
                yield number, picture

    def _first_size(self) -> tuple[int, int]:
        """Return width and height of the first picture that can be read."""
        for path in self.pictures:
            picture = self._read(path)
            if picture is not None:
                return picture.shape[1], picture.shape[0]
        raise InputError(
            f"None of the {len(self.pictures)} pictures in {self.path.name} can be read", where=str(self.path)
        )

    def _read(self, path: Path) -> Images | None:
        """Return a picture, or None for one of many that cannot be read.

        Raises
        ------
        InputError
            If it is the only one.
        """
        try:
            return read_picture(path)
        except FileNotFoundError:
            problem = InputError(f"There is no picture {path}", where=str(path), hint="Check the path.")
        except _UNREADABLE as error:
            problem = InputError(f"{path.name} cannot be read as a picture: {error}", where=str(path))
        if path == self.path:
            raise problem
        if path.name not in self.skipped:
            self.skipped.append(path.name)
        return None


def _pictures(path: Path) -> list[Path]:
    """Return the pictures of a folder or pattern, or the picture itself; nothing when it should be a video."""
    if is_sequence(path):
        found = sequence_files(path)
        if not found:
            raise InputError(
                f"{path.name} holds no pictures" if path.is_dir() else f"No picture matches {path}",
                where=str(path),
                hint=f"Pictures end in {', '.join(SUFFIXES)}; for a video name the file itself.",
            )
        return found
    return [path] if path.suffix.lower() in SUFFIXES else []
