from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from latentlab.core.errors import InputError, LatentLabError
from latentlab.training import checkpoint as module
from latentlab.training.checkpoint import (
    Checkpoint,
    has_checkpoint,
    load_checkpoint,
    numbered,
    optimizer_tensors,
    restore_optimizers,
    save_checkpoint,
)


def checkpoint(step: int) -> Checkpoint:
    torch.manual_seed(step)
    return Checkpoint(
        step,
        {"w": torch.randn(3, 2)},
        {"elapsed_s": 1.5, "batches": {"epoch": 2}},
        {"main.0.exp_avg": torch.randn(3, 2)},
        {"generator": torch.Generator().manual_seed(step).get_state()},
    )


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    saved = checkpoint(7)
    assert save_checkpoint(tmp_path, saved, ["last"], keep=5) == tmp_path / "last"
    loaded = load_checkpoint(tmp_path)
    assert loaded.step == 7
    assert loaded.state == saved.state
    for name in ("model", "optimizers", "loop"):
        before, after = getattr(saved, name), getattr(loaded, name)
        assert before.keys() == after.keys()
        assert all(torch.equal(before[key], after[key]) for key in before)


def test_files_are_safetensors_and_json_only(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, checkpoint(1), ["last"], keep=5)
    assert sorted(p.name for p in (tmp_path / "last").iterdir()) == [
        "loop.safetensors",
        "model.safetensors",
        "optimizers.safetensors",
        "state.json",
    ]
    assert json.loads((tmp_path / "last" / "state.json").read_text())["step"] == 1


def test_only_the_newest_numbered_ones_stay(tmp_path: Path) -> None:
    for step in (100, 200, 300, 400):
        save_checkpoint(tmp_path, checkpoint(step), ["last", numbered(step)], keep=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["last", "step_00000300", "step_00000400"]
    assert load_checkpoint(tmp_path, "step_00000300").step == 300
    assert load_checkpoint(tmp_path).step == 400


def test_the_numbered_copy_outlives_the_next_last(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, checkpoint(1), ["last", numbered(1)], keep=5)
    save_checkpoint(tmp_path, checkpoint(2), ["last"], keep=5)
    assert torch.equal(load_checkpoint(tmp_path, numbered(1)).model["w"], checkpoint(1).model["w"])


def test_a_disk_without_hard_links_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    save_checkpoint(tmp_path, checkpoint(1), ["last", numbered(1)], keep=5)
    assert load_checkpoint(tmp_path, numbered(1)).step == 1


def test_a_write_that_fails_leaves_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, checkpoint(1), ["last"], keep=5)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "save_tensors", full)
    with pytest.raises(LatentLabError, match="step 2 cannot be written: No space left"):
        save_checkpoint(tmp_path, checkpoint(2), ["last"], keep=5)
    assert load_checkpoint(tmp_path).step == 1
    assert [p.name for p in tmp_path.iterdir()] == ["last"]


def test_a_kill_between_the_two_renames_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rename in turn is where the process dies; what is left always resumes at step 1 or 2."""
    save_checkpoint(tmp_path, checkpoint(1), ["last"], keep=5)
    really = os.replace
    renames = 0

    def die(source: object, target: object) -> None:
        nonlocal renames
        if str(target).endswith(("last", "previous")):
            renames += 1
            if renames == 2:
                raise KeyboardInterrupt
        really(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path, checkpoint(2), ["last"], keep=5)
    monkeypatch.setattr(os, "replace", really)
    assert not (tmp_path / "last").exists()
    assert has_checkpoint(tmp_path)
    assert load_checkpoint(tmp_path).step == 1
    save_checkpoint(tmp_path, checkpoint(3), ["last"], keep=5)
    assert load_checkpoint(tmp_path).step == 3


@pytest.mark.parametrize("file", ["state.json", "model.safetensors", "optimizers.safetensors"])
def test_damage_is_one_clear_error(tmp_path: Path, file: str) -> None:
    save_checkpoint(tmp_path, checkpoint(1), ["last"], keep=5)
    path = tmp_path / "last" / file
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(InputError, match="damaged"):
        load_checkpoint(tmp_path)


def test_no_checkpoint_is_one_clear_error(tmp_path: Path) -> None:
    assert not has_checkpoint(tmp_path)
    with pytest.raises(InputError, match="no 'last' checkpoint"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_a_restored_optimizer_takes_the_same_steps(memory_format: torch.memory_format) -> None:
    def make() -> tuple[torch.nn.Parameter, torch.optim.Adam]:
        start = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(1))
        weight = torch.nn.Parameter(start.to(memory_format=memory_format))
        return weight, torch.optim.Adam([weight], lr=0.01, fused=True)

    def step(weight: torch.nn.Parameter, optimizer: torch.optim.Adam, seed: int) -> None:
        gradient = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(seed))
        weight.grad = gradient.to(memory_format=memory_format)
        optimizer.step()

    weight, optimizer = make()
    for seed in range(6):
        step(weight, optimizer, seed)
    other, first = make()
    for seed in range(3):
        step(other, first, seed)
    # What a file gives back is contiguous whatever went in.
    tensors = {key: value.contiguous().clone() for key, value in optimizer_tensors({"main": first}).items()}
    fresh = torch.optim.Adam([other], lr=0.01, fused=True)
    restore_optimizers({"main": fresh}, tensors)
    for seed in range(3, 6):
        step(other, fresh, seed)
    assert torch.equal(weight, other)


@pytest.mark.parametrize("text", ["null", "3", "[]", '{"step": 1e999, "format": 1}', '{"step": -1, "format": 1}'])
def test_json_that_is_no_state_is_damage(tmp_path: Path, text: str) -> None:
    save_checkpoint(tmp_path, checkpoint(1), ["last"], keep=5)
    (tmp_path / "last" / "state.json").write_text(text)
    with pytest.raises(InputError, match="damaged"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("file", ["state.json", "model.safetensors", "optimizers.safetensors", "loop.safetensors"])
def test_a_lost_file_never_means_starting_over(tmp_path: Path, file: str) -> None:
    save_checkpoint(tmp_path, checkpoint(1), ["last", numbered(1)], keep=5)
    (tmp_path / "last" / file).unlink()
    assert has_checkpoint(tmp_path)
    with pytest.raises(InputError) as caught:
        load_checkpoint(tmp_path)
    assert file in str(caught.value)
    assert "step_00000001" in caught.value.hint


def test_without_last_the_newest_numbered_one_stands_in(tmp_path: Path) -> None:
    for step in (1, 2):
        save_checkpoint(tmp_path, checkpoint(step), ["last", numbered(step)], keep=5)
    shutil.rmtree(tmp_path / "last")
    assert has_checkpoint(tmp_path)
    assert load_checkpoint(tmp_path).step == 2
