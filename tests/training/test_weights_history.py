from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from training_fakes import Memory, make_data, make_recipe

from latentlab.core.errors import InputError
from latentlab.core.messages import WeightSnapshot
from latentlab.core.weights_kept import (
    history_file,
    history_files,
    is_history_step,
    kept_file,
    kept_files,
    kept_steps,
    most_crowded,
    places_of,
)
from latentlab.models.weights import fingerprint_of, read_snapshot, read_state, save_tensors
from latentlab.training.fit import fit
from latentlab.training.history import WeightsHistory
from latentlab.training.kept import keep_for_picture
from latentlab.training.run import RunWriter


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    recipe, data = make_recipe(training__steps=26), make_data()
    writer = RunWriter.create(tmp_path_factory.mktemp("runs"), recipe, data)
    sink = Memory()
    fit(recipe, data, sink, run=writer, device="cpu")
    return writer.path


def test_ten_steps_to_a_decade_belong_into_the_history():
    steps = [step for step in range(2001) if is_history_step(step)]
    assert steps[:12] == [0, 10, 13, 16, 20, 25, 32, 40, 50, 63, 80, 100]
    assert steps[-4:] == [1000, 1300, 1600, 2000]
    assert is_history_step(1_300_000)
    assert not is_history_step(1_310_000)


def test_a_training_leaves_its_history_beside_its_checkpoints(run):
    assert sorted(history_files(run)) == [0, 10, 13, 16, 20, 25]
    assert {0, 10, 12, 13, 18, 24, 26} <= set(kept_steps(run))
    names = read_snapshot(run, "step_00000013").state.keys()
    assert names == read_snapshot(run, "last").state.keys()
    assert read_snapshot(run, "step_00000000").step == 0


def test_a_step_in_two_places_has_the_same_weights(tmp_path):
    recipe, data = make_recipe(training__steps=10, training__checkpoint_every=10), make_data()
    writer = RunWriter.create(tmp_path, recipe, data)
    fit(recipe, data, Memory(), run=writer, device="cpu")
    numbered, *_, small = places_of(writer.path, 10)
    assert numbered.is_dir()
    assert small == history_file(writer.path, 10)
    whole = read_snapshot(writer.path, "step_00000010").state
    numbered.rename(tmp_path / "away")
    (writer.path / "checkpoints" / "last").rename(tmp_path / "away too")
    alone = read_snapshot(writer.path, "step_00000010").state
    assert fingerprint_of(whole) == fingerprint_of(alone)


def test_the_fingerprint_tells_weights_apart_and_not_their_layout():
    x = torch.arange(24.0).reshape(1, 2, 3, 4)
    again = x.to(memory_format=torch.channels_last)
    assert fingerprint_of({"a": x}) == fingerprint_of({"a": again})
    changed = x.clone()
    changed[0, 0, 0, 0] = -0.0
    assert fingerprint_of({"a": x}) != fingerprint_of({"a": changed})
    assert fingerprint_of({"a": x}) != fingerprint_of({"b": x})


def test_of_several_copies_the_one_of_the_fingerprint_is_read(run):
    state = dict(read_snapshot(run, "step_00000013").state)
    other = {name: value + 1 for name, value in state.items()}
    path = kept_file(run, 13, "ab")
    save_tensors(path, other)
    try:
        for weights in (state, other):
            snapshot, exact = read_state(run, 13, fingerprint_of(weights))
            assert exact
            assert fingerprint_of(snapshot.state) == fingerprint_of(weights)
        snapshot, exact = read_state(run, 13, "0" * 32)
        assert not exact
        assert snapshot.step == 13
    finally:
        path.unlink()


def test_a_step_that_was_not_kept_is_a_sentence(run):
    with pytest.raises(InputError, match="no longer has its weights of step 11"):
        read_state(run, 11)
    with pytest.raises(InputError, match="no checkpoint step_00000011"):
        read_snapshot(run, "step_00000011")
    assert places_of(run / "nowhere", 3) == []
    assert kept_steps(run / "nowhere") == ()


def test_the_most_crowded_step_goes_first_and_the_ends_stay(tmp_path):
    assert most_crowded([0, 10]) is None
    assert most_crowded([0, 10, 100, 110, 1000]) in (100, 110)
    state = {"w": torch.zeros(100_000)}  # 0.4 MB
    history = WeightsHistory(tmp_path, 2)
    for step in (0, 10, 13, 16, 20, 25, 32, 40):
        assert history.wants(step)
        history.keep(step, state)
    left = sorted(history_files(tmp_path))
    assert len(left) == 4
    assert (left[0], left[-1]) == (0, 40)


def test_what_does_not_fit_at_all_is_not_written(tmp_path):
    WeightsHistory(tmp_path, 1).keep(10, {"w": torch.zeros(300_000)})
    assert history_files(tmp_path) == {}
    assert not WeightsHistory(tmp_path, 0).wants(10)


def test_a_run_that_goes_on_forgets_the_steps_it_will_make_again(tmp_path):
    history = WeightsHistory(tmp_path, 5)
    for step in (10, 13, 16):
        history.keep(step, {"w": torch.zeros(3)})
    save_tensors(kept_file(tmp_path, 16, "ab"), {"w": torch.ones(3)})
    history.forget_after(13)
    assert sorted(history_files(tmp_path)) == [10, 13]
    assert kept_files(tmp_path) == [kept_file(tmp_path, 16, "ab")]


def test_what_a_picture_was_made_with_is_kept_once_within_a_bound_that_is_told(run):
    snapshot = read_snapshot(run, "step_00000013")
    kept = keep_for_picture(snapshot)
    assert kept.safe
    assert keep_for_picture(snapshot) == kept
    assert kept_files(run, 13) == [kept_file(run, 13, fingerprint_of(snapshot.state))]
    other = WeightSnapshot(13, snapshot.info, {name: value + 1 for name, value in snapshot.state.items()})
    full = keep_for_picture(other, limit_bytes=1000)
    assert not full.safe
    assert "fill their 1e-06 GB" in full.reason
    assert keep_for_picture(other).safe
    assert len(kept_files(run, 13)) == 2
    assert read_state(run, 13, fingerprint_of(other.state))[1]
    for path in kept_files(run):
        path.unlink()


def test_weights_without_a_run_on_disk_are_not_kept(run):
    snapshot = read_snapshot(run, "step_00000013")
    nowhere = WeightSnapshot(13, replace(snapshot.info, run=None), snapshot.state)
    assert not keep_for_picture(nowhere).safe
    assert keep_for_picture(nowhere).fingerprint == fingerprint_of(snapshot.state)
