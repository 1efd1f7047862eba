"""Print the end values of several runs side by side: ``scripts/compare_runs.py RUN... [--metrics a,b] [--json]``.

Each figure is the mean over the last logged values of a metric (``--last``, 200 of them; test metrics are
measured more rarely and take the last ``--last-tests``, 3). ``--settings`` names recipe keys to print beside.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.errors import LatentLabError
from latentlab.core.metrics import TEST_PREFIX
from latentlab.core.run_folder import METRICS, read_model_info
from latentlab.training.metrics_db import read_metrics

METRIC_NAMES = "pixel,test_pixel,test_psnr,kld_per_dim,test_kld_per_dim,beta,feature_matching"


def figures(run: Path, names: list[str], last: int, last_tests: int) -> dict[str, float | None]:
    """Return the mean end value of each metric; None for one that the run never logged."""
    logged = read_metrics(run / METRICS)
    result: dict[str, float | None] = {}
    for name in names:
        steps_values = logged.get(name)
        count = last_tests if name.startswith(TEST_PREFIX) else last
        result[name] = float(np.mean(steps_values[1][-count:])) if steps_values else None
    return result


def settings(run: Path, keys: list[str]) -> dict[str, Any]:
    """Return the values of recipe keys such as ``objective.kld``."""
    values = read_model_info(run).recipe.model_dump()
    return {key: values[key.partition(".")[0]][key.partition(".")[2]] for key in keys}


def as_text(value: Any) -> str:
    """Return a cell of the table."""
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> int:
    """Print a row for each run."""
    parser = argparse.ArgumentParser(description="Print the end values of several runs side by side.")
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--metrics", default=METRIC_NAMES, help=f"default {METRIC_NAMES}")
    parser.add_argument("--settings", default="", help="recipe keys, e.g. objective.kld,objective.kld_momentum")
    parser.add_argument("--last", type=int, default=200, metavar="N", help="logged values in each mean (default 200)")
    parser.add_argument("--last-tests", type=int, default=3, metavar="N", help="test values in each mean (default 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    names, keys = args.metrics.split(","), [key for key in args.settings.split(",") if key]
    try:
        rows = {str(run): settings(run, keys) | figures(run, names, args.last, args.last_tests) for run in args.runs}
    except (LatentLabError, KeyError) as error:
        print(error, file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(rows))
        return 0
    columns = ["run", *keys, *names]
    table = [columns, *([Path(run).name, *map(as_text, row.values())] for run, row in rows.items())]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
