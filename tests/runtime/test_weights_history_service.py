from __future__ import annotations

import pytest
import torch

from latentlab.core.messages import ModelInfo, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import recipe_toml
from latentlab.core.run_folder import write_model_info
from latentlab.core.weights_kept import history_file
from latentlab.models.weights import fingerprint_of, save_tensors
from latentlab.runtime.weights_history import HistoryService, SnapshotCache, WantedState


def put(run, step):
    save_tensors(history_file(run, step), {"w": torch.full((4,), float(step))})


@pytest.fixture
def run(tmp_path):
    (tmp_path / "history").mkdir()
    (tmp_path / "recipe.toml").write_text(recipe_toml(Recipe()))
    write_model_info(tmp_path, ModelInfo(Recipe(), (16, 16, 1)), data_name="x", num_train=1, num_test=1)
    for step in (10, 20, 40):
        put(tmp_path, step)
    return tmp_path


@pytest.fixture
def service(qtbot):
    made = HistoryService()
    yield made
    assert made.shutdown(10_000)


def test_steps_are_listed_and_the_list_moves_only_when_it_changes(qtbot, service, run):
    service.look(run)
    qtbot.waitUntil(lambda: service.steps.get()[1] is not None)
    version, kept = service.steps.get()
    assert (kept.run, kept.steps) == (run, (10, 20, 40))
    put(run, 80)
    service.look(run)
    qtbot.waitUntil(lambda: service.steps.version > version)
    assert service.steps.get()[1].steps == (10, 20, 40, 80)


def test_of_many_wishes_the_newest_is_answered_last_and_nothing_after_it(qtbot, service, run):
    answers = []
    service.loaded.connect(answers.append)
    for step in (10, 20, 10, 20, 40):
        service.load(WantedState(run, step))
    qtbot.waitUntil(lambda: bool(answers), timeout=30_000)
    (state,) = answers
    assert state.snapshot.step == 40
    assert state.snapshot.state["w"].tolist() == [40.0] * 4
    assert state.exact


def test_a_fingerprint_that_differs_and_a_step_that_is_gone_are_told(qtbot, service, run):
    right = fingerprint_of({"w": torch.full((4,), 20.0)})
    with qtbot.waitSignal(service.loaded, timeout=30_000) as told:
        service.load(WantedState(run, 20, right))
    assert told.args[0].exact
    with qtbot.waitSignal(service.loaded) as told:
        service.load(WantedState(run, 20, "f" * 32))
    assert not told.args[0].exact
    with qtbot.waitSignal(service.loaded) as told:
        service.load(WantedState(run, 30))
    assert "no longer has its weights of step 30" in told.args[0].error.what


def test_a_file_that_was_written_anew_is_read_anew(qtbot, service, run):
    with qtbot.waitSignal(service.loaded, timeout=30_000):
        service.load(WantedState(run, 10))
    save_tensors(history_file(run, 10), {"w": torch.full((4,), 7.0)})
    with qtbot.waitSignal(service.loaded) as told:
        service.load(WantedState(run, 10))
    assert told.args[0].snapshot.state["w"].tolist() == [7.0] * 4


def test_nothing_arrives_once_nothing_is_wanted(qtbot, service, run):
    service.load(WantedState(run, 10))
    service.forget()
    with qtbot.assertNotEmitted(service.loaded, wait=50):
        service.look(run)
        qtbot.waitUntil(lambda: service.steps.get()[1] is not None, timeout=30_000)


def test_the_cache_keeps_the_states_used_last_within_its_bound():
    cache = SnapshotCache(limit_bytes=100)
    info = ModelInfo(Recipe(), (16, 16, 1))
    for step in (1, 2, 3):
        cache.put(step, WeightSnapshot(step, info, {"w": torch.zeros(10)}), True)
        cache.get(1)
    assert cache.get(1) is not None
    assert cache.get(2) is None
    assert cache.bytes <= 100
