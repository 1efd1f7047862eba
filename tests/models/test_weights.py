from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from model_builders import make_info

from latentlab.core.errors import InputError
from latentlab.core.recipe_io import recipe_toml
from latentlab.core.run_folder import CHECKPOINTS, LAST, RECIPE, write_model_info
from latentlab.models.registry import build_model
from latentlab.models.weights import (
    MODEL_FILE,
    STATE_FILE,
    atomic_folder,
    load_tensors,
    read_snapshot,
    read_step,
    save_tensors,
    settled_folder,
)


def test_tensors_come_back_bit_equal_whatever_their_layout(tmp_path: Path):
    tensors = {
        "plain": torch.randn(3, 4, generator=torch.Generator().manual_seed(0)),
        "channels_last": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "view": torch.arange(10.0)[2:7],
        "scalar": torch.tensor(3, dtype=torch.int64),
        "bytes": torch.get_rng_state(),
        "weight": torch.nn.Parameter(torch.ones(2)),
    }
    tensors["shared"] = tensors["plain"]
    save_tensors(tmp_path / "t.safetensors", tensors)
    loaded = load_tensors(tmp_path / "t.safetensors")
    assert set(loaded) == set(tensors)
    for name, tensor in tensors.items():
        assert torch.equal(loaded[name], tensor.detach()), name
        assert loaded[name].dtype == tensor.dtype
    assert [path.name for path in tmp_path.iterdir()] == ["t.safetensors"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "t.safetensors"
    save_tensors(path, {"a": torch.ones(2)})

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("latentlab.models.weights.flush", full_disk)
    with pytest.raises(OSError, match="No space"):
        save_tensors(path, {"a": torch.zeros(2)})
    assert torch.equal(load_tensors(path)["a"], torch.ones(2))
    assert [p.name for p in tmp_path.iterdir()] == ["t.safetensors"]


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "[:12]])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, content: bytes):
    (tmp_path / "t.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        load_tensors(tmp_path / "t.safetensors")


def test_a_cut_off_file_is_a_sentence(tmp_path: Path):
    path = tmp_path / "t.safetensors"
    save_tensors(path, {"a": torch.ones(1000)})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="damaged"):
        load_tensors(path)


def test_a_missing_file_is_a_sentence(tmp_path: Path):
    with pytest.raises(InputError, match=r"no t\.safetensors"):
        load_tensors(tmp_path / "t.safetensors")


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path):
    for text in ("one", "two"):
        with atomic_folder(tmp_path / "last") as folder:
            (folder / text).write_text(text)
    assert contents(tmp_path / "last") == {"two": "two"}
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


def test_an_error_while_filling_leaves_the_old_folder(tmp_path: Path):
    with atomic_folder(tmp_path / "last") as folder:
        (folder / "a").write_text("old")

    def fill() -> None:
        with atomic_folder(tmp_path / "last") as folder:
            (folder / "a").write_text("new")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fill()
    assert contents(tmp_path / "last") == {"a": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


def test_a_kill_between_the_two_renames_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The worst instant: the old folder is set aside and the new one is not in its place yet."""
    import os

    with atomic_folder(tmp_path / "last") as folder:
        (folder / "a").write_text("old")
    rename = os.replace

    def killed_at_the_second(source: Path, target: Path) -> None:
        if Path(source).name.endswith(".partial"):
            raise KeyboardInterrupt
        rename(source, target)

    def fill() -> None:
        with atomic_folder(tmp_path / "last") as folder:
            (folder / "a").write_text("new")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            fill()
    assert not (tmp_path / "last").exists()
    assert contents(settled_folder(tmp_path / "last")) == {"a": "old"}
    fill()
    assert contents(tmp_path / "last") == {"a": "new"}


def make_run(run: Path) -> dict[str, torch.Tensor]:
    """Write a run folder with one checkpoint and return the model's tensors."""
    info = make_info("vaegan")
    model = build_model(info, seed=1)
    run.mkdir()
    (run / RECIPE).write_text(recipe_toml(info.recipe))
    write_model_info(run, info, data_name="digits", num_train=1, num_test=1)
    with atomic_folder(run / CHECKPOINTS / LAST) as folder:
        save_tensors(folder / MODEL_FILE, model.state_dict())
        (folder / STATE_FILE).write_text(json.dumps({"step": 70}))
    return model.state_dict()


def test_a_snapshot_decodes_like_the_model_that_was_saved(tmp_path: Path):
    state = make_run(tmp_path / "run")
    snapshot = read_snapshot(tmp_path / "run")
    assert snapshot.step == 70
    assert not any(name.startswith("discriminator.") for name in snapshot.state)
    twin, original = build_model(snapshot.info, seed=5), build_model(snapshot.info)
    twin.load_state_dict(dict(snapshot.state), strict=False)
    original.load_state_dict(state)
    with torch.no_grad():
        assert torch.equal(twin.decode(torch.ones(1, 4)), original.decode(torch.ones(1, 4)))


def test_missing_and_damaged_checkpoints_are_sentences(tmp_path: Path):
    run = tmp_path / "run"
    make_run(run)
    with pytest.raises(InputError, match="no checkpoint best"):
        read_snapshot(run, "best")
    with pytest.raises(InputError, match="not a run folder"):
        read_snapshot(tmp_path)
    (run / CHECKPOINTS / LAST / STATE_FILE).write_text("{")
    with pytest.raises(InputError, match="damaged"):
        read_snapshot(run)
    (run / CHECKPOINTS / LAST / STATE_FILE).unlink()
    with pytest.raises(InputError, match="no checkpoint"):
        read_step(run / CHECKPOINTS / LAST)


def test_weights_can_be_read_by_whoever_may_read_the_folder(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    save_tensors(tmp_path / "t.safetensors", {"a": torch.zeros(2)})
    assert (tmp_path / "t.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode
