"""The play: eight small painters, two teams, one floor. Deterministic by seed, without any drawing on screen.

Lengths are in cells of a grid of ``ROWS`` rows; a tick is a thirtieth of a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Images
from latentlab.data.arena.palette import battle_hues
from latentlab.data.arena.stages import BASE_RADIUS, BASES, SHIFT, STAGES, Masks, Stage, masks_of

ROWS = 160
TEAM = 4  # Players a side.
TICKS = 400
PHASES = ("opening", "clash", "finale")
_PHASE_ENDS = (0.25, 0.75)
_SPEED = 1.35
_BRUSH = 9.0  # Radius of an ordinary splat.
_BURST = 17.0
_ROOM = 11  # Cells that a player needs between walls.
_REACH = 20.0  # How far ahead a shot lands.
FLIGHT = 6  # Ticks that a shot is in the air.

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shot:
    """Ink in the air: where it starts and lands (cells), when, whose it is, how large, which blob."""

    start: tuple[float, float]
    end: tuple[float, float]
    lands: int
    team: int
    radius: float
    blob: int


@dataclass(frozen=True)
class Moment:
    """One tick of a battle, as the renderer and the factors need it.

    ``ink``: (ROWS, columns) uint8, 0 bare, 1 team a, 2 team b, shared with the battle (read before the next tick).
    ``players``: (2 TEAM, 2) x, y as shares of the field; ``facing``: (2 TEAM,) radians.
    """

    tick: int
    ink: Images
    coverage: tuple[float, float]
    players: Floats
    facing: Floats
    shots: tuple[Shot, ...]

    @property
    def phase(self) -> int:
        """Index into ``PHASES``."""
        return sum(self.tick >= end * TICKS for end in _PHASE_ENDS)


def _blob_bank(count: int = 64) -> list[list[Floats]]:
    """Return splats of radius 1: an irregular outline and a few droplets thrown clear of it."""
    rng = np.random.default_rng(20190502)
    theta = np.linspace(0, 2 * np.pi, 22, endpoint=False)
    circle = np.stack([np.cos(theta), np.sin(theta)], axis=1)
    bank = []
    for _ in range(count):
        waves = sum(rng.normal(0, 0.16 / np.sqrt(k)) * np.cos(k * theta + rng.uniform(0, 7)) for k in range(2, 8))
        outline = circle * np.clip(1 + waves, 0.55, 1.5)[:, None]
        away = rng.uniform(0, 2 * np.pi, 5)
        drops = [
            circle[::3] * rng.uniform(0.1, 0.24) + rng.uniform(1.25, 1.75) * np.array([np.cos(a), np.sin(a)])
            for a in away
        ]
        bank.append([outline, *drops])
    return bank


_BLOBS = _blob_bank()


class Battle:
    """One battle on one stage. ``moments`` plays it through; everything follows from the arguments.

    Parameters
    ----------
    stage
        Index into ``STAGES``.
    aspect
        Width over height of the field.
    seed
        Anything that ``numpy.random.default_rng`` takes.
    """

    def __init__(self, stage: int, aspect: float, seed: int | list[int]) -> None:
        self._rng = np.random.default_rng(seed)
        self.stage_number = stage
        self.stage: Stage = STAGES[stage]
        self.columns = max(ROWS // 2, round(ROWS * aspect))
        self.hues = battle_hues(self._rng)
        masks: Masks = masks_of(self.stage, ROWS, self.columns)
        self.floor = masks.floor > 127
        self.ink = np.zeros((ROWS, self.columns), np.uint8)
        self._scale = np.array([self.columns, ROWS], dtype=float)
        self._walkable = cv2.erode(masks.floor, np.ones((_ROOM, _ROOM), np.uint8)) > 127
        self._open = np.argwhere(self._walkable)[:, ::-1] + 0.5
        self._bases = BASES * self._scale
        self._base_cells = [np.nonzero(self._base(base)) for base in self._bases]
        self._renew_bases()
        self._teams = np.repeat([0, 1], TEAM)
        self._strength = self._rng.uniform(0.75, 1.25, 2) * (self.columns / ROWS) ** 0.35
        self._thrift = self._rng.uniform(0.08, 0.16)  # Chance of a shot per player and tick.
        self._shots: list[Shot] = []
        self._place_players()

    def _base(self, base: Floats) -> npt.NDArray[np.bool_]:
        y, x = np.mgrid[0:ROWS, 0 : self.columns] + 0.5
        return np.asarray(np.hypot(x - base[0], y - base[1]) < BASE_RADIUS * ROWS)

    def _renew_bases(self) -> None:
        """Give the bases back to their teams: enemy ink does not stay on them."""
        for team, cells in enumerate(self._base_cells):
            self.ink[cells] = team + 1

    def _place_players(self) -> None:
        spots = np.linspace(-0.16, 0.16, TEAM)[:, None] * np.array([0.0, ROWS])
        self._at = np.concatenate([self._bases[0] + spots, self._bases[1] + spots])
        self._heading = np.where(self._teams == 0, 0.0, np.pi)
        self._goal = self._at.copy()
        for player in range(2 * TEAM):
            self._choose_goal(player)

    def moments(self, ticks: int = TICKS) -> Iterator[Moment]:
        """Play ``ticks`` ticks of the whole battle; a shorter battle is played faster, not cut."""
        pace = TICKS / ticks
        due = 0.0
        tick = 0
        for _ in range(ticks):
            yield self._moment(tick)
            due += pace
            while tick < due - 0.5:
                tick += 1
                self._advance(tick)

    def _moment(self, tick: int) -> Moment:
        floor = np.count_nonzero(self.floor)
        ink = self.ink[self.floor]
        coverage = (np.count_nonzero(ink == 1) / floor, np.count_nonzero(ink == 2) / floor)
        return Moment(tick, self.ink, coverage, self._at / self._scale, self._heading.copy(), tuple(self._shots))

    def _advance(self, tick: int) -> None:
        dice = self._rng.random((2 * TEAM, 4))
        self._move(dice)
        for player in np.flatnonzero(dice[:, 2] < self._thrift):
            self._shoot(int(player), tick, float(dice[player, 3]))
        landed = [shot for shot in self._shots if shot.lands <= tick]
        self._shots = [shot for shot in self._shots if shot.lands > tick]
        for shot in landed:
            self._splat(shot.end, shot.radius, shot.team, shot.blob)
        if tick % 8 == 0:
            self._fight(tick)
        self._renew_bases()

    def _move(self, dice: Floats) -> None:
        """Walk everybody towards a goal, in curves, round walls; who stands in enemy ink walks slower."""
        wanted = self._goal - self._at
        bearing = np.arctan2(wanted[:, 1], wanted[:, 0])
        turn = (bearing - self._heading + np.pi) % (2 * np.pi) - np.pi
        self._heading += np.clip(turn, -0.16, 0.16) + (dice[:, 0] - 0.5) * 0.3
        x, y = self._at.astype(int).T
        slowed = self.ink[y, x] == 2 - self._teams
        step = np.stack([np.cos(self._heading), np.sin(self._heading)], axis=1)
        blocked = self._step(step * (_SPEED * np.where(slowed, 0.55, 1.0))[:, None])
        self._heading[blocked] += np.where(dice[blocked, 1] < 0.5, 0.8, -0.8)
        arrived = np.hypot(*wanted.T) < 9
        for player in np.flatnonzero(arrived | (dice[:, 1] < 0.006)):
            self._choose_goal(int(player))

    def _step(self, step: Floats) -> npt.NDArray[np.bool_]:
        """Take a step, or slide along the wall in its way; return for whom there was a wall."""
        blocked = ~self._walk(step, np.ones(len(step), dtype=bool))
        if blocked.any():
            slid = self._walk(step * (1.0, 0.0), blocked)
            self._walk(step * (0.0, 1.0), blocked & ~slid)
        return blocked

    def _walk(self, step: Floats, who: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Move those of ``who`` that stay on open floor, and return them."""
        ahead = self._at + step
        x, y = np.clip(ahead, 0, self._scale - 1).astype(int).T
        free = who & self._walkable[y, x]
        self._at[free] = ahead[free]
        return np.asarray(free)

    def _choose_goal(self, player: int) -> None:
        """Choose among random places one near and not far from home that is not the team's yet: fronts form."""
        places = self._open[self._rng.integers(len(self._open), size=8)]
        owner = self.ink[places[:, 1].astype(int), places[:, 0].astype(int)]
        team = self._teams[player]
        way, home = places - self._at[player], places - self._bases[team]
        cost = np.hypot(*way.T) + 0.5 * np.hypot(*home.T) + 120.0 * (owner == team + 1)
        self._goal[player] = places[np.argmin(cost)]

    def _shoot(self, player: int, tick: int, luck: float) -> None:
        team = int(self._teams[player])
        reach = _REACH * (0.35 + luck)
        x, y = self._at[player]
        aim = self._heading[player] + (luck * 7.0 % 1.0 - 0.5) * 0.7
        end = (float(x + reach * np.cos(aim)), float(y + reach * np.sin(aim)))
        radius = _BRUSH * self._strength[team] * (0.7 + 0.7 * luck)
        blob = int(luck * 1e6) % len(_BLOBS)
        self._shots.append(Shot((float(x), float(y)), end, tick + FLIGHT, team, radius, blob))

    def _fight(self, tick: int) -> None:
        """Splat whoever stands in enemy ink with an enemy near: a burst of ink, and back to base."""
        x, y = self._at.astype(int).T
        drowned = self.ink[y, x] == 2 - self._teams
        for player in np.flatnonzero(drowned):
            enemies = self._at[self._teams != self._teams[player]]
            near = np.hypot(*(enemies - self._at[player]).T).min() < 16
            if near and self._rng.random() < 0.5:
                place = (float(self._at[player, 0]), float(self._at[player, 1]))
                enemy = 1 - int(self._teams[player])
                self._splat(place, _BURST * self._strength[enemy], enemy, tick % len(_BLOBS))
                self._at[player] = self._bases[self._teams[player]]
                self._choose_goal(int(player))

    def _splat(self, place: tuple[float, float], radius: float, team: int, blob: int) -> None:
        shapes = [np.round((s * radius + place - 0.5) * 2**SHIFT).astype(np.int32) for s in _BLOBS[blob]]
        cv2.fillPoly(self.ink, shapes, team + 1, cv2.LINE_8, SHIFT)
