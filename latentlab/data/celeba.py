"""CelebA (Liu et al. 2015): 202,599 aligned faces of 178x218 with forty binary attributes."""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from latentlab.core.errors import InputError
from latentlab.core.messages import ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.data.attributes import find_table, read_table
from latentlab.data.download import downloads_dir, fetch
from latentlab.data.files import Opener, decode_files, note_of
from latentlab.data.progress import Ticker
from latentlab.data.source import Contents, Source, Store, file_identity, spread
from latentlab.data.spec import FIELD, DataSpec, missing

PICTURES = "img_align_celeba"
PARTITION = "list_eval_partition"
NEEDED = (f"{PICTURES}.zip", "list_attr_celeba.txt", f"{PARTITION}.txt")
_TEST = "2"


class CelebaSource(Source):
    """``celeba`` or ``celeba:DIR``: torchvision's root, or the folder ``celeba`` in it.

    Pictures are read from ``img_align_celeba`` or straight from ``img_align_celeba.zip``. Partition 2 of
    ``list_eval_partition`` is the test side, when that file is there.
    """

    def __init__(self, argument: str, config: DataConfig) -> None:
        super().__init__(argument, config)
        self.root = downloads_dir() / "celeba"
        if argument:
            self.root = self._locate(DataSpec("celeba", argument))

    @staticmethod
    def _locate(spec: DataSpec) -> Path:
        if not spec.path.is_dir():
            raise missing(spec, "folder")
        for folder in (spec.path / "celeba", spec.path):
            if (folder / PICTURES).is_dir() or (folder / f"{PICTURES}.zip").is_file():
                return folder
        raise InputError(f"{spec.path} does not hold CelebA", where=FIELD,
                         hint=f"The folder that contains {PICTURES} or {PICTURES}.zip is meant; "
                              f"other faces: folder:{spec.path}.")  # fmt: skip

    def identity(self) -> Any:
        """Return size and time of archive, tables and picture folder, or a constant for the published set."""
        if not self.argument:
            return "published"
        places = [self.root / PICTURES, *(self.root / name for name in NEEDED)]
        return [file_identity(path.resolve()) for path in places if path.exists()]

    def decode(self, store: Store, progress: ProgressSink) -> Contents:
        """Decode the pictures, fetching them first when no folder was named."""
        if not self.argument:
            self._fetch(progress)
        names, openers = self._pictures()
        rows = spread(len(names), self.config.limit)
        names, openers = [names[i] for i in rows], [openers[i] for i in rows]
        path = find_table(self.root)
        table = read_table(path) if path else None
        ticker = Ticker(progress, "Reading CelebA", len(names))
        decoded = decode_files(names, openers, self.config, store, ticker)
        kept = [names[i] for i in decoded.kept]
        return Contents(
            attributes=table.of(kept) if table else None,
            attribute_names=table.names if table else (),
            is_test=self._partition(kept),
            notes=note_of(decoded),
        )

    def _pictures(self) -> tuple[list[str], list[Opener]]:
        """Return names in order, and what opens each; an archive of pictures need not be unpacked."""
        folder = self.root / PICTURES
        if folder.is_dir():
            files = sorted(folder.rglob("*.jpg"))
            if files:
                return [path.name for path in files], [partial(Path, path) for path in files]
        try:
            archive = zipfile.ZipFile(self.root / f"{PICTURES}.zip")
        except (OSError, zipfile.BadZipFile) as error:
            raise InputError(f"{PICTURES} cannot be read: {error}", where=str(self.root)) from None
        members = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        return [Path(name).name for name in members], [partial(archive.read, name) for name in members]

    def _partition(self, names: list[str]) -> npt.NDArray[np.bool_] | None:
        for suffix in (".txt", ".csv"):
            path = self.root / f"{PARTITION}{suffix}"
            if path.is_file():
                lines = (line.replace(",", " ").split() for line in path.read_text(encoding="utf-8").splitlines())
                side = {cells[0]: cells[1] for cells in lines if len(cells) == 2}
                is_test = np.array([side.get(name) == _TEST for name in names], dtype=bool)
                return is_test if 0 < is_test.sum() < len(is_test) else None
        return None

    def _fetch(self, progress: ProgressSink) -> None:
        from torchvision.datasets import CelebA

        for identifier, md5, name in CelebA.file_list:
            if name in NEEDED:
                url = f"https://drive.usercontent.google.com/download?id={identifier}&export=download&confirm=t"
                fetch([url], self.root / name, md5, progress, spec="celeba")
