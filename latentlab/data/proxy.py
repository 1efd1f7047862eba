"""A video's frames at a model's size, on disk, so that a scrub is a copy and not a decode.

::

    <cache>/proxies/<key>.npy        (N, H, W, C) uint8, there only when whole
                    .<key>-<id>.part  the same while it is being built, with holes

The key covers the file's identity and the crop, size and channels. The file is written and read
with ordinary calls instead of a memory map: that costs 10 µs a frame, a full disk or a file cut by
somebody else is then an error that can be told and not a bus error that ends the app, and a proxy of
gigabytes does not count as the app's memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, Ints, ProgressSink
from latentlab.core.paths import cache_dir
from latentlab.data.cache import limit_bytes
from latentlab.data.progress import Ticker, ignore
from latentlab.data.video_frames import file_facts, open_frames
from latentlab.data.video_index import FrameIndex
from latentlab.data.video_shape import FrameShape

FORMAT = 2
SHARE_OF_CACHE = 0.5
FLUSH_S = 0.1
BUFFER = 2**20
"""Bytes written at a time: small frames one by one cost a call each."""
MOST_WAIT_S = 1.0
SOON_FRAMES = 200
"""Building goes on rather than away when it will reach the frame looked at within so many frames."""
ABANDONED_S = 24 * 3600.0
REMOVE = "Remove the folder proxies from latentlab's cache; it is made again."


class Proxy:
    """Frames of one video in one shape: whole from the cache, or growing while ``build`` runs.

    A film too long for the disk's share keeps every ``stride``-th frame only. Building begins at the
    ``focus``, where somebody looks, and moves there again when that is somewhere else.

    Thread: one thread calls ``build``; any thread may ``read``, look at ``present`` and move ``focus``.

    Parameters
    ----------
    path, index
        The video and its frames.
    shape
        Crop, size (required) and channels of the frames kept.

    Attributes
    ----------
    present
        (N,) bool: which frames can be read. It grows while ``build`` runs.
    """

    def __init__(self, path: Path, index: FrameIndex, shape: FrameShape) -> None:
        if shape.size is None:
            raise ValueError("a proxy needs a size")
        self.path, self.index, self.shape = Path(path), index, shape
        self.focus = 0
        self._undisturbed = threading.Event()
        self._undisturbed.set()
        self._unread: list[int] = []
        self._place = self._focus_before = -1
        self._rows: FileIO | None = None
        self._start = 0
        self._closed = False
        self._lock = threading.Lock()
        self._plan()
        self._take_cached()

    def _plan(self) -> None:
        """Decide which frames are kept, under which name."""
        self.wanted = self.frames
        self.stride = max(1, math.ceil(int(np.prod(self._dimensions)) / room_bytes()))
        self.wanted = -(-self.frames // self.stride)
        self.present = np.zeros(self.frames, dtype=bool)
        self.available = 0
        self._file = _folder() / f"{_key(self.path, self.index, self.shape, self.stride)}.npy"

    @property
    def frames(self) -> int:
        """How many frames the video has; corrected by ``build`` when its packets promised too many."""
        return len(self.index.pts)

    @property
    def complete(self) -> bool:
        """Whether every frame that is to be kept is there."""
        return self.available >= self.wanted

    def read(self, n: int) -> Images | None:
        """Return a fresh copy of frame ``n`` (H, W, C), or None while it is not there."""
        if not (0 <= n < len(self.present) and self.present[n]):
            return None
        picture = np.empty(self._dimensions[1:], dtype=np.uint8)
        with self._lock:
            if self._rows is None:
                return None
            self._rows.seek(self._start + n // self.stride * picture.nbytes)
            whole = self._rows.readinto(picture.data.cast("B")) == picture.nbytes
        return picture if whole else None

    def nearest(self, n: int) -> int | None:
        """Return the frame nearest to ``n`` that is there, or None while there is none."""
        for reach in (64, 4096, self.frames):
            first = max(0, n - reach)
            there = np.flatnonzero(self.present[first : n + reach + 1])
            if len(there):
                return first + int(there[np.abs(there + first - n).argmin()])
        return None

    def read_many(self, numbers: Ints) -> Images:
        """Return fresh copies of frames that are all present, (len(numbers), H, W, C).

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

    @contextlib.contextmanager
    def right_of_way(self) -> Iterator[None]:
        """Hold up building while somebody waits for a frame that has to be decoded. Thread: any other."""
        self._undisturbed.clear()
        try:
            yield
        finally:
            self._undisturbed.set()

    def close(self) -> None:
        """Release the file; nothing is present afterwards."""
        with self._lock:
            self._closed, self.available = True, 0
            self.present = np.zeros(self.frames, dtype=bool)
            if self._rows is not None:
                self._rows.close()
            self._rows = None

    @property
    def _dimensions(self) -> tuple[int, int, int, int]:
        assert self.shape.size is not None
        return (self.wanted, *self.shape.size, self.shape.channels)

    def build(self, progress: ProgressSink | None = None) -> None:
        """Decode the whole video into the proxy; at once when it is whole already.

        Raises
        ------
        InputError
            If the video cannot be read to its end, or the cache folder cannot be written.
        Cancelled
            Passed through from ``progress``; no half of a proxy stays behind.
        """
        while not (self.complete or self._closed):
            part = self._file.with_name(f".{self._file.stem}-{uuid.uuid4().hex[:8]}.part")
            try:
                evict(room=self.wanted * int(np.prod(self._dimensions[1:])))
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
        with open_frames(self.path, self.index, onwards=True) as reader, part.open("wb", BUFFER) as file:
            self._begin(part, file)
            ticker = Ticker(progress, "Preparing video", self.wanted)
            due = time.monotonic() + FLUSH_S
            while (first := self._next_gap()) is not None:
                for number, frame in reader.iterate(first, step=self.stride):
                    if self.present[number]:
                        break
                    self._write(file, number, self.shape.apply(frame))
                    ticker.at(self.available + len(self._unread))
                    self._undisturbed.wait(MOST_WAIT_S)
                    if time.monotonic() >= due:
                        file.flush()
                        self._publish()
                        due = time.monotonic() + FLUSH_S
                        if self._looked_away(number):
                            break
                file.flush()
                self._publish()
                if reader.frames < self.frames:  # The packets promised more: begin again with those there are.
                    self.index = reader.index
                    self._plan()
                    return
        if not self.complete:  # Closed meanwhile.
            return
        with contextlib.suppress(OSError):  # Some systems refuse to rename an open file: then it is not kept.
            os.replace(part, self._file)
        evict(keep=self._file)

    def _write(self, file: BinaryIO, number: int, picture: Images) -> None:
        """Write a frame to its place; it can be read once the file was flushed."""
        place = self._start + number // self.stride * picture.nbytes
        if place != self._place:
            file.flush()
            file.seek(place)
        file.write(picture.data)
        self._place = place + picture.nbytes
        self._unread.append(number)

    def _publish(self) -> None:
        """Let what was flushed be read."""
        with self._lock:
            if not self._closed:
                self.present[self._unread] = True
                self.available += len(self._unread)
        self._unread.clear()

    def _next_gap(self) -> int | None:
        """Return where to go on: the first frame missing after the focus, or the keyframe before it if that is too."""
        kept = self.present[:: self.stride]
        missing = np.flatnonzero(~kept)
        if not len(missing) or self._closed:
            return None
        focus = min(max(0, self.focus), self.frames - 1) if self.index.seekable else 0
        after = missing[np.searchsorted(missing, focus // self.stride) :]
        first = int(after[0] if len(after) else missing[0]) * self.stride
        entries = self.index.entries
        entry = int(np.searchsorted(entries, first, side="right")) - 1
        if entry < 0:
            return first
        # Decoding begins at the keyframe in any case, so what follows it is taken along.
        start = -(-int(entries[entry]) // self.stride) * self.stride
        return start if start <= first and not self.present[start] else first

    def _looked_away(self, number: int) -> bool:
        """Whether somebody has settled on a frame that is not there and that going on would not reach soon."""
        focus, settled = self.focus, self.focus == self._focus_before
        self._focus_before = focus
        inside = self.index.seekable and 0 <= focus < self.frames
        if not (inside and settled) or number <= focus <= number + SOON_FRAMES * self.stride:
            return False
        return not self.present[focus // self.stride * self.stride]

    def _begin(self, part: Path, file: BinaryIO) -> None:
        """Write the header and open the file for reading."""
        header = {"descr": "|u1", "fortran_order": False, "shape": self._dimensions}
        np.lib.format.write_array_header_1_0(file, header)
        file.flush()
        self._place = file.tell()
        self._unread.clear()
        self._use(part, self._place)

    def _use(self, path: Path, start: int) -> None:
        """Read frames from ``path``, where they begin at byte ``start``, from now on."""
        with self._lock:
            if self._rows is not None:
                self._rows.close()
            self._rows, self._start = None if self._closed else FileIO(path), start

    def _take_cached(self) -> None:
        """Use the file in the cache, if there is a whole one."""
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
            self.present[:: self.stride] = True
            self.available = self.wanted
            with contextlib.suppress(OSError):
                os.utime(self._file)  # Last use, for eviction.


def room_bytes() -> int:
    """Return how much one proxy may take: the share of the cache, and half of what the disk has left."""
    return max(1, min(int(limit_bytes() * SHARE_OF_CACHE), shutil.disk_usage(_folder()).free // 2))


def evict(keep: Path | None = None, room: int = 0) -> list[str]:
    """Remove the proxies not used for longest while all, and ``room`` bytes more, take more than their share.

    What a killed process left half-built goes as well, a day later.
    """
    found = []
    for file in _folder().glob("*.npy"):
        with contextlib.suppress(OSError):
            found.append((file.stat().st_mtime, file.stat().st_size, file))
    excess = sum(size for _, size, _ in found) + room - limit_bytes() * SHARE_OF_CACHE
    removed = []
    for _, size, file in sorted(found):
        if excess <= 0:
            break
        if file != keep:
            file.unlink(missing_ok=True)
            removed.append(file.name)
            excess -= size
    for part in _folder().glob(".*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > ABANDONED_S:
                part.unlink()
    return removed


def _folder() -> Path:
    folder = cache_dir() / "proxies"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _key(path: Path, index: FrameIndex, shape: FrameShape, stride: int) -> str:
    facts = [FORMAT, *file_facts(path), len(index.pts), shape.crop, shape.size, shape.channels]
    text = json.dumps(facts if stride == 1 else [*facts, stride])
    return hashlib.sha256(text.encode()).hexdigest()[:24]
