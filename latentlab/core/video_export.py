"""What the window, the command line and the export thread tell each other about writing a film."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from latentlab.core.errors import InputError
from latentlab.core.video_edit import EditedFilm
from latentlab.core.video_messages import Crop, DifferenceKind

Pane = Literal["original", "reconstruction", "edited", "difference"]
PANES: tuple[Pane, ...] = get_args(Pane)
Quality = Literal["high", "standard", "small"]
QUALITIES: tuple[Quality, ...] = get_args(Quality)
SCALES = (1, 2, 4)
SIDE_BY_SIDE: tuple[Pane, ...] = ("original", "reconstruction")
FILM_SUFFIXES = (".mp4", ".mkv", ".mov")
GIF_SUFFIX, SHEET_SUFFIX = ".gif", ".png"
OUTPUT_SUFFIXES = (*FILM_SUFFIXES, GIF_SUFFIX, SHEET_SUFFIX)
ExportKind = Literal["film", "gif", "sheet", "pictures"]
PICTURES_PER_S = 25
"""Rate of a film made from single pictures."""
MAX_GIF_RATE = 50.0
"""GIF counts in hundredths of a second, and viewers slow down what is faster than two of them."""
_BYTES_PER_PIXEL = {"high": 0.11, "standard": 0.06, "small": 0.03, "gif": 0.75, "pictures": 1.3, "sheet": 1.3}
"""Measured on game films of 242x64 and 484x128, in bytes of the file per pixel of each frame."""


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What to write of a film, and how.

    Attributes
    ----------
    output
        A film ending in .mp4, .mkv, .mov or .gif; a .png with many frames on one sheet; a name without a
        suffix is a folder of numbered pictures.
    panes
        What stands side by side in each frame, from left to right.
    first, last
        The frames written, both included; ``last`` None is the end.
    scale
        How many pixels of the file each pixel of a pane becomes along each side: 1, 2 or 4.
    rate
        Frames per second; None keeps the film's own times. Another rate repeats or drops frames and keeps
        the duration.
    quality
        How much H.264 may lose.
    sound
        Whether the film's sound comes along, where the format has any.
    crop
        Region given to the model; ``"recipe"`` is the recipe's, where it fits the frames.
    difference, gain
        How the difference is drawn.
    edit
        What is done to the latents for the ``edited`` pane.
    csv
        A file for the measures of each frame; None for none.
    """

    output: Path
    panes: tuple[Pane, ...] = SIDE_BY_SIDE
    first: int = 0
    last: int | None = None
    scale: int = 1
    rate: float | None = None
    quality: Quality = "high"
    sound: bool = True
    crop: Crop | str | None = "recipe"
    difference: DifferenceKind = "heat"
    gain: float = 3.0
    edit: EditedFilm | None = None
    csv: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what nothing could be written from."""
        kind_of(self.output)
        if not self.panes or not set(self.panes) <= set(PANES):
            raise InputError(f"{','.join(self.panes)!r} are no panes", where="panes", hint=f"Choose {', '.join(PANES)}")
        if self.scale not in SCALES:
            raise InputError(f"A scale of {self.scale} is not possible", where="scale", hint="Choose 1, 2 or 4.")
        if self.quality not in QUALITIES:
            raise InputError(f"There is no quality {self.quality!r}", where="quality", hint=", ".join(QUALITIES))
        if self.rate is not None and not 0.1 <= self.rate <= 240:
            raise InputError(f"{self.rate:g} frames per second are not possible", where="rate", hint="0.1 to 240.")
        if "edited" in self.panes and (self.edit is None or not self.edit.active):
            raise InputError("There is no edit to show", where="panes", hint="Choose another pane, or edit the film.")

    @property
    def kind(self) -> ExportKind:
        """What is written, by the name of the output."""
        return kind_of(self.output)


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """How far an export has come: ``done`` of ``total`` frames, ``per_s`` frames a second, ``written`` bytes."""

    done: int
    total: int
    per_s: float = 0.0
    written: int = 0

    @property
    def left_s(self) -> float | None:
        """Seconds left at this speed; None while it is unknown."""
        return (self.total - self.done) / self.per_s if self.per_s > 0 else None

    @property
    def size_estimate(self) -> int | None:
        """Bytes of the whole file, judging by what is written."""
        return round(self.written / self.done * self.total) if self.done and self.written else None


def kind_of(output: Path) -> ExportKind:
    """Return what a file of this name holds.

    Raises
    ------
    InputError
        If its suffix is none that can be written.
    """
    suffix = output.suffix.lower()
    if suffix and suffix not in OUTPUT_SUFFIXES:
        hint = "A name without a suffix is a folder of pictures. Try: out.mp4"
        raise InputError(f"{output.name} does not end in {', '.join(OUTPUT_SUFFIXES)}", where=str(output), hint=hint)
    kinds: dict[str, ExportKind] = {"": "pictures", GIF_SUFFIX: "gif", SHEET_SUFFIX: "sheet"}
    return kinds.get(suffix, "film")


ExportSink = Callable[[ExportProgress], None]
"""Called from the thread that exports; may raise ``Cancelled`` to end it, which leaves no file."""


@dataclass(frozen=True, slots=True, eq=False)
class ExportSummary:
    """What was written.

    ``pixel`` mean squared error of each source frame in [0,1]² units, in order; ``written`` frames in the file;
    ``size`` (width, height) of a frame; ``sound`` is how the sound came along: copied, encoded or none;
    ``skipped`` names pictures of a folder that could not be read; ``shown`` frames are on a sheet.
    """

    output: Path
    pixel: list[float]
    written: int
    size: tuple[int, int]
    fps: float | None
    sound: Literal["copied", "encoded", "none"] = "none"
    crop: Crop | None = None
    step: int = -1
    took_s: float = 0.0
    skipped: tuple[str, ...] = ()
    shown: int | None = None


def estimate_bytes(plan: ExportPlan, frames: int, pane_size: tuple[int, int]) -> int:
    """Return about how large the file will be; films differ by a factor of two either way.

    Parameters
    ----------
    frames
        How many frames are written.
    pane_size
        Width and height of one pane in pixels, before scaling.
    """
    pixels = pane_size[0] * pane_size[1] * len(plan.panes) * plan.scale**2
    per_pixel = _BYTES_PER_PIXEL[plan.quality if plan.kind == "film" else plan.kind]
    if plan.kind != "film":
        per_pixel /= plan.scale**1.5  # Repeated pixels cost these formats little.
    return round(frames * pixels * per_pixel)
