"""Videos for tests: every frame carries its own number as bright and dark blocks that survive compression."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT, BITS = 96, 64, 10


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Return the frame `number`: its bits in the upper half, a wandering patch in the lower."""
    frame = np.full((height, width, 3), 40, np.uint8)
    for bit in range(BITS):
        if number >> bit & 1:
            frame[: height // 2, bit * 8 : bit * 8 + 8] = 220
    left = number * 3 % (width - 10)
    frame[height // 2 :, left : left + 10] = (200, 90, 30)
    return frame


def number_in(frame: np.ndarray) -> int:
    """Read the number back from a frame of the clip's own size."""
    return sum(1 << bit for bit in range(BITS) if frame[8:24, bit * 8 + 2 : bit * 8 + 6].mean() > 130)


def write_clip(
    path: Path,
    codec: str = "libx264",
    frames: int = 90,
    *,
    options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    rate: int = 30,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    times: list[int] | None = None,
    sound: bool = False,
) -> Path:
    """Encode a clip; `times` are its frames' times in milliseconds instead of an even rate."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        voice = output.add_stream("aac", rate=44100, layout="mono") if sound else None
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if voice is not None:
            _write_tone(output, voice, frames / rate)
    return path


def _write_tone(output, voice, seconds: float) -> None:
    for block in range(int(seconds * 44100) // 1024):
        wave = np.sin(np.arange(block * 1024, (block + 1) * 1024) / 20).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44100, block * 1024
        output.mux(voice.encode(frame))
    output.mux(voice.encode(None))
