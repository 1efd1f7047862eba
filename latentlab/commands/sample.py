"""``latentlab sample``: pictures decoded from the prior of a trained model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from latentlab.commands import note, print_json
from latentlab.commands.picture_output import check_count, check_output, write_pictures
from latentlab.core.errors import EXIT_OK


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "sample",
        help="decode samples from the prior",
        description="Decode samples z ~ N(0, I) with the weights of a run, in float32. A .png is a sheet that "
        "remembers run, step, z and recipe; a .npz holds images (N,H,W,C uint8), z and, with classes, labels.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder")
    parser.add_argument("-n", type=_count, default=64, metavar="N", help="number of samples (default 64)")
    parser.add_argument(
        "--class",
        dest="label",
        type=int,
        metavar="K",
        help="class of all samples (cvae, ssvae, cgan); by default all classes in turn",
    )
    parser.add_argument("--seed", type=_seed, default=0, metavar="S", help="seed of z (default 0)")
    parser.add_argument("--columns", type=_count, metavar="N", help="samples per row of a sheet")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="F", help="F.png or F.npz to write")
    parser.add_argument(
        "--checkpoint", default="last", metavar="NAME", help="last (default), best or e.g. step_00000500"
    )
    parser.add_argument("--device", default="auto", metavar="DEVICE", help="auto (default), cpu or cuda")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(handler=run)


def _count(text: str) -> int:
    return _integer(text, 1, 1_000_000)


def _seed(text: str) -> int:
    return _integer(text, 0, 2**31 - 1)


def _integer(text: str, low: int, high: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{value} is not between {low:,} and {high:,}")
    return value


def run(args: argparse.Namespace) -> int:
    """Decode, write and say what was written."""
    check_output(args.output)
    check_count(args.output, args.n, "-n")
    from latentlab.explore.arrays import Points
    from latentlab.explore.sample import sample
    from latentlab.explore.session import ExploreSession
    from latentlab.models.device import choose_device, limit_threads
    from latentlab.models.weights import fingerprint_of, read_snapshot

    snapshot = read_snapshot(args.run, args.checkpoint)
    limit_threads()
    session = ExploreSession(choose_device(args.device, "fp32"))
    session.load(snapshot)
    samples = sample(session, args.n, seed=args.seed, label=args.label)
    in_turn = samples.labels is not None and args.label is None
    columns = args.columns or (snapshot.info.num_classes if in_turn else None)
    points = Points(samples.z, samples.labels)
    write_pictures(
        args.output,
        samples.images,
        points,
        snapshot.info,
        snapshot.step,
        columns=columns,
        seed=args.seed,
        fingerprint=fingerprint_of(snapshot.state),
    )
    _, height, width, channels = samples.images.shape
    facts = {
        "run": str(args.run),
        "step": snapshot.step,
        "samples": args.n,
        "class": args.label,
        "seed": args.seed,
        "image_shape": [height, width, channels],
        "output": str(args.output),
    }
    if args.json:
        print_json(facts)
    else:
        note(f"{args.n} samples of step {snapshot.step} in {args.output}")
    return EXIT_OK
