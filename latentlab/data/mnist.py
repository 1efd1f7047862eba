"""MNIST (LeCun et al. 1998), Fashion-MNIST (Xiao et al. 2017) and Kuzushiji-MNIST (Clanuwat et al. 2018)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.data.download import downloads_dir, fetch
from latentlab.data.idx import read_idx
from latentlab.data.pictures import channels_of, fit_array
from latentlab.data.progress import Ticker
from latentlab.data.source import Contents, Source, Store, file_identity, spread
from latentlab.data.spec import FIELD, DataSpec, missing

PARTS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class MnistSource(Source):
    """``mnist`` or ``mnist:DIR``: torchvision's layout, DIR being its root, ``MNIST`` in it, or ``raw`` in that.

    The files may be packed or not and are only read. The split is the published one: 60,000 and 10,000.
    """

    kind: ClassVar[str] = "mnist"
    home: ClassVar[str] = "MNIST"  # torchvision's class and folder
    names: ClassVar[tuple[str, ...]] = tuple("0123456789")

    def __init__(self, argument: str, config: DataConfig) -> None:
        super().__init__(argument, config)
        self.files: list[Path] = []
        if argument:
            self.files = self._locate(DataSpec(self.kind, argument))

    def _locate(self, spec: DataSpec) -> list[Path]:
        root = spec.path
        if not root.is_dir():
            raise missing(spec, "folder")
        for folder in (root / self.home / "raw", root / "raw", root):
            files = _files_in(folder)
            # A folder that names another set of the same layout is that set, whatever was asked for.
            if len(files) == len(PARTS) and _owner(folder) in (None, self.home):
                return files
        raise InputError(f"{root} does not hold {self.home}", where=FIELD, hint=self._hint(root))

    def _hint(self, root: Path) -> str:
        for kind in (MnistSource, FashionMnistSource, KuzushijiSource):
            places = (root / kind.home / "raw", root / "raw", root)
            if any(_files_in(p) and _owner(p) == kind.home for p in places) and kind is not type(self):
                return f"Did you mean {kind.kind}:{root}?"
        return f"The folder that contains {self.home}/raw/{PARTS[0]}.gz is meant."

    def identity(self) -> Any:
        """Return the files' sizes and times, or a constant for the published set."""
        return [file_identity(path.resolve()) for path in self.files] or "published"

    def decode(self, store: Store, progress: ProgressSink) -> Contents:
        """Read the four files, fetching them first when no folder was named."""
        files = self.files or self._fetch(progress)
        arrays = [read_idx(path) for path in files]
        self._check(arrays, files)
        pictures = np.concatenate([arrays[0], arrays[2]])[..., None]
        labels = np.concatenate([arrays[1], arrays[3]]).astype(np.int64)
        rows = spread(len(pictures), self.config.limit)
        out = store.allocate(len(rows), *self.config.size, channels_of(self.config, 1))
        ticker = Ticker(progress, f"Reading {self.home}", len(rows))
        fit_array(pictures[rows], self.config, out, ticker, where=self.home)
        return Contents(labels=labels[rows], class_names=self.names, is_test=rows >= len(arrays[0]))

    def _fetch(self, progress: ProgressSink) -> list[Path]:
        import torchvision  # Here, because it takes seconds and only a download needs its addresses.

        published = getattr(torchvision.datasets, self.home)
        folder = downloads_dir() / self.home / "raw"
        for name, md5 in published.resources:
            urls = [f"{mirror}{name}" for mirror in published.mirrors]
            fetch(urls, folder / name, md5, progress, spec=self.kind)
        return _files_in(folder)

    def _check(self, arrays: list[Any], files: list[Path]) -> None:
        for i in (0, 2):
            pictures, labels = arrays[i], arrays[i + 1]
            if pictures.ndim != 3 or labels.shape != pictures.shape[:1] or labels.max() >= len(self.names):
                raise InputError(
                    f"{files[i].name} and {files[i + 1].name} do not belong together", where=str(files[i].parent)
                )


class FashionMnistSource(MnistSource):
    """``fashion-mnist`` or ``fashion-mnist:DIR``."""

    kind = "fashion-mnist"
    home = "FashionMNIST"
    names = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


class KuzushijiSource(MnistSource):
    """``kmnist`` or ``kmnist:DIR``; classes by the sound of the character."""

    kind = "kmnist"
    home = "KMNIST"
    names = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


def _files_in(folder: Path) -> list[Path]:
    """Return the four files in ``folder``, unpacked ones first; empty when one is missing."""
    found = [next((p for p in (folder / part, folder / f"{part}.gz") if p.is_file()), None) for part in PARTS]
    return [path for path in found if path is not None] if None not in found else []


def _owner(folder: Path) -> str | None:
    """Return the set that a ``raw`` folder belongs to by its parent's name, or None when that says nothing."""
    name = folder.resolve().parent.name
    return name if name in ("MNIST", "FashionMNIST", "KMNIST", "EMNIST", "QMNIST") else None
