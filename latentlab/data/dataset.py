"""The one thing that training sees of any source: pictures in memory or on disk, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Images, Ints

Attributes = npt.NDArray[np.int8]
Factors = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Dataset:
    """Pictures with their split and whatever is known about each of them.

    Attributes
    ----------
    name
        The data spec, as a person typed it.
    images
        (N, H, W, C) uint8, C 1 or 3; a read-only memory map of the cache when the set is large.
    train_index, test_index
        Disjoint row numbers into ``images``, int64, ascending.
    labels
        (N,) int64 class numbers, -1 where unknown or hidden; None when there are no classes.
    truth
        The labels before any was hidden, for measuring only; None when there are no classes.
    class_names
        One name per class.
    attributes
        (N, A) int8: 1 present, 0 absent, -1 missing; None when there are none.
    attribute_names
        One name per attribute.
    factors
        Known causes of each picture by name, N values each (the arena gives them).
    fingerprint
        Identity of the decoded pictures: the same source and settings give the same text.
    notes
        Sentences about what was left out, such as files that are no pictures.
    """

    name: str
    images: Images
    train_index: Ints
    test_index: Ints
    labels: Ints | None = None
    class_names: tuple[str, ...] = ()
    attributes: Attributes | None = None
    attribute_names: tuple[str, ...] = ()
    factors: Factors = field(default_factory=dict)
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    truth: Ints | None = None

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of every picture."""
        _, height, width, channels = self.images.shape
        return int(height), int(width), int(channels)

    @property
    def num_classes(self) -> int:
        """Number of classes; 0 when there are none."""
        return len(self.class_names)
