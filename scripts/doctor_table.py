"""The doctor's rules, put to the test: ``python scripts/doctor_table.py [--runs DIR]``.

Prints, for each rule, the short training that provokes it and the step at which the doctor said so; and what it says
of the healthy short trainings and of the runs in DIR, watched from their first step to their last.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import torch
from _ailments import AILMENTS, HEALTHY, fall_ill

from latentlab.core.doctor import RULES, Record, replay
from latentlab.core.run_folder import METRICS, is_run, read_model_info
from latentlab.training.metrics_db import read_metrics


def main() -> int:
    """Print the tables; exit 1 when a rule was silent or a healthy training was called ill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, help="folder of runs to watch again")
    args = parser.parse_args()
    torch.set_num_threads(1)
    wrong = 0
    print("| rule | provoked by | said at step | said besides |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for rule in RULES:
            found = replay(fall_ill(AILMENTS[rule.name], Path(folder) / rule.name))
            said = found.pop(rule.name, None)
            wrong += said is None
            step = "**silent**" if said is None else f"{said.step:,}"
            print(f"| {rule.name} | {AILMENTS[rule.name].story} | {step} | {_said(found)} |", flush=True)
        print("\n| run | steps | said |\n|---|---|---|")
        for name, healthy in HEALTHY.items():
            record = fall_ill(healthy, Path(folder) / name)
            found = replay(record)
            wrong += bool(found)
            print(f"| {healthy.story} | {record.step:,.0f} | {_said(found)} |")
    for run in sorted(args.runs.iterdir()) if args.runs else ():
        if is_run(run):
            record = Record(read_metrics(run / METRICS), read_model_info(run).recipe)
            print(f"| {run.name} | {record.step:,.0f} | {_said(replay(record))} |")
    return int(wrong > 0)


def _said(found: dict) -> str:
    return ", ".join(f"{name} at {finding.step:,}" for name, finding in found.items()) or "–"


if __name__ == "__main__":
    sys.exit(main())
