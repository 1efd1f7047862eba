"""How a video frame becomes a model's picture, and which crops a frame allows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Images
from latentlab.core.video_messages import Crop
from latentlab.data.pictures import resize, to_channels


@dataclass(frozen=True)
class FrameShape:
    """Cut out ``crop``, resize to ``size``, keep ``channels``: the same steps as for training pictures.

    ``size`` is (height, width) or None to keep the cut size; ``channels`` is 1 or 3.
    """

    crop: Crop | None
    size: tuple[int, int] | None
    channels: int = 3

    def apply(self, frame: Images) -> Images:
        """Return a fresh contiguous (height, width, channels) uint8 picture of an RGB frame."""
        if self.crop is not None:
            x, y, width, height = self.crop
            frame = frame[y : y + height, x : x + width]
        if self.size is not None and frame.shape[:2] != self.size:
            frame = resize(_halved(np.ascontiguousarray(frame), self.size), *self.size)
        return np.array(to_channels(frame, self.channels), dtype=np.uint8, order="C")


def _halved(frame: Images, size: tuple[int, int]) -> Images:
    """Halve a large frame by averaging 2x2 pixels while it stays at least twice as large as ``size``.

    A mean of means is the mean, to within the rounding; OpenCV averages 2x2 blocks ten times as fast as
    others, which made the resizing of 1920x1080 frames cost more than their decoding.
    """
    rows, columns = frame.shape[:2]
    while not (rows % 2 or columns % 2) and rows >= 4 * size[0] and columns >= 4 * size[1]:
        rows, columns = rows // 2, columns // 2
        frame = np.asarray(cv2.resize(frame, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return frame


def check_crop(crop: Crop | None, size: tuple[int, int], name: str) -> None:
    """Refuse a crop that reaches beyond a frame of ``size`` (width, height).

    Raises
    ------
    InputError
        Naming the crop, the frame size and a crop that would fit.
    """
    if crop is None or crop_fits(crop, size):
        return
    x, y, width, height = crop
    left, top = min(max(0, x), size[0] - 1), min(max(0, y), size[1] - 1)
    fits = [left, top, max(1, min(width, size[0] - left)), max(1, min(height, size[1] - top))]
    raise InputError(
        f"The crop {list(crop)} reaches beyond the {size[0]}x{size[1]} frames of {name}",
        where="data.crop",
        hint=f"Crops are x, y, width, height in pixels; {fits} fits.",
    )


def crop_fits(crop: Crop | None, size: tuple[int, int]) -> bool:
    """Whether a crop lies inside frames of ``size`` (width, height); None always does."""
    if crop is None:
        return True
    x, y, width, height = crop
    return x >= 0 and y >= 0 and width >= 1 and height >= 1 and x + width <= size[0] and y + height <= size[1]
