"""Which frames of a film go into another one, and when each is shown."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Ints
from latentlab.core.video_export import PICTURES_PER_S
from latentlab.data.video import VideoReader

EVEN_STEP = 1e-3
"""Frames are taken for evenly spaced when none is further than this, in seconds, from its place."""


@dataclass(frozen=True, eq=False)
class Timing:
    """The frames of a new film.

    ``numbers`` (M,) the source's frame for each, ascending, with repeats where the new rate is higher;
    ``ticks`` (M,) when each is shown, from 0, in units of ``time_base`` seconds; ``rate`` is stated in the
    header. ``start_s`` and ``end_s`` bound the piece on the source's own clock.
    """

    numbers: Ints
    ticks: Ints
    time_base: Fraction
    rate: Fraction
    start_s: float = 0.0
    end_s: float = 0.0

    def seconds(self, place: int) -> float:
        """Return when frame ``place`` of the new film is shown."""
        return float(int(self.ticks[place]) * self.time_base)


def plan_timing(reader: VideoReader, first: int = 0, last: int | None = None, rate: float | None = None) -> Timing:
    """Return the timing of frames ``first`` to ``last`` of a film, both included.

    Without ``rate`` the frames keep their times: ticks of an even rate where they are even to within a
    millisecond, else the file's own ticks. With a rate every new frame shows the newest source frame of
    its time.

    Raises
    ------
    InputError
        If the film has no such frames.
    """
    last = check_range(first, last, reader.frames, reader.path.name)
    times = reader.times_s[first : last + 1]
    numbers = np.arange(first, last + 1, dtype=np.int64)
    start, length = float(times[0]), 1.0 / reader.fps
    # The last frame lasts until the next one, or as long as frames do on average.
    end = float(reader.times_s[last + 1]) if last + 1 < reader.frames else float(times[-1]) + length
    times = times - start
    if rate is not None:
        wanted = Fraction(rate).limit_denominator(1001)
        places = np.arange(max(1, round((end - start) * float(wanted))), dtype=np.int64)
        chosen = np.searchsorted(times, places / float(wanted) + EVEN_STEP, side="right") - 1
        return Timing(numbers[chosen], places, 1 / wanted, wanted, start, end)
    even = np.abs(times - np.arange(len(times)) * length).max() < EVEN_STEP
    if even or not reader.index.seekable:
        return Timing(numbers, numbers - first, 1 / reader.rate, reader.rate, start, end)
    pts = reader.index.pts[first : last + 1]
    return Timing(numbers, pts - pts[0], Fraction(reader.time_base), reader.rate, start, end)


def plan_pictures(count: int, first: int = 0, last: int | None = None, rate: float | None = None) -> Timing:
    """Return the timing of a film made from single pictures, 25 a second unless ``rate`` says otherwise."""
    last = check_range(first, last, count, "the folder")
    numbers = np.arange(first, last + 1, dtype=np.int64)
    wanted = Fraction(rate or PICTURES_PER_S).limit_denominator(1001)
    return Timing(numbers, numbers - first, 1 / wanted, wanted)


def check_range(first: int, last: int | None, frames: int, name: str) -> int:
    """Return the last frame of a range, or refuse one that is not in the film.

    Raises
    ------
    InputError
        Naming the frames there are.
    """
    last = frames - 1 if last is None else last
    if not 0 <= first <= last < frames:
        raise InputError(
            f"Frames {first} to {last} are not in {name}",
            where="range",
            hint=f"It has frames 0 to {frames - 1}; the first comes before the last.",
        )
    return last
