"""The arena as an encoded video: several battles one after another, for the video page and the video source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, ProgressSink
from latentlab.data.arena.battle import Battle
from latentlab.data.arena.render import Painter, field_aspect
from latentlab.data.arena.stages import STAGES
from latentlab.data.progress import Ticker, ignore

_CODECS: tuple[tuple[str, dict[str, str]], ...] = (
    ("libx264", {"crf": "18", "preset": "veryfast"}),
    ("libopenh264", {}),
    ("mpeg4", {"qscale": "3"}),
)


def arena_frames(
    *, battles: int, frames_per_battle: int, size: tuple[int, int] = (128, 224), seed: int = 0
) -> Iterator[Images]:
    """Yield the frames of ``battles`` battles, each on the next stage: (height, width, 3) uint8, red, green, blue."""
    height, width = size
    for number in range(battles):
        battle = Battle(number % len(STAGES), field_aspect(height, width), [seed, number], colours=number)
        painter = Painter(battle, height, width)
        for moment in battle.moments(frames_per_battle):
            yield painter.paint(moment)


def write_arena_video(
    path: Path,
    *,
    battles: int = 3,
    frames_per_battle: int = 400,
    size: tuple[int, int] = (128, 224),
    fps: float = 30.0,
    seed: int = 0,
    progress: ProgressSink | None = None,
) -> None:
    """Play battles and encode them as one video: H.264 where there is an encoder, else MPEG-4.

    Parameters
    ----------
    path
        The file; it appears whole or not at all.
    battles, frames_per_battle
        How many, and how long each; a battle of 400 frames moves at natural speed at 30 frames/s.
    size
        Height and width in pixels, both even.
    fps
        Frames per second.
    seed
        The same seed gives the same frames.
    progress
        May raise ``Cancelled``; no file is left then.

    Raises
    ------
    InputError
        If a side is odd or the file cannot be written.
    """
    if size[0] % 2 or size[1] % 2:
        raise InputError(f"A video of {size[1]} x {size[0]} pixels cannot be encoded: both sides must be even")
    work = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix or '.mp4'}")
    ticker = Ticker(progress or ignore, "Filming arena battles", battles * frames_per_battle)
    try:
        with av.open(str(work), "w") as container:
            stream = _add_stream(container, size, fps)
            frames = arena_frames(battles=battles, frames_per_battle=frames_per_battle, size=size, seed=seed)
            for i, picture in enumerate(frames):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
                ticker.at(i + 1)
            container.mux(stream.encode(None))
        work.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path.name} cannot be written: {reason}", where=str(path)) from error
    finally:
        work.unlink(missing_ok=True)


def _add_stream(container: Any, size: tuple[int, int], fps: float) -> Any:
    """Return a video stream of the first codec that this build of FFmpeg can encode."""
    codec, options = next((c, o) for c, o in _CODECS if c in av.codecs_available)
    stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=options)
    stream.height, stream.width = size
    stream.pix_fmt = "yuv420p"
    return stream
