"""A video's frames at a model's size, on disk, so that a scrub is a copy and not a decode.

::

    <cache>/proxies/<key>.npy        (N, H, W, C) uint8, present only when whole
                    .<key>-<id>.part  the same while it is being built

The key covers the file's identity and the crop, size and channels. The file is written and read
with ordinary calls instead of a memory map: that costs 10 µs a frame, a full disk or a file cut by
somebody else is then an error that can be told and not a bus error that ends the app, and a proxy of
gigabytes does not count as the app's memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
import uuid
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, Ints, ProgressSink
from latentlab.core.paths import cache_dir
from latentlab.data.cache import limit_bytes
from latentlab.data.progress import Ticker, ignore
from latentlab.data.video import VideoReader
from latentlab.data.video_index import FrameIndex
from latentlab.data.video_shape import FrameShape

FORMAT = 1
SHARE_OF_CACHE = 0.5
FLUSH_S = 0.1
REMOVE = "Remove the folder proxies from latentlab's cache; it is made again."


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
        self._rows: FileIO | None = None
        self._start = 0
        self._closed = False
        self._lock = threading.Lock()
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
        if n >= self.available:
            return None
        picture = np.empty(self._dimensions[1:], dtype=np.uint8)
        with self._lock:
            if self._rows is None:
                return None
            self._rows.seek(self._start + n * picture.nbytes)
            whole = self._rows.readinto(picture.data.cast("B")) == picture.nbytes
        return picture if whole else None

    def read_many(self, numbers: Ints) -> Images:
        """Return fresh copies of frames that are all available, (len(numbers), H, W, C).

        Raises
        ------
        InputError
            If the file in the cache was cut by somebody else.
        """
        pictures = np.empty((len(numbers), *self._dimensions[1:]), dtype=np.uint8)
        for place, number in enumerate(numbers.tolist()):
            picture = self.read(number)
            if picture is None:
                raise InputError(f"{self._file.name} in the cache is damaged", where=str(self._file), hint=REMOVE)
            pictures[place] = picture
        return pictures

    def close(self) -> None:
        """Release the file; nothing is available afterwards."""
        with self._lock:
            self._closed, self.available = True, 0
            if self._rows is not None:
                self._rows.close()
            self._rows = None

    @property
    def _dimensions(self) -> tuple[int, int, int, int]:
        assert self.shape.size is not None
        return (self.frames, *self.shape.size, self.shape.channels)

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
            self._begin(part, file)
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

    def _begin(self, part: Path, file: BinaryIO) -> None:
        """Write the header and open the file for reading."""
        header = {"descr": "|u1", "fortran_order": False, "shape": self._dimensions}
        np.lib.format.write_array_header_1_0(file, header)
        file.flush()
        self._use(part, file.tell())

    def _use(self, path: Path, start: int) -> None:
        """Read frames from ``path``, where they begin at byte ``start``, from now on."""
        with self._lock:
            if self._rows is not None:
                self._rows.close()
            self._rows, self._start = None if self._closed else FileIO(path), start

    def _take_cached(self) -> None:
        try:
            with self._file.open("rb") as file:
                np.lib.format.read_magic(file)
                found = np.lib.format.read_array_header_1_0(file)
                start = file.tell()
            whole = self._file.stat().st_size == start + int(np.prod(self._dimensions))
        except (OSError, ValueError, EOFError):
            return
        if whole and found == (self._dimensions, False, np.dtype(np.uint8)):
            self._use(self._file, start)
            self.available = self.frames
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
