"""What can be put on a timeline: marks at frames, and curves over them."""

from __future__ import annotations

from dataclasses import dataclass

from latentlab.core.messages import Floats


@dataclass(frozen=True, slots=True)
class TimelineMark:
    """A frame worth going to; ``text`` says why, and stands in its tooltip."""

    frame: int
    text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class TimelineSeries:
    """A curve over the frames.

    Attributes
    ----------
    key, title, unit
        Its name for the program, its name for people, and its unit.
    colour
        A key of ``style.colour``.
    values
        (N,) float32 one value per frame, NaN where unknown.
    note
        A few words for the caption, e.g. how much of it is measured.
    """

    key: str
    title: str
    unit: str
    colour: str
    values: Floats
    note: str = ""
