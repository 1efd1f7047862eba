"""Where scenes of a film begin, found from small pictures of its frames."""

from __future__ import annotations

import cv2
import numpy as np

from latentlab.core.messages import Floats, Images, Ints
from latentlab.core.video_curves import running_max

GRID = (16, 9)
WINDOW = 12
LEAST = 0.06
"""Mean absolute difference of two frames, in [0,1], below which nothing counts as a change of scene."""
TIMES = 3.5
"""And it must be so many times the usual difference around it: a quick pan is not a cut."""


def thumbnails(frames: Images) -> Floats:
    """Return (N, 432) float32 in [0,1]: each frame (N, H, W, C) averaged to 16x9 colours."""
    small = [cv2.resize(frame, GRID, interpolation=cv2.INTER_AREA).reshape(-1) for frame in frames]
    found = np.asarray(small, dtype=np.float32)
    if found.shape[1] != 3 * GRID[0] * GRID[1]:
        found = np.repeat(found, 3, axis=1)
    return np.asarray(found / 255, dtype=np.float32)


def changes(thumbs: Floats) -> Floats:
    """Return (N - 1,) float32: the mean absolute difference of each thumbnail from the one before."""
    return np.asarray(np.abs(np.diff(thumbs, axis=0)).mean(axis=1), dtype=np.float32)


def find_scenes(change: Floats) -> Ints:
    """Return the frames with which a new scene begins, ascending.

    A cut stands out from the differences around it (the adaptive rule of shot detectors): it is at least
    ``LEAST``, ``TIMES`` the median of the ``WINDOW`` differences on each side, and the largest of its neighbours.

    Parameters
    ----------
    change
        (N,) difference of each frame from the one before it; 0 for the first; NaN where it is not known.
    """
    known = np.nan_to_num(change, nan=0.0)
    found = []
    # Few frames are the largest of their neighbours: only those are looked at one by one.
    for frame in np.flatnonzero((known >= LEAST) & (known >= running_max(known.astype(np.float64), 2))).tolist():
        first, last = max(1, frame - WINDOW), min(len(known), frame + WINDOW + 1)
        around = np.concatenate([change[first:frame], change[frame + 1 : last]])
        around = around[~np.isnan(around)]
        usual = float(np.median(around)) if len(around) else 0.0
        if known[frame] >= TIMES * usual:
            found.append(frame)
    return np.asarray(found, dtype=np.int64)
