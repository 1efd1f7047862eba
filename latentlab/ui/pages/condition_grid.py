"""The class × style grid as arithmetic: which z and class each cell has. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentlab.core.latent_state import sample_z
from latentlab.core.messages import DecodeRequest, Floats

MOST_CELLS = 400


@dataclass(frozen=True, slots=True, eq=False)
class StyleGrid:
    """Rows are styles, columns are classes; a row has one z.

    Attributes
    ----------
    z
        (S, D) float32, the style of each row.
    names
        A label for each row.
    classes
        Number of columns.
    """

    z: Floats
    names: tuple[str, ...]
    classes: int

    @property
    def cells(self) -> int:
        """Number of pictures."""
        return len(self.z) * self.classes

    def request(self) -> DecodeRequest:
        """Return the request that decodes all cells, row by row."""
        z = np.repeat(self.z, self.classes, axis=0)
        labels = np.tile(np.arange(self.classes, dtype=np.int64), len(self.z))
        return DecodeRequest(z, labels)

    def cell(self, index: int) -> tuple[int, int]:
        """Return (row, class) of a cell counted row by row."""
        return divmod(index, self.classes)


def style_grid(
    dim: int, classes: int, styles: int, seed: int, temperature: float, image_z: Floats | None, image_name: str = ""
) -> StyleGrid:
    """Return ``styles`` rows drawn from ``seed``, below the row of an encoded image where there is one.

    Row i of a seed is the same however many rows there are. Rows are left out where the grid would
    have more than ``MOST_CELLS`` pictures; at least one is kept.
    """
    draws = sample_z(seed, styles * dim, temperature).reshape(styles, dim)
    rows, names = list(draws), [f"style {i + 1}" for i in range(styles)]
    if image_z is not None:
        rows, names = [image_z, *rows], [image_name, *names]
    keep = max(1, min(len(rows), MOST_CELLS // max(1, classes)))
    return StyleGrid(np.ascontiguousarray(np.stack(rows[:keep]), dtype=np.float32), tuple(names[:keep]), classes)
