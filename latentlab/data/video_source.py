"""Videos as a data set: crop, stride or keyframes, resize, and a split that does not leak."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, Ints, ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.data.progress import Ticker, ignore
from latentlab.data.video import VideoReader
from latentlab.data.video_shape import FrameShape, check_crop

MAX_TEST_BLOCKS = 5
TEST_BLOCK = 60
"""Test frames in a row, at least: shorter blocks would be mostly the edges of their neighbours."""
MAX_GAP = 30
"""Frames left out on each side of a test block: a second of film, within which frames are near copies."""


@dataclass(frozen=True)
class VideoFrames:
    """Frames of one or several videos.

    ``images`` (N, H, W, C) uint8; ``file_of`` and ``frame_of`` (N,) say where each one is from:
    a position in ``files`` and the frame's number in that file.
    """

    images: Images
    file_of: Ints
    frame_of: Ints
    files: list[Path]


def find_videos(pattern: str) -> list[Path]:
    """Return the files of a path, a folder or a glob pattern, sorted by name.

    Raises
    ------
    InputError
        If nothing matches.
    """
    path = Path(pattern).expanduser()
    if path.is_file():
        return [path]
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


def decode_videos(pattern: str, config: DataConfig, progress: ProgressSink | None = None) -> VideoFrames:
    """Decode the frames that a recipe asks for, at the recipe's size.

    ``stride`` counts frames of each file (keyframes with ``keyframes_only``). ``limit`` is spread
    evenly over all of them, so that a quick try sees the whole material.

    Parameters
    ----------
    pattern
        A file, a folder or a glob pattern.
    config
        Crop, size, colour, stride, keyframes_only and limit are used.
    progress
        Told the number of frames passed; may raise ``Cancelled``.

    Raises
    ------
    InputError
        If nothing matches, a file is no video, or the crop does not fit.
    """
    shape = FrameShape(config.crop, config.size, 1 if config.colour == "grey" else 3)
    plans = []
    for file in find_videos(pattern):
        with VideoReader(file) as reader:
            check_crop(config.crop, reader.size, file.name)
            plans.append((file, reader.index, _wanted(reader, config)))
    chosen = _spread(plans, config.limit)
    total = sum(len(numbers) for _, _, numbers in chosen)
    ticker = Ticker(progress or ignore, "Decoding video", total)
    images = np.empty((total, *config.size, shape.channels), dtype=np.uint8)
    file_of, frame_of = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
    row = 0
    for position, (file, index, numbers) in enumerate(chosen):
        with VideoReader(file, index) as reader:
            for number, frame in reader.each(numbers.tolist()):
                images[row] = shape.apply(frame)
                file_of[row], frame_of[row] = position, number
                row += 1
                ticker.at(row)
    return VideoFrames(images[:row], file_of[:row], frame_of[:row], [file for file, _, _ in chosen])


def split_video(frames: VideoFrames, test_fraction: float) -> tuple[Ints, Ints]:
    """Split frames into training and test rows so that no test frame is a near copy of a training frame.

    Several files: whole files, the last ones by name, at least one of each. One file: contiguous
    test blocks spread over the film, with a gap on both sides that belongs to neither.

    Returns
    -------
    train, test
        Ascending row numbers.

    Raises
    ------
    InputError
        If there are fewer than two frames.
    """
    total = len(frames.images)
    if total < 2:
        raise InputError(
            f"Only {total} video frame was selected; a training and a test frame are needed",
            where="data.stride",
            hint="Lower data.stride or switch data.keyframes_only off.",
        )
    if len(np.unique(frames.file_of)) > 1:
        return _split_by_file(frames.file_of, test_fraction)
    return _split_in_blocks(total, test_fraction)


def _wanted(reader: VideoReader, config: DataConfig) -> Ints:
    """Return the numbers of the frames that stride and keyframes_only select."""
    numbers = np.arange(reader.frames, dtype=np.int64)
    if config.keyframes_only and len(reader.index.entries):
        numbers = reader.index.entries
    return numbers[:: config.stride]


def _spread(plans: list[tuple[Path, Any, Ints]], limit: int | None) -> list[tuple[Path, Any, Ints]]:
    total = sum(len(numbers) for _, _, numbers in plans)
    if limit is None or total <= limit:
        return plans
    kept = np.linspace(0, total - 1, limit).round().astype(np.int64)
    result, start = [], 0
    for file, index, numbers in plans:
        mine = kept[(kept >= start) & (kept < start + len(numbers))] - start
        if len(mine):
            result.append((file, index, numbers[mine]))
        start += len(numbers)
    return result


def _split_by_file(file_of: Ints, test_fraction: float) -> tuple[Ints, Ints]:
    files = np.unique(file_of)
    count = min(len(files) - 1, max(1, round(test_fraction * len(files))))
    is_test = np.isin(file_of, files[-count:])
    return np.flatnonzero(~is_test).astype(np.int64), np.flatnonzero(is_test).astype(np.int64)


def _split_in_blocks(total: int, test_fraction: float) -> tuple[Ints, Ints]:
    wanted = min(total - 1, max(1, round(test_fraction * total)))
    blocks = min(MAX_TEST_BLOCKS, max(1, wanted // TEST_BLOCK))
    gap = min(MAX_GAP, max(1, total // (20 * blocks))) if total > 4 else 0
    owner = np.zeros(total, dtype=np.int8)  # 0 training, 1 test, 2 gap
    # Each block sits in the middle of its share of the film, so that the test sees all of it.
    for block in range(blocks):
        first, last = wanted * block // blocks, wanted * (block + 1) // blocks
        middle = (2 * block + 1) * total // (2 * blocks)
        start = min(max(0, middle - (last - first) // 2), total - (last - first))
        stop = start + last - first
        owner[max(0, start - gap) : stop + gap] = 2
        owner[start:stop] = 1
    return np.flatnonzero(owner == 0).astype(np.int64), np.flatnonzero(owner == 1).astype(np.int64)
