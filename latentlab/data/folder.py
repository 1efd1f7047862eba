"""A folder of pictures: a class per sub-folder where there are any, attributes where a table lies beside them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Ints, ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.data.attributes import AttributeTable, find_table, read_table
from latentlab.data.files import decode_files, note_of
from latentlab.data.progress import Ticker
from latentlab.data.source import Contents, Source, Store, file_identity, spread
from latentlab.data.spec import FIELD, IMAGE_SUFFIXES, DataSpec, missing, spec_for_path

_TRAIN = frozenset({"train", "training"})
_TEST = frozenset({"test", "testing", "val", "valid", "validation"})


@dataclass(frozen=True)
class Picture:
    """One file: its path relative to the folder with ``/``, its class folder ("" for none), and its side."""

    file: str
    group: str
    is_test: bool | None


class FolderSource(Source):
    """``folder:DIR``, for example ``folder:~/pictures``.

    ``DIR/train`` and ``DIR/test`` (or ``val``), when both are there, prescribe the split. A picture
    beside class folders belongs to no class (-1). A single sub-folder is not a class.
    """

    def __init__(self, argument: str, config: DataConfig) -> None:
        super().__init__(argument, config)
        spec = DataSpec("folder", argument)
        self.root = spec.path
        if not self.root.is_dir():
            raise missing(spec, "folder")
        found = scan(self.root)
        if not found:
            raise self._nothing()
        self.pictures = [found[i] for i in spread(len(found), config.limit)]
        self.table_path = find_table(self.root) or find_table((self.root / found[0].file).parent)

    def _nothing(self) -> InputError:
        better = spec_for_path(self.root)
        hint = f"Did you mean {better}?" if better and not better.startswith("folder:") else ""
        kinds = " ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
        return InputError(
            f"{self.root} holds no pictures", where=FIELD, hint=hint or f"Pictures are files that end in {kinds}."
        )

    def identity(self) -> Any:
        """Return name, size and time of every file, so that a changed folder is decoded again."""
        table = [file_identity(self.table_path)] if self.table_path else []
        return [str(self.root.resolve()), [file_identity(self.root / p.file) for p in self.pictures], table]

    def decode(self, store: Store, progress: ProgressSink) -> Contents:
        """Decode every file; those that are no pictures are left out and counted."""
        files = [picture.file for picture in self.pictures]
        table = self._table(files)
        ticker = Ticker(progress, "Reading pictures", len(files))
        decoded = decode_files(files, [partial(Path, self.root, file) for file in files], self.config, store, ticker)
        kept = [self.pictures[i] for i in decoded.kept]
        labels, names = _classes(kept)
        sides = [picture.is_test for picture in kept]
        return Contents(
            labels=labels,
            class_names=names,
            attributes=table.of([picture.file for picture in kept]) if table else None,
            attribute_names=table.names if table else (),
            is_test=np.array(sides, dtype=bool) if True in sides and False in sides else None,
            notes=note_of(decoded),
        )

    def _table(self, files: list[str]) -> AttributeTable | None:
        if self.table_path is None:
            return None
        table = read_table(self.table_path)
        if not table.knows(files):
            first = next(iter(table.rows))
            raise InputError(
                f"{self.table_path.name} names none of the pictures: it has {first}, the folder {files[0]}",
                where=str(self.table_path),
            )
        return table


def scan(root: Path) -> list[Picture]:
    """Return the pictures under ``root`` in order of their paths, with class and side; hidden ones are passed over."""
    found: list[Picture] = []
    tops = {entry.name for entry in os.scandir(root) if entry.is_dir()}
    seen = {os.path.realpath(root)}
    prescribed = bool(tops & _TRAIN) and bool(tops & _TEST) and tops <= _TRAIN | _TEST
    for folder, folders, files in os.walk(root, followlinks=True):
        visible = sorted(f for f in folders if not f.startswith((".", "__MACOSX")))
        folders[:] = [f for f in visible if _is_new(os.path.join(folder, f), seen)]
        inside = Path(folder).relative_to(root).parts
        side = inside[0] in _TEST if prescribed and inside else None
        group = inside[prescribed] if len(inside) > prescribed else ""
        found += [
            Picture("/".join((*inside, file)), group, side) for file in sorted(files) if _is_picture(folder, file)
        ]
    return found


def _is_new(folder: str, seen: set[str]) -> bool:
    """Whether ``folder`` was not walked before: a link back to a parent would be walked for ever."""
    real = os.path.realpath(folder)
    if real in seen:
        return False
    seen.add(real)
    return True


def _is_picture(folder: str, file: str) -> bool:
    if file.startswith(".") or os.path.splitext(file)[1].lower() not in IMAGE_SUFFIXES:
        return False
    return os.path.exists(os.path.join(folder, file))  # A link may lead nowhere.


def _classes(pictures: list[Picture]) -> tuple[Ints | None, tuple[str, ...]]:
    """Return labels and class names; names that are all numbers are sorted as numbers."""
    groups = {picture.group for picture in pictures} - {""}
    if len(groups) < 2:
        return None, ()
    names = sorted(groups, key=int) if all(name.isdecimal() for name in groups) else sorted(groups)
    number = {name: i for i, name in enumerate(names)}
    return np.array([number.get(picture.group, -1) for picture in pictures], dtype=np.int64), tuple(names)
