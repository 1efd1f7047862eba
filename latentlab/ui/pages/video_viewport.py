"""Zoom and place that all panes share, and the grid the panes stand in: pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize

WHOLE_WITHIN = 0.08
MOST = 64.0
"""Largest magnification in pixels of the screen for one of the picture."""
FIT_WITHIN = 0.02


@dataclass(frozen=True, slots=True)
class Viewport:
    """Which part of a picture is in sight.

    ``zoom`` is the magnification as a multiple of the one at which the picture just fits; (``x``, ``y``) is the
    point of the picture, in shares of its width and height, in the middle of the pane.
    """

    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5

    @property
    def fits(self) -> bool:
        """Whether the whole picture is shown as large as it can be."""
        return abs(self.zoom - 1.0) < 1e-6

    def target(self, pane: QRectF) -> QRectF:
        """Return where the whole picture would lie, for a pane that it fits into exactly at zoom 1."""
        width, height = pane.width() * self.zoom, pane.height() * self.zoom
        middle = pane.center()
        return QRectF(middle.x() - self.x * width, middle.y() - self.y * height, width, height)

    def zoomed_at(self, pane: QRectF, point: QPointF, factor: float, most: float) -> Viewport:
        """Magnify ``factor`` times more, at most ``most``, the point under the pointer staying where it is."""
        zoom = min(max(most, 1.0), max(min(1.0, most), self.zoom * factor))
        if abs(zoom - 1.0) < FIT_WITHIN:
            return Viewport()
        before = self.target(pane)
        share_x = (point.x() - before.left()) / before.width()
        share_y = (point.y() - before.top()) / before.height()
        middle = pane.center()
        x = share_x - (point.x() - middle.x()) / (pane.width() * zoom)
        y = share_y - (point.y() - middle.y()) / (pane.height() * zoom)
        return Viewport(zoom, x, y).kept_inside()

    def at_zoom(self, zoom: float) -> Viewport:
        """Return the same place at another magnification."""
        return Viewport(zoom, self.x, self.y).kept_inside()

    def moved(self, pane: QRectF, dx: float, dy: float) -> Viewport:
        """Drag the picture by so many pixels."""
        x = self.x - dx / (pane.width() * self.zoom)
        return Viewport(self.zoom, x, self.y - dy / (pane.height() * self.zoom)).kept_inside()

    def kept_inside(self) -> Viewport:
        """Return the nearest viewport that shows nothing beyond the picture's edges; small pictures are centred."""
        if self.zoom <= 1.0:
            return Viewport(self.zoom)
        half = 0.5 / self.zoom
        return Viewport(self.zoom, min(max(half, self.x), 1 - half), min(max(half, self.y), 1 - half))


@dataclass(frozen=True, slots=True)
class PaneGrid:
    """``columns`` of panes of one ``size``, the first at ``corner`` (logical pixels), magnified ``scale`` times."""

    columns: int
    scale: float
    size: QSize
    corner: QPoint
    gap: int
    caption: int

    def rect(self, place: int) -> QRect:
        """Return the pane at a place, counted row by row."""
        row, column = divmod(place, self.columns)
        step = QPoint(column * (self.size.width() + self.gap), row * (self.size.height() + self.gap + self.caption))
        return QRect(self.corner + step, self.size)


def arrange_panes(
    picture: QSize, count: int, area: QSize, ratio: float, *, gap: int, caption: int, margin: int
) -> PaneGrid:
    """Return the grid with the largest panes; of equal ones that with the fewest empty places.

    ``ratio`` is the number of device pixels to a logical one.
    """

    def fit(columns: int) -> tuple[PaneGrid, int]:
        rows = -(-count // columns)
        room_x = (area.width() - 2 * margin - (columns - 1) * gap) / columns
        room_y = (area.height() - (rows - 1) * gap) / rows - caption
        scale = max(0.05, min(room_x * ratio / picture.width(), room_y * ratio / picture.height()))
        # Close to a whole number every pixel becomes a perfect square for next to no room.
        if scale >= 2 and scale - int(scale) < WHOLE_WITHIN:
            scale = float(int(scale))
        width = max(1, int(picture.width() * scale / ratio))
        height = max(1, int(picture.height() * scale / ratio))
        left = (area.width() - columns * width - (columns - 1) * gap) // 2
        top = (area.height() - rows * (height + caption) - (rows - 1) * gap) // 2 + caption
        grid = PaneGrid(columns, scale, QSize(width, height), QPoint(left, top), gap, caption)
        return grid, columns * rows - count

    options = [fit(columns) for columns in range(1, count + 1)]
    return max(options, key=lambda option: (option[0].scale, -option[1], option[0].columns))[0]
