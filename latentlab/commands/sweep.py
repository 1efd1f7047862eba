"""``latentlab sweep``: train a recipe with settings varied, some runs at a time, and report on them together."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from latentlab.commands import note, print_json
from latentlab.core.errors import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_OK, InputError
from latentlab.core.paths import runs_dir
from latentlab.core.sweep import find_sweep, is_sweep, read_plan, read_sweep
from latentlab.core.sweep_state import SweepState

if TYPE_CHECKING:
    from latentlab.training.sweep import SweepRunner
    from latentlab.training.sweep_dask import DaskPlace


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "sweep",
        help="train a recipe with settings varied",
        description="Train every run of a sweep, each in a process of its own. Ctrl+C lets the trainings at work save "
        "and stops; --resume goes on: finished runs stay, broken ones continue from their last checkpoint.",
    )
    parser.add_argument("file", metavar="FILE", help="sweep as TOML, or the name of a bundled one; or a sweep's folder")
    parser.add_argument("--data", metavar="SPEC", help="data set to use instead of the file's")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="a setting of every run"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="training steps of every run")
    parser.add_argument("--jobs", type=int, metavar="N", help="trainings at a time (default 1)")
    parser.add_argument(
        "--cluster", metavar="ADDRESS", help="train on the workers of a Dask scheduler, e.g. tcp://10.0.0.1:8786"
    )
    parser.add_argument("--device", default="auto", metavar="DEVICE", help="auto (default), cpu or cuda")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to make for the sweep, or with --resume its own"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the newest sweep of this file, or that in DIR"
    )
    parser.add_argument("--report", type=Path, metavar="F.html", help="write a report of all runs when done")
    parser.add_argument("--json", action="store_true", help="print one JSON object when done")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Train; return 0 when all runs are finished, 1 when one failed and 130 when interrupted."""
    if args.jobs is not None and args.jobs < 1:
        raise InputError(f"{args.jobs} trainings at a time is too few", where="--jobs", hint="Give 1 or more.")
    if args.report is not None and not args.report.expanduser().absolute().parent.is_dir():
        raise InputError(f"There is no folder {args.report.parent}", where="--report", hint="Make it first.")
    folder = _existing(args) if args.resume or is_sweep(Path(args.file)) else make_sweep(args)
    plan = read_plan(folder)
    from latentlab.training.sweep import SweepRunner

    note(f"Sweep: {plan.title}, {len(plan.runs)} runs in {folder}")
    with _place(args.cluster) as cluster:
        jobs = args.jobs or (plan.jobs if cluster is None else cluster.slots)
        runner = SweepRunner(folder, replace(plan, jobs=jobs), cluster)
        with _interruptible(runner):
            state = runner.run(_Teller(show=sys.stderr.isatty()))
    if args.report is not None:
        from latentlab.training.report import write_report

        write_report(args.report, plan.title, [folder / run.name for run in plan.runs], plan=plan)
        note(f"Report: {args.report}")
    for failed in (run for run in state.runs if run.state == "failed"):
        note(f"{failed.label} failed: {failed.problem or 'see its log'} [{folder / failed.name}.log]")
    note(f"{state.count('finished')} of {len(state.runs)} runs are finished: {folder}")
    if args.json:
        print_json(state.as_dict() | {"report": None if args.report is None else str(args.report)})
    if runner.stopped and not state.over:
        return EXIT_INTERRUPTED
    return EXIT_FAILURE if state.count("failed") else EXIT_OK


@contextmanager
def _place(address: str | None) -> Iterator[DaskPlace | None]:
    """Join the cluster at ``address``, if one is given, and leave it at the end."""
    if address is None:
        yield None
        return
    from latentlab.training.sweep_dask import DaskPlace

    with closing(DaskPlace(address)) as cluster:
        yield cluster


def make_sweep(args: argparse.Namespace) -> Path:
    """Make the sweep's folder, with what the command line changes."""
    from latentlab.training.sweep import new_sweep

    return new_sweep(
        find_sweep(args.file),
        runs_dir(),
        out=args.out,
        jobs=args.jobs or 1,
        device=args.device,
        data=args.data,
        steps=args.steps,
        assignments=args.set,
    )


def _existing(args: argparse.Namespace) -> Path:
    """Return the folder of the sweep to go on with."""
    if args.set or args.data or args.steps:
        raise InputError(
            "A sweep goes on as it was begun", where="--resume", hint="Leave out --set, --data and --steps."
        )
    for named in (args.out, Path(args.file)):
        if named is not None and is_sweep(named):
            return Path(named)
    title, _, _ = read_sweep(find_sweep(args.file))
    roots = [] if args.out is not None else sorted(runs_dir().iterdir(), reverse=True)
    found = next((path for path in roots if is_sweep(path) and read_plan(path).title == title), None)
    if found is None:
        raise InputError(
            f"There is no sweep {title!r} to go on with",
            where="--resume",
            hint="Name its folder, or leave out --resume.",
        )
    return found


class _Teller:
    """Shows a sweep as one line on standard error; in a log file as a line whenever a run begins or ends."""

    def __init__(self, *, show: bool) -> None:
        self._show = show
        self._said: dict[str, str] = {}

    def __call__(self, state: SweepState) -> None:
        left = "" if state.remaining_s is None else f", {_clock(state.remaining_s)} left"
        summary = f"{state.count('finished')} of {len(state.runs)} finished, {state.done_share:.0%}{left}"
        if self._show:
            working = ", ".join(f"{run.label} {run.step}/{run.steps}" for run in state.runs if run.state == "running")
            sys.stderr.write(f"\r\x1b[K{summary}  {working}" + ("\n" if state.over else ""))
            sys.stderr.flush()
            return
        for run in state.runs:
            if self._said.get(run.name, "waiting") != run.state:
                note(f"{run.label}: {run.state} at step {run.step} of {run.steps} ({summary})")
            self._said[run.name] = run.state


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def _interruptible(runner: SweepRunner) -> Iterator[None]:
    """Let Ctrl+C save and stop; a second one stops at once, and the trainings with it."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if runner.stopped:
            raise KeyboardInterrupt
        note("Stopping: the trainings at work save first; once more stops at once")
        runner.stop()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
