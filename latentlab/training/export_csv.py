"""The metrics of a run as one CSV file: a row per step, a column per metric, nothing where it was not logged."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from latentlab.core.errors import cannot_write
from latentlab.core.run_folder import METRICS
from latentlab.training.metrics_db import ELAPSED, read_metrics


def export_csv(run: Path, path: Path) -> int:
    """Write ``step, elapsed_s, metric...``, numbers in full (they read back exactly); return the number of rows.

    Raises
    ------
    InputError
        If the run has no metrics or they are damaged.
    LatentLabError
        If the file cannot be written; it appears whole or not at all.
    """
    series = read_metrics(run / METRICS)
    names = [ELAPSED, *sorted(name for name in series if name != ELAPSED)]
    steps = np.unique(np.concatenate([at for at, _ in series.values()])) if series else np.empty(0)
    columns = [_column(steps, *series[name]) for name in names if name in series]
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["step", *(name for name in names if name in series)])
            writer.writerows(zip([str(int(step)) for step in steps], *columns, strict=True))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise cannot_write(path, error) from None
    return len(steps)


def _column(steps: np.ndarray, at: np.ndarray, values: np.ndarray) -> list[str]:
    cells = [""] * len(steps)
    for place, value in zip(np.searchsorted(steps, at).tolist(), values.tolist(), strict=True):
        cells[place] = repr(value)
    return cells
