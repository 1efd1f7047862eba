"""A wheel built from the tree carries its icons and recipes and runs outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUIET = ["--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel of this tree and unpack it the way pip does, away from the checkout."""
    wheels = tmp_path_factory.mktemp("wheel")
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip"]
    built = subprocess.run(
        [*pip, "wheel", *QUIET, "--no-deps", "--no-build-isolation", "-w", str(wheels), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = wheels.glob("latentlab-*.whl")
    subprocess.run([*pip, "install", *QUIET, "--no-deps", "--target", str(target), str(wheel)], check=True)
    return target


def _run(site: Path, where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=where, env=environment
    )


def test_the_wheel_is_what_runs_and_has_its_resources(unpacked: Path, tmp_path: Path):
    code = "import latentlab, latentlab.core.paths as p; print(latentlab.__file__); print(p.resources_dir())"
    done = _run(unpacked, tmp_path, "-c", code)
    package, resources = done.stdout.split()
    assert Path(package).is_relative_to(unpacked)
    assert Path(resources).is_relative_to(unpacked)
    assert list((Path(resources) / "icons").glob("*.svg"))


def test_the_wheel_lists_recipes(unpacked: Path, tmp_path: Path):
    done = _run(unpacked, tmp_path, "-m", "latentlab", "recipes", "--json")
    assert done.returncode == 0, done.stderr
    assert "quickstart" in {recipe["name"] for recipe in json.loads(done.stdout)["recipes"]}


@pytest.mark.slow
def test_the_wheel_opens_its_window(unpacked: Path, tmp_path: Path):
    picture = tmp_path / "window.png"
    done = _run(unpacked, tmp_path, "-m", "latentlab", "--screenshot", str(picture), "--after", "1")
    assert done.returncode == 0, done.stderr
    assert picture.stat().st_size > 10_000
