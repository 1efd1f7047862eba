"""Painting a moment of a battle: ink with relief over the scenery, players, shots, and the score bar on top."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from latentlab.core.messages import Images
from latentlab.data.arena.battle import FLIGHT, ROWS, TEAM, TICKS, Battle, Floats, Moment
from latentlab.data.arena.blobs import Shot
from latentlab.data.arena.floors import Plane, paint_scenery
from latentlab.data.arena.palette import Rgb, ink_colour, mix
from latentlab.data.arena.stages import BASE_RADIUS, BASES, SHIFT

BAR_SHARE = 0.11  # Height of the score bar's strip, as a share of the picture.
WHITE: Rgb = (255.0, 255.0, 255.0)
DARK: Rgb = (26.0, 26.0, 36.0)
_ONE = 1 << SHIFT
_RADIUS = 0.036  # A player's, as a share of the field's height.
_RELIEF = 0.8
_TOWARDS_LIGHT = np.array([[-1, -1, 0], [-1, 0, 1], [0, 1, 1]], np.float32) / 6


@dataclass(frozen=True)
class _Paint:
    """A team's colours besides its ink."""

    shadow: Rgb
    shade: Rgb
    body: Rgb
    tint: Rgb
    cap: Rgb

    @classmethod
    def of(cls, ink: Rgb) -> _Paint:
        return cls(
            shadow=mix(ink, DARK, 0.72),
            shade=mix(ink, DARK, 0.4),
            body=mix(ink, WHITE, 0.12),
            tint=mix(ink, WHITE, 0.4),
            cap=mix(ink, WHITE, 0.78),
        )


def oversampling(height: int) -> float:
    """Return how much larger than the result a frame is painted, for smooth edges at sensible cost."""
    return 4.0 if height <= 24 else 2.0 if height <= 100 else 1.5


def field_aspect(height: int, width: int) -> float:
    """Return width over height of the field in a picture of that size."""
    return width / (height * (1 - BAR_SHARE))


