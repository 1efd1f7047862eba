"""Set everything up, then check the project: ``python3 scripts/test.py [pytest arguments]``.

Runs ruff (lint and format), mypy and pytest in ``.venv``; the first that fails does not hide the others.
"""

from __future__ import annotations

import os
import sys

from _setup import ensure_project, ensure_qt_libraries, ensure_test_programs, run_module, say


def main() -> int:
    """Return 0 when every check passes."""
    ensure_qt_libraries()
    ensure_test_programs()
    ensure_project("dev")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    checks = {
        "ruff check": ("ruff", ["check", "."]),
        "ruff format": ("ruff", ["format", "--check", "."]),
        "mypy": ("mypy", []),
        "pytest": ("pytest", sys.argv[1:]),
    }
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
