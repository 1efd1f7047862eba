"""What crosses from the thread that looks at runs to the page that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from latentlab.core.messages import Images
from latentlab.core.run_facts import RunFacts
from latentlab.core.sweep_state import SweepState

XAxis = Literal["step", "time", "images"]
SHEETS = ("reconstructions", "samples")


@dataclass(frozen=True)
class Listing:
    """All runs under a root, newest first, small pictures of them (H,W,3), and the sweeps they belong to.

    ``special``: in which settings a run differs from what is usual among the runs of its kind.
    """

    runs: tuple[RunFacts, ...] = ()
    thumbnails: Mapping[Path, Images] = field(default_factory=dict)
    sweeps: tuple[SweepState, ...] = ()
    special: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wish:
    """What the page wants to see: the curves of these runs over an axis, and their pictures at a step."""

    runs: tuple[Path, ...] = ()
    axis: XAxis = "step"
    sheet: str = SHEETS[0]
    step: int | None = None
    """None: the newest."""


@dataclass(frozen=True)
class SheetPicture:
    """The preview picture of a run that lies nearest to the wanted step; ``picture`` None where there is none."""

    run: Path
    step: int = 0
    picture: Images | None = None


@dataclass(frozen=True)
class Sheets:
    """Pictures of several runs at one step, and all steps at which any of them has one."""

    wish: Wish
    pictures: tuple[SheetPicture, ...] = ()
    steps: tuple[int, ...] = ()
