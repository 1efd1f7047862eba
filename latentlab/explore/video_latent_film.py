"""A strip of decoded pictures as a short film."""

from __future__ import annotations

from pathlib import Path

from latentlab.core.errors import InputError
from latentlab.core.messages import Images
from latentlab.explore.video_write import PICTURES_PER_S, SUFFIXES, VideoWriter


def write_pictures(path: Path, images: Images, fps: float) -> None:
    """Write pictures (N, H, W, C) uint8 as a film, each shown long enough to come near ``fps``.

    ``VideoWriter`` shows single pictures at a fixed rate, so slower films repeat each one a whole number of times.

    Raises
    ------
    InputError
        If the name does not end as a film does, or the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path.name} is no film", where=str(path), hint=f"End it in {', '.join(SUFFIXES)}.")
    repeats = max(1, round(float(PICTURES_PER_S) / max(fps, 0.1)))
    with VideoWriter(path) as writer:
        for image in images:
            for _ in range(repeats):
                writer.write(image)
