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
