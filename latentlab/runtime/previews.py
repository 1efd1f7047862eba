"""Preview pictures of a run on disk, cut out of their sheets again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentlab.core.messages import Images, Preview
from latentlab.core.run_folder import PREVIEWS

_PREFIX, _RECONSTRUCTIONS, _SAMPLES = "step_", "_reconstructions.png", "_samples.png"


def newest_preview(run: Path) -> Path | None:
    """Return the newest sheet of reconstructions of a run, or None."""
    return max((run / PREVIEWS).glob(f"{_PREFIX}*{_RECONSTRUCTIONS}"), default=None)


def read_preview(sheet: Path, image_shape: tuple[int, int, int]) -> Preview:
    """Return the pictures of one preview step.

    Parameters
    ----------
    sheet
        The sheet of originals over reconstructions; the samples lie beside it.
    image_shape
        (height, width, channels) of one picture.

    Raises
    ------
    OSError
        If a sheet cannot be read.
    """
    stem = sheet.name.removesuffix(_RECONSTRUCTIONS)
    rows = _tiles(sheet, image_shape)
    originals, reconstructions = np.concatenate(rows[0::2]), np.concatenate(rows[1::2])
    count = _count(originals)
    samples = None
    beside = sheet.with_name(stem + _SAMPLES)
    if beside.is_file():
        samples = np.concatenate(_tiles(beside, image_shape))
        samples = samples[: _count(samples)]
    difference = (originals[:count].astype(np.float32) - reconstructions[:count]) / 255.0
    return Preview(
        step=int(stem.removeprefix(_PREFIX)),
        originals=originals[:count],
        reconstructions=reconstructions[:count],
        samples=samples,
        reconstruction_error=np.square(difference).mean(axis=(1, 2, 3)).astype(np.float32),
    )


def _tiles(path: Path, image_shape: tuple[int, int, int]) -> list[Images]:
    """Return the rows of a sheet, each (N, H, W, C)."""
    from PIL import Image

    from latentlab.training.preview_files import GAP

    height, width, channels = image_shape
    with Image.open(path) as image:
        sheet = np.asarray(image.convert("L" if channels == 1 else "RGB")).reshape(image.height, image.width, channels)
    columns, rows = (sheet.shape[1] - GAP) // (width + GAP), (sheet.shape[0] - GAP) // (height + GAP)
    tiles = sheet[GAP : GAP + rows * (height + GAP), GAP : GAP + columns * (width + GAP)]
    grid = tiles.reshape(rows, height + GAP, columns, width + GAP, channels)[:, :height, :, :width]
    return list(np.ascontiguousarray(grid.transpose(0, 2, 1, 3, 4)))


def _count(tiles: Images) -> int:
    """Return how many tiles are pictures; those that only fill up the last row are plain ground."""
    from latentlab.training.preview_files import GROUND

    filled = np.flatnonzero((tiles != GROUND).any(axis=(1, 2, 3)))
    return int(filled[-1]) + 1 if len(filled) else len(tiles)
