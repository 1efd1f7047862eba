"""Which frames a video file holds, in which order, and where decoding may start.

The order of frames is the order of their presentation times. It is read from the packets, without
decoding, because headers lie: containers store a rounded, an estimated or no frame count at all.
Where packets carry no usable times (raw streams, B-frames in AVI, damaged files) every frame is
decoded once instead.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Ints

HEAD_FRAMES = 24
"""Frames decoded when a file is opened, to see whether the packets tell the truth about them."""
TEXT_CODECS = ("ansi", "bintext", "xbin", "idf")
HINT = "Videos are files such as .mp4, .mov, .mkv, .webm or .avi; try whether a player shows it."


@dataclass(frozen=True)
class FrameIndex:
    """The frames of a file in presentation order.

    Attributes
    ----------
    pts
        (N,) int64: time of each frame in ticks of the stream's time base; frame numbers when not ``seekable``.
    entries
        (K,) int64: numbers of the frames that decoding may start at (keyframes), ascending.
    entry_ticks
        (K,) int64: where to seek to, in ticks, to land on each entry: the time it is shown at.
    seekable
        Whether ``pts`` are real, strictly increasing times. If not, frames are only found by counting.
    entry_starts
        (K,) int64: the same for formats that are sought by the time of decoding, which is earlier; None: no other.
    """

    pts: Ints
    entries: Ints
    entry_ticks: Ints
    seekable: bool
    entry_starts: Ints | None = None

    def number_of(self, pts: int | None) -> int:
        """Return the number of the frame shown at ``pts``, or -1 when there is none."""
        if pts is None:
            return -1
        n = int(np.searchsorted(self.pts, pts))
        return n if n < len(self.pts) and self.pts[n] == pts else -1


def open_container(path: Path) -> Any:
    """Open a video file with libav.

    Raises
    ------
    InputError
        If the file is missing, empty, a folder, unreadable, or nothing that libav knows.
    """
    try:
        if path.is_dir():
            raise InputError(f"{path.name} is a folder, not a video", where=str(path), hint="Choose a file in it.")
        if path.stat().st_size == 0:
            raise InputError(f"{path.name} is empty (0 bytes)", where=str(path), hint="Copy or record it again.")
        return av.open(str(path), metadata_errors="replace")  # Titles come in any encoding.
    except FileNotFoundError:
        raise InputError(f"There is no video {path}", where=str(path), hint="Check the path.") from None
    except PermissionError:
        raise InputError(f"{path.name} may not be read", where=str(path), hint="Check its permissions.") from None
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path.name} is not a video or is damaged: {reason}", where=str(path), hint=HINT) from None


def video_stream(container: Any, path: Path) -> Any:
    """Return the first moving picture of a file, passing over cover art.

    Raises
    ------
    InputError
        If there is none, or its codec has no decoder here.
    """
    for stream in container.streams.video:
        if stream.disposition & av.stream.Disposition.attached_pic:
            continue
        codec = stream.codec_context
        if codec is None:
            raise InputError(
                f"{path.name} is in a format that cannot be decoded here",
                where=str(path),
                hint="Convert it to H.264, for example: ffmpeg -i IN -c:v libx264 OUT.mp4",
            )
        if codec.name not in TEXT_CODECS:
            return stream
    raise InputError(f"{path.name} holds no video", where=str(path), hint=HINT)


def decoded_frames(container: Any, stream: Any, damaged: Callable[[], None] = lambda: None) -> Iterator[Any]:
    """Yield the frames that decoding in sequence gives, passing over packets that are ``damaged``, which is called."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.FFmpegError:  # A cut file: what the decoder still holds is given, the rest is lost.
            packet = None
        try:
            yield from stream.codec_context.decode(packet)
        except av.EOFError:
            return
        except av.FFmpegError:
            if packet is None:
                return
            damaged()
            continue
        if packet is None:
            return


def scan_packets(container: Any, stream: Any) -> FrameIndex | None:
    """Read the order of frames from the packets; None when they do not tell it reliably."""
    ticks = array("q")  # A list would take four times the memory, which shows in films of hours.
    keys: list[tuple[int, int]] = []
    try:
        for packet in container.demux(stream):
            if not packet.size or packet.is_discard:
                continue
            pts = packet.pts
            if pts is None or packet.is_corrupt:
                return None
            ticks.append(pts)
            if packet.is_keyframe:
                keys.append((pts, pts if packet.dts is None else min(pts, packet.dts)))
    except av.FFmpegError:
        return None
    times = np.sort(np.asarray(ticks, dtype=np.int64))
    if not len(times) or not keys or (np.diff(times) <= 0).any():
        return None
    keys.sort()
    shown, starts = (np.asarray(column, dtype=np.int64) for column in zip(*keys, strict=True))
    return FrameIndex(times, np.searchsorted(times, shown).astype(np.int64), shown, True, starts)


def scan_frames(container: Any, stream: Any) -> FrameIndex:
    """Find the order of frames by decoding all of them: slow, and always right."""
    ticks: list[int | None] = []
    keys: list[int] = []
    for number, frame in enumerate(decoded_frames(container, stream)):
        ticks.append(frame.pts)
        if frame.key_frame:
            keys.append(number)
    known = [tick for tick in ticks if tick is not None]
    pts = np.asarray(known, dtype=np.int64)
    if len(known) == len(ticks) and len(keys) and not (np.diff(pts) <= 0).any():
        entries = np.asarray(keys, dtype=np.int64)
        return FrameIndex(pts, entries, pts[entries], True)
    empty = np.empty(0, dtype=np.int64)
    return FrameIndex(np.arange(len(ticks), dtype=np.int64), empty, empty, False)


def build_index(path: Path) -> FrameIndex:
    """Return the frames of a video file.

    Raises
    ------
    InputError
        If the file cannot be opened or no frame of it can be decoded.
    """
    with open_container(path) as container:
        index = scan_packets(container, video_stream(container, path))
    if index is None or not _head_agrees(path, index):
        with open_container(path) as container:
            index = scan_frames(container, video_stream(container, path))
    if not len(index.pts):
        raise InputError(f"No frame of {path.name} can be decoded", where=str(path), hint=HINT)
    return index


def _head_agrees(path: Path, index: FrameIndex) -> bool:
    """Whether the first frames come out of the decoder in the order and number the packets promise."""
    expected = min(HEAD_FRAMES, len(index.pts))
    with open_container(path) as container:
        frames = decoded_frames(container, video_stream(container, path))
        seen = [frame.pts for frame, _ in zip(frames, range(expected), strict=False)]
    return bool(seen == index.pts[:expected].tolist())
