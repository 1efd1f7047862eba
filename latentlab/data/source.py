"""What a data source has to offer: an identity for the cache key, and its decoded contents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Images, Ints, ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.data.dataset import Attributes
from latentlab.data.splits import split_by_group, split_given, split_stratified


class Store(Protocol):
    """Where a source writes its pictures (see ``latentlab.data.cache``)."""

    def allocate(self, count: int, height: int, width: int, channels: int) -> Images:
        """Return a writable (count, height, width, channels) uint8 array on disk."""

    def append(self, picture: Images) -> None:
        """Add one (height, width, channels) uint8 picture to the file, where their number is not known before.

        Memory does not grow with their number. Not to be mixed with ``allocate``.
        """

    def shrink(self, count: int, channels: int) -> None:
        """Keep the first ``count`` pictures and ``channels`` channels of what was allocated."""


@dataclass(frozen=True)
class Contents:
    """Everything a source knows about the pictures that it wrote to the store.

    ``groups``: (N,) pictures of one group (a battle) never part at the split.
    ``is_test``: (N,) bool, the split that the source itself prescribes.
    """

    labels: Ints | None = None
    class_names: tuple[str, ...] = ()
    attributes: Attributes | None = None
    attribute_names: tuple[str, ...] = ()
    factors: Mapping[str, npt.NDArray[np.generic]] = field(default_factory=dict)
    groups: Ints | None = None
    is_test: npt.NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()


class Source(ABC):
    """One kind of data. Making one checks the argument; ``decode`` does the work.

    ``uses`` names the settings of ``DataConfig`` that change the decoded pictures; ``version`` is
    raised when the same settings give other pictures than before.
    """

    uses: ClassVar[tuple[str, ...]] = ("size", "crop", "colour", "limit")
    version: ClassVar[int] = 1

    def __init__(self, argument: str, config: DataConfig) -> None:
        self.argument = argument
        self.config = config

    @abstractmethod
    def identity(self) -> Any:
        """Return what the pictures depend on besides settings, as JSON-able values."""

    @abstractmethod
    def decode(self, store: Store, progress: ProgressSink) -> Contents:
        """Write all pictures to ``store`` and return what is known about them.

        Raises
        ------
        InputError
            If the source cannot be read as what it claims to be.
        Cancelled
            When ``progress`` says so.
        """

    def split(self, contents: Contents, count: int, test_fraction: float, seed: int) -> tuple[Ints, Ints]:
        """Return train and test rows: as prescribed, else by whole groups, else stratified by class."""
        if contents.is_test is not None:
            return split_given(contents.is_test)
        if contents.groups is not None:
            return split_by_group(contents.groups, contents.labels, test_fraction, seed)
        return split_stratified(count, contents.labels, test_fraction, seed)


def file_identity(path: Path) -> list[str | int]:
    """Return path, size in bytes and modification time in ns: what tells one state of a file from another."""
    stat = path.stat()
    return [str(path), stat.st_size, stat.st_mtime_ns]


def spread(count: int, limit: int | None) -> Ints:
    """Return at most ``limit`` of ``range(count)``, evenly spread, so that sorted classes keep their shares."""
    if limit is None or limit >= count:
        return np.arange(count, dtype=np.int64)
    return np.arange(limit, dtype=np.int64) * count // limit
