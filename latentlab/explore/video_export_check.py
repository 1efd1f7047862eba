"""What an exported film holds: its error read back from the file, as another programme would measure it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentlab.core.video_export import ExportPlan
from latentlab.data.video import VideoReader


def measure_file(path: Path, plan: ExportPlan, pane_width: int) -> float | None:
    """Return the mean squared error of the panes ``original`` and ``reconstruction`` in [0,1]² units, or None.

    This is what ``ffmpeg -lavfi "scale=flags=accurate_rnd+full_chroma_int,format=gbrp,split[a][b];
    [a]crop=...[l];[b]crop=...[r];[l][r]psnr"`` measures: the encoder's losses and the colour stored once for 2x2
    pixels are in it. Without these flags FFmpeg leaves the last columns of planar RGB unwritten where the width is
    no multiple of eight.

    Parameters
    ----------
    path
        A film written by ``plan``.
    pane_width
        Width of one pane in pixels, before scaling.
    """
    if plan.kind != "film" or not {"original", "reconstruction"} <= set(plan.panes):
        return None
    width = pane_width * plan.scale
    left, right = (plan.panes.index(name) * width for name in ("original", "reconstruction"))
    total, frames = 0.0, 0
    with VideoReader(path, onwards=True) as reader:
        for _, picture in reader.iterate():
            delta = picture[:, left : left + width].astype(np.int16) - picture[:, right : right + width]
            total += float(np.square(delta, dtype=np.int32).mean())
            frames += 1
    return total / frames / 255**2 if frames else None
