"""``latentlab runs``: what has been trained, newest first."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import Any

from latentlab.commands import note, print_json
from latentlab.core.errors import InputError
from latentlab.core.paths import runs_dir
from latentlab.core.run_facts import RunFacts, what_is_special

COLUMNS = ("run", "state", "step", "test pixel", "KLD/dim", "trained", "differs in")


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "runs", help="list runs", description="List the runs in a folder and in its sweeps, newest first."
    )
    parser.add_argument("root", nargs="?", type=Path, metavar="ROOT", help="folder with runs (default: the user's)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print a line for each run."""
    root: Path = args.root or runs_dir()
    if not root.is_dir():
        raise InputError(f"There is no folder {root}", where="ROOT", hint="Name a folder that holds runs.")
    from latentlab.training.run_facts import RunList

    found = RunList(root).look()
    if args.json:
        print_json({"root": str(root), "runs": [facts.as_dict() for facts in found]})
        return 0
    if not found:
        note(f"There are no runs in {root}. latentlab train makes one.")
        return 0
    special = what_is_special([facts.recipe for facts in found])
    table = [COLUMNS, *(_row(facts, words) for facts, words in zip(found, special, strict=True))]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


def _row(facts: RunFacts, special: str) -> tuple[str, ...]:
    pixel, kld = (facts.latest.get(f"test_{name}", facts.latest.get(name)) for name in ("pixel", "kld_per_dim"))
    minutes, seconds = divmod(round(facts.elapsed_s), 60)
    return (
        facts.name,
        facts.state,
        f"{facts.step:,} / {facts.steps:,}",
        "–" if pixel is None else f"{pixel:.4g}",
        "–" if kld is None else f"{kld:.3g}",
        f"{minutes}:{seconds:02}" + (f" on {datetime.fromtimestamp(facts.started):%Y-%m-%d}" if facts.started else ""),
        special if len(special) <= 60 else f"{special[:59]}…",
    )
