"""``latentlab reconstruct``: any picture, folder or film beside what a run makes of it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from latentlab.commands import note, print_json
from latentlab.core.errors import EXIT_OK
from latentlab.core.video_edit import read_edit
from latentlab.core.video_export import PANES, QUALITIES, SCALES, ExportPlan, ExportProgress, ExportSummary, Pane
from latentlab.core.video_messages import Crop, psnr_db

TELL_EVERY_S = 0.5
DESCRIPTION = """Encode and decode every frame with the mean of the posterior, in float32, and write original and
reconstruction side by side at the model's size. A film becomes a film with the same frames, times and sound
(.mp4 .mkv .mov), an animation (.gif) or a folder of pictures (a name without a suffix); pictures become a .png
sheet, or any of these. With --json, `pixel` is the mean squared error in [0,1] units over all frames, `psnr` the
PSNR of that mean in dB, `per_frame` the PSNR of each frame in dB, and `file_psnr` the same measured on the frames
read back from the file as RGB: the encoder's losses are in it."""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "reconstruct", help="side-by-side, edited or difference film, or image", description=DESCRIPTION
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder")
    parser.add_argument(
        "input",
        type=Path,
        metavar="INPUT",
        help="picture, video, folder of pictures, or a pattern such as img_%%04d.png",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help=".mp4 .mkv .mov .gif .png, or a new folder"
    )
    _add_content(parser)
    _add_format(parser)
    parser.add_argument(
        "--checkpoint", default="last", metavar="NAME", help="last (default), best or e.g. step_00000500"
    )
    parser.add_argument("--device", default="auto", metavar="DEVICE", help="auto (default), cpu or cuda")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(handler=run)


def _add_content(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--panes",
        type=_panes,
        metavar="A,B",
        help=f"what stands side by side: {', '.join(PANES)} (default original,reconstruction; with --edit "
        "original,edited)",
    )
    parser.add_argument(
        "--crop",
        type=_crop,
        default="recipe",
        metavar="X,Y,W,H",
        help="region of each frame in pixels, or none (default: the recipe's, where it fits the frame)",
    )
    parser.add_argument(
        "--range",
        type=_range,
        default=("", ""),
        metavar="A:B",
        help="first and last frame, both included; with an s seconds: 120:480, 2.5s:10s, 300:",
    )
    parser.add_argument("--edit", type=Path, metavar="F.json", help="an edit saved by the Video page")
    parser.add_argument("--difference", choices=("heat", "signed"), default="heat", help="how it is drawn")
    parser.add_argument("--gain", type=float, default=3.0, help="factor on the difference (default 3)")
    parser.add_argument(
        "--csv",
        type=Path,
        metavar="F.csv",
        help="also write the measures of each frame: error, KLD, likelihood, features, jitter",
    )


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scale", type=int, choices=SCALES, default=1, help="pixels of the file per pixel, along each side"
    )
    parser.add_argument("--rate", type=float, metavar="FPS", help="frames per second (default: as in the film)")
    parser.add_argument("--quality", choices=QUALITIES, default="high", help="of H.264: high (default) loses least")
    parser.add_argument("--no-sound", action="store_true", help="leave the film's sound out")
    parser.add_argument("--no-check", action="store_true", help="do not read the film back to measure it")


def _panes(text: str) -> tuple[Pane, ...]:
    names = [name.strip() for name in text.split(",")]
    chosen = tuple(pane for name in names for pane in PANES if pane == name)
    if len(chosen) != len(names):
        raise argparse.ArgumentTypeError(f"{text!r} are not panes; choose from {', '.join(PANES)}")
    return chosen


def _crop(text: str) -> Crop | str | None:
    if text in ("recipe", "none"):
        return None if text == "none" else text
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not x,y,width,height, for example 0,0,121,64") from None
    return x, y, width, height


def _range(text: str) -> tuple[str, str]:
    first, colon, last = text.partition(":")
    try:
        for part in (first, last):
            if part.endswith("s"):
                float(part[:-1])
            elif part:
                int(part)
    except ValueError:
        colon = ""
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r} is not first:last, for example 120:480 or 2.5s:10s")
    return first, last


