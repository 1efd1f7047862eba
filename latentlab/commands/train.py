"""``latentlab train``: train a recipe without a window."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from latentlab.commands import note, print_json
from latentlab.core.errors import EXIT_INTERRUPTED, EXIT_OK, Cancelled, InputError
from latentlab.core.events import RunEvent
from latentlab.core.memory import keep_freed_memory
from latentlab.core.messages import ModelInfo, Progress, StepMetrics, TrainingStatus
from latentlab.core.paths import runs_dir
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import apply_settings, find_recipe
from latentlab.core.run_folder import is_run, read_model_info
from latentlab.training.sink import SilentSink

if TYPE_CHECKING:
    from latentlab.data.dataset import Dataset
    from latentlab.training.fit import FitResult
    from latentlab.training.run import RunWriter

FOLLOWS_VARIABLE = "LATENTLAB_FOLLOWS"
"""Set by a sweep for its trainings: a line on standard input asks for a stop, its end means the sweep is gone."""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "train",
        help="train a recipe without a window",
        description="Train a recipe and keep it as a run folder. Ctrl+C saves a checkpoint and stops; "
        "a second Ctrl+C stops at once. --resume goes on from the last checkpoint.",
    )
    parser.add_argument(
        "recipe",
        nargs="?",
        metavar="RECIPE",
        help="name of a bundled recipe or a TOML file (see: latentlab recipes); not needed with --resume",
    )
    parser.add_argument("--data", metavar="SPEC", help="data set to use instead of the recipe's, e.g. folder:PICTURES")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="change a setting of the recipe; may be repeated (all keys: latentlab recipes --keys)",
    )
    parser.add_argument("--out", type=Path, metavar="RUN", help="run folder to make, or with --resume to continue")
    parser.add_argument("--steps", type=int, metavar="N", help="training steps in all")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out from its last checkpoint")
    parser.add_argument(
        "--fork", type=Path, metavar="RUN", help="begin at a checkpoint of this run, with its settings but for --set"
    )
    parser.add_argument(
        "--checkpoint",
        default="last",
        metavar="NAME",
        help="of --fork: last (default) or a numbered one, step_00000500",
    )
    parser.add_argument("--device", default="auto", metavar="DEVICE", help="auto (default), cpu or cuda")
    parser.add_argument("--json", action="store_true", help="print one JSON object when done")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Train; return 0 when all steps are done and 130 when interrupted."""
    console = Console()
    if os.environ.get(FOLLOWS_VARIABLE):
        console.follow(sys.stdin)
    with console.listening():
        target = _target(args)
        recipe = _recipe(args, target)
        from latentlab.data.catalog import load_dataset
        from latentlab.models.device import limit_threads

        # As many OpenMP threads as cores fight whatever else runs: on a busy machine steps are 20 times slower.
        limit_threads()
        keep_freed_memory()
        data = load_dataset(recipe.data, seed=recipe.training.seed, progress=console.on_progress)
        result = _train(args, recipe, data, target, console)
    console.end_line()
    _report(result, as_json=args.json)
    return EXIT_INTERRUPTED if result.stopped else EXIT_OK


def _target(args: argparse.Namespace) -> Path | None:
    """Return the folder that --out (or, when resuming, RECIPE) names, checked for what is to happen with it."""
    out: Path | None = args.out
    if args.resume:
        out = out or (Path(args.recipe) if args.recipe and is_run(Path(args.recipe)) else None)
        if out is None:
            raise InputError("--resume does not know which run", where="--resume", hint="Name it with --out RUN.")
        return out
    if args.fork is not None and args.recipe is not None:
        raise InputError("A fork has the recipe of its run", where="RECIPE", hint="Change settings with --set.")
    if args.recipe is None and args.fork is None:
        raise InputError("Which recipe?", where="RECIPE", hint="See: latentlab recipes")
    if out is not None:
        from latentlab.training.run import check_free

        check_free(out)
    return out


def _recipe(args: argparse.Namespace, target: Path | None) -> Recipe:
    """Return the recipe with the command's changes; a resumed run starts from its own."""
    if args.resume and target is not None:
        recipe = read_model_info(target).recipe
        note(f"Continuing {target} with its own settings" + (" and the changes given" if args.set else ""))
    elif args.fork is not None:
        from latentlab.training.fork import as_it_was

        recipe = as_it_was(args.fork, args.checkpoint)
    else:
        recipe = find_recipe(args.recipe)
    assignments = list(args.set)
    recipe = recipe.model_copy(deep=True)
    if args.data is not None:
        recipe = _with(recipe, "data", "spec", args.data)
    recipe = apply_settings(recipe, assignments)
    return recipe if args.steps is None else _with(recipe, "training", "steps", args.steps)


