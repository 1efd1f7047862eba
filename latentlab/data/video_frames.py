"""One way to open whatever has frames: a video file, or numbered pictures."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

from latentlab.data.video import VideoReader
from latentlab.data.video_index import FrameIndex
from latentlab.data.video_sequence import PictureSequence, is_sequence, sequence_files

FrameReader = VideoReader | PictureSequence


def open_frames(
    path: Path, index: FrameIndex | None = None, *, onwards: bool = False, glances: bool = False
) -> FrameReader:
    """Open a video file, a folder of pictures, or a pattern such as ``shots/img_*.png`` or ``img_%04d.png``.

    ``index``, ``onwards`` and ``glances`` as in ``VideoReader``.

    Raises
    ------
    InputError
        If there is nothing at ``path``, or nothing that can be decoded.
    """
    return PictureSequence(path) if is_sequence(path) else VideoReader(path, index, onwards=onwards, glances=glances)


def file_facts(path: Path) -> list[object]:
    """Return what tells one state of a film from another: names, sizes and times, as JSON-able values.

    Raises
    ------
    OSError
        If the file is gone.
    """
    if is_sequence(path):
        files = [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in sequence_files(path)]
        return [str(path.absolute()), len(files), zlib.crc32(json.dumps(files).encode())]
    facts = path.stat()
    return [str(path.resolve()), facts.st_size, facts.st_mtime_ns]
