"""CIFAR-10 (Krizhevsky 2009): 60,000 colour pictures of 32x32, ten classes, from the published Python batches."""

from __future__ import annotations

import io
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, Ints, ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.data.download import downloads_dir, fetch
from latentlab.data.pictures import channels_of, fit_array
from latentlab.data.progress import Ticker
from latentlab.data.source import Contents, Source, Store, file_identity, spread
from latentlab.data.spec import FIELD, DataSpec, missing

FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class _ArraysOnly(pickle.Unpickler):
    """Reads pickled dictionaries of numbers and arrays and refuses everything that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module.split(".")[0], name) == ("numpy", "_reconstruct"):
            return np.ndarray.__new__
        if (module, name) in {("numpy", "ndarray"), ("numpy", "dtype")}:
            return getattr(np, name)
        if (module, name) == ("_codecs", "encode"):
            return _encode
        raise pickle.UnpicklingError(f"{module}.{name} does not belong into a batch of CIFAR-10")


def _encode(text: str, encoding: str) -> bytes:
    return text.encode(encoding)


class CifarSource(Source):
    """``cifar10`` or ``cifar10:DIR``: torchvision's root, the folder of batches in it, or the archive beside it."""

    def __init__(self, argument: str, config: DataConfig) -> None:
        super().__init__(argument, config)
        self.files: list[Path] = []
        if argument:
            self.files = self._locate(DataSpec("cifar10", argument))

    def _locate(self, spec: DataSpec) -> list[Path]:
        if not spec.path.is_dir():
            raise missing(spec, "folder")
        for folder in (spec.path / FOLDER, spec.path):
            files = [folder / name for name in BATCHES]
            if all(path.is_file() for path in files):
                return files
        if (spec.path / ARCHIVE).is_file():
            return [spec.path / ARCHIVE]
        raise InputError(f"{spec.path} does not hold CIFAR-10", where=FIELD,
                         hint=f"The folder that contains {FOLDER} or {ARCHIVE} is meant.")  # fmt: skip

    def identity(self) -> Any:
        """Return the files' sizes and times, or a constant for the published set."""
        return [file_identity(path.resolve()) for path in self.files] or "published"

    def decode(self, store: Store, progress: ProgressSink) -> Contents:
        """Read five training batches and the test batch, fetching them first when no folder was named."""
        files = self.files or [self._fetch(progress)]
        ticker = Ticker(progress, "Unpacking CIFAR-10", len(BATCHES))
        parts = []
        for i, raw in enumerate(_raw_batches(files)):
            parts.append(_read_batch(raw, BATCHES[i]))
            ticker.at(i + 1)
        pictures = np.concatenate([images for images, _ in parts])
        labels = np.concatenate([numbers for _, numbers in parts])
        rows = spread(len(pictures), self.config.limit)
        out = store.allocate(len(rows), *self.config.size, channels_of(self.config, 3))
        fit_array(pictures[rows], self.config, out, Ticker(progress, "Reading CIFAR-10", len(rows)), where="CIFAR-10")
        first_test = len(pictures) - len(parts[-1][0])
        return Contents(labels=labels[rows], class_names=NAMES, is_test=rows >= first_test)

    @staticmethod
    def _fetch(progress: ProgressSink) -> Path:
        from torchvision.datasets import CIFAR10

        path = downloads_dir() / ARCHIVE
        fetch([CIFAR10.url], path, CIFAR10.tgz_md5, progress, spec="cifar10")
        return path


def _raw_batches(files: list[Path]) -> list[bytes]:
    """Return the bytes of the batches in order, from a folder's files or from the archive."""
    try:
        if files[0].name != ARCHIVE:
            return [path.read_bytes() for path in files]
        with tarfile.open(files[0]) as archive:
            members = [archive.extractfile(f"{FOLDER}/{name}") for name in BATCHES]
            return [member.read() for member in members if member is not None]
    except (OSError, EOFError, KeyError, tarfile.TarError, zlib.error) as error:
        raise InputError(f"{files[0].name} cannot be read: {error}", where=str(files[0])) from None


def _read_batch(raw: bytes, name: str) -> tuple[Images, Ints]:
    """Return (N, 32, 32, 3) pictures and (N,) labels of one batch."""
    try:
        batch = _ArraysOnly(io.BytesIO(raw), encoding="bytes").load()
        data, labels = np.asarray(batch[b"data"]), np.asarray(batch[b"labels"], dtype=np.int64)
        pictures = data.astype(np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        if len(pictures) != len(labels) or not 0 <= labels.min() <= labels.max() < len(NAMES):
            raise ValueError("pictures and labels do not belong together")
    except (pickle.UnpicklingError, EOFError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{name} is not a batch of CIFAR-10: {error}", where=name) from None
    return pictures, labels
