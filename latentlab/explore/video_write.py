"""Writing a video that keeps the times, the rate and the sound of the video it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Images
from latentlab.data.video import VideoReader

SUFFIXES = (".mp4", ".mkv", ".mov")
PICTURES_PER_S = Fraction(10)
"""Rate of a video made from single pictures."""
H264 = {"crf": "12", "preset": "fast"}
"""Near lossless: what is compared is the model, not the encoder."""
EVEN_STEP = 1e-3
"""Frames are taken for evenly spaced when none is further than this, in seconds, from its place."""

PRIMING_S = 0.1
"""Sound this long before the first picture is kept: decoders of AAC and Opus need it to begin with."""


class VideoWriter:
    """Encodes frames to a file that appears under its name only when it is whole.

    Use it as a context manager: an error, or an interrupt, inside the block leaves no file behind.

    Parameters
    ----------
    path
        Ends in one of ``SUFFIXES``.
    like
        The video whose times, rate and sound are kept; None for single pictures.

    Raises
    ------
    InputError
        If the file cannot be written.
    """

    def __init__(self, path: Path, like: VideoReader | None = None) -> None:
        self.path = path
        self.has_sound = False
        self._part = path.with_name(f".{path.stem}.part{path.suffix}")
        self._like = like
        self._ticks, self._time_base, self._rate = _times(like)
        self._written = 0
        self._output: Any = None
        self._stream: Any = None
        self._input: Any = None
        self._sound: Iterator[Any] = iter(())
        self._waiting: Any = None

    def write(self, frame: Images) -> None:
        """Encode the next frame, (H, W, 3) or (H, W, 1) uint8; odd sizes grow by a repeated row or column."""
        frame = np.repeat(frame, 3, axis=2) if frame.shape[2] == 1 else frame
        frame = np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")
        try:
            if self._output is None:
                self._open(frame.shape[1], frame.shape[0])
            ticks = int(self._ticks[self._written]) if self._ticks is not None else self._written
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            picture.pts, picture.time_base = ticks, self._time_base
            self._copy_sound(float(ticks * self._time_base))
            self._output.mux(self._stream.encode(picture))
        except OSError as error:
            raise self._failure(error) from None
        self._written += 1

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._output is not None:
                self._finish()
        finally:
            self._close()
            self._part.unlink(missing_ok=True)

    def _open(self, width: int, height: int) -> None:
        self._output = av.open(str(self._part), "w")
        codec, options = ("libx264", H264) if "libx264" in av.codecs_available else ("mpeg4", {"qscale": "2"})
        self._stream = self._output.add_stream(codec, rate=self._rate, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.codec_context.time_base = self._time_base
        if self._like is not None and self._like.index.seekable:
            self._open_sound(self._like)

    def _open_sound(self, like: VideoReader) -> None:
        """Copy the first sound track as it is, where the new file can hold it."""
        self._input = av.open(str(like.path))
        if not self._input.streams.audio:
            return
        source = self._input.streams.audio[0]
        try:
            target = self._output.add_stream_from_template(source)
        except (av.FFmpegError, ValueError):  # This kind of sound does not go into this kind of file.
            return
        start = Fraction(float(like.times_s[0])).limit_denominator(10**6)
        self.has_sound = True
        self._sound = _shifted(self._input.demux(source), target, start)
        self._waiting = next(self._sound, None)

    def _copy_sound(self, until_s: float) -> None:
        """Write the sound up to a time, so that both tracks lie side by side in the file."""
        while self._waiting is not None and float(self._waiting.dts * self._waiting.time_base) <= until_s:
            self._output.mux(self._waiting)
            self._waiting = next(self._sound, None)

    def _finish(self) -> None:
        try:
            self._copy_sound(float("inf"))
            self._output.mux(self._stream.encode(None))
            self._output.close()
            self._output = None
            self._part.replace(self.path)
        except OSError as error:
            raise self._failure(error) from None

    def _close(self) -> None:
        for container in (self._output, self._input):
            if container is not None:
                try:
                    container.close()
                except OSError:  # A full disk fails here again; the first failure was told.
                    continue
        self._output = self._input = None

    def _failure(self, error: OSError) -> InputError:
        return InputError(
            f"{self.path.name} cannot be written: {error.strerror or error}",
            where=str(self.path),
            hint="Check the folder, its permissions and the space left on the disk.",
        )


def _times(like: VideoReader | None) -> tuple[np.ndarray[Any, Any] | None, Fraction, Fraction]:
    """Return the ticks of all frames (None: 0, 1, 2, ...), the length of a tick, and the rate."""
    if like is None:
        return None, 1 / PICTURES_PER_S, PICTURES_PER_S
    times = like.times_s - like.times_s[0]
    places = np.arange(len(times)) / float(like.rate)
    if not like.index.seekable or np.abs(times - places).max() < EVEN_STEP:
        return None, 1 / like.rate, like.rate
    return like.index.pts - like.index.pts[0], Fraction(like.time_base), like.rate


def _shifted(packets: Iterator[Any], target: Any, start: Fraction) -> Iterator[Any]:
    """Yield sound packets for ``target``, moved as the pictures were, without those long before the first picture."""
    for packet in packets:
        if packet.dts is None:
            continue
        shift = round(start / packet.time_base)
        packet.dts -= shift
        packet.pts = packet.dts if packet.pts is None else packet.pts - shift
        packet.stream = target
        if packet.dts * packet.time_base >= -PRIMING_S:
            yield packet
