"""Preview pictures as PNG files: one grid of originals over reconstructions, one of samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from latentlab.core.messages import Images, Preview

COLUMNS = 8
GAP = 2
GROUND = 128


def mosaic(images: Images, columns: int = COLUMNS) -> Images:
    """Return pictures (N,H,W,C) uint8 as one picture (H',W',C) of ``columns`` columns, on a grey ground."""
    count, height, width, channels = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    size = (rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, channels)
    sheet = np.full(size, GROUND, dtype=np.uint8)
    for i, image in enumerate(images):
        y, x = GAP + i // columns * (height + GAP), GAP + i % columns * (width + GAP)
        sheet[y : y + height, x : x + width] = image
    return sheet


def pairs(originals: Images, reconstructions: Images, columns: int = COLUMNS) -> Images:
    """Return a mosaic (H',W',C) in which each row of originals stands above its reconstructions."""
    starts = range(0, len(originals), columns)
    rows = [part[i : i + columns] for i in starts for part in (originals, reconstructions)]
    blank = columns - len(rows[-1]) if len(rows) > 2 else 0
    if blank:  # A short last row is filled up, so that its reconstructions stand under their originals.
        filler = np.full((blank, *originals.shape[1:]), GROUND, dtype=np.uint8)
        rows[-2:] = [np.concatenate([row, filler]) for row in rows[-2:]]
    return mosaic(np.concatenate(rows), min(columns, len(rows[0])))


def save_png(path: Path, picture: Images) -> None:
    """Write a picture (H,W,1 or 3) as PNG; the file appears whole or not at all."""
    image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
    part = path.with_name(path.name + ".part")
    image.save(part, format="PNG", compress_level=3)
    part.replace(path)


def write_preview(folder: Path, preview: Preview) -> None:
    """Write ``step_00000100_reconstructions.png`` and ``..._samples.png`` into ``folder``.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"step_{preview.step:08d}"
    if preview.originals is not None and preview.reconstructions is not None:
        save_png(folder / f"{stem}_reconstructions.png", pairs(preview.originals, preview.reconstructions))
    if preview.samples is not None:
        save_png(folder / f"{stem}_samples.png", mosaic(preview.samples, preview.sample_columns or COLUMNS))
