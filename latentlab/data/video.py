"""Reading videos frame by frame: frame n is always the n-th frame of reading in sequence.

PyAV rather than OpenCV: it gives every frame its exact time, so that a seek can be checked instead
of believed (OpenCV counts from a rounded rate, which is wrong for variable-rate files), it decodes
AV1, and it knows keyframes, rotation and sound. With one shared converter and one conversion thread
it reads small clips as fast as OpenCV does.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from latentlab.core.errors import Cancelled, InputError
from latentlab.core.messages import Images
from latentlab.core.video_messages import VideoInfo
from latentlab.data.video_index import (
    FrameIndex,
    build_index,
    decoded_frames,
    open_container,
    scan_frames,
    video_stream,
)

RECENT_BYTES = 48 * 2**20
"""Memory for frames just decoded, so that stepping backwards does not decode a whole group each time."""
SKIPS_SOUNDLY = ("h264", "hevc", "mpeg4", "mpeg2video")
"""Codecs that mark the frames no other frame depends on."""
REORDERED = 48
"""Frames that may be in the decoder, out of order or in its threads, before one comes out."""
SMALL_PIXELS = 320 * 240
"""Frames up to this size are decoded in one thread: handing them over costs more than decoding them."""
FALLBACK_RATE = Fraction(25)


class VideoReader:
    """Random and sequential access to the frames of one file.

    Thread: whichever created it, and only that one.

    Parameters
    ----------
    path
        A file in any format that libav decodes.
    index
        The index of another reader of the same file, to save reading it again.
    onwards
        Whether frames will only be read onwards, so that those just decoded need not be kept.
    glances
        Whether single frames will be read here and there: threads then share each picture where it is coded in
        slices, instead of working on several pictures at once, of which the first comes no sooner.

    Raises
    ------
    InputError
        If the file is missing, empty, no video, or not decodable.
    """

    def __init__(
        self, path: Path, index: FrameIndex | None = None, *, onwards: bool = False, glances: bool = False
    ) -> None:
        self.path = Path(path)
        self._thread_type = "SLICE" if glances else "AUTO"
        self.index = index or build_index(self.path)
        self._converter = VideoReformatter()
        self._recent: OrderedDict[int, Any] = OrderedDict()
        self._next = 0
        self._from_start = True
        self._container: Any = None
        self._hurries = self._early = self._damaged = False
        self._broken: set[int] = set()  # Places in index.entries whose frames are damaged.
        self._sound_from: int | None = None
        self._keep = 2
        self._restart()
        first = self._find(0)
        self._turns = round(first.rotation / 90) % 4
        fitting = 0 if onwards or glances else RECENT_BYTES // max(1, first.width * first.height * 2)
        self._keep = max(2, min(64, fitting))
        self._stored_size = (first.width, first.height)
        self.rate = self._measure_rate()

    @property
    def frames(self) -> int:
        """How many frames reading in sequence gives. Not taken from the header."""
        return len(self.index.pts)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames as shown."""
        width, height = self._stored_size
        return (height, width) if self._turns % 2 else (width, height)

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick of ``index.pts``."""
        return Fraction(self._stream.time_base)

    @property
    def fps(self) -> float:
        """Mean frames per second."""
        return float(self.rate)

    @property
    def times_s(self) -> npt.NDArray[np.float64]:
        """(N,) the file's own time of each frame in seconds."""
        if not self.index.seekable:
            return np.asarray(self.index.pts / self.fps, dtype=np.float64)
        return np.asarray(self.index.pts * float(self.time_base), dtype=np.float64)

    @property
    def info(self) -> VideoInfo:
        """The facts about the file."""
        width, height = self.size
        codec = str(self._stream.codec_context.name)
        return VideoInfo(self.path, self.frames, self.fps, width, height, codec, self._turns * 90, self.times_s)

    def cost(self, n: int) -> int:
        """Return how many frames have to be decoded for frame ``n``; 0 when it was decoded a moment ago."""
        if n in self._recent:
            return 0
        if self._worth_going_on(n):
            return n - self._next + 1
        entry = self._entry_of(n)
        return n - (int(self.index.entries[entry]) if entry >= 0 and entry not in self._broken else 0) + 1

    def jumps(self, n: int) -> bool:
        """Whether reading frame ``n`` begins at a keyframe rather than where the last read ended."""
        return n not in self._recent and not self._worth_going_on(n)

    def recent(self) -> list[int]:
        """Return the frames that cost nothing: those decoded last."""
        return list(self._recent)

    def read(self, n: int, stop: Callable[[], bool] | None = None) -> Images:
        """Return frame ``n``: a fresh (height, width, 3) uint8 RGB array.

        ``stop`` is asked before each frame decoded on the way; what was decoded stays useful.

        Raises
        ------
        Cancelled
            If ``stop`` said so.
        IndexError
            If there is no frame ``n``.
        InputError
            If the file cannot be decoded there, or has vanished.
        """
        if not 0 <= n < self.frames:
            raise IndexError(f"frame {n} of {self.frames}")
        return self._to_rgb(self._find(n, stop))

    def iterate(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[tuple[int, Images]]:
        """Yield ``(n, frame)`` for n in ``range(start, stop, step)``."""
        return self.each(range(start, self.frames if stop is None else stop, step))

    def each(self, numbers: Iterable[int]) -> Iterator[tuple[int, Images]]:
        """Yield ``(n, frame)`` for ascending frame numbers; frames between are decoded, not converted.

        Ends early where the file turns out shorter than its packets promised.
        """
        for n in numbers:
            try:
                frame = self.read(n)
            except (IndexError, InputError):
                if n >= self.frames:
                    return
                raise
            yield n, frame

    def close(self) -> None:
        """Release the file; the reader cannot be used afterwards."""
        self._recent.clear()
        if self._container is not None:
            self._container.close()
            self._container = None

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _find(self, n: int, stop: Callable[[], bool] | None = None) -> Any:
        """Return the decoded frame ``n``, from the recent ones or by decoding towards it."""
        recent = self._recent.get(n)
        if recent is not None:
            return recent
        frame = self._search(n, stop)
        if frame is None:
            self._restart()
            frame = self._forward(n, stop, hurry=False)
        return frame if frame is not None else self._repair(n)

    def _search(self, n: int, stop: Callable[[], bool] | None) -> Any:
        """Decode towards frame ``n`` from where this reader is or from a keyframe; None where that does not do."""
        frame = self._forward(n, stop) if self._worth_going_on(n) else None
        entry = self._entry_of(n)
        # A keyframe is normally enough. Streams with open groups may need an earlier one.
        for candidate, early in ((entry, self._early), (entry, not self._early), (entry - 1, True)):
            if frame is not None or entry in self._broken:
                break
            if 0 <= candidate < len(self.index.entries) and self._seek(candidate, early=early):
                frame = self._forward(n, stop)
                if frame is not None and candidate == entry:
                    self._early = early
        return frame

    def _worth_going_on(self, n: int) -> bool:
        """Whether decoding on from here reaches ``n`` no later than seeking would."""
        if n <= self._next:
            return n == self._next
        entry = self._entry_of(n)
        if entry in self._broken:
            return self._from_start and not self._left_out
        return entry < 0 or int(self.index.entries[entry]) <= self._next

    def _entry_of(self, n: int) -> int:
        """Return the place in ``index.entries`` of the keyframe that frame ``n`` belongs to, -1 for none."""
        return int(np.searchsorted(self.index.entries, n, side="right")) - 1

    def _seek(self, entry: int, *, early: bool) -> bool:
        """Go to a keyframe by the time it is shown at, or ``early`` by the one it is decoded at: formats differ."""
        starts = self.index.entry_starts
        if early and starts is None:
            return False
        ticks = starts if early and starts is not None else self.index.entry_ticks
        try:
            self._container.seek(int(ticks[entry]), stream=self._stream, backward=True)
        except (OSError, ValueError):
            return False
        self._begin_decoding()
        self._next = int(self.index.entries[entry])
        self._from_start, self._sound_from = False, None
        return True

    def _restart(self) -> None:
        """Begin again at the first packet; reopening works for every format, seeking there does not."""
        if self._container is not None:
            self._container.close()
        self._container = open_container(self.path)
        self._stream = video_stream(self._container, self.path)
        codec = self._stream.codec_context
        if codec.width * codec.height > SMALL_PIXELS:
            self._stream.thread_type = self._thread_type
            codec.thread_count = max(1, min(4, os.cpu_count() or 1))
        else:
            codec.thread_count = 1
        self._begin_decoding()
        self._hurries = False
        self._next = 0
        self._from_start = True

    def _begin_decoding(self) -> None:
        self._decoder = decoded_frames(self._container, self._stream, self._on_damage)
        self._damaged = self._left_out = False

    def _on_damage(self) -> None:
        self._damaged = True

    def _forward(self, n: int, stop: Callable[[], bool] | None = None, *, hurry: bool = True) -> Any:
        """Decode on to frame ``n``; None when it does not come out sound from where decoding began."""
        entry = self._next
        hurry = hurry and self._hurry(n - entry > self._keep + REORDERED)
        try:
            for frame in self._decoder:
                number = self._number_of(frame)
                sound = self._is_sound(frame, number)
                if self._damaged and not self._survives(number):
                    return None
                if number >= entry and sound:
                    self._remember(number, frame)
                    self._next = number + 1
                if number == n and sound:
                    return frame
                if number > n:
                    return None
                hurry = hurry and self._hurry(n - number > self._keep + REORDERED)
                if stop is not None and stop():
                    raise Cancelled
        finally:
            self._hurry(False)
        self._next = self.frames  # Ended: only a seek or a restart helps from here.
        return None

    def _is_sound(self, frame: Any, number: int) -> bool:
        """Whether a frame is what reading in sequence gives, wherever decoding began.

        Where decoding began with a picture that is complete by itself, all that follow are. With gradual
        refresh there is no such picture but the first: the others come close to what they should be, not equal.
        After damage decoders fill in what they decoded before, which depends on where they began and on every frame.
        """
        if self._from_start:
            self._damaged = self._damaged or bool(frame.is_corrupt)
            return True
        if self._sound_from is None:
            if frame.pict_type == PictureType.I:
                self._sound_from = number
            elif number in self.index.entries:
                self._forget_entries()
        if self._sound_from is None or number < self._sound_from:
            return False
        self._damaged = self._damaged or bool(frame.is_corrupt)
        return True

    def _survives(self, number: int) -> bool:
        """Whether damage met at frame ``number`` is filled in as in sequence, every frame before it being decoded."""
        if self._from_start and not self._left_out:
            return True
        self._broken.add(self._entry_of(number))
        self._next = self.frames  # Only a restart helps from here.
        return False

    def _forget_entries(self) -> None:
        """From now on decode from the first frame only."""
        entries, ticks = self.index.entries[:1], self.index.entry_ticks[:1]
        self.index = replace(self.index, entries=entries, entry_ticks=ticks, entry_starts=None)

    def _number_of(self, frame: Any) -> int:
        """Return a decoded frame's number, which is mostly the one that follows the frame before it."""
        following, pts = self._next, self.index.pts
        if not self.index.seekable or (following < len(pts) and pts[following] == frame.pts):
            return following
        return self.index.number_of(frame.pts)

    def _hurry(self, wanted: bool) -> bool:
        """Leave out frames that no other depends on while the one wanted is far away; return whether that is done."""
        sound = self.index.seekable and not self._broken and self._stream.codec_context.name in SKIPS_SOUNDLY
        wanted = wanted and sound
        self._left_out = self._left_out or wanted
        if wanted != self._hurries:
            self._hurries = wanted
            self._stream.codec_context.skip_frame = "NONREF" if wanted else "DEFAULT"
        return wanted

    def _remember(self, number: int, frame: Any) -> None:
        self._recent[number] = frame
        self._recent.move_to_end(number)
        while len(self._recent) > self._keep:
            self._recent.popitem(last=False)

    def _repair(self, n: int) -> Any:
        """Count the frames by decoding them all, as the packets promised one that does not exist."""
        self._restart()
        before, self.index = self.frames, scan_frames(self._container, self._stream)
        self._broken.clear()
        self._recent.clear()
        self._restart()
        frame = self._forward(n, hurry=False) if n < self.frames else None
        if frame is None:
            raise InputError(
                f"Frame {n} of {self.path.name} cannot be decoded",
                where=str(self.path),
                hint=f"The file promises {before} frames and holds {self.frames}; it may be damaged.",
            )
        return frame

    def _to_rgb(self, frame: Any) -> Images:
        width, height = self._stored_size
        # One conversion thread: starting several costs more than a small picture takes.
        picture = self._converter.reformat(frame, width=width, height=height, format="rgb24", threads=1)
        pixels = picture.to_ndarray()
        if self._turns:
            pixels = np.rot90(pixels, self._turns)
        return np.ascontiguousarray(pixels)

    def _measure_rate(self) -> Fraction:
        """Return the header's rate where it fits the times of the frames, else their mean rate."""
        stated = self._stream.average_rate or self._stream.guessed_rate
        rate = Fraction(stated) if stated else Fraction(0)
        if not self.index.seekable or self.frames < 2:
            return rate or FALLBACK_RATE
        span = Fraction(int(self.index.pts[-1] - self.index.pts[0])) * self.time_base
        measured = (self.frames - 1) / span
        return rate if rate and abs(rate / measured - 1) < 0.02 else measured.limit_denominator(1001)
