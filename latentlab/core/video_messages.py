"""What the video page and the thread behind it tell each other: facts of a file, frames, error curves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Floats, Images

Crop = tuple[int, int, int, int]
"""Region of a frame: x, y, width, height in pixels."""
DifferenceKind = Literal["signed", "heat"]
MAX_PSNR_DB = 100.0


def psnr_db(pixel: float) -> float:
    """Return the peak signal-to-noise ratio in dB of a mean squared error in [0,1]² units.

    ``-10 log10(pixel)``, the peak being 1; equal pictures give 100 dB instead of infinity, so that
    it can be averaged, drawn and written as JSON.
    """
    return min(MAX_PSNR_DB, -10.0 * math.log10(pixel)) if pixel > 0 else MAX_PSNR_DB


@dataclass(frozen=True, eq=False)
class VideoInfo:
    """What a video file is.

    ``width`` and ``height`` are as shown, after rotation by ``rotation`` degrees counter-clockwise.
    ``times_s`` (N,) float64 are the file's own times of its frames in seconds.
    """

    path: Path
    frames: int
    fps: float
    width: int
    height: int
    codec: str
    rotation: int
    times_s: npt.NDArray[np.float64]

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return float(self.times_s[-1] - self.times_s[0]) + 1.0 / self.fps


@dataclass(frozen=True, slots=True)
class VideoView:
    """How frames are to be shown.

    ``crop`` replaces the recipe's when ``own_crop`` is set (None: the whole frame). ``gain``
    multiplies the difference before it is drawn. ``film`` asks for the whole frame as well. ``draft``: the crop
    is still being moved; frames are cut as it says, but nothing is prepared for it yet.
    """

    own_crop: bool = False
    crop: Crop | None = None
    difference: DifferenceKind = "heat"
    gain: float = 3.0
    film: bool = True
    draft: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class OtherPicture:
    """What another model, or an edit, made of frame ``index``.

    ``key`` names the column, ``title`` is for people; ``image`` (H, W, C) uint8; ``pixel`` the mean squared error
    in [0,1]² units against the frame, None where it says nothing (an edit); ``step`` of the weights, -1 unknown.
    """

    key: str
    title: str
    index: int
    image: Images
    pixel: float | None = None
    step: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One frame, as the model sees it, with its reconstruction where there is a model.

    ``index`` is the frame that the pictures are of. While the frame asked for (``wanted``) is being decoded
    it may be another one near by. Pictures are fresh (H, W, C) uint8. ``original`` is the frame cut and
    resized for the model, or only cut without one. ``pixel`` is the mean squared error in [0,1]² units. ``step`` and
    ``taken_at`` belong to the weights (-1 and 0 without). ``crop`` is the region in use.
    """

    index: int
    generation: int
    original: Images
    crop: Crop | None
    reconstruction: Images | None = None
    difference: Images | None = None
    pixel: float | None = None
    step: int = -1
    taken_at: float = 0.0
    took_ms: float = 0.0
    wanted: int = -1
    edited: OtherPicture | None = None

    @property
    def exact(self) -> bool:
        """Whether the pictures are of the frame asked for."""
        return self.wanted in (-1, self.index)


@dataclass(frozen=True, slots=True)
class CompareModel:
    """A checkpoint beside the model: run folder ``run``, checkpoint ``which`` (last, best, step_00000500)."""

    run: Path
    which: str = "last"

    @property
    def title(self) -> str:
        """The checkpoint in words."""
        name = f"step {int(self.which[5:]):,}" if self.which.startswith("step_") else self.which
        return f"{self.run.name} · {name}"


@dataclass(frozen=True, slots=True, eq=False)
class FilmFrame:
    """The whole frame ``index``, (H, W, 3) uint8, before cropping."""

    index: int
    image: Images


@dataclass(frozen=True, slots=True, eq=False)
class ErrorCurve:
    """Mean squared error of every frame's reconstruction, as far as it is known.

    ``pixel`` (N,) float32 in [0,1]² units, NaN where unknown. ``done`` of its values come from the
    weights of training step ``step`` or newer; the others, where known, from older weights.
    """

    pixel: Floats
    done: int
    step: int

    @property
    def complete(self) -> bool:
        """Whether every frame was measured since the last restart."""
        return self.done >= len(self.pixel)

    def worst(self, count: int = 1, *, apart: int = 1) -> list[int]:
        """Return up to ``count`` frames with the largest known errors, worst first, at least ``apart`` frames apart."""
        order = np.argsort(-self.pixel, kind="stable")
        chosen: list[int] = []
        for frame in order[: int(np.isfinite(self.pixel).sum())].tolist():
            if all(abs(frame - other) >= apart for other in chosen):
                chosen.append(frame)
                if len(chosen) == count:
                    break
        return chosen
