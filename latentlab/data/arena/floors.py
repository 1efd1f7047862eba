"""The still part of a stage: floor texture, water, walls with their fronts and shadows, and the light on them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from latentlab.data.arena.palette import Rgb
from latentlab.data.arena.stages import Masks, Stage, masks_of

Plane = npt.NDArray[np.float32]
WATER: Rgb = (92.0, 120.0, 142.0)


@dataclass(frozen=True)
class Scenery:
    """What never moves, as float32 planes of the field.

    ``still``: (H, W, 3) the stage without ink, 0 to 255. ``floor``: (H, W) share of floor in each pixel, 0 to 1.
    ``shade``: (H, W) light on the floor, 1 in the open. ``grain``: (H, W) unevenness of wet ink, -1 to 1.
    """

    still: Plane
    floor: Plane
    shade: Plane
    grain: Plane


def paint_scenery(stage: Stage, height: int, width: int) -> Scenery:
    """Paint a stage at (height, width) pixels."""
    masks = masks_of(stage, height, width)
    texture = _texture(stage, height, width)
    ground = np.stack([np.full((height, width), c, np.float32) * texture for c in stage.floor])
    shade = _shadow(masks, height)
    still = ground * shade
    still = _over(still, _water(masks, height, width), _share(masks.water))
    wall = np.array(stage.wall, np.float32)[:, None, None]
    light = _top_light(masks, height)
    still = _over(still, wall * 0.62, _share(masks.front))
    still = _over(still, wall * light, _share(masks.top))
    grain = cv2.GaussianBlur(_noise(height, width, 5), (0, 0), max(0.6, height / 90))
    grain /= max(float(np.abs(grain).max()), 1e-6)
    return Scenery(np.ascontiguousarray(still.transpose(1, 2, 0)), _share(masks.floor), shade, grain)


def _share(mask: npt.NDArray[np.uint8]) -> Plane:
    return mask.astype(np.float32) / np.float32(255)


def _over(below: Plane, above: Plane, share: Plane) -> Plane:
    return below * (1 - share) + above * share


def _noise(height: int, width: int, seed: int) -> Plane:
    """Return noise that looks the same at every size: drawn on a fixed grid, then resized."""
    coarse = np.random.default_rng(seed).normal(0, 1, (96, 96)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _texture(stage: Stage, height: int, width: int) -> Plane:
    """Return the floor's brightness around 1; lengths follow the height, so that tiles stay square."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(height)
    worn = cv2.GaussianBlur(_noise(height, width, 11), (0, 0), height / 16)
    pattern = 1 + 0.05 * worn / max(float(np.abs(worn).max()), 1e-6)
    if stage.texture == "tiles":
        joints = np.minimum(np.abs((x * 9) % 1 - 0.5), np.abs((y * 9) % 1 - 0.5)) > 0.46
        pattern -= 0.08 * (np.maximum(np.abs((x * 9) % 1 - 0.5), np.abs((y * 9) % 1 - 0.5)) > 0.44)
        pattern -= 0.03 * joints
    elif stage.texture == "checks":
        pattern += 0.07 * ((np.floor(x * 7) + np.floor(y * 7)) % 2 - 0.5)
    elif stage.texture == "planks":
        row = np.floor(y * 12)
        pattern += 0.06 * np.sin(row * 2.4) - 0.12 * (np.abs((y * 12) % 1 - 0.5) > 0.44)
        pattern -= 0.1 * (np.abs((x * 3 + row * 0.37) % 1 - 0.5) > 0.485)
    elif stage.texture == "mown":
        pattern += 0.055 * np.sign(np.sin((x + y) * 22))
    elif stage.texture == "hexes":
        wave = np.cos(x * 50) + np.cos(x * 25 + y * 43.3) + np.cos(x * 25 - y * 43.3)
        pattern -= 0.05 * (wave < -0.9)
    else:
        seams = (np.abs((x * 4) % 1 - 0.5) > 0.48) | (np.abs((y * 4 + 0.5) % 1 - 0.5) > 0.48)
        pattern -= 0.1 * seams
    return np.asarray(pattern, dtype=np.float32)


def _shadow(masks: Masks, height: int) -> Plane:
    """Return 1 in the open, less beside walls: light falls from the upper left, softly all round."""
    tall = cv2.max(masks.top, masks.front)
    cast = max(1, round(0.035 * height))
    shift = np.array([[1, 0, cast], [0, 1, cast]], dtype=np.float32)
    moved = cv2.warpAffine(tall, shift, (tall.shape[1], tall.shape[0]))
    soft = cv2.GaussianBlur(cv2.max(moved, tall), (0, 0), max(0.6, 0.014 * height))
    return np.float32(1) - np.float32(0.42) * _share(soft)


def _top_light(masks: Masks, height: int) -> Plane:
    """Return the brightness of wall tops: a light edge towards the light, a darker one away from it."""
    soft = cv2.GaussianBlur(_share(masks.top), (0, 0), max(0.6, 0.012 * height))
    slope = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3) + cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3)
    return np.asarray(1.06 + np.clip(slope, -0.5, 0.5) * 0.5, dtype=np.float32)


def _water(masks: Masks, height: int, width: int) -> Plane:
    """Return water with slow ripples and a darker rim where the bank stands above it."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(height)
    ripple = 1 + 0.05 * np.sin(26 * y + 3 * np.sin(9 * x)) * np.sin(14 * x + 2 * np.sin(11 * y))
    inside = cv2.GaussianBlur(_share(masks.water), (0, 0), max(0.8, 0.03 * height))
    depth = 0.72 + 0.34 * np.clip(inside * 2 - 1, 0, 1)
    return np.stack([np.float32(c) * (ripple * depth).astype(np.float32) for c in WATER])