class Painter:
    """Paints the moments of one battle at one size.

    Parameters
    ----------
    battle
        Gives stage and colours.
    height, width
        Of the finished picture, pixels.
    """

    def __init__(self, battle: Battle, height: int, width: int) -> None:
        factor = oversampling(height)
        self.size = (height, width)
        self._h, self._w = round(height * factor), round(width * factor)
        self._bar = max(2, round(self._h * BAR_SHARE))
        self._field = (self._h - self._bar, self._w)
        self._inks = (ink_colour(battle.hues[0]), ink_colour(battle.hues[1]))
        self._scenery = paint_scenery(battle.stage, *self._field)
        self._paints = tuple(_Paint.of(ink) for ink in self._inks)
        self._scale = (self._w / battle.columns, self._field[0] / ROWS)
        self._mixing = np.array([*self._inks, WHITE], np.float32).T.copy()

    def paint(self, moment: Moment) -> Images:
        """Return the picture of a moment, (height, width, 3) uint8, red, green, blue."""
        canvas = np.empty((self._h, self._w, 3), np.uint8)
        field = self._paint_field(moment)
        self._draw_bases(field)
        for shot in moment.shots:
            self._draw_shot(field, shot, moment.tick)
        for player in np.argsort(moment.players[:, 1]):
            self._draw_player(field, moment, int(player))
        canvas[self._bar :] = field
        canvas[: self._bar] = self._paint_bar(moment)
        height, width = self.size
        return np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def place(self, players: Floats) -> Floats:
        """Return positions on the field as positions in the picture; both are shares, x then y."""
        top = self._bar / self._h
        return players * (1.0, 1 - top) + (0.0, top)

    def _soft_mask(self, ink: Images, team: int) -> Plane:
        """Return where a team's ink lies at the painting size, 0 to 1, with edges about a pixel wide."""
        height, width = self._field
        mask = cv2.compare(ink, team, cv2.CMP_EQ)
        how = cv2.INTER_AREA if height < ROWS else cv2.INTER_LINEAR
        soft = cv2.GaussianBlur(cv2.resize(mask, (width, height), interpolation=how), (3, 3), 0)
        return np.asarray(soft * np.float32(1 / 255), dtype=np.float32)

    def _paint_field(self, moment: Moment) -> Images:
        """Return floor and ink: coloured by team, lit by its relief, white where an edge faces the light."""
        scenery = self._scenery
        a = self._soft_mask(moment.ink, 1) * scenery.floor
        b = self._soft_mask(moment.ink, 2) * scenery.floor
        cover = a + b
        slope = self._slope(a - b)
        wet = (1 + np.clip(slope, -0.34, 0.05) + 0.045 * scenery.grain) * scenery.shade
        gloss = np.clip(slope - 0.06, 0, 0.5) * cover * scenery.shade
        ink = cv2.transform(cv2.merge([a * wet, b * wet, gloss]), self._mixing)
        bare = 1 - cover
        ink += scenery.still * bare[..., None]
        return np.asarray(cv2.convertScaleAbs(np.maximum(ink, 0)), dtype=np.uint8)

    def _slope(self, teams: Plane) -> Plane:
        """Return how steeply ink rises towards the light; ink stands round and low where teams meet."""
        radius = max(0.7, 0.016 * self._field[0])
        thick = np.abs(cv2.GaussianBlur(teams, (0, 0), radius))
        return np.asarray(cv2.filter2D(thick, -1, _TOWARDS_LIGHT), dtype=np.float32) * np.float32(_RELIEF * radius)

    def _disc(self, canvas: Images, x: float, y: float, radius: float, colour: Rgb) -> None:
        centre = (round((x - 0.5) * _ONE), round((y - 0.5) * _ONE))
        cv2.circle(canvas, centre, max(1, round(radius * _ONE)), colour, -1, cv2.LINE_AA, SHIFT)

    def _draw_bases(self, field: Images) -> None:
        """Draw the rings of the two bases, which the ink does not hide."""
        height, width = self._field
        for base, paint in zip(BASES, self._paints, strict=True):
            centre = (round((base[0] * width - 0.5) * _ONE), round((base[1] * height - 0.5) * _ONE))
            for share, colour in ((0.95, paint.shade), (0.6, paint.tint)):
                radius = round(BASE_RADIUS * share * height * _ONE)
                cv2.circle(field, centre, radius, colour, max(1, round(0.014 * height)), cv2.LINE_AA, SHIFT)

    def _draw_shot(self, field: Images, shot: Shot, tick: int) -> None:
        """Draw ink in the air on its arc, highest halfway."""
        share = min(max(1 - (shot.lands - tick) / FLIGHT, 0.0), 1.0)
        place = shot.start + (shot.end - shot.start) * share
        x, y = place.real * self._scale[0], place.imag * self._scale[1]
        lift = 4 * share * (1 - share) * 0.05 * self._field[0]
        radius = shot.radius * self._scale[1] * 0.3
        paint = self._paints[shot.team]
        self._disc(field, x, y - lift, radius * 1.25, paint.shade)
        self._disc(field, x, y - lift, radius, paint.tint)

    def _draw_player(self, field: Images, moment: Moment, player: int) -> None:
        """Draw a figure seen from above: shadow, outline, body, the nozzle that it points, and a light cap."""
        height, width = self._field
        x, y = float(moment.players[player, 0]) * width, float(moment.players[player, 1]) * height
        facing = float(moment.facing[player])
        paint = self._paints[player // TEAM]
        r = max(_RADIUS * height, 1.6)
        front_x, front_y = x + 0.95 * r * math.cos(facing), y + 0.95 * r * math.sin(facing)
        self._disc(field, x + 0.3 * r, y + 0.4 * r, r * 1.15, paint.shadow)
        self._disc(field, front_x, front_y, r * 0.55, DARK)
        self._disc(field, x, y, r * 1.2, DARK)
        self._disc(field, x, y, r * 0.95, paint.body)
        self._disc(field, front_x, front_y, r * 0.32, paint.tint)
        self._disc(field, x - 0.12 * r, y - 0.16 * r, r * 0.52, paint.cap)

    def _paint_bar(self, moment: Moment) -> Images:
        """Return the strip on top: team a grows from the left, team b from the right, time runs along its foot."""
        height, width = self._bar, self._w
        strip = np.full((height, width, 3), DARK, np.uint8)
        margin = height * 0.2
        left, right = margin, width - margin
        top, bottom = height * 0.16, height * 0.72
        self._fill(strip, left, top, right, bottom, (74.0, 74.0, 88.0))
        share_a, share_b = moment.coverage
        inner = right - left
        self._fill(strip, left, top, left + inner * share_a, bottom, self._inks[0])
        self._fill(strip, right - inner * share_b, top, right, bottom, self._inks[1])
        gloss_end = top + (bottom - top) * 0.3
        for start, stop, ink in ((left, left + inner * share_a, 0), (right - inner * share_b, right, 1)):
            self._fill(strip, start, top, stop, gloss_end, self._paints[ink].tint)
        done = left + inner * min(moment.tick / TICKS, 1.0)
        clock = (255.0, 214.0, 90.0) if moment.phase == 2 else (200.0, 200.0, 208.0)
        self._fill(strip, left, height * 0.82, done, height * 0.94, clock)
        return strip

    def _fill(self, canvas: Images, x0: float, y0: float, x1: float, y1: float, colour: Rgb) -> None:
        if x1 - x0 < 1 / _ONE or y1 - y0 < 1 / _ONE:
            return
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) - 0.5
        cv2.fillPoly(canvas, [np.round(corners * _ONE).astype(np.int32)], colour, cv2.LINE_AA, SHIFT)
