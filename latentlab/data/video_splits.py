"""Train and test frames of films, split so that no test frame is a near copy of a training frame."""

from __future__ import annotations

from typing import Literal

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Ints

MAX_TEST_BLOCKS = 5
TEST_BLOCK = 60
"""Test frames in a row, at least: shorter blocks would be mostly the edges of their neighbours."""
MAX_GAP = 30
"""Frames left out on each side of a test block: a second of film, within which frames are near copies."""


def split_video(
    file_of: Ints, test_fraction: float, how: Literal["auto", "file", "blocks"] = "auto"
) -> tuple[Ints, Ints]:
    """Split the frames of one or several films.

    By file: whole files, the last ones by name, at least one of each. In blocks: contiguous test blocks spread
    over every film, with a gap on both sides that belongs to neither.

    Parameters
    ----------
    file_of
        Number of the film that each frame comes from, (N,), the frames of a film in a row.
    test_fraction
        Share of files or frames to hold out.
    how
        ``auto`` splits by file where there are several, else in blocks.

    Returns
    -------
    train, test
        Ascending row numbers.

    Raises
    ------
    InputError
        If there are fewer than two frames, or one file is to be split by file.
    """
    total, files = len(file_of), np.unique(file_of)
    if total < 2:
        raise InputError(
            f"Only {total} video frame was selected; a training and a test frame are needed",
            where="data.stride",
            hint="Lower data.stride or switch data.keyframes_only off.",
        )
    if how == "file" and len(files) < 2:
        raise InputError(
            "One film cannot be split by file", where="data.split", hint="Use data.split = blocks, or add films."
        )
    if how != "blocks" and len(files) > 1:
        return _rows_of(_held_out_files(file_of, files, test_fraction))
    parts = [np.flatnonzero(file_of == file) for file in files]
    owner = np.zeros(total, dtype=np.int8)
    for rows in parts:
        owner[rows] = _held_out_blocks(len(rows), test_fraction)
    return _rows_of(owner)


_TRAIN, _TEST, _GAP = 0, 1, 2


def _rows_of(owner: np.ndarray[tuple[int, ...], np.dtype[np.int8]]) -> tuple[Ints, Ints]:
    return np.flatnonzero(owner == _TRAIN).astype(np.int64), np.flatnonzero(owner == _TEST).astype(np.int64)


def _held_out_files(file_of: Ints, files: Ints, test_fraction: float) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    count = min(len(files) - 1, max(1, round(test_fraction * len(files))))
    return np.isin(file_of, files[-count:]).astype(np.int8)


def _held_out_blocks(total: int, test_fraction: float) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    wanted = min(total - 1, max(1, round(test_fraction * total)))
    blocks = min(MAX_TEST_BLOCKS, max(1, wanted // TEST_BLOCK))
    gap = min(MAX_GAP, max(1, total // (20 * blocks))) if total > 4 else 0
    owner = np.full(total, _TRAIN, dtype=np.int8)
    # Each block sits in the middle of its share of the film, so that the test sees all of it.
    for block in range(blocks):
        first, last = wanted * block // blocks, wanted * (block + 1) // blocks
        middle = (2 * block + 1) * total // (2 * blocks)
        start = min(max(0, middle - (last - first) // 2), total - (last - first))
        stop = start + last - first
        owner[max(0, start - gap) : stop + gap] = _GAP
        owner[start:stop] = _TEST
    return owner
