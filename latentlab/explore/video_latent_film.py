"""A strip of decoded pictures as a short film."""

from __future__ import annotations

from pathlib import Path

from latentlab.core.errors import InputError
from latentlab.core.messages import Images
from latentlab.explore.video_export_timing import plan_pictures
from latentlab.explore.video_write import SUFFIXES, VideoWriter


def write_pictures(path: Path, images: Images, fps: float) -> None:
    """Write pictures (N, H, W, C) uint8 as a film of ``fps`` pictures a second.

    Raises
    ------
    InputError
        If the name does not end as a film does, or the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path.name} is no film", where=str(path), hint=f"End it in {', '.join(SUFFIXES)}.")
    with VideoWriter(path, plan_pictures(len(images), rate=max(fps, 0.1))) as writer:
        for image in images:
            writer.write(image)
