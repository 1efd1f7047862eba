"""What can be reconstructed: a video, a picture or a folder of pictures, as a stream of frames at a model's size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, ModelInfo
from latentlab.core.video_messages import Crop
from latentlab.data.files import read_picture
from latentlab.data.video import VideoReader
from latentlab.data.video_shape import FrameShape, check_crop, crop_fits

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
# What Pillow raises for files that are not what their name says; SyntaxError stands for a broken PNG.
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError)


class FrameInput:
    """Frames of a file or folder, cropped and resized for a model.

    Parameters
    ----------
    path
        A video, a picture, or a folder of pictures (sorted by name; other files in it are passed over).
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
        self.pictures = _pictures(path)
        if self.pictures:
            height, width = _read(self.pictures[0]).shape[:2]
            size = (width, height)
        else:
            self.reader = VideoReader(path)
            size = self.reader.size
        if isinstance(crop, str):
            wanted = info.recipe.data.crop
            crop = wanted if crop_fits(wanted, size) else None
        check_crop(crop, size, path.name)
        rows, columns, channels = info.image_shape
        self.shape = FrameShape(crop, (rows, columns), channels)

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return self.reader.frames if self.reader is not None else len(self.pictures)

    @property
    def fps(self) -> float | None:
        """Frames per second of a video, None for pictures."""
        return self.reader.fps if self.reader is not None else None

    def batches(self, size: int) -> Iterator[Images]:
        """Yield (up to ``size``, H, W, C) uint8 frames in order."""
        batch: list[Images] = []
        for frame in self._each():
            batch.append(self.shape.apply(frame))
            if len(batch) == size:
                yield np.stack(batch)
                batch = []
        if batch:
            yield np.stack(batch)

    def close(self) -> None:
        """Release the file."""
        if self.reader is not None:
            self.reader.close()

    def _each(self) -> Iterator[Images]:
        if self.reader is not None:
            for _, frame in self.reader.iterate():
                yield frame
            return
        for path in self.pictures:
            picture = _read(path)
            check_crop(self.shape.crop, (picture.shape[1], picture.shape[0]), path.name)
            yield picture


def _pictures(path: Path) -> list[Path]:
    """Return the pictures of a folder, or the picture itself; nothing when it should be a video."""
    if path.is_dir():
        found = sorted(item for item in path.iterdir() if item.suffix.lower() in PICTURE_SUFFIXES and item.is_file())
        if not found:
            raise InputError(
                f"{path.name} holds no pictures",
                where=str(path),
                hint=f"Pictures end in {', '.join(PICTURE_SUFFIXES)}; for a video name the file itself.",
            )
        return found
    return [path] if path.suffix.lower() in PICTURE_SUFFIXES else []


def _read(path: Path) -> Images:
    try:
        return read_picture(path)
    except FileNotFoundError:
        raise InputError(f"There is no picture {path}", where=str(path), hint="Check the path.") from None
    except _UNREADABLE as error:
        raise InputError(f"{path.name} cannot be read as a picture: {error}", where=str(path)) from None
