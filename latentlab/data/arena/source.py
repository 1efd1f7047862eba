"""The arena as a data set: still pictures of sixty battles, the stage as class, every cause as a factor."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.data.arena.battle import PHASES, Battle, Moment
from latentlab.data.arena.render import Painter, field_aspect
from latentlab.data.arena.stages import STAGE_NAMES
from latentlab.data.pictures import channels_of, to_channels
from latentlab.data.progress import Ticker
from latentlab.data.source import Contents, Source, Store
from latentlab.data.spec import FIELD

BATTLES = 60  # Ten for each stage: a test fraction of a tenth holds out one battle of each.
FRAMES = 67  # Pictures of each battle: 4,020 in all.


class ArenaSource(Source):
    """Pictures of ``BATTLES`` battles; ``arena:SEED`` plays other ones.

    Factors, one row per picture: ``stage phase battle frame`` (int), ``hue_a hue_b`` (turns, 0 to 1),
    ``coverage_a coverage_b`` (share of the floor), ``players`` (8, 2): x, y as shares of the picture,
    team a first.
    """

    uses = ("size", "colour", "limit")
    version = 5

    def __init__(self, argument: str, config: DataConfig) -> None:
        super().__init__(argument, config)
        if argument and not (argument.isascii() and argument.isdigit()):
            raise InputError(f"arena:{argument} is not a data set", where=FIELD, hint="arena, or arena:7 for seed 7.")
        self.seed = int(argument or 0)

    def identity(self) -> Any:
        """Return the seed: the arena depends on nothing else."""
        return self.seed

    def decode(self, store: Store, progress: ProgressSink) -> Contents:
        """Play the battles and paint their moments."""
        frames = self._frames_per_battle()
        count = int(frames.sum())
        channels = channels_of(self.config, 3)
        images = store.allocate(count, *self.config.size, channels)
        ticker = Ticker(progress, "Playing arena battles", count)
        facts: list[dict[str, Any]] = []
        for number in np.flatnonzero(frames):
            self._play(int(number), int(frames[number]), images, facts, ticker)
        factors = {name: np.array([row[name] for row in facts]) for name in facts[0]}
        return Contents(
            labels=factors["stage"].astype(np.int64),
            class_names=STAGE_NAMES,
            factors=factors,
            groups=factors["battle"].astype(np.int64),
        )

    def _frames_per_battle(self) -> npt.NDArray[np.int64]:
        """Return how many pictures each battle gives; a small limit plays fewer battles, two a stage at least."""
        count = min(self.config.limit or BATTLES * FRAMES, BATTLES * FRAMES)
        stages = len(STAGE_NAMES)
        battles = min(BATTLES, stages * max(2, -(-count // (10 * stages))))
        return np.diff(np.arange(battles + 1) * count // battles)

    def _play(self, number: int, frames: int, images: Images, facts: list[dict[str, Any]], ticker: Ticker) -> None:
        height, width = self.config.size
        stage, turn = number % len(STAGE_NAMES), number // len(STAGE_NAMES)
        # Each stage runs through all pairs of colours, starting with another one.
        battle = Battle(stage, field_aspect(height, width), [self.seed, number], colours=turn + stage)
        painter = Painter(battle, height, width)
        for frame, moment in enumerate(battle.moments(frames)):
            images[len(facts)] = to_channels(painter.paint(moment), images.shape[3])
            facts.append(factors_of(battle, moment, painter) | {"battle": number, "frame": frame})
            ticker.at(len(facts))


def factors_of(battle: Battle, moment: Moment, painter: Painter) -> dict[str, Any]:
    """Return the known causes of one picture by name."""
    assert moment.phase < len(PHASES)
    return {
        "stage": battle.stage_number,
        "phase": moment.phase,
        "hue_a": battle.hues[0],
        "hue_b": battle.hues[1],
        "coverage_a": moment.coverage[0],
        "coverage_b": moment.coverage[1],
        "players": painter.place(moment.players),
    }
