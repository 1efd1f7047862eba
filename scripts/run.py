"""Set everything up, then open latentlab: ``python3 scripts/run.py [latentlab arguments]``.

The first call creates ``.venv`` and installs the project and Qt's system libraries; later calls start at once.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

from _setup import ensure_project, ensure_qt_libraries, venv_python


def main() -> int:
    """Prepare the environment and hand over to latentlab, in the folder the user stands in."""
    ensure_qt_libraries()
    ensure_project()
    command = [str(venv_python()), "-m", "latentlab", *sys.argv[1:]]
    if os.name == "posix":
        os.execv(command[0], command)  # Ctrl+C and exit codes reach latentlab itself.
    with contextlib.suppress(KeyboardInterrupt):
        return subprocess.run(command, check=False).returncode
    return 130


if __name__ == "__main__":
    sys.exit(main())
