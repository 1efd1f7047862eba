"""The play: eight small painters, two teams, one floor. Deterministic by seed, without any drawing on screen.

Lengths are in cells of a grid of ``ROWS`` rows, places are x + iy; a tick is a thirtieth of a second.
"""

from __future__ import annotations

import cmath
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Images
from latentlab.data.arena.blobs import Shot, splat
from latentlab.data.arena.palette import battle_hues
from latentlab.data.arena.stages import BASE_RADIUS, BASES, STAGES, Masks, Stage, masks_of

ROWS = 160
TEAM = 4  # Players a side.
TICKS = 400
PHASES = ("opening", "clash", "finale")
_PHASE_ENDS = (0.25, 0.75)
_SPEED = 1.35
_TURN, _WOBBLE = 0.16, 0.3  # Radians a tick: how sharply players turn, and how unsteadily.
_ARRIVED = 9.0
_CHANGE_OF_MIND = 0.006
_NEAR = 16.0  # An enemy this close may splat who stands in its ink.
_OWNED = 120.0  # How much farther a place seems that is the team's already.
_BRUSH = 9.0  # Radius of an ordinary splat.
_BURST = 17.0
_ROOM = 11  # Cells that a player needs between walls.
_REACH = 20.0  # How far ahead a shot lands.
FLIGHT = 6  # Ticks that a shot is in the air.

