"""Preview pictures of a run on disk, cut out of their sheets again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentlab.core.messages import Images, ModelInfo, Preview
from latentlab.core.run_folder import PREVIEWS

_PREFIX, _RECONSTRUCTIONS, _SAMPLES = "step_", "_reconstructions.png", "_samples.png"


def newest_preview(run: Path) -> Path | None:
    """Return the newest sheet of a run, or None: reconstructions, or samples where nothing is reconstructed."""
    folder = run / PREVIEWS
    sheets = [*folder.glob(f"{_PREFIX}*{_RECONSTRUCTIONS}"), *folder.glob(f"{_PREFIX}*{_SAMPLES}")]
    # The sheets of one step come in the order in which they are written: reconstructions, then samples.
    return max(sheets, key=lambda sheet: (_stem(sheet), sheet.name.endswith(_RECONSTRUCTIONS)), default=None)


def preview_sheets(run: Path) -> dict[int, Path]:
    """Return the sheet to read for each step that has one, ascending."""
    found: dict[int, Path] = {}
    folder = run / PREVIEWS
    for suffix in (_SAMPLES, _RECONSTRUCTIONS):  # Where both are there, the reconstructions are read.
        for sheet in folder.glob(f"{_PREFIX}*{suffix}"):
            step = _stem(sheet).removeprefix(_PREFIX)
            if step.isdigit():
                found[int(step)] = sheet
    return dict(sorted(found.items()))


def read_preview(sheet: Path, info: ModelInfo) -> Preview:
    """Return the pictures of one preview step.

    Parameters
    ----------
    sheet
        The sheet of originals over reconstructions, the samples lying beside it; or the sheet of samples alone.
    info
        The run's model.

    Raises
    ------
    OSError
        If a sheet cannot be read.
    """
    stem = _stem(sheet)
    step = int(stem.removeprefix(_PREFIX))
    samples, columns = None, None
    beside = sheet.with_name(stem + _SAMPLES)
    if beside.is_file():
        rows = _tiles(beside, info.image_shape)
        samples, columns = np.concatenate(rows), len(rows[0]) if info.conditional else None
        samples = samples[: _count(samples)]
    if not sheet.name.endswith(_RECONSTRUCTIONS):
        return Preview(step, None, None, samples, sample_columns=columns)
    rows = _tiles(sheet, info.image_shape)
    originals, reconstructions = np.concatenate(rows[0::2]), np.concatenate(rows[1::2])
    count = _count(originals)
    difference = (originals[:count].astype(np.float32) - reconstructions[:count]) / 255.0
    return Preview(
        step=step,
        originals=originals[:count],
        reconstructions=reconstructions[:count],
        samples=samples,
        reconstruction_error=np.square(difference).mean(axis=(1, 2, 3)).astype(np.float32),
        sample_columns=columns,
    )


def _stem(sheet: Path) -> str:
    """Return the part of a sheet's name that says the step; all have the same length up to step 99,999,999."""
    return sheet.name.removesuffix(_RECONSTRUCTIONS).removesuffix(_SAMPLES)


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
