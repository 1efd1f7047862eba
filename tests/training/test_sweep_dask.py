"""A sweep on a Dask cluster: a real scheduler and real workers on this machine."""

from __future__ import annotations

import json
import sys
import time

import pytest

from latentlab import cli
from latentlab.core.errors import InputError
from latentlab.core.sweep import SweepPlan, SweepRun, write_plan
from latentlab.training.run_facts import how_it_ended
from latentlab.training.sweep import SweepRunner
from latentlab.training.sweep_dask import DaskPlace

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Dask's own, at the end of its event loop.
]
SETTINGS = """
title = "Tiny"
recipe = "vae-arena"
data = "digits"
steps = 60
[settings]
"data.size" = [16, 16]
"data.limit" = 60
"model.width" = 4
"model.latent_dim" = 4
"training.precision" = "fp32"
"training.batch_size" = 8
"training.log_every" = 1
"training.checkpoint_every" = 20
[grid]
"objective.initial_beta" = [0.5, 1.0]
"""


@pytest.fixture
def cluster(monkeypatch):
    monkeypatch.setenv("LATENTLAB_THREADS", "1")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tcp"
    ) as made:
        yield made.scheduler_address


@pytest.fixture
def recipes(tmp_path):
    """Return a plan of one training that would take minutes."""
    from latentlab.core.recipe_io import find_recipe

    recipe = find_recipe("vae-arena").model_copy(deep=True)
    recipe.data.spec, recipe.data.size, recipe.data.limit = "digits", (16, 16), 60
    recipe.training.steps = 100_000
    plan = SweepPlan("Long", (SweepRun("00", "long"),), device="cpu")
    write_plan(tmp_path / "sweep", plan, {"00": recipe})
    return tmp_path / "sweep", plan


def test_a_sweep_is_trained_by_the_workers(cluster, tmp_path, capsys):
    file, out = tmp_path / "tiny.toml", tmp_path / "out"
    file.write_text(SETTINGS)
    arguments = ["sweep", str(file), "--out", str(out), "--cluster", cluster, "--device", "cpu", "--json"]
    assert cli.main(arguments) == 0
    done = json.loads(capsys.readouterr().out)
    assert [run["state"] for run in done["runs"]] == ["finished"] * 2
    assert [run["step"] for run in done["runs"]] == [60, 60]
    assert cli.main([*arguments[:-1], "--resume", "--json"]) == 0  # Nothing is trained again.


def test_stopping_saves_and_another_place_goes_on(cluster, recipes):
    folder, plan = recipes
    place = DaskPlace(cluster)
    runner = SweepRunner(folder, plan, place)
    begun = time.monotonic()

    def tell(state):
        if state.runs[0].step >= 20:
            runner.stop()
        assert time.monotonic() - begun < 120

    state = runner.run(tell)
    place.close()
    assert state.runs[0].state == "stopped"
    assert how_it_ended(folder / "00") == "stopped"
    assert list((folder / "00" / "checkpoints").iterdir())


def test_a_training_that_fails_says_why(cluster, recipes):
    folder, plan = recipes
    (folder / "recipes" / "00.toml").write_text('[data]\nspec = "folder:nowhere"\n')
    place = DaskPlace(cluster)
    state = SweepRunner(folder, plan, place).run(lambda _state: None)
    place.close()
    assert state.runs[0].state == "failed"
    assert "nowhere" in state.runs[0].problem


def test_no_scheduler_no_workers_and_no_dask_are_told(monkeypatch):
    monkeypatch.setattr("latentlab.training.sweep_dask.CONNECT_S", 0.5)
    with pytest.raises(InputError, match="No Dask scheduler answers at tcp"):
        DaskPlace("tcp://127.0.0.1:9")
    with pytest.raises(InputError, match="No Dask scheduler answers at nonsense"):
        DaskPlace("nonsense://")
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=None, protocol="tcp") as made,
        pytest.raises(InputError, match="no workers"),
    ):
        DaskPlace(made.scheduler_address)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match="not installed"):
        DaskPlace("tcp://127.0.0.1:9")
