"""Scikit-learn's 1,797 handwritten digits (Alpaydin and Kaynak 1998), 8x8 pixels in 17 greys, ten classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from latentlab.core.messages import ProgressSink
from latentlab.data.pictures import channels_of, fit_array
from latentlab.data.progress import Ticker
from latentlab.data.source import Contents, Source, Store, spread

FULL_SCALE = 16.0  # The scans count ink in 4x4 blocks: 0 to 16.


class DigitsSource(Source):
    """The digits, enlarged smoothly and aligned: averaging back to 8x8 gives nearly the scan again."""

    uses = ("size", "colour", "limit")

    def identity(self) -> Any:
        """Return a constant: the digits come with scikit-learn and do not change."""
        return "scikit-learn digits"

    def decode(self, store: Store, progress: ProgressSink) -> Contents:
        """Write the digits to ``store``; labels are the digits themselves."""
        from sklearn.datasets import load_digits  # Here, because importing it takes about a second.

        scans, labels = load_digits(return_X_y=True)
        rows = spread(len(scans), self.config.limit)
        small = np.round(scans[rows].reshape(-1, 8, 8, 1) * (255.0 / FULL_SCALE)).astype(np.uint8)
        images = store.allocate(len(rows), *self.config.size, channels_of(self.config, 1))
        fit_array(small, self.config, images, Ticker(progress, "Enlarging digits", len(rows)))
        names = tuple(str(digit) for digit in range(10))
        return Contents(labels=labels[rows].astype(np.int64), class_names=names)