def run(args: argparse.Namespace) -> int:
    """Reconstruct, write, and say how well it went."""
    plan = _plan(args)
    from latentlab.explore.video_export import check_output, export_film
    from latentlab.models.device import choose_device, limit_threads
    from latentlab.models.weights import read_snapshot

    check_output(plan, args.input)
    snapshot = read_snapshot(args.run, args.checkpoint)
    limit_threads()
    teller = _Teller()
    try:
        summary = export_film(
            plan, args.input, snapshot, policy=choose_device(args.device, "fp32"), progress=teller.tell
        )
    finally:
        teller.end()
    for name in summary.skipped:
        note(f"warning: {name} cannot be read as a picture and was passed over")
    height, width, _ = snapshot.info.image_shape
    facts = {**_facts(summary), "size": [height, width], **_checked(args, plan, width)}
    if args.json:
        print_json(facts)
    else:
        _say(summary, facts)
    return EXIT_OK


def _plan(args: argparse.Namespace) -> ExportPlan:
    edit = read_edit(args.edit) if args.edit is not None else None
    panes: tuple[Pane, ...] = args.panes or (("original", "edited") if edit else ("original", "reconstruction"))
    first, last = _frames(args.input, args.range)
    return ExportPlan(
        args.output,
        panes,
        first,
        last,
        scale=args.scale,
        rate=args.rate,
        quality=args.quality,
        sound=not args.no_sound,
        crop=args.crop,
        difference=args.difference,
        gain=args.gain,
        edit=edit,
        csv=args.csv,
    )


def _frames(source: Path, wanted: tuple[str, str]) -> tuple[int, int | None]:
    """Return the first and the last frame of a range; seconds are looked up in the film."""
    first, last = wanted
    if not (first.endswith("s") or last.endswith("s")):
        return int(first or 0), int(last) if last else None
    import numpy as np

    from latentlab.data.video import VideoReader

    with VideoReader(source) as reader:
        times = reader.times_s - reader.times_s[0]
    begin = int(np.searchsorted(times, float(first[:-1]) - 1e-6)) if first.endswith("s") else int(first or 0)
    if last.endswith("s"):
        return begin, max(begin, int(np.searchsorted(times, float(last[:-1]) - 1e-6)) - 1)
    return begin, int(last) if last else None


def _facts(summary: ExportSummary) -> dict[str, Any]:
    mean = sum(summary.pixel) / len(summary.pixel)
    more = {"shown": summary.shown} if summary.shown is not None else {}
    return {
        "frames": len(summary.pixel),
        "fps": summary.fps,
        "psnr": psnr_db(mean),
        "pixel": mean,
        "per_frame": [psnr_db(value) for value in summary.pixel],
        "step": summary.step,
        "crop": summary.crop,
        "output": str(summary.output),
        "written": summary.written,
        "sound": summary.sound != "none",
        "sound_is": summary.sound,
        "skipped": list(summary.skipped),
        "took_s": summary.took_s,
        **more,
    }


def _checked(args: argparse.Namespace, plan: ExportPlan, width: int) -> dict[str, Any]:
    if args.no_check:
        return {}
    from latentlab.explore.video_export_check import measure_file

    error = measure_file(plan.output, plan, width)
    return {} if error is None else {"file_psnr": psnr_db(error)}


def _say(summary: ExportSummary, facts: dict[str, Any]) -> None:
    held = f", {facts['file_psnr']:.2f} dB in the file" if "file_psnr" in facts else ""
    sound = {"copied": " · sound copied", "encoded": " · sound encoded anew", "none": ""}[summary.sound]
    note(
        f"{facts['frames']:,} frames in {summary.took_s:.1f} s: PSNR {facts['psnr']:.2f} dB{held} "
        f"(MSE {facts['pixel']:.5f}){sound} · {summary.output}"
    )


class _Teller:
    """Progress and time left on standard error: one line rewritten on a terminal, few lines in a log."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._interval = TELL_EVERY_S if self._terminal else 10.0
        self._due = time.monotonic() + TELL_EVERY_S

    def tell(self, progress: ExportProgress) -> None:
        """Say how far it is, when it is time to."""
        now = time.monotonic()
        if now < self._due or progress.left_s is None:
            return
        self._due = now + self._interval
        left = round(progress.left_s)
        text = (
            f"{progress.done:,} of {progress.total:,} frames · {progress.per_s:.0f} frames/s · "
            f"{left // 60}:{left % 60:02d} left"
        )
        sys.stderr.write(f"\r\033[K{text}" if self._terminal else text + "\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave a clean line."""
        if self._terminal:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
