"""From a picture of any size and colour to the size and channels of the recipe."""

from __future__ import annotations

import cv2
import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Images
from latentlab.core.recipe_data import DataConfig
from latentlab.data.progress import Ticker


def resize(image: Images, height: int, width: int) -> Images:
    """Resize (H, W, C) uint8 to (height, width, C): area averaging where it shrinks, cubic where it grows.

    Averaging keeps the mean brightness and does not alias; a cubic kernel keeps edges without blocks.
    """
    rows, columns, channels = image.shape
    if rows > height or columns > width:
        smaller = (min(columns, width), min(rows, height))
        image = np.asarray(cv2.resize(image, smaller, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if rows < height or columns < width:
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    return image.reshape(height, width, channels)


def crop(image: Images, region: tuple[int, int, int, int] | None, *, where: str = "") -> Images:
    """Cut ``region`` (x, y, width, height in pixels) out of (H, W, C) called ``where``; None keeps the whole.

    Raises
    ------
    InputError
        If the region reaches beyond the picture.
    """
    if region is None:
        return image
    x, y, width, height = region
    rows, columns = image.shape[:2]
    if x + width > columns or y + height > rows:
        left, top = min(x, columns - 1), min(y, rows - 1)
        fits = [left, top, min(width, columns - left), min(height, rows - top)]
        name = f" of {where}" if where else ""
        raise InputError(
            f"The crop {list(region)} reaches beyond the {columns}x{rows} pixels{name}",
            where="data.crop",
            hint=f"Crops are x, y, width, height in pixels; {fits} fits.",
        )
    return image[y : y + height, x : x + width]


def to_channels(image: Images, channels: int) -> Images:
    """Return (H, W, C) with 1 (luma) or 3 (red, green, blue) channels."""
    if image.shape[2] == channels:
        return image
    code = cv2.COLOR_RGB2GRAY if channels == 1 else cv2.COLOR_GRAY2RGB
    converted = np.asarray(cv2.cvtColor(np.ascontiguousarray(image), code), dtype=np.uint8)
    return converted.reshape(*image.shape[:2], channels)


def channels_of(config: DataConfig, native: int) -> int:
    """Return the channels that pictures of ``native`` channels get under ``data.colour``."""
    return {"auto": native, "grey": 1, "rgb": 3}[config.colour]


def fit(image: Images, config: DataConfig, channels: int, *, where: str = "") -> Images:
    """Crop, resize and recolour (H, W, C) uint8 as ``config`` asks, to ``channels`` channels."""
    cut = np.ascontiguousarray(crop(image, config.crop, where=where))
    return to_channels(resize(cut, *config.size), channels)


def fit_array(
    pictures: Images, config: DataConfig, out: Images, ticker: Ticker, *, first: int = 0, where: str = ""
) -> None:
    """Fit every picture of (N, H, W, C) into the rows of ``out`` from ``first`` on; ``out`` decides the channels."""
    for row, picture in enumerate(pictures, first):
        out[row] = fit(picture, config, out.shape[3], where=where)
        ticker.at(row + 1)


def is_grey(image: Images) -> bool:
    """Whether no pixel of (..., C) has a colour."""
    if image.shape[-1] == 1:
        return True
    red, green, blue = image[..., 0], image[..., 1], image[..., 2]
    return bool(np.array_equal(red, green) and np.array_equal(green, blue))
