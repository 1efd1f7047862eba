"""``latentlab decode``: pictures of given points of latent space."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from latentlab.commands import note, print_json
from latentlab.commands.picture_output import check_count, check_output, write_pictures
from latentlab.commands.progress_line import ProgressLine
from latentlab.core.errors import EXIT_OK, InputError
from latentlab.core.messages import Progress

DESCRIPTION = """Decode points with the weights of a run, in float32. F.npy holds z (N, D); F.npz holds z or mu (as
latentlab encode writes it) and, for models with classes, labels or label (N,). A .png is a sheet that remembers run,
step, z and recipe; a .npz holds images (N,H,W,C uint8), z and, with classes, labels."""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "decode", help="pictures of given latents", description=DESCRIPTION
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder")
    parser.add_argument("points", type=Path, metavar="F", help="F.npz or F.npy with the points")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="OUT.png or OUT.npz to write")
    parser.add_argument("--class", dest="label", type=int, metavar="K", help="class of all pictures")
    parser.add_argument("--columns", type=_columns, metavar="N", help="pictures per row of a sheet")
    parser.add_argument(
        "--checkpoint", default="last", metavar="NAME", help="last (default), best or e.g. step_00000500"
    )
    parser.add_argument("--device", default="auto", metavar="DEVICE", help="auto (default), cpu or cuda")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(handler=run)


def _columns(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number between 1 and 10,000")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Decode, write and say what was written."""
    check_output(args.output)
    from latentlab.explore.arrays import Points, decode, read_points
    from latentlab.explore.sample import classes_for
    from latentlab.explore.session import ExploreSession
    from latentlab.models.device import choose_device, limit_threads
    from latentlab.models.weights import fingerprint_of, read_snapshot

    snapshot = read_snapshot(args.run, args.checkpoint)
    points = read_points(args.points)
    check_count(args.output, len(points.z), "F")
    if args.label is not None:
        points = Points(points.z, classes_for(snapshot.info, len(points.z), args.label))
    elif not snapshot.info.conditional:
        points = Points(points.z)
    elif points.labels is None:
        raise InputError("This model decodes a class, and the file has no labels", where="F", hint="Add --class K.")
    limit_threads()
    session = ExploreSession(choose_device(args.device, "fp32"))
    session.load(snapshot)
    line = ProgressLine()
    try:
        told = lambda done, total: line(Progress("Decoding", done, total))  # noqa: E731
        images = decode(session, points.z, points.labels, told)
    finally:
        line.end()
    mark = fingerprint_of(snapshot.state)
    write_pictures(args.output, images, points, snapshot.info, snapshot.step, columns=args.columns, fingerprint=mark)
    _, height, width, channels = images.shape
    facts = {
        "run": str(args.run),
        "step": snapshot.step,
        "images": len(images),
        "image_shape": [height, width, channels],
        "output": str(args.output),
    }
    if args.json:
        print_json(facts)
    else:
        note(f"{len(images):,} pictures of step {snapshot.step} in {args.output}")
    return EXIT_OK
