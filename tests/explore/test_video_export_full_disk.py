"""Disks that fill during an export: a real one of a few hundred kB where one may be mounted, else a limit on files."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys

import pytest
import video_clips

from latentlab.cli import main
from latentlab.core.messages import ModelInfo
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import recipe_toml
from latentlab.core.run_folder import write_model_info
from latentlab.models.registry import build_model
from latentlab.models.weights import save_tensors

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="uses Linux's limits")
LIMIT = 60_000


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    recipe = Recipe.model_validate(
        {
            "data": {"spec": "video:x", "size": (64, 96)},
            "model": {"kind": "ae", "network": "mlp", "latent_dim": 4, "width": 4},
        }
    )
    info = ModelInfo(recipe, (64, 96, 3))
    (folder / "recipe.toml").write_text(recipe_toml(recipe))
    write_model_info(folder, info, data_name="x", num_train=1, num_test=1)
    last = folder / "checkpoints" / "last"
    last.mkdir(parents=True)
    save_tensors(last / "model.safetensors", build_model(info, 3).inference_state())
    (last / "state.json").write_text('{"step": 40}')
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return video_clips.write_clip(tmp_path_factory.mktemp("film") / "a.mp4", frames=400, sound=True)


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk may be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@contextlib.contextmanager
def small_files():
    """Let no file of this process grow beyond ``LIMIT`` bytes; Python ignores the signal that comes with it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def reconstruct(capsys, run, clip, out, *more):
    """Run the command in this process; return its error as JSON. Another process would import torch anew."""
    code = main(["reconstruct", str(run), str(clip), "-o", str(out), *more, "--json", "--device", "cpu"])
    told = capsys.readouterr()
    assert code == 2
    assert "Traceback" not in told.err
    return json.loads(told.out)["error"]


@pytest.mark.parametrize("name", ["o.mp4", "o.mkv", "o.gif", "pictures"])
def test_a_disk_that_fills_is_one_message_and_no_file(capsys, run, clip, small_disk, name):
    error = reconstruct(capsys, run, clip, small_disk / name, "--scale", "2")
    assert f"{name} cannot be written" in error["what"] or "frame_" in error["what"]
    assert "No space left on device" in error["what"]
    assert "space left on the disk" in error["hint"] or name == "pictures"
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("name", ["o.mp4", "o.mkv", "o.gif"])
def test_a_file_that_may_not_grow_is_one_message_and_no_file(capsys, run, clip, tmp_path, name):
    with small_files():
        error = reconstruct(capsys, run, clip, tmp_path / name, "--scale", "2")
    assert f"{name} cannot be written: File too large" in error["what"]
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_under_the_table_keeps_no_part_of_it(capsys, run, clip, small_disk, tmp_path):
    (small_disk / "filler").write_bytes(b"x" * 60_000)
    error = reconstruct(capsys, run, clip, tmp_path / "o.mp4", "--csv", str(small_disk / "o.csv"))
    assert "o.csv cannot be written: No space left" in error["what"]
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
    assert list(tmp_path.glob("o*")) == []
