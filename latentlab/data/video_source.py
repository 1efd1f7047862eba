"""Videos as a data set: crop, stride or keyframes, resize, and a split that does not leak."""

from __future__ import annotations

import glob
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, Ints, ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.core.video_dataset import SPEC_JOINT
from latentlab.data.progress import Ticker, ignore
from latentlab.data.still import StillFilter
from latentlab.data.video import VideoReader
from latentlab.data.video_index import FrameIndex
from latentlab.data.video_shape import FrameShape, check_crop


@dataclass(frozen=True)
class FilmPlan:
    """The frames wanted of one film: ``numbers`` (K,) ascending."""

    file: Path
    index: FrameIndex
    numbers: Ints


@dataclass(frozen=True)
class VideoFrames:
    """Where the frames taken of one or several films are from.

    ``file_of`` and ``frame_of`` (N,): a position in ``files`` and the frame's number in that file.
    ``still`` frames were left out because nothing moved in them.
    """

    file_of: Ints
    frame_of: Ints
    files: list[Path]
    still: int = 0


def find_videos(pattern: str) -> list[Path]:
    """Return the files of a path, a folder or a glob pattern, sorted by name.

    Several of them, joined by ``|``, follow in the order in which they are written, each file once.

    Raises
    ------
    InputError
        If nothing matches.
    """
    path = Path(pattern).expanduser()
    if path.is_file():
        return [path]
    if SPEC_JOINT in pattern:
        parts = [part.strip() for part in pattern.split(SPEC_JOINT) if part.strip()]
        return list(dict.fromkeys(file for part in parts for file in find_videos(part)))
    matches = [Path(name) for name in glob.glob(str(path / "*" if path.is_dir() else path), recursive=True)]
    files = sorted(match for match in matches if match.is_file() and not match.name.startswith("."))
    if files:
        return files
    wild = any(sign in pattern for sign in "*?[")
    raise InputError(
        f"No file matches {pattern}" if wild else f"There is no video {pattern}",
        where="data.spec",
        hint="Write video:FILE or a quoted pattern such as video:clips/*.mp4; ~ is your home folder.",
    )


def plan_videos(pattern: str, config: DataConfig, known: Mapping[Path, FrameIndex] | None = None) -> list[FilmPlan]:
    """Return which frames of which films a recipe asks for, without decoding them.

    ``stride`` counts frames of each file (keyframes with ``keyframes_only``). ``limit`` is spread
    evenly over all of them, so that a quick try sees the whole material. ``known`` indices of unchanged
    files save reading them again.

    Raises
    ------
    InputError
        If nothing matches, a file is no video, or the crop does not fit.
    """
    plans = []
    for file in find_videos(pattern):
        with VideoReader(file, (known or {}).get(file)) as reader:
            check_crop(config.crop, reader.size, file.name)
            plans.append(FilmPlan(file, reader.index, wanted_frames(reader.index, config)))
    return _spread(plans, config.limit)


def decode_videos(
    pattern: str, config: DataConfig, take: Callable[[Images], None], progress: ProgressSink | None = None
) -> VideoFrames:
    """Decode the frames that a recipe asks for, at the recipe's size, one after the other.

    Memory does not grow with the length of the films, apart from two numbers per frame.

    Parameters
    ----------
    pattern
        A file, a folder or a glob pattern, or several joined by ``|``.
    config
        Crop, size, colour, stride, keyframes_only, limit and dedup are used.
    take
        Given each picture, (H, W, C) uint8, in order.
    progress
        Told the number of frames passed; may raise ``Cancelled``.

    Raises
    ------
    InputError
        If nothing matches, a file is no video, or the crop does not fit.
    """
    shape = FrameShape(config.crop, config.size, 1 if config.colour == "grey" else 3)
    plans = plan_videos(pattern, config)
    ticker = Ticker(progress or ignore, "Decoding video", sum(len(plan.numbers) for plan in plans))
    still = StillFilter(config.dedup)
    file_of, frame_of = array("q"), array("q")
    passed = 0
    for position, plan in enumerate(plans):
        still.begin()
        with VideoReader(plan.file, plan.index, onwards=True) as reader:
            for number, frame in reader.each(plan.numbers.tolist()):
                picture = shape.apply(frame)
                if still.keeps(picture):
                    take(picture)
                    file_of.append(position)
                    frame_of.append(number)
                passed += 1
                ticker.at(passed)
    files = [plan.file for plan in plans]
    return VideoFrames(np.array(file_of, dtype=np.int64), np.array(frame_of, dtype=np.int64), files, still.dropped)


def wanted_frames(index: FrameIndex, config: DataConfig) -> Ints:
    """Return the numbers of the frames that stride and keyframes_only select."""
    numbers = np.arange(len(index.pts), dtype=np.int64)
    if config.keyframes_only and len(index.entries):
        numbers = index.entries
    return numbers[:: config.stride]


def _spread(plans: list[FilmPlan], limit: int | None) -> list[FilmPlan]:
    total = sum(len(plan.numbers) for plan in plans)
    if limit is None or total <= limit:
        return plans
    kept = np.linspace(0, total - 1, limit).round().astype(np.int64)
    result, start = [], 0
    for plan in plans:
        mine = kept[(kept >= start) & (kept < start + len(plan.numbers))] - start
        if len(mine):
            result.append(replace(plan, numbers=plan.numbers[mine]))
        start += len(plan.numbers)
    return result
