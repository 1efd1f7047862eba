"""``latentlab export``: a run as CSV, TensorBoard event files, ONNX networks, or an HTML report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from latentlab.commands import note, print_json
from latentlab.core.errors import InputError
from latentlab.core.run_folder import LAST, checkpoint_names, is_run
from latentlab.core.sweep import is_sweep, read_plan

FORMATS = ("csv", "tensorboard", "onnx", "html")


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "export",
        help="export a run",
        description="Export a run: its metrics as CSV or TensorBoard event files, its networks as ONNX, or a report of "
        "one or several runs (or a sweep) as one HTML file.",
    )
    parser.add_argument("run", nargs="+", type=Path, metavar="RUN", help="run folder; with html several, or a sweep's")
    parser.add_argument("--format", required=True, choices=FORMATS, help="what to write")
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="OUT", help="file (csv, html) or folder")
    parser.add_argument(
        "--checkpoint", default=LAST, metavar="NAME", help="of onnx: last (default), best, step_00000500"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object when done")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Write the export."""
    if args.format != "html" and len(args.run) > 1:
        raise InputError(f"{args.format} takes one run", where="RUN", hint="Several fit into --format html.")
    out: Path = args.out.expanduser()
    if not out.absolute().parent.is_dir():
        raise InputError(f"There is no folder {out.parent}", where="-o", hint="Make it first.")
    if out.is_dir() and args.format in ("csv", "html"):
        raise InputError(f"{out} is a folder", where="-o", hint=f"Give the name of a .{args.format} file.")
    facts = _report(args.run, out) if args.format == "html" else _export(args.run[0], args.format, out, args.checkpoint)
    note(f"Wrote {out}")
    if args.json:
        print_json({"format": args.format, "out": str(out), **facts})
    return 0


def _export(folder: Path, wanted: str, out: Path, checkpoint: str) -> dict[str, Any]:
    if not is_run(folder):
        raise InputError(f"{folder} is not a run folder", where="RUN", hint="latentlab runs lists them.")
    if wanted == "csv":
        from latentlab.training.export_csv import export_csv

        return {"rows": export_csv(folder, out)}
    if wanted == "tensorboard":
        from latentlab.training.export_tensorboard import export_tensorboard

        return {"scalars": export_tensorboard(folder, out)}
    if checkpoint not in checkpoint_names(folder):
        there = ", ".join(checkpoint_names(folder)) or "none"
        raise InputError(f"{folder.name} has no checkpoint {checkpoint}", where="--checkpoint", hint=f"There: {there}.")
    from latentlab.explore.export_onnx import export_onnx

    return {"files": [str(path) for path in export_onnx(folder, out, checkpoint)]}


def _report(folders: list[Path], out: Path) -> dict[str, Any]:
    from latentlab.training.report import write_report

    if len(folders) == 1 and is_sweep(folders[0]):
        plan = read_plan(folders[0])
        write_report(out, plan.title, [folders[0] / run.name for run in plan.runs], plan=plan)
        return {"runs": len(plan.runs)}
    for folder in folders:
        if not is_run(folder):
            raise InputError(f"{folder} is not a run folder", where="RUN", hint="latentlab runs lists them.")
    title = folders[0].name if len(folders) == 1 else f"{len(folders)} runs"
    write_report(out, title, folders)
    return {"runs": len(folders)}
