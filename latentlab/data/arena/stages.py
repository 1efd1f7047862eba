"""The stages of the arena: where walls and water lie, and what the floor is made of.

Positions are shares of the field (0 to 1 in x and y, y down), so that a stage fits any picture;
radii and the thickness of walls are shares of the field's height, so that round things stay round.
Every stage is the same for both teams: turned by half a turn about its centre it covers itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Images

Colour = tuple[int, int, int]
Points = npt.NDArray[np.float64]
SHIFT = 4  # cv2 draws with 4 fractional bits: a sixteenth of a pixel.


@dataclass(frozen=True)
class Shape:
    """A box (width and height as shares of the field) or a disc (``width`` is its radius)."""

    kind: Literal["box", "disc"]
    x: float
    y: float
    width: float
    height: float = 0.0
    turn: float = 0.0

    def mirrored(self) -> Shape:
        """Return the shape turned by half a turn about the centre of the field."""
        return Shape(self.kind, 1 - self.x, 1 - self.y, self.width, self.height, self.turn)


@dataclass(frozen=True)
class Stage:
    """A layout and its materials. Colours are red, green, blue, 0 to 255, and greyish: ink must stand out."""

    name: str
    floor: Colour
    texture: Literal["tiles", "planks", "concrete", "checks", "mown", "hexes"]
    wall: Colour
    walls: tuple[Shape, ...]
    water: tuple[Shape, ...] = ()
    bridges: tuple[Shape, ...] = ()


def _twice(*shapes: Shape) -> tuple[Shape, ...]:
    return tuple(s for shape in shapes for s in (shape, shape.mirrored()))


def _box(x: float, y: float, width: float, height: float, turn: float = 0.0) -> Shape:
    return Shape("box", x, y, width, height, turn)


def _disc(x: float, y: float, radius: float) -> Shape:
    return Shape("disc", x, y, radius)


STAGES = (
    Stage(
        "Fountain Plaza",
        floor=(204, 196, 182),
        texture="tiles",
        wall=(150, 138, 122),
        walls=(_disc(0.5, 0.5, 0.17), *_twice(_box(0.27, 0.24, 0.14, 0.09), _box(0.27, 0.76, 0.14, 0.09))),
        water=(_disc(0.5, 0.5, 0.11),),
    ),
    Stage(
        "Canal Street",
        floor=(150, 152, 160),
        texture="concrete",
        wall=(92, 98, 116),
        walls=_twice(_box(0.25, 0.5, 0.07, 0.26)),
        water=(_box(0.5, 0.5, 0.17, 1.2),),
        bridges=(_box(0.5, 0.2, 0.22, 0.17), _box(0.5, 0.8, 0.22, 0.17)),
    ),
    Stage(
        "Crate Yard",
        floor=(122, 118, 116),
        texture="checks",
        wall=(176, 148, 112),
        walls=(
            _box(0.5, 0.5, 0.13, 0.2),
            *_twice(_box(0.3, 0.3, 0.1, 0.17), _box(0.36, 0.78, 0.15, 0.13), _box(0.6, 0.17, 0.1, 0.13)),
        ),
    ),
    Stage(
        "Skate Bowl",
        floor=(186, 198, 204),
        texture="hexes",
        wall=(122, 136, 150),
        walls=_twice(_box(0.38, 0.33, 0.32, 0.08, -38.0), _box(0.2, 0.74, 0.16, 0.08, 30.0)),
    ),
    Stage(
        "Hedge Garden",
        floor=(176, 188, 158),
        texture="mown",
        wall=(88, 112, 84),
        walls=_twice(_disc(0.3, 0.26, 0.1), _disc(0.46, 0.7, 0.115), _disc(0.2, 0.68, 0.085)),
    ),
    Stage(
        "Night Docks",
        floor=(112, 96, 88),
        texture="planks",
        wall=(66, 70, 88),
        walls=_twice(_box(0.36, 0.4, 0.08, 0.22), _box(0.5, 0.64, 0.12, 0.1)),
        water=_twice(_box(0.5, 0.03, 0.52, 0.26)),
    ),
)
STAGE_NAMES = tuple(stage.name for stage in STAGES)
BASES = np.array([[0.075, 0.5], [0.925, 0.5]])  # Where team a (left) and team b (right) start.
BASE_RADIUS = 0.085


def draw(mask: Images, shapes: tuple[Shape, ...], value: int = 255) -> None:
    """Draw shapes into an (H, W) uint8 mask of the field, with smooth edges."""
    height, width = mask.shape
    for shape in shapes:
        if shape.kind == "disc":
            centre = _fixed(np.array([shape.x * width, shape.y * height]))
            radius = round(shape.width * height * 2**SHIFT)
            cv2.circle(mask, centre.tolist(), radius, value, -1, cv2.LINE_AA, SHIFT)
        else:
            cv2.fillPoly(mask, [_fixed(_corners(shape, height, width))], value, cv2.LINE_AA, SHIFT)


def _fixed(points: Points) -> npt.NDArray[np.int32]:
    """Return pixel positions (edges at whole numbers) as cv2's fixed-point numbers (centres at whole numbers)."""
    return np.asarray(np.round((points - 0.5) * 2**SHIFT), dtype=np.int32)


def _corners(shape: Shape, height: int, width: int) -> Points:
    half = np.array([shape.width * width, shape.height * height]) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    angle = np.deg2rad(shape.turn)
    turned = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(turned + np.array([shape.x * width, shape.y * height]), dtype=np.float64)


@dataclass(frozen=True)
class Masks:
    """A stage as coverage masks of the field, (H, W) uint8, 255 inside: wall tops, their fronts, water, floor."""

    top: Images
    front: Images
    water: Images
    floor: Images


def masks_of(stage: Stage, height: int, width: int, wall_height: float = 0.045) -> Masks:
    """Rasterise a stage; walls show a front of ``wall_height`` shares of the field below their top."""
    top, water, bridges = (np.zeros((height, width), np.uint8) for _ in range(3))
    draw(top, stage.walls)
    rim = max(1, round(0.018 * height))
    cv2.rectangle(top, (0, 0), (width - 1, height - 1), 255, rim)
    draw(water, stage.water)
    draw(bridges, stage.bridges)
    water = np.minimum(water, 255 - bridges)
    drop = max(1, round(wall_height * height))
    tall = cv2.dilate(top, np.ones((drop + 1, 1), np.uint8), anchor=(0, drop))
    front = cv2.subtract(tall, top)
    in_wall_water = cv2.min(water, top)  # A fountain: water inside the wall's top.
    solid = cv2.max(tall, water)
    return Masks(cv2.subtract(top, in_wall_water), cv2.subtract(front, water), water, cv2.bitwise_not(solid))
