"""Set everything up, then check the project: ``python3 scripts/test.py [pytest arguments]``.

Runs ruff (lint and format), mypy and pytest in ``.venv``; the first that fails does not hide the others.
Without arguments of its own pytest runs everything: the tests of real windows first, one by one with the machine to
themselves, then the others in as many processes as there are cores, four at most.
"""

from __future__ import annotations

import os
import sys

from _setup import ensure_project, ensure_qt_libraries, ensure_test_programs, run_module, say

MOST_WORKERS = 4  # Each loads torch and Qt: one to two gigabytes.


def parallel() -> list[str]:
    """Return what makes pytest use the cores; a worker that is done takes over from the others."""
    workers = min(MOST_WORKERS, os.cpu_count() or 1)
    return ["-n", str(workers), "--dist", "worksteal"] if workers > 1 else []


def main() -> int:
    """Return 0 when every check passes."""
    ensure_qt_libraries()
    ensure_test_programs()
    ensure_project("dev")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("PYTHONHASHSEED", "0")  # Every process must name the tests alike.
    checks: dict[str, tuple[str, list[str]]] = {
        "ruff check": ("ruff", ["check", "."]),
        "ruff format": ("ruff", ["format", "--check", "."]),
        "mypy": ("mypy", []),
    }
    if sys.argv[1:]:
        checks["pytest"] = ("pytest", sys.argv[1:])
    else:
        checks["pytest, real windows"] = ("pytest", ["tests/e2e"])
        checks["pytest"] = ("pytest", ["--ignore=tests/e2e", *parallel()])
    failed = []
    for name, (module, arguments) in checks.items():
        say(f"running {name}")
        if run_module(module, arguments):
            failed.append(name)
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
