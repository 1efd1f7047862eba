"""Decoding many picture files at once: orientation, transparency, depth and colour put right, bad ones counted."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, Ints
from latentlab.core.recipe_data import DataConfig
from latentlab.data.pictures import fit, is_grey
from latentlab.data.progress import Ticker
from latentlab.data.source import Store

Opener = Callable[[], Path | bytes]
_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I", "F")
# What Pillow raises for files that are not what their name says; SyntaxError stands for a broken PNG.
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
_CHUNK = 128


@dataclass(frozen=True)
class Decoded:
    """Which of the files were pictures: their numbers, and how many others there were, with the first of these."""

    kept: Ints
    skipped: int
    first_skipped: str


def read_picture(source: Path | bytes, size: tuple[int, int] | None = None) -> Images:
    """Read a picture as (H, W, C) uint8, upright, C 1 when the file is grey, else 3; transparent parts are white.

    Of an animation the first picture is read. A JPEG may be decoded at a fraction of its size, never
    below twice ``size`` (height, width), which is several times faster for photographs.

    Raises
    ------
    OSError, ValueError, SyntaxError, EOFError, DecompressionBombError
        If it is not a picture, or only part of one.
    """
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        if size is not None:
            image.draft(None, (2 * size[1], 2 * size[0]))
        upright = ImageOps.exif_transpose(image)
        if upright.mode in _DEEP_MODES:
            return _eight_bits(np.asarray(upright))
        if upright.has_transparency_data:
            layer = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
        grey = upright.mode in ("1", "L", "LA")
        pixels = np.asarray(upright.convert("L" if grey else "RGB"))
    return pixels.reshape(*pixels.shape[:2], 1 if grey else 3)


def _eight_bits(pixels: np.ndarray) -> Images:
    """Return 16-bit or floating greys as (H, W, 1) uint8: 16 bits keep their high byte, others their range."""
    values = pixels.astype(np.float64)
    low, high = (0.0, 65535.0) if pixels.dtype.kind in "iu" else (values.min(), max(values.max(), values.min() + 1e-9))
    scaled = np.clip((values - low) / (high - low), 0, 1) * 255
    return scaled.round().astype(np.uint8)[..., None]


def decode_files(
    names: Sequence[str], openers: Sequence[Opener], config: DataConfig, store: Store, ticker: Ticker
) -> Decoded:
    """Decode files into ``store`` at the recipe's size; with ``colour = "auto"`` as grey when none has a colour.

    Several threads decode; the order of the files is kept.

    Raises
    ------
    InputError
        If no file is a picture, or the crop does not fit into one.
    """

    def read(number: int) -> Images | str:
        try:
            picture = read_picture(openers[number](), None if config.crop else config.size)
        except _UNREADABLE as error:
            return f"{names[number]}: {error}"
        return fit(picture, config, 1 if config.colour == "grey" else 3, where=names[number])

    images = store.allocate(len(names), *config.size, 1 if config.colour == "grey" else 3)
    kept: list[int] = []
    bad: list[str] = []
    grey = config.colour != "rgb"
    with ThreadPoolExecutor(max(1, (os.cpu_count() or 2) - 1), "decode") as pool:
        for start in range(0, len(names), _CHUNK):
            numbers = range(start, min(start + _CHUNK, len(names)))
            for number, picture in zip(numbers, pool.map(read, numbers), strict=True):
                if isinstance(picture, str):
                    bad.append(picture)
                    continue
                images[len(kept)] = picture
                grey = grey and is_grey(picture)
                kept.append(number)
            ticker.at(numbers.stop)
    if not kept:
        raise InputError(f"None of the {len(names)} files can be read as a picture", where=bad[0])
    del images
    store.shrink(len(kept), 1 if grey else 3)
    return Decoded(np.array(kept, dtype=np.int64), len(bad), bad[0] if bad else "")


def note_of(decoded: Decoded) -> tuple[str, ...]:
    """Return the sentence that says how many files were left out; empty when none was."""
    if not decoded.skipped:
        return ()
    files = "1 file that is" if decoded.skipped == 1 else f"{decoded.skipped} files that are"
    return (f"Skipped {files} no readable picture, first {decoded.first_skipped}",)
