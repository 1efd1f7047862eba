"""What the two commands of the README say when the environment cannot be set up."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_a_failed_installation_names_the_disk_when_that_was_too_small() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "_setup.py"))
    assert "had 1.2 GB free and about 6 are needed" in script["why_pip_failed"](1.2)
    assert "Check the network" in script["why_pip_failed"](20.0)
    assert 0 < script["free_gb"]() <= shutil.disk_usage(ROOT).free / 1e9 * 1.1


def test_a_package_that_cannot_be_had_is_one_sentence_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "_setup.py", tmp_path / "scripts")
    missing = (tmp_path / "nowhere.whl").as_uri()
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "broken"\nversion = "1"\ndependencies = ["nowhere @ {missing}"]\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    command = [sys.executable, "-c", "from _setup import ensure_project; ensure_project()"]
    done = subprocess.run(command, cwd=tmp_path / "scripts", capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("latentlab setup: pip could not install the packages; its message is above."), done.stderr
    assert last.endswith("run this again") or "make room" in last
    assert "_setup.py" not in done.stderr
    assert not (tmp_path / ".venv" / "latentlab-setup.txt").exists()  # So that the next call tries again.
