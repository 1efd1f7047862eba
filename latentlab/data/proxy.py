"""A video's frames at a model's size, on disk and memory-mapped, so that a scrub is a copy and not a decode.

::

    <cache>/proxies/<key>.npy        (N, H, W, C) uint8, present only when whole
                    .<key>-<id>.part  the same while it is being built

The key covers the file's identity and the crop, size and channels. Rows are written with ordinary
writes and read through a map: a full disk is then an error that can be told, not a bus error.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import uuid
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, ProgressSink
from latentlab.core.paths import cache_dir
from latentlab.data.cache import limit_bytes
from latentlab.data.progress import Ticker, ignore
from latentlab.data.video import VideoReader
from latentlab.data.video_index import FrameIndex
from latentlab.data.video_shape import FrameShape

FORMAT = 1
SHARE_OF_CACHE = 0.5
FLUSH_S = 0.1


class Proxy:
    """The frames of one video in one shape: whole from the cache, or growing while ``build`` runs.

    Thread: one thread calls ``build``; any thread may ``read`` and look at ``available`` meanwhile.

    Parameters
    ----------
    path, index
        The video and its frames.
    shape
        Crop, size (required) and channels of the frames kept.
    """

    def __init__(self, path: Path, index: FrameIndex, shape: FrameShape) -> None:
        if shape.size is None:
            raise ValueError("a proxy needs a size")
        self.path, self.index, self.shape = Path(path), index, shape
        self.available = 0
        self._rows: npt.NDArray[np.uint8] | None = None
        self._file = _folder() / f"{_key(self.path, index, shape)}.npy"
        self._take_cached()

    @property
    def frames(self) -> int:
        """How many frames the video has; corrected by ``build`` when its packets promised too many."""
        return len(self.index.pts)

    @property
    def complete(self) -> bool:
        """Whether every frame is there."""
        return self.available >= self.frames

    def read(self, n: int) -> Images | None:
        """Return a fresh copy of frame ``n`` (H, W, C), or None while it is not there."""
        return None if n >= self.available or self._rows is None else np.array(self._rows[n])

    def read_many(self, numbers: npt.NDArray[np.int64]) -> Images:
        """Return fresh copies of frames that are all available, (len(numbers), H, W, C)."""
        assert self._rows is not None
        return np.array(self._rows[numbers])

    def build(self, progress: ProgressSink | None = None) -> None:
        """Decode the whole video into the proxy; at once when it is whole already.

        Raises
        ------
        InputError
            If the video cannot be read to its end, or the cache folder cannot be written.
        Cancelled
            Passed through from ``progress``; no half of a proxy stays behind.
        """
        while not self.complete:
            part = self._file.with_name(f".{self._file.stem}-{uuid.uuid4().hex[:8]}.part")
            try:
                self._fill(part, progress or ignore)
            except OSError as error:
                raise InputError(
                    f"The proxy of {self.path.name} cannot be written: {error.strerror or error}",
                    where=str(part.parent),
                    hint="Free some disk space, or point LATENTLAB_CACHE at another folder.",
                ) from None
            finally:
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)

    def _fill(self, part: Path, progress: ProgressSink) -> None:
        with VideoReader(self.path, self.index) as reader, part.open("wb") as file:
            self._map(part, file)
            ticker = Ticker(progress, "Preparing video", self.frames)
            written, due = 0, 0.0
            for number, frame in reader.iterate():
                picture = self.shape.apply(frame)
                file.write(picture.data)
                written = number + 1
                if time.monotonic() >= due:
                    file.flush()
                    self.available, due = written, time.monotonic() + FLUSH_S
                ticker.at(written)
            file.flush()
            if written < self.frames:  # The packets promised more: begin again with the frames there really are.
                self.available, self.index = 0, reader.index
                self._file = self._file.with_name(f"{_key(self.path, self.index, self.shape)}.npy")
                return
        self.available = written
        with contextlib.suppress(OSError):  # Some systems refuse to rename a mapped file: then it is not kept.
            os.replace(part, self._file)
        evict(keep=self._file)

    def _map(self, part: Path, file: BinaryIO) -> None:
        """Write the header, reserve the length, and map the rows for reading."""
        assert self.shape.size is not None
        dimensions = (self.frames, *self.shape.size, self.shape.channels)
        header = {"descr": "|u1", "fortran_order": False, "shape": dimensions}
        np.lib.format.write_array_header_1_0(file, header)
        start = file.tell()
        file.truncate(start + int(np.prod(dimensions)))
        file.flush()
        self._rows = np.memmap(part, dtype=np.uint8, mode="r", offset=start, shape=dimensions)

    def _take_cached(self) -> None:
        try:
            rows = np.load(self._file, mmap_mode="r")
        except (OSError, ValueError, EOFError):
            return
        assert self.shape.size is not None
        if rows.shape == (self.frames, *self.shape.size, self.shape.channels) and rows.dtype == np.uint8:
            self._rows, self.available = rows, self.frames
            with contextlib.suppress(OSError):
                os.utime(self._file)  # Last use, for eviction.


def evict(keep: Path | None = None) -> list[str]:
    """Remove the proxies not used for longest while all take more than their share of the cache."""
    found = []
    for file in _folder().glob("*.npy"):
        with contextlib.suppress(OSError):
            found.append((file.stat().st_mtime, file.stat().st_size, file))
    excess = sum(size for _, size, _ in found) - limit_bytes() * SHARE_OF_CACHE
    removed = []
    for _, size, file in sorted(found):
        if excess <= 0:
            break
        if file != keep:
            file.unlink(missing_ok=True)
            removed.append(file.name)
            excess -= size
    return removed


def _folder() -> Path:
    folder = cache_dir() / "proxies"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _key(path: Path, index: FrameIndex, shape: FrameShape) -> str:
    facts = path.stat()
    identity = [FORMAT, str(path.resolve()), facts.st_size, facts.st_mtime_ns, len(index.pts)]
    text = json.dumps([*identity, shape.crop, shape.size, shape.channels])
    return hashlib.sha256(text.encode()).hexdigest()[:24]
