"""A training that was interrupted ends with the very weights of one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from training_fakes import Memory, make_data, make_recipe

from latentlab.core.errors import InputError
from latentlab.models.device import choose_device
from latentlab.models.registry import build_model
from latentlab.models.weights import read_snapshot
from latentlab.training.batches import Pictures
from latentlab.training.checkpoint import load_checkpoint, save_checkpoint
from latentlab.training.fit import fit
from latentlab.training.measure import measure
from latentlab.training.metrics_db import MetricsWriter, read_metrics
from latentlab.training.run import RunWriter

ADAPTIVE = {
    "model__kind": "vaegan",
    "objective__beta": "adaptive",
    "objective__initial_beta": 0.5,
    "objective__beta_step": 0.3,
    "objective__target_kld": 0.4,
    "objective__kld": "batch",
    "objective__kld_momentum": 0.9,
    "objective__instance_noise": 0.05,
}
CASES = {
    "ae": {"model__kind": "ae"},
    "vae": {"model__kind": "vae"},
    "vae-optimal": {"model__kind": "vae", "objective__reconstruction": "optimal-gaussian", "objective__beta": "pi"},
    "vae-averaged": {"model__kind": "vae", "training__ema_decay": 0.9, "objective__beta": "pi"},
    "vae-principal": {"model__kind": "vae", "model__principal_dims": 3, "training__ema_decay": 0.9},
    "vaegan-averaged": {"model__kind": "vaegan", "training__ema_decay": 0.99, "objective__kld": "batch"},
    "vae-capacity": {"model__kind": "vae", "objective__kld_form": "capacity", "objective__capacity_steps": 9},
    "vae-annealed": {"model__kind": "vae", "objective__beta": "cyclical", "objective__anneal_steps": 5},
    "cvae": {"model__kind": "cvae"},
    "vaegan-adaptive-batch-kld": ADAPTIVE,
    "vaegan-residual": {"model__kind": "vaegan", "model__network": "residual"},
    "vaegan-mlp": {"model__kind": "vaegan", "model__network": "mlp"},
}


def assert_same(run_a: RunWriter, run_b: RunWriter) -> None:
    a, b = load_checkpoint(run_a.checkpoints), load_checkpoint(run_b.checkpoints)
    assert a.step == b.step
    for part in ("model", "optimizers", "loop", "ema"):
        before, after = getattr(a, part) or {}, getattr(b, part) or {}
        assert before.keys() == after.keys()
        different = [name for name in before if not torch.equal(before[name], after[name])]
        assert different == []
    assert a.state["batches"] == b.state["batches"]


@pytest.mark.parametrize("case", CASES)
def test_stop_and_resume_gives_the_same_bits(case: str, new_run, data) -> None:
    recipe = make_recipe(**CASES[case])
    steady, broken = new_run(recipe, data), new_run(recipe, data)
    fit(recipe, data, Memory(), run=steady, device="cpu")
    fit(recipe, data, Memory({5: Memory.quit}), run=broken, device="cpu")
    opened = RunWriter.open(broken.path)
    result = fit(opened.info.recipe, data, Memory({3: Memory.quit}), run=opened, device="cpu", resume=True)
    assert (result.step, result.stopped) == (8, True)
    result = fit(opened.info.recipe, data, Memory(), run=opened, device="cpu", resume=True)
    assert (result.step, result.stopped) == (12, False)
    assert_same(steady, broken)
    a, b = read_metrics(steady.metrics), read_metrics(broken.metrics)
    for name in ("pixel", "test_pixel", "active_units"):
        steps, values = b[name]
        known = np.isin(steps, a[name][0])
        last_row = steps == 12  # A row ends at each stop; the last one of both covers the same steps.
        assert values[known & last_row].tolist() == a[name][1][a[name][0] == 12].tolist()


def test_everybody_but_the_training_sees_the_averaged_weights(new_run, data) -> None:
    recipe = make_recipe(training__ema_decay=0.9)
    run, sink = new_run(recipe, data), Memory()
    fit(recipe, data, sink, run=run, device="cpu")
    checkpoint, snapshot = load_checkpoint(run.checkpoints), read_snapshot(run.path)
    assert checkpoint.ema is not None
    name = "encoder.head.weight"
    assert torch.equal(snapshot.state[name], checkpoint.ema[name])
    assert torch.equal(sink.weights[-1].state[name], checkpoint.ema[name])
    assert not torch.equal(checkpoint.model[name], checkpoint.ema[name])
    assert snapshot.state.keys() == {key for key in checkpoint.model if not key.startswith("discriminator.")}
    policy = choose_device("cpu", "fp32")
    tested = {}
    for which, state in (("live", checkpoint.model), ("average", checkpoint.ema)):
        model = policy.place(build_model(snapshot.info, seed=0))
        model.load_state_dict(dict(state))
        pictures = Pictures(data.images, policy)
        tested[which] = measure(model, pictures, data.test_index, data.labels, policy, recipe.objective)["pixel"]
    logged = read_metrics(run.metrics)["test_pixel"][1][-1]
    assert logged == pytest.approx(tested["average"], rel=1e-6)
    assert logged != pytest.approx(tested["live"], rel=1e-6)


def test_a_run_can_begin_or_cease_to_average_when_it_resumes(new_run, data) -> None:
    plain, averaged = make_recipe(training__steps=4), make_recipe(training__steps=8, training__ema_decay=0.9)
    run = new_run(plain, data)
    fit(plain, data, Memory(), run=run, device="cpu")
    fit(averaged, data, Memory(), run=run, device="cpu", resume=True)
    assert load_checkpoint(run.checkpoints).ema is not None
    fit(make_recipe(training__steps=10), data, Memory(), run=run, device="cpu", resume=True)
    assert load_checkpoint(run.checkpoints).ema is None
    assert torch.equal(
        read_snapshot(run.path).state["encoder.head.weight"],
        load_checkpoint(run.checkpoints).model["encoder.head.weight"],
    )


def test_rows_after_the_checkpoint_are_dropped_when_a_killed_run_resumes(new_run, data) -> None:
    recipe = make_recipe(training__steps=6)
    run = new_run(recipe, data)
    fit(recipe, data, Memory(), run=run, device="cpu")
    late = MetricsWriter(run.metrics)
    for step in (8, 10):
        late.append(step, 1.0, {"pixel": 99.0, "test_pixel": 99.0})
    late.close()
    longer = make_recipe(training__steps=12)
    fit(longer, data, Memory(), run=RunWriter.open(run.path), device="cpu", resume=True)
    steps, values = read_metrics(run.metrics)["pixel"]
    assert steps.tolist() == [2, 4, 6, 8, 10, 12]
    assert values.max() < 99.0
    assert read_metrics(run.metrics)["test_pixel"][0].tolist() == [4, 6, 8, 12]


def test_a_run_killed_before_its_first_checkpoint_starts_over(new_run, data) -> None:
    recipe = make_recipe()
    steady, broken = new_run(recipe, data), new_run(recipe, data)
    fit(recipe, data, Memory(), run=steady, device="cpu")
    late = MetricsWriter(broken.metrics)
    late.append(2, 1.0, {"pixel": 99.0})
    late.close()
    fit(recipe, data, Memory(), run=broken, device="cpu", resume=True)
    assert_same(steady, broken)
    assert read_metrics(broken.metrics)["pixel"][0].tolist() == [2, 4, 6, 8, 10, 12]


def test_live_changes_survive_a_resume_unless_set_anew(new_run, data) -> None:
    recipe = make_recipe(training__log_every=1)

    def change(sink: Memory) -> None:
        sink.changes = {"training.lr": 2e-3, "objective.initial_beta": 3.0}

    run = new_run(recipe, data)
    fit(recipe, data, Memory({2: change, 4: Memory.quit}), run=run, device="cpu")
    sink = Memory({2: Memory.quit})
    fit(RunWriter.open(run.path).info.recipe, data, sink, run=RunWriter.open(run.path), device="cpu", resume=True)
    assert {(m.values["lr"], m.values["beta"]) for m in sink.steps if "lr" in m.values} == {(2e-3, 3.0)}
    sink = Memory()
    anew = make_recipe(training__log_every=1, training__lr=5e-4)
    fit(anew, data, sink, run=RunWriter.open(run.path), device="cpu", resume=True)
    assert {(m.values["lr"], m.values["beta"]) for m in sink.steps if "lr" in m.values} == {(5e-4, 3.0)}


def test_elapsed_time_goes_on(new_run, data) -> None:
    recipe = make_recipe()
    run = new_run(recipe, data)
    fit(recipe, data, Memory({6: Memory.quit}), run=run, device="cpu")
    checkpoint = load_checkpoint(run.checkpoints)
    checkpoint.state["elapsed_s"] = 1000.0
    save_checkpoint(run.checkpoints, checkpoint, ["last"], keep=5)
    sink = Memory()
    fit(recipe, data, sink, run=run, device="cpu", resume=True)
    assert 1000.0 < sink.steps[0].elapsed_s < 1100.0


def test_another_model_cannot_take_over(new_run, data) -> None:
    recipe = make_recipe(training__steps=2)
    run = new_run(recipe, data)
    fit(recipe, data, Memory(), run=run, device="cpu")
    with pytest.raises(InputError, match=r"model\.width cannot differ"):
        fit(make_recipe(model__width=8), data, Memory(), run=run, device="cpu", resume=True)
    with pytest.raises(InputError, match="pictures"):
        fit(recipe, make_data(channels=3), Memory(), run=run, device="cpu", resume=True)


def test_a_damaged_checkpoint_is_one_clear_error(new_run, data) -> None:
    recipe = make_recipe(training__steps=2)
    run = new_run(recipe, data)
    fit(recipe, data, Memory(), run=run, device="cpu")
    (run.checkpoints / "last" / "loop.safetensors").unlink()
    with pytest.raises(InputError, match="damaged: There is no loop"):
        fit(make_recipe(training__steps=4), data, Memory(), run=run, device="cpu", resume=True)


SCRIPT = """
import sys, pathlib
sys.path.insert(0, sys.argv[2])
import torch
torch.set_num_threads(1)
from training_fakes import Memory, make_data, make_recipe
from latentlab.training.fit import fit
from latentlab.training.run import RunWriter
recipe, data = make_recipe(training__steps=100000, training__log_every=1, training__checkpoint_every=20), make_data()
class Sink(Memory):
    def on_checkpoint(self, folder, step):
        print(step, flush=True)