_EVERYBODY = np.ones(2 * TEAM, dtype=bool)
Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]


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
    colours
        Number of the pair of team colours; see ``battle_hues``.
    """

    def __init__(self, stage: int, aspect: float, seed: int | list[int], colours: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        self.stage_number = stage
        self.stage: Stage = STAGES[stage]
        self.columns = max(ROWS // 2, round(ROWS * aspect))
        self.hues = battle_hues(self._rng, colours)
        masks: Masks = masks_of(self.stage, ROWS, self.columns)
        self.floor = masks.floor > 127
        self.ink = np.zeros((ROWS, self.columns), np.uint8)
        self._walkable = cv2.erode(masks.floor, np.ones((_ROOM, _ROOM), np.uint8)) > 127
        self._open = (np.argwhere(self._walkable) + 0.5) @ (1j, 1.0)
        self._bases = BASES @ (self.columns, 1j * ROWS)
        self._base_cells = [np.nonzero(self._base(base)) for base in self._bases]
        self._renew_bases()
        self._teams = np.repeat([0, 1], TEAM)
        self._enemy_ink = np.array([2, 1], np.uint8)[self._teams]
        self._strength = self._rng.uniform(0.75, 1.25, 2) * (self.columns / ROWS) ** 0.35
        self._thrift = self._rng.uniform(0.08, 0.16)  # Chance of a shot per player and tick.
        self._dice = self._rng.random((TICKS + 1, 4, 2 * TEAM))
        self._shots: list[Shot] = []
        spots = 1j * ROWS * np.linspace(-0.16, 0.16, TEAM)
        self._at = np.concatenate([self._bases[0] + spots, self._bases[1] + spots])
        self._towards = np.where(self._teams == 0, 1 + 0j, -1 + 0j)  # Unit vectors: where players face.
        self._goal = self._at.copy()
        for player in range(2 * TEAM):
            self._choose_goal(player)

    def _base(self, base: complex) -> npt.NDArray[np.bool_]:
        y, x = np.mgrid[0:ROWS, 0 : self.columns] + 0.5
        return np.asarray(np.abs(x + 1j * y - base) < BASE_RADIUS * ROWS)

    def _renew_bases(self) -> None:
        """Give the bases back to their teams: enemy ink does not stay on them."""
        for team, cells in enumerate(self._base_cells):
            self.ink[cells] = team + 1

    def moments(self, count: int = TICKS) -> Iterator[Moment]:
        """Play the whole battle and yield ``count`` of its moments, evenly spread; a battle is played once."""
        tick = 0
        for number in range(count):
            due = int((number + 0.5) * TICKS / count)
            while tick < due:
                tick += 1
                self._advance(tick)
            yield self._moment(tick)

    def _moment(self, tick: int) -> Moment:
        ink = self.ink[self.floor]
        coverage = (np.count_nonzero(ink == 1) / len(ink), np.count_nonzero(ink == 2) / len(ink))
        players = np.stack([self._at.real / self.columns, self._at.imag / ROWS], axis=1)
        return Moment(tick, self.ink, coverage, players, np.angle(self._towards), tuple(self._shots))

    def _advance(self, tick: int) -> None:
        dice = self._dice[tick]
        self._move(dice)
        for player in np.flatnonzero(dice[2] < self._thrift):
            self._shoot(int(player), tick, float(dice[3, player]))
        landed = [shot for shot in self._shots if shot.lands <= tick]
        for shot in landed:
            splat(self.ink, shot.end, shot.radius, shot.blob, shot.team + 1)
        if landed:
            self._shots = [shot for shot in self._shots if shot.lands > tick]
        if tick % 8 == 0:
            self._fight(tick)
        self._renew_bases()

    def _move(self, dice: Floats) -> None:
        """Walk everybody towards a goal, in curves, round walls; who stands in enemy ink walks slower."""
        wanted = self._goal - self._at
        turn = np.angle(wanted * self._towards.conj())
        turn = np.minimum(np.maximum(turn, -_TURN), _TURN) + (dice[0] - 0.5) * _WOBBLE
        self._towards *= np.exp(1j * turn)
        blocked = self._step(self._towards * np.where(self._in_enemy_ink(), _SPEED * 0.55, _SPEED))
        if blocked.any():
            self._towards[blocked] *= np.exp(1j * np.where(dice[1, blocked] < 0.5, 0.8, -0.8))
        for player in np.flatnonzero((np.abs(wanted) < _ARRIVED) | (dice[1] < _CHANGE_OF_MIND)):
            self._choose_goal(int(player))

    def _in_enemy_ink(self) -> npt.NDArray[np.bool_]:
        under = self.ink[self._at.imag.astype(np.intp), self._at.real.astype(np.intp)]
        return np.asarray(under == self._enemy_ink)

    def _step(self, step: Complexes) -> npt.NDArray[np.bool_]:
        """Take a step, or slide along the wall in its way; return for whom there was a wall."""
        blocked = ~self._walk(step, _EVERYBODY)
        if blocked.any():
            sideways = step.real.astype(np.complex128)
            slid = self._walk(sideways, blocked)
            self._walk(step - sideways, blocked & ~slid)
        return blocked

    def _walk(self, step: Complexes, who: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Move those of ``who`` that stay on open floor, and return them; a rim keeps everybody in the grid."""
        ahead = self._at + step
        free = who & self._walkable[ahead.imag.astype(np.intp), ahead.real.astype(np.intp)]
        self._at = np.where(free, ahead, self._at)
        return np.asarray(free)

    def _choose_goal(self, player: int) -> None:
        """Choose among random places one near and not far from home that is not the team's yet: fronts form."""
        places = self._open[self._rng.integers(len(self._open), size=8)]
        owner = self.ink[places.imag.astype(np.intp), places.real.astype(np.intp)]
        team = self._teams[player]
        way = np.abs(places - self._at[player]) + 0.5 * np.abs(places - self._bases[team])
        self._goal[player] = places[np.argmin(way + _OWNED * (owner == team + 1))]

    def _shoot(self, player: int, tick: int, luck: float) -> None:
        team = int(self._teams[player])
        start = complex(self._at[player])
        aim = complex(self._towards[player]) * cmath.exp(1j * (luck * 7.0 % 1.0 - 0.5) * 0.7)
        radius = _BRUSH * float(self._strength[team]) * (0.7 + 0.7 * luck)
        end = start + _REACH * (0.35 + luck) * aim
        self._shots.append(Shot(start, end, tick + FLIGHT, team, radius, int(luck * 1e6)))

    def _fight(self, tick: int) -> None:
        """Splat whoever stands in enemy ink with an enemy near: a burst of ink, and back to base."""
        for player in np.flatnonzero(self._in_enemy_ink()):
            team = int(self._teams[player])
            place = complex(self._at[player])
            near = np.abs(self._at[self._teams != team] - place).min() < _NEAR
            if near and self._rng.random() < 0.5:
                splat(self.ink, place, _BURST * float(self._strength[1 - team]), tick, 2 - team)
                self._at[player] = self._bases[team]
                self._choose_goal(int(player))
