"""Where each picture of a mosaic goes: pure arithmetic, no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

SHARP_FROM = 2.0
"""Pictures that fit at this magnification or more are magnified by a whole number, pixels kept square."""


@dataclass(frozen=True, slots=True)
class MosaicLayout:
    """A grid of equal cells in device pixels.

    ``scale`` is the magnification; ``sharp`` tells whether it is a whole number drawn without
    interpolation. ``left``/``top`` is the first picture's corner; ``step_x``/``step_y`` lead from one
    picture to the next; ``group_gap`` is added after every ``group`` rows.
    """

    columns: int
    rows: int
    scale: float
    sharp: bool
    width: int
    height: int
    left: int
    top: int
    step_x: int
    step_y: int
    group: int = 1
    group_gap: int = 0

    def corner(self, index: int) -> tuple[int, int]:
        """Return the top left corner of picture ``index`` (row by row)."""
        row, column = divmod(index, self.columns)
        return self.left + column * self.step_x, self.top + row * self.step_y + row // self.group * self.group_gap

    def index_at(self, x: float, y: float, count: int) -> int | None:
        """Return which of ``count`` pictures covers the point, or None."""
        for index in range(count):
            left, top = self.corner(index)
            if left <= x < left + self.width and top <= y < top + self.height:
                return index
        return None


def whole_or_smooth(fit: float) -> tuple[float, bool]:
    """Return the magnification to use where ``fit`` is the largest that fits, and whether it is sharp.

    From ``SHARP_FROM`` on it is a whole number. Below, where rounding down would waste much of the
    room, it is ``fit`` itself, drawn smoothly; exactly 1 where that is close.
    """
    if fit >= SHARP_FROM:
        return float(math.floor(fit)), True
    if 1.0 <= fit < 1.15:
        return 1.0, True
    return fit, False


@dataclass(frozen=True, slots=True)
class MosaicRequest:
    """What is to be laid out, in device pixels: ``count`` pictures of one size in an area.

    ``below`` is the room a caption needs under each picture, ``left`` and ``above`` that of the row
    and column labels, ``group`` the number of rows that belong together (1: none do).
    """

    count: int
    picture: tuple[int, int]  # width, height
    area: tuple[int, int]  # width, height
    columns: int | None = None
    gap: int = 4
    below: int = 0
    left: int = 0
    above: int = 0
    group: int = 1
    group_gap: int = 0


def arrange(request: MosaicRequest) -> MosaicLayout:
    """Return the layout with the largest pictures; among equals, the one with the fewest empty cells."""
    count = max(1, request.count)
    if request.columns is not None:
        return _fixed(request, max(1, request.columns))
    options = (_fixed(request, columns) for columns in range(1, count + 1))
    return max(options, key=lambda option: (option.scale, -(option.columns * option.rows - count), option.columns))


def _fixed(request: MosaicRequest, columns: int) -> MosaicLayout:
    width, height = request.picture
    rows = math.ceil(max(1, request.count) / columns)
    groups = math.ceil(rows / request.group)
    room_x = request.area[0] - request.left - (columns - 1) * request.gap
    spare_y = request.above + (rows - 1) * request.gap + rows * request.below
    room_y = request.area[1] - spare_y - (groups - 1) * request.group_gap
    fit = max(min(room_x / (columns * width), room_y / (rows * height)), 1.0 / max(width, height))
    scale, sharp = whole_or_smooth(fit)
    shown_w, shown_h = max(1, int(width * scale)), max(1, int(height * scale))
    step_x, step_y = shown_w + request.gap, shown_h + request.gap + request.below
    used_x = request.left + columns * step_x - request.gap
    used_y = request.above + rows * step_y - request.gap + (groups - 1) * request.group_gap
    left = request.left + max(0, (request.area[0] - used_x) // 2)
    top = request.above + max(0, (request.area[1] - used_y) // 2)
    return MosaicLayout(
        columns, rows, scale, sharp, shown_w, shown_h, left, top, step_x, step_y, request.group, request.group_gap
    )
