"""How a video frame becomes a model's picture, and which crops a frame allows."""

from __future__ import annotations

from dataclasses import dataclass

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
            frame = resize(np.ascontiguousarray(frame), *self.size)
        return np.array(to_channels(frame, self.channels), dtype=np.uint8, order="C")


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