def _with(recipe: Recipe, section: str, key: str, value: Any) -> Recipe:
    from latentlab.core.recipe_io import validate

    values = recipe.model_dump()
    values[section][key] = value
    return validate(values, where="--data" if section == "data" else "--steps")


def _train(args: argparse.Namespace, recipe: Recipe, data: Dataset, target: Path | None, console: Console) -> FitResult:
    from latentlab.training.fit import fit
    from latentlab.training.run import RunWriter

    if args.resume and target is not None:
        writer: RunWriter = RunWriter.open(target)
    elif args.fork is not None:
        from latentlab.training.fork import fork

        writer = fork(args.fork, args.checkpoint, recipe, data, runs_dir(), out=target)
    elif target is not None:
        writer = RunWriter.create_at(target, recipe, data)
    else:
        writer = RunWriter.create(runs_dir(), recipe, data, label=Path(args.recipe).stem)
    note(f"Run folder: {writer.path}")
    return fit(recipe, data, console, run=writer, device=args.device, resume=args.resume or args.fork is not None)


def _report(result: FitResult, *, as_json: bool) -> None:
    facts = {
        "run": str(result.run),
        "steps": result.step,
        "images_per_s": round(result.images_per_s, 3),
        "final": result.final,
        "mean_200": result.mean_200,
    }
    if as_json:
        print_json(facts)
    ending = "Stopped" if result.stopped else "Done"
    pixel = result.final.get("test_pixel", result.final.get("pixel"))
    quality = "" if pixel is None else f", pixel loss {pixel:.4g}"
    note(f"{ending} after {result.step} steps at {result.images_per_s:.0f} images/s{quality}: {result.run}")


class Console(SilentSink):
    """Shows a training as one line on standard error, and turns Ctrl+C into a stop with a checkpoint."""

    def __init__(self) -> None:
        self._stop = False
        self._live = sys.stderr.isatty()
        # On a terminal the line is rewritten; in a log file a line now and then is enough.
        self._interval_s = 0.2 if self._live else 10.0
        self._shown_at = time.monotonic() if not self._live else float("-inf")
        self._open_line = False

    def follow(self, wishes: TextIO) -> None:
        """Obey the process at the other end of a pipe: stop and save at a line; die at once where it was killed.

        Going on from the last checkpoint then gives the very curves of a training that was never disturbed.
        """

        def listen() -> None:
            # Not through the buffer of sys.stdin: a thread that waits there keeps the interpreter from ending.
            while os.read(wishes.fileno(), 4096):
                self._stop = True
            os._exit(EXIT_INTERRUPTED)

        threading.Thread(target=listen, name="sweep's wishes", daemon=True).start()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM for the time of the block."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._on_signal) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stop:
            raise KeyboardInterrupt
        self._stop = True
        self.end_line()
        note("Stopping after this step; once more stops at once")

    def should_stop(self) -> bool:
        """Whether Ctrl+C was pressed."""
        return self._stop

    def on_progress(self, progress: Progress) -> None:
        """Show how far the data is decoded; raises Cancelled after Ctrl+C."""
        if self._stop:
            raise Cancelled("Interrupted before the training began.")
        total = f" of {progress.total}" if progress.total else ""
        self._show(f"{progress.what}: {progress.done}{total}")

    def on_start(self, info: ModelInfo, device: str) -> None:
        """Say what is trained, and where."""
        self.end_line()
        height, width, channels = info.image_shape
        note(f"Training {info.kind} on {height}x{width}x{channels} pictures, {device}")

    def on_event(self, event: RunEvent) -> None:
        """Say what the model solved beforehand, and every warning."""
        if event.kind in ("solved", "warning"):
            self.end_line()
            note(event.text)

    def on_step(self, metrics: StepMetrics, status: TrainingStatus) -> None:
        """Show step, loss, speed and time left."""
        if "loss" not in metrics.values:
            return
        left = status.remaining_s
        text = f"step {metrics.step} of {status.steps}  loss {metrics.values['loss']:.4g}"
        text += f"  {status.images_per_s:.0f} images/s"
        text += "" if left is None else f"  {_clock(left)} left"
        self._show(text, finished=metrics.step == status.steps)

    def _show(self, text: str, *, finished: bool = False) -> None:
        now = time.monotonic()
        if now - self._shown_at < self._interval_s and not finished:
            return
        self._shown_at = now
        if self._live:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
            self._open_line = True
        else:
            note(text)

    def end_line(self) -> None:
        """Leave the line that is being rewritten."""
        if self._open_line:
            self._open_line = False
            note("")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
