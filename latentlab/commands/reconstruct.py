"""``latentlab reconstruct``: any picture, folder or video beside what a run makes of it."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.commands import note, print_json
from latentlab.core.errors import EXIT_OK, InputError
from latentlab.core.messages import Images
from latentlab.core.video_messages import Crop, psnr_db

if TYPE_CHECKING:
    from latentlab.explore.video_inference import FrameReconstructor
    from latentlab.explore.video_input import FrameInput

BATCH = 64
MAX_ON_SHEET = 256
TELL_EVERY_S = 0.5
DESCRIPTION = """Encode and decode every frame with the mean of the posterior, in float32, and write original and
reconstruction side by side at the model's size. A video becomes an H.264 video with the same frames, times and
sound; pictures become a .png sheet (or a video, if OUT is one). With --json, `pixel` is the mean squared error in
[0,1] units over all frames, `psnr` the PSNR of that mean in dB, `per_frame` the PSNR of each frame in dB."""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "reconstruct", help="side-by-side image or video", description=DESCRIPTION
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder")
    parser.add_argument("input", type=Path, metavar="INPUT", help="picture, folder of pictures, or video")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help=".mp4, .mkv, .mov or .png")
    parser.add_argument(
        "--crop",
        type=_crop,
        default="recipe",
        metavar="X,Y,W,H",
        help="region of each frame in pixels, or none (default: the recipe's, where it fits the frame)",
    )
    parser.add_argument(
        "--checkpoint", default="last", metavar="NAME", help="last (default), best or e.g. step_00000500"
    )
    parser.add_argument("--device", default="auto", metavar="DEVICE", help="auto (default), cpu or cuda")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(handler=run)


def _crop(text: str) -> Crop | str | None:
    if text in ("recipe", "none"):
        return None if text == "none" else text
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not x,y,width,height, for example 0,0,121,64") from None
    return x, y, width, height


def run(args: argparse.Namespace) -> int:
    """Reconstruct, write, and say how well it went."""
    _check_output(args.output, args.input)
    from latentlab.explore.video_inference import FrameReconstructor
    from latentlab.explore.video_input import FrameInput
    from latentlab.models.device import choose_device, limit_threads
    from latentlab.models.weights import read_snapshot

    snapshot = read_snapshot(args.run, args.checkpoint)
    frames = FrameInput(args.input, snapshot.info, args.crop)
    limit_threads()
    model = FrameReconstructor(choose_device(args.device, "fp32"))
    model.load(snapshot)
    began = time.monotonic()
    with contextlib.closing(frames):
        write = _write_sheet if args.output.suffix.lower() == ".png" else _write_video
        pixel, more = write(args.output, frames, model)
    mean = sum(pixel) / len(pixel)
    height, width, _ = snapshot.info.image_shape
    facts = {
        "frames": len(pixel),
        "fps": frames.fps,
        "psnr": psnr_db(mean),
        "pixel": mean,
        "per_frame": [psnr_db(value) for value in pixel],
        "step": snapshot.step,
        "size": [height, width],
        "crop": frames.shape.crop,
        "output": str(args.output),
        **more,
    }
    if args.json:
        print_json(facts)
    else:
        took = time.monotonic() - began
        note(f"{len(pixel):,} frames in {took:.1f} s: PSNR {facts['psnr']:.2f} dB (MSE {mean:.5f}) · {args.output}")
    return EXIT_OK


def _check_output(output: Path, source: Path) -> None:
    """Refuse what cannot be written before anything is read."""
    from latentlab.explore.video_write import SUFFIXES

    allowed = (*SUFFIXES, ".png")
    if output.suffix.lower() not in allowed:
        raise InputError(f"{output.name} does not end in {', '.join(allowed)}", where="-o", hint="Try: -o out.mp4")
    if not output.parent.is_dir():
        raise InputError(f"There is no folder {output.parent}", where="-o", hint="Make it first.")
    if output.exists() and source.exists() and output.samefile(source):
        raise InputError("OUT is INPUT", where="-o", hint="Choose another name; the input is never overwritten.")


def _pairs(frames: FrameInput, model: FrameReconstructor, pixel: list[float]) -> Iterator[tuple[Images, Images]]:
    """Yield each frame with its reconstruction, noting its error."""
    teller = _Teller(frames.frames)
    for batch in frames.batches(BATCH):
        result = model.reconstruct(batch)
        for original, reconstruction, error in zip(batch, result.images, result.pixel.tolist(), strict=True):
            pixel.append(error)
            yield original, reconstruction
        teller.tell(len(pixel))
    teller.end()


def _write_video(path: Path, frames: FrameInput, model: FrameReconstructor) -> tuple[list[float], dict[str, Any]]:
    import numpy as np

    from latentlab.explore.video_write import VideoWriter

    pixel: list[float] = []
    with VideoWriter(path, frames.reader) as writer:
        for pair in _pairs(frames, model, pixel):
            writer.write(np.concatenate(pair, axis=1))
    return pixel, {"sound": writer.has_sound}


def _write_sheet(path: Path, frames: FrameInput, model: FrameReconstructor) -> tuple[list[float], dict[str, Any]]:
    """Write pairs on one sheet: all frames, or as many as go on it, evenly spread."""
    import numpy as np

    from latentlab.explore.export import write_png
    from latentlab.explore.mosaic import mosaic

    count = min(frames.frames, MAX_ON_SHEET)
    chosen = set(np.linspace(0, frames.frames - 1, count).round().astype(int).tolist())
    pixel: list[float] = []
    pairs = _pairs(frames, model, pixel)
    shown = [np.concatenate(pair, axis=1) for number, pair in enumerate(pairs) if number in chosen]
    write_png(path, mosaic(np.stack(shown), gap=4))
    return pixel, {"shown": len(shown)}


class _Teller:
    """Progress and time left on standard error: one line rewritten on a terminal, few lines in a log."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._began = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._due = self._began + TELL_EVERY_S
        self._interval = TELL_EVERY_S if self._terminal else 10.0

    def tell(self, done: int) -> None:
        """Say how far it is, when it is time to."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + self._interval
        left = round((now - self._began) / done * (self._total - done))
        text = f"{done:,} of {self._total:,} frames · {left // 60}:{left % 60:02d} left"
        sys.stderr.write(f"\r\033[K{text}" if self._terminal else text + "\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave a clean line."""
        if self._terminal:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
