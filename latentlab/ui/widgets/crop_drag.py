"""Moving and resizing a region of a picture with the mouse: pure arithmetic in the picture's pixels, no Qt."""

from __future__ import annotations

from dataclasses import dataclass

from latentlab.core.video_messages import Crop

MOVE, NEW = "move", "new"
EDGES = ("nw", "n", "ne", "w", "e", "sw", "s", "se")
LEAST = 4
"""No region smaller than this many pixels on a side."""


@dataclass(frozen=True, slots=True)
class CropDrag:
    """A drag that began at ``origin`` (x, y) with the region ``crop``, holding ``part``: an edge, corner, the inside.

    ``frame`` is (width, height) of the picture. ``aspect`` is the width over height that a region close to it,
    within ``reach`` pixels of the picture, is given; None for none.
    """

    part: str
    origin: tuple[float, float]
    crop: Crop
    frame: tuple[int, int]
    aspect: float | None = None
    reach: float = 0.0

    def to(self, x: float, y: float) -> Crop:
        """Return the region when the pointer is at (x, y)."""
        if self.part == MOVE:
            return self._moved(x - self.origin[0], y - self.origin[1])
        if self.part == NEW:
            return self._spanned(self.origin, (x, y), free=(True, True))
        left, top, width, height = self.crop
        right, bottom = left + width, top + height
        dx, dy = x - self.origin[0], y - self.origin[1]
        # The corner opposite to the one that is held stays; of an edge, the middle of the other one's line.
        fixed = (right if "w" in self.part else left, bottom if "n" in self.part else top)
        moving = (
            left + dx if "w" in self.part else right + (dx if "e" in self.part else 0),
            top + dy if "n" in self.part else bottom + (dy if "s" in self.part else 0),
        )
        return self._spanned(fixed, moving, free=(bool({"w", "e"} & set(self.part)), bool({"n", "s"} & set(self.part))))

    def _moved(self, dx: float, dy: float) -> Crop:
        x, y, width, height = self.crop
        left = self._snapped(x + dx, (0, self.frame[0] - width))
        top = self._snapped(y + dy, (0, self.frame[1] - height))
        return (
            min(max(0, round(left)), self.frame[0] - width),
            min(max(0, round(top)), self.frame[1] - height),
            width,
            height,
        )

    def _spanned(self, fixed: tuple[float, float], moving: tuple[float, float], free: tuple[bool, bool]) -> Crop:
        """Return the region between a corner that stays and one that moves, at its aspect where it is close to it."""
        x = self._snapped(moving[0], (0, self.frame[0])) if free[0] else moving[0]
        y = self._snapped(moving[1], (0, self.frame[1])) if free[1] else moving[1]
        x, y = min(max(0.0, x), self.frame[0]), min(max(0.0, y), self.frame[1])
        width, height = self._with_aspect(abs(x - fixed[0]), abs(y - fixed[1]), free)
        leftwards, upwards = x < fixed[0], y < fixed[1]
        room_x = fixed[0] if leftwards else self.frame[0] - fixed[0]
        room_y = fixed[1] if upwards else self.frame[1] - fixed[1]
        columns = round(min(max(width, LEAST), max(room_x, 1)))
        rows = round(min(max(height, LEAST), max(room_y, 1)))
        left = round(fixed[0]) - columns if leftwards else round(fixed[0])
        top = round(fixed[1]) - rows if upwards else round(fixed[1])
        left = min(max(0, left), self.frame[0] - 1)
        top = min(max(0, top), self.frame[1] - 1)
        return left, top, max(1, min(columns, self.frame[0] - left)), max(1, min(rows, self.frame[1] - top))

    def _with_aspect(self, width: float, height: float, free: tuple[bool, bool]) -> tuple[float, float]:
        if self.aspect is None:
            return width, height
        if free[0] and abs(width - height * self.aspect) <= self.reach:
            return height * self.aspect, height
        if free[1] and abs(height - width / self.aspect) <= self.reach:
            return width, width / self.aspect
        return width, height

    def _snapped(self, value: float, lines: tuple[float, float]) -> float:
        """Return the nearest of two lines when it is within reach."""
        nearest = min(lines, key=lambda line: abs(line - value))
        return nearest if abs(nearest - value) <= self.reach else value


def part_at(crop: Crop | None, x: float, y: float, reach: float) -> str:
    """Return which part of a region is under a point: an edge or corner within ``reach``, the inside, or ``new``."""
    if crop is None:
        return NEW
    left, top, width, height = crop
    right, bottom = left + width, top + height
    if not (left - reach <= x <= right + reach and top - reach <= y <= bottom + reach):
        return NEW
    # Of a small region the inside must stay within the pointer's reach.
    across, down = min(reach, width / 3), min(reach, height / 3)
    rows = "n" if y <= top + down else "s" if y >= bottom - down else ""
    columns = "w" if x <= left + across else "e" if x >= right - across else ""
    return rows + columns or MOVE


def nudged(crop: Crop, frame: tuple[int, int], dx: int, dy: int, *, resize: bool) -> Crop:
    """Return a region moved, or with ``resize`` grown at its right and lower edge, by whole pixels."""
    x, y, width, height = crop
    if resize:
        return x, y, min(max(1, width + dx), frame[0] - x), min(max(1, height + dy), frame[1] - y)
    return min(max(0, x + dx), frame[0] - width), min(max(0, y + dy), frame[1] - height), width, height