fit(recipe, data, Sink(), run=RunWriter.create_at(pathlib.Path(sys.argv[1]), recipe, data), device="cpu")
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_kill_loses_only_the_steps_since_the_last_checkpoint(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "run"), here], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(3):
        announced = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    run = RunWriter.open(tmp_path / "run")
    checkpoint = load_checkpoint(run.checkpoints)
    assert checkpoint.step >= announced
    written = read_metrics(run.metrics)["pixel"][0]
    assert written[: checkpoint.step].tolist() == list(range(1, checkpoint.step + 1))
    longer = run.info.recipe.model_copy(deep=True)
    longer.training.steps = checkpoint.step + 3
    fit(longer, make_data(), Memory(), run=run, device="cpu", resume=True)
    assert read_metrics(run.metrics)["pixel"][0].tolist() == list(range(1, checkpoint.step + 4))
    assert json.loads((run.path / "events.jsonl").read_text().splitlines()[-1])["event"] == "finish"


def test_a_run_that_another_training_writes_is_left_alone(new_run, data) -> None:
    recipe = make_recipe(training__steps=2)
    run = new_run(recipe, data)
    fit(recipe, data, Memory(), run=run, device="cpu")
    longer = make_recipe(training__steps=4)
    with run.claimed(), pytest.raises(InputError, match="Another training"):
        fit(longer, data, Memory(), run=run, device="cpu", resume=True)
    assert fit(longer, data, Memory(), run=run, device="cpu", resume=True).step == 4
