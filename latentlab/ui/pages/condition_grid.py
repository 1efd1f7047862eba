"""The grid of styles as arithmetic: which z and class each cell has. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from latentlab.core.class_mixture import one_class
from latentlab.core.latent_state import sample_z
from latentlab.core.messages import DecodeRequest, Floats

MOST_CELLS = 400


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """What a column does to the style of its row.

    Attributes
    ----------
    name
        Its heading.
    label
        The class; of a mixture the one with the largest share; 0 for a model without classes.
    shares
        (K,) float32 of a mixture of classes; None for one class.
    shift
        (D,) float32 added to z; None for none.
    """

    name: str
    label: int = 0
    shares: Floats | None = None
    shift: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class StyleGrid:
    """Rows are styles, columns are classes or attributes; a row has one z.

    Attributes
    ----------
    z
        (S, D) float32, the style of each row.
    names
        A label for each row.
    columns
        What each column shows.
    conditional
        Whether the decoder is told a class.
    """

    z: Floats
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    conditional: bool = True

    @property
    def classes(self) -> int:
        """Number of columns."""
        return len(self.columns)

    @property
    def cells(self) -> int:
        """Number of pictures."""
        return len(self.z) * self.classes

    def z_of(self, row: int, column: int) -> Floats:
        """Return the z (D,) of a cell."""
        z: Floats = self.z[row]
        shift = self.columns[column].shift
        return z if shift is None else (z + shift).astype(np.float32)

    def request(self) -> DecodeRequest:
        """Return the request that decodes all cells, row by row."""
        rows, columns = range(len(self.z)), range(self.classes)
        z = np.ascontiguousarray(np.stack([self.z_of(row, column) for row in rows for column in columns]))
        if not self.conditional:
            return DecodeRequest(z)
        labels = np.tile(np.array([column.label for column in self.columns], dtype=np.int64), len(self.z))
        mixed = next((column.shares for column in self.columns if column.shares is not None), None)
        if mixed is None:
            return DecodeRequest(z, labels)
        shares = [one_class(c.label, len(mixed)) if c.shares is None else c.shares for c in self.columns]
        return DecodeRequest(z, labels, shares=np.tile(np.stack(shares), (len(self.z), 1)))

    def cell(self, index: int) -> tuple[int, int]:
        """Return (row, column) of a cell counted row by row."""
        return divmod(index, self.classes)

    def shifted(self, shift: Floats | None) -> StyleGrid:
        """Return the grid with every style moved."""
        return self if shift is None else replace(self, z=(self.z + shift).astype(np.float32))


def class_columns(names: Sequence[str], mixture: Floats | None = None, mixture_name: str = "mixture") -> list[Column]:
    """Return a column for each class, and one for a mixture of them."""
    columns = [Column(name, label) for label, name in enumerate(names)]
    if mixture is not None:
        columns.append(Column(mixture_name, int(mixture.argmax()), mixture))
    return columns


def attribute_columns(names: Sequence[str], moves_AD: Floats) -> list[Column]:
    """Return a column of the styles as they are, and one for each attribute with z moved along it."""
    return [Column("as is"), *(Column(name, shift=move) for name, move in zip(names, moves_AD, strict=True))]


def style_grid(
    dim: int,
    classes: int | Sequence[Column],
    styles: int,
    seed: int,
    temperature: float,
    image_z: Floats | None,
    image_name: str = "",
    *,
    conditional: bool = True,
) -> StyleGrid:
    """Return ``styles`` rows drawn from ``seed``, below the row of an encoded image where there is one.

    Row i of a seed is the same however many rows there are. Rows are left out where the grid would
    have more than ``MOST_CELLS`` pictures; at least one is kept. ``classes``: the columns, or a number of classes.
    """
    columns = tuple(class_columns([str(k) for k in range(classes)]) if isinstance(classes, int) else classes)
    draws = sample_z(seed, styles * dim, temperature).reshape(styles, dim)
    rows, names = list(draws), [f"style {i + 1}" for i in range(styles)]
    if image_z is not None:
        rows, names = [image_z, *rows], [image_name, *names]
    keep = max(1, min(len(rows), MOST_CELLS // max(1, len(columns))))
    z = np.ascontiguousarray(np.stack(rows[:keep]), dtype=np.float32)
    return StyleGrid(z, tuple(names[:keep]), columns, conditional)
