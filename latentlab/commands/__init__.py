"""The headless commands: one module each, with ``add_parser(subparsers)`` and ``run(args) -> int``.

Modules import torch and friends inside ``run``, so that ``--help`` and the app start at once.
"""

from __future__ import annotations

import json
import sys
from typing import Any

COMMANDS = (
    "train",
    "evaluate",
    "sample",
    "reconstruct",
    "encode",
    "decode",
    "runs",
    "export",
    "sweep",
    "recipes",
    "doctor",
)


def print_json(value: dict[str, Any]) -> None:
    """Print the one JSON object of a ``--json`` command on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=True) + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Write a line for people to standard error, where it cannot disturb ``--json``."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
