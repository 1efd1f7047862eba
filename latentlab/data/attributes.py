"""Binary attributes from a table: ``attributes.csv``, or a list laid out like CelebA's ``list_attr_celeba.txt``."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from latentlab.core.errors import InputError
from latentlab.data.dataset import Attributes

_VALUES = {"1": 1, "0": 0, "-1": -1, "": -1, "true": 1, "false": 0, "yes": 1, "no": 0, "1.0": 1, "0.0": 0, "-1.0": -1}
_PATTERNS = ("attributes.csv", "list_attr*.txt", "list_attr*.csv")


@dataclass(frozen=True)
class AttributeTable:
    """Attributes by file: ``rows`` maps a file's name to its values (1 present, 0 absent, -1 missing)."""

    names: tuple[str, ...]
    rows: dict[str, tuple[int, ...]]

    def of(self, files: Sequence[str]) -> Attributes:
        """Return (len(files), A) int8; a file is looked up by its relative path, then by its name."""
        missing = (-1,) * len(self.names)
        found = [self.rows.get(file, self.rows.get(PurePosixPath(file).name, missing)) for file in files]
        return np.array(found, dtype=np.int8).reshape(len(files), len(self.names))

    def knows(self, files: Sequence[str]) -> bool:
        """Whether the table has a row for any of ``files``."""
        return any(file in self.rows or PurePosixPath(file).name in self.rows for file in files)


def find_table(folder: Path) -> Path | None:
    """Return the attribute table that lies in ``folder``, or None."""
    for pattern in _PATTERNS:
        for path in sorted(folder.glob(pattern)):
            return path
    return None


def read_table(path: Path) -> AttributeTable:
    """Read an attribute table: a header with the names, then a file name and its values in each row.

    Values are 1, 0 (or yes, no, true, false) and -1 or nothing for missing; in a table without any 0,
    as CelebA's, -1 means absent.

    Raises
    ------
    InputError
        Naming the line if a row has too few values or a value is not binary.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} cannot be read: {error}", where=str(path)) from None
    if path.suffix.lower() == ".csv":
        lines = [(i, row) for i, row in enumerate(csv.reader(text.splitlines()), 1) if row]
        header, body = (lines[0][1][1:], lines[1:]) if lines else ([], [])
    else:
        split = [(i, line.split()) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
        header, body = (split[1][1], split[2:]) if len(split) > 1 else ([], [])
    names = tuple(name.strip() for name in header)
    if not names or not body:
        raise InputError(
            f"{path.name} holds no attributes",
            where=str(path),
            hint="The header names them: file,Smiling,Glasses; each row is a file name and 1 or 0 for each.",
        )
    rows = {row[0].strip().replace("\\", "/"): _values(row[1:], names, path, line) for line, row in body}
    if not any(0 in values for values in rows.values()):
        rows = {file: tuple(max(value, 0) for value in values) for file, values in rows.items()}
    return AttributeTable(names, rows)


def _values(cells: Sequence[str], names: tuple[str, ...], path: Path, line: int) -> tuple[int, ...]:
    if len(cells) != len(names):
        raise InputError(
            f"{path.name} has {len(cells)} values in line {line}, and {len(names)} attributes",
            where=f"{path}:{line}",
        )
    try:
        return tuple(_VALUES[cell.strip().lower()] for cell in cells)
    except KeyError as error:
        raise InputError(
            f"{path.name} has {error.args[0]!r} in line {line}, which is not 1, 0 or -1", where=f"{path}:{line}"
        ) from None
