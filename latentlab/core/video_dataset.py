"""What the window and its workers tell each other about making a data set from films."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from latentlab.core.errors import InputError
from latentlab.core.messages import ErrorReport, Images

SPEC_JOINT = "|"
"""Joins several films in one data spec: ``video:a.mp4|b.mp4``."""


def video_spec(paths: Sequence[Path]) -> str:
    """Return the data spec that reads these films, in this order.

    Raises
    ------
    InputError
        If there are none, or a name has the character in it that joins them.
    """
    names = [str(path) for path in paths]
    if not names:
        raise InputError("There is no film in the list", where="data.spec", hint="Add one or more films.")
    for name in names:
        if len(names) > 1 and SPEC_JOINT in name:
            raise InputError(f"{Path(name).name} has a {SPEC_JOINT} in its name", where=name, hint="Rename the file.")
    return f"video:{SPEC_JOINT.join(names)}"


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """What is known about a film before any of it is used; ``problem`` says why it cannot be."""

    path: Path
    frames: int = 0
    keyframes: int = 0
    width: int = 0
    height: int = 0
    fps: float = 0.0
    duration_s: float = 0.0
    problem: ErrorReport | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DatasetPreview:
    """What a data set will be.

    Attributes
    ----------
    generation
        Of the request that this answers.
    chosen
        Frames that stride, keyframes and limit leave.
    train, test, gap
        How many of those kept go where; those in the gap beside test frames go nowhere.
    still
        Frames left out because nothing moves in them; None while they are not counted.
    train_images, test_images
        Some of each, (N, H, W, C) uint8 at the size of the data set, evenly spread.
    megabytes
        Size of all pictures in 10⁶ bytes.
    """

    generation: int
    chosen: int
    train: int
    test: int
    gap: int
    still: int | None
    train_images: Images
    test_images: Images
    megabytes: float
