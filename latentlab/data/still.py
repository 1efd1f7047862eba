"""Telling frames of a film that stand still from those in which something moves."""

from __future__ import annotations

import cv2
import numpy as np

from latentlab.core.messages import Images


def mean_difference(first: Images, second: Images) -> float:
    """Return the mean absolute difference of two pictures of one shape, in grey levels (0 to 255)."""
    return float(cv2.norm(np.ascontiguousarray(first), np.ascontiguousarray(second), cv2.NORM_L1)) / first.size


class StillFilter:
    """Keeps a picture when it differs enough from the last one kept, so that slow movement adds up and is kept too.

    Parameters
    ----------
    threshold
        Least mean absolute difference in grey levels of 255; None keeps everything.

    Attributes
    ----------
    dropped
        How many pictures were not kept so far.
    """

    def __init__(self, threshold: float | None) -> None:
        self.dropped = 0
        self._threshold = threshold
        self._last: Images | None = None

    def keeps(self, picture: Images) -> bool:
        """Whether the next (H, W, C) uint8 picture is to be kept; the first always is."""
        if self._threshold is None:
            return True
        if self._last is not None and mean_difference(picture, self._last) < self._threshold:
            self.dropped += 1
            return False
        self._last = picture
        return True

    def begin(self) -> None:
        """Begin another film: its first picture is kept."""
        self._last = None
