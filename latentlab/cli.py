"""The ``latentlab`` command: the app by default, a headless command when its name comes first."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from latentlab.commands import COMMANDS, note, print_json
from latentlab.core.errors import EXIT_FAILURE, Cancelled, InputError, LatentLabError

EPILOG = """headless commands (latentlab COMMAND --help explains each):
  train RECIPE         train without a window            evaluate RUN         measure a run on its data
  sample RUN           decode samples from the prior     reconstruct RUN IN   side-by-side image or video
  encode RUN           latents of a data set             decode RUN F         pictures of given latents
  sweep FILE           train with settings varied        runs [ROOT]          list what has been trained
  export RUN           CSV, TensorBoard, ONNX or HTML    recipes              list recipes and their settings
  doctor [RUN]         check this installation, or a run
"""


DEBUG_VARIABLE = "LATENTLAB_DEBUG"


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are errors like all others, so that ``--json`` prints them as JSON too."""

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments; the usage goes to standard error."""
        self.print_usage(sys.stderr)
        raise InputError(message[:1].upper() + message[1:], hint=f"{self.prog} --help explains every argument.")


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    try:
        return int(width), int(height)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, for example 1280x800") from None


def app_parser() -> argparse.ArgumentParser:
    """Return the parser of the app's own arguments."""
    parser = Parser(
        prog="latentlab",
        description="Train VAE-family models on your own images and video, and explore them while they learn.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        metavar="PATH",
        help="run folder, recipe, video, image folder, or a picture exported by latentlab",
    )
    parser.add_argument("--demo", action="store_true", help="start with the quickstart recipe already training")
    parser.add_argument("--recipe", metavar="NAME", help="start with this recipe already training")
    parser.add_argument("--screenshot", type=Path, metavar="F", help="save the window to F (PNG) and exit")
    parser.add_argument(
        "--after",
        type=float,
        default=2.0,
        metavar="S",
        help="seconds after the window shows until the screenshot (default 2)",
    )
    parser.add_argument("--page", metavar="NAME", help="first page: monitor, explore, condition, video, map, runs")
    parser.add_argument("--theme", choices=("system", "dark", "light"), help="colours for this start")
    parser.add_argument("--size", type=_size, metavar="WxH", help="size of the window, e.g. 1280x800")
    parser.add_argument("--runs", type=Path, metavar="ROOT", help="folder that runs are written to")
    return parser


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of the headless commands."""
    parser = Parser(prog="latentlab")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"latentlab.commands.{name}").add_parser(subparsers)
    return parser


def _run_app(arguments: Sequence[str]) -> int:
    args = app_parser().parse_args(arguments)
    from latentlab.app import run_app

    return run_app(
        args.path,
        demo=args.demo,
        recipe=args.recipe,
        screenshot=args.screenshot,
        after_s=args.after,
        runs_root=args.runs,
        theme=args.theme,
        page=args.page,
        size=args.size,
    )


def _report(error: LatentLabError, as_json: bool) -> int:
    if as_json:
        print_json({"error": error.as_dict()})
    note(f"latentlab: {error.what}" + (f" [{error.where}]" if error.where and error.where not in error.what else ""))
    if error.hint:
        note(f"  {error.hint}")
    return error.exit_code


def _unexpected(error: Exception) -> LatentLabError:
    """Return an error that nothing foresaw as a sentence; the traceback is for those who ask for it."""
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    if isinstance(error, MemoryError):
        return InputError("There is not enough memory for this", hint="Use a smaller size or batch.")
    if isinstance(error, OSError) and error.strerror:
        return LatentLabError(error.strerror, where=str(error.filename or ""))
    first = (str(error).splitlines() or [""])[0]
    return LatentLabError(
        f"Something went wrong that should not have: {type(error).__name__}: {first}",
        hint=f"Please report it, with what {DEBUG_VARIABLE}=1 in the environment adds to this message.",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run latentlab and return its exit code: 0 done, 1 failure, 2 bad usage or input, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    try:
        if arguments and arguments[0] in COMMANDS:
            args = command_parser().parse_args(arguments)
            return int(args.handler(args))
        return _run_app(arguments)
    except LatentLabError as error:
        return _report(error, as_json)
    except KeyboardInterrupt:
        return _report(Cancelled("Interrupted."), as_json)
    except BrokenPipeError:
        return EXIT_FAILURE
    except Exception as error:  # noqa: BLE001 - whatever it is, the user gets a sentence and the shell a code
        return _report(_unexpected(error), as_json)
