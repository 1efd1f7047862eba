"""``latentlab evaluate``: measure a run over a split of its data."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.commands import print_json
from latentlab.commands.progress_line import ProgressLine
from latentlab.core.measures import MEASURES, Measure
from latentlab.core.run_folder import read_model_info

if TYPE_CHECKING:
    from latentlab.training.evaluate import Evaluation

QUICK_IMAGES = 2_000
DESCRIPTION = """Measure a run's weights (their moving average where the run has one) over a split of its data, in
float32. Every draw is seeded: the same command prints the same figures. Metrics come in sets, each holding the one
before it: quick (one pass or two), default, and all (adds the likelihood by importance sampling and Frechet distances,
which take minutes). What does not apply to the model or the data is left out."""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "evaluate",
        help="measure a run on its data",
        description=DESCRIPTION,
        epilog=definitions(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder")
    parser.add_argument("--data", metavar="SPEC", help="data set to measure on instead of the run's")
    parser.add_argument("--split", choices=("train", "test"), default="test", help="images to measure (default test)")
    parser.add_argument(
        "--metrics", default=None, metavar="SET|NAMES", help="quick, default, all, or names separated by commas"
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"the quick metrics on at most {QUICK_IMAGES:,} images of the split"
    )
    parser.add_argument("--limit", type=_count, metavar="N", help="at most N images of the split, evenly spread")
    parser.add_argument(
        "--posterior-samples", type=_count, default=1, metavar="L", help="draws of z per image for -ELBO (default 1)"
    )
    parser.add_argument(
        "--importance-samples",
        type=_count,
        metavar="K",
        help="draws of z per image for iw_nll, and measure it (default 64, with --metrics all)",
    )
    parser.add_argument("--seed", type=_seed, default=0, metavar="S", help="seed of every draw (default 0)")
    parser.add_argument(
        "--checkpoint",
        "--which",
        default="last",
        metavar="NAME",
        help="last (default), best or e.g. step_00000500",
    )
    parser.add_argument("--device", default="auto", metavar="DEVICE", help="auto (default), cpu or cuda")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(handler=run)


def definitions() -> str:
    """Return every metric with its set, unit, models, definition and source, for ``--help``."""
    lines = ["metrics:"]
    for measure in MEASURES.values():
        unit = f" [{measure.unit}]" if measure.unit else ""
        lines.append(f"  {measure.name}{unit} ({measure.cost}; {', '.join(measure.kinds)})")
        source = f" {measure.source}." if measure.source else ""
        lines += textwrap.wrap(measure.definition + source, 96, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return "\n".join(lines)


def _count(text: str) -> int:
    return _integer(text, 1)


def _seed(text: str) -> int:
    return _integer(text, 0)


def _integer(text: str, low: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if not low <= value <= 2**31 - 1:
        raise argparse.ArgumentTypeError(f"{value} is not between {low} and {2**31 - 1:,}")
    return value


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    config = read_model_info(args.run).recipe.data
    if args.data is not None:
        config = config.model_copy(update={"spec": args.data, "crop": None})
    from latentlab.models.device import limit_threads
    from latentlab.training.evaluate import assess
    from latentlab.training.evaluation.subject import EvaluationOptions

    options = EvaluationOptions(
        posterior_samples=args.posterior_samples,
        importance_samples=args.importance_samples or EvaluationOptions.importance_samples,
        seed=args.seed,
        limit=args.limit or (QUICK_IMAGES if args.quick else None),
    )
    limit_threads()
    line = ProgressLine()
    try:
        evaluation = assess(
            args.run,
            config,
            args.split,
            device=args.device,
            which=args.checkpoint,
            progress=line,
            metrics=_metrics(args),
            options=options,
        )
    finally:
        line.end()
    if args.json:
        print_json(evaluation.as_dict())
    else:
        print(table(evaluation))
    return 0


def _metrics(args: argparse.Namespace) -> str:
    """Return the metrics asked for; a number of importance samples asks for what they are drawn for."""
    wanted = args.metrics or ("quick" if args.quick else "default")
    return wanted if args.importance_samples is None else f"{wanted},iw_nll,iw_bits_per_dim"


def table(evaluation: Evaluation) -> str:
    """Return the figures as aligned lines, with units, and below them what one must know to read them."""
    head = f"{evaluation.images:,} {evaluation.split} images, weights of step {evaluation.step:,}"
    shown = [(MEASURES[name], value) for name, value in evaluation.values.items()]
    width = max((len(measure.label) for measure, _ in shown), default=0)
    lines = [f"{head} ({evaluation.which}), {evaluation.took_s:.1f} s"]
    lines += [_row(measure, value, width) for measure, value in shown]
    for note in evaluation.notes:
        lines += textwrap.wrap(f"Note: {note}", 96, subsequent_indent="      ")
    return "\n".join(lines)


def _row(measure: Measure, value: float, width: int) -> str:
    name = measure.name
    return f"{measure.label:<{width}}  {value:>12.5g}  {measure.unit:<15}  {name}".rstrip()
