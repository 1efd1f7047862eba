"""Many pictures as one."""

from __future__ import annotations

import math

import numpy as np

from latentlab.core.messages import Images

GAP = 2
GROUND = 128


def square_columns(images: Images) -> int:
    """Return the number of columns that makes a sheet of pictures (N,H,W,C) as square as can be."""
    count, height, width, _ = images.shape
    return max(1, min(int(count), math.ceil(math.sqrt(count * height / width))))


def mosaic(images: Images, columns: int | None = None, gap: int = GAP) -> Images:
    """Return pictures (N,H,W,C) uint8 as one (H',W',C), row by row on a grey ground.

    Parameters
    ----------
    columns
        Pictures per row; by default as square as can be.
    gap
        Pixels between pictures, none around them.
    """
    count, height, width, channels = images.shape
    columns = min(count, columns or square_columns(images))
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap), columns * (width + gap), channels), GROUND, dtype=np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * (height + gap), i % columns * (width + gap)
        sheet[y : y + height, x : x + width] = image
    return np.ascontiguousarray(sheet[: rows * (height + gap) - gap, : columns * (width + gap) - gap])
