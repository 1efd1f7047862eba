"""The lattice: the plane decoded on a grid, as a ground for the dots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from latentlab.core.latent_map import MapLayout
from latentlab.core.messages import Floats, Images
from latentlab.core.point_raster import Viewport
from latentlab.ui.views.picture import to_qimage

CELL_PX = 56
MOST_CELLS = 400


@dataclass(frozen=True, eq=False)
class Lattice:
    """Rectangles of the plane (y upwards) and the z at their middles, (N, D)."""

    layout: MapLayout
    areas: tuple[QRectF, ...]
    z: Floats

    def cells(self, pictures: Images) -> list[tuple[QRectF, QImage]]:
        """Return each rectangle with its picture."""
        return [(area, to_qimage(picture)) for area, picture in zip(self.areas, pictures, strict=True)]


def lattice_of(layout: MapLayout, view: Viewport, aspect: float) -> Lattice:
    """Return a grid over what a view shows, with cells of about 56 pixels and the pictures' height by width."""
    wide = CELL_PX
    while (view.width // wide + 1) * (view.height // max(1, round(wide * aspect)) + 1) > MOST_CELLS:
        wide += 8
    tall = max(1, round(wide * aspect))
    columns, rows = view.width // wide + 1, view.height // tall + 1
    left, top = (view.width - columns * wide) / 2, (view.height - rows * tall) / 2
    areas, places = [], []
    for row in range(rows):
        for column in range(columns):
            x, y = view.to_plane(left + column * wide, top + (row + 1) * tall)
            area = QRectF(x, y, wide / view.scale, tall / view.scale)
            areas.append(area)
            places.append((area.center().x(), area.center().y()))
    return Lattice(layout, tuple(areas), layout.lift(np.array(places)))
