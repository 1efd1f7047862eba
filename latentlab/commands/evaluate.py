"""``latentlab evaluate``: measure a run over a whole split of its data."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from latentlab.commands import print_json
from latentlab.core.metrics import describe
from latentlab.core.run_folder import read_model_info


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "evaluate",
        help="measure a run on its data",
        description="Measure reconstructions (from the posterior mean) and posteriors of a run over a whole split, "
        "in float32.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder")
    parser.add_argument("--data", metavar="SPEC", help="data set to measure on instead of the run's")
    parser.add_argument("--split", choices=("train", "test"), default="test", help="images to measure (default test)")
    parser.add_argument(
        "--checkpoint", default="last", metavar="NAME", help="last (default), best or e.g. step_00000500"
    )
    parser.add_argument("--device", default="auto", metavar="DEVICE", help="auto (default), cpu or cuda")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    config = read_model_info(args.run).recipe.data
    if args.data is not None:
        config = config.model_copy(update={"spec": args.data, "crop": None})
    from latentlab.models.device import limit_threads
    from latentlab.training.evaluate import evaluate

    limit_threads()
    facts = evaluate(args.run, config, args.split, device=args.device, which=args.checkpoint)
    if args.json:
        print_json(facts)
        return 0
    print(f"{facts.pop('images')} {facts.pop('split')} images, weights of step {facts.pop('step')}")
    for name, value in facts.items():
        metric = describe(name)
        print(f"{metric.label or name:<22} {value:>12.5g}  {metric.unit}")
    return 0
