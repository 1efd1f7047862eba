from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from training_fakes import Memory, make_data, make_recipe

from latentlab.core.errors import Cancelled, InputError, LatentLabError
from latentlab.core.messages import Progress, StepMetrics, TrainingStatus
from latentlab.core.metrics import METRICS, TEST_PREFIX
from latentlab.models.vae import Vae
from latentlab.models.weights import read_snapshot
from latentlab.training.fit import fit
from latentlab.training.metrics_db import read_metrics
from latentlab.training.run import RunWriter

VAEGAN_METRICS = {
    *("loss", "pixel", "kld_nats", "kld_per_dim", "beta", "feature_matching", "active_units", "z_mean", "z_std"),
    *("d_real", "d_recon", "d_fake", "g_recon", "g_fake", "lr", "images_per_s"),
}


def events(run) -> list[dict]:
    return [json.loads(line) for line in (run.path / "events.jsonl").read_text().splitlines()]


def trained(new_run, data, sink=None, **changes):
    recipe = make_recipe(**changes)
    run = new_run(recipe, data)
    sink = sink or Memory()
    return fit(recipe, data, sink, run=run, device="cpu"), run, sink


@pytest.mark.parametrize("kind", ["ae", "vae", "cvae", "vaegan"])
def test_every_kind_trains_and_leaves_a_whole_run(kind: str, new_run, data) -> None:
    result, run, sink = trained(new_run, data, model__kind=kind)
    assert (result.step, result.stopped, result.run) == (12, False, run.path)
    assert [m.step for m in sink.steps] == [2, 4, 6, 8, 10, 12]
    assert [p.step for p in sink.previews] == [0, 6, 12, 12]
    assert [step for _, step in sink.checkpoints] == [6, 12]
    assert sink.weights[0].step == 0
    assert sink.weights[-1].step == 12
    assert len(sink.galleries) == 1
    assert sink.device == "CPU, fp32"
    assert read_snapshot(run.path).step == 12
    assert read_snapshot(run.path, "best").step in (4, 8, 12)
    names = sorted(p.name for p in (run.path / "checkpoints").iterdir())
    assert names == ["best", "last", "step_00000006", "step_00000012"]
    assert {p.name for p in (run.path / "previews").iterdir()} >= {"step_00000012_reconstructions.png"}
    assert [e["event"] for e in events(run)] == ["start", "finish"]
    assert result.images_per_s > 0


def test_a_principal_path_is_solved_before_the_first_step_and_told(new_run, data) -> None:
    changes = {"model__principal_dims": 2, "training__ema_decay": 0.999, "training__lr": 1e-9}
    _, run, sink = trained(new_run, data, **changes)
    solved = [event for event in events(run) if event["event"] == "solved"]
    assert [e["event"] for e in events(run)] == ["start", "solved", "finish"]
    assert solved[0]["images"] == len(data.train_index)
    assert [event.text for event in sink.events] == [
        f"Principal path: {solved[0]['nats']:.0f} nats, {solved[0]['psnr']:.2f} dB, "
        f"the optimum at β {solved[0]['beta']:.3g}"
    ]
    # Hardly trained, both the weights and their average make pictures of that error.
    expected = 10 ** (-solved[0]["psnr"] / 10)
    assert sink.steps[-1].values["pixel"] == pytest.approx(expected, rel=0.2)
    averaged, handed_out = read_snapshot(run.path).state, sink.weights[-1].state
    assert np.array_equal(averaged["principal.variance_P"], handed_out["principal.variance_P"])
    assert 0.0 < float(averaged["principal.theta"]) < float(averaged["principal.variance_P"].min())


def test_a_principal_path_that_the_images_do_not_determine_leaves_no_run(new_run) -> None:
    few = make_data(12)
    recipe = make_recipe(model__principal_dims=11, model__latent_dim=16)
    run = new_run(recipe, few)
    with pytest.raises(InputError, match="vary along") as error:
        fit(recipe, few, Memory(), run=run, device="cpu")
    assert error.value.where == "model.principal_dims"
    assert not run.path.exists()


def test_a_stop_before_the_principal_path_is_solved_leaves_no_run(new_run, data) -> None:
    class Impatient(Memory):
        def on_progress(self, progress: Progress) -> None:
            assert progress.what == "Solving the principal path"
            raise Cancelled

    recipe = make_recipe(model__principal_dims=2)
    run = new_run(recipe, data)
    with pytest.raises(Cancelled):
        fit(recipe, data, Impatient(), run=run, device="cpu")
    assert not run.path.exists()


def test_what_the_sink_hears_is_what_is_on_disk(new_run, data) -> None:
    result, run, sink = trained(new_run, data, model__kind="vaegan")
    series = read_metrics(run.metrics)
    for metrics in sink.steps:
        for name, value in metrics.values.items():
            steps, values = series[name]
            assert values[steps == metrics.step].tolist() == [value]
    assert result.final == {name: values[-1] for name, (_, values) in series.items() if name != "elapsed_s"}
    assert result.mean_200 == pytest.approx(
        {name: float(np.mean(values)) for name, (_, values) in series.items() if name != "elapsed_s"}
    )
    assert VAEGAN_METRICS | {"test_pixel", "test_kld_nats", "test_kld_per_dim"} <= set(series)
    assert {name.removeprefix(TEST_PREFIX) for name in series} - {"elapsed_s"} <= set(METRICS)
    assert series["test_pixel"][0].tolist() == [4, 8, 12]


def test_mean_200_is_of_the_last_200_logged_steps_however_seldom_a_metric_is_measured(new_run, data) -> None:
    result, run, _ = trained(new_run, data, training__steps=270, training__log_every=1, training__test_every=60)
    series = read_metrics(run.metrics)
    pixel_steps, pixel = series["pixel"]
    test_steps, test_pixel = series["test_pixel"]
    assert pixel_steps[-200:][0] == 71
    assert test_steps.tolist() == [60, 120, 180, 240, 270]
    assert result.mean_200["pixel"] == pytest.approx(pixel[-200:].mean())
    assert result.mean_200["test_pixel"] == pytest.approx(test_pixel[1:].mean())


def test_logged_values_are_means_of_the_steps_between(new_run, data) -> None:
    _, fine, _ = trained(new_run, data, training__log_every=1, objective__beta="linear", objective__anneal_steps=12)
    _, coarse, _ = trained(new_run, data, training__log_every=3, objective__beta="linear", objective__anneal_steps=12)
    each, mean = read_metrics(fine.metrics), read_metrics(coarse.metrics)
    np.testing.assert_allclose(mean["pixel"][1], each["pixel"][1].reshape(4, 3).mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(mean["beta"][1], each["beta"][1][2::3], rtol=1e-12)


def test_steps_that_fit_no_interval_are_logged_at_the_end(new_run, data) -> None:
    result, run, sink = trained(new_run, data, training__steps=5, training__log_every=4)
    assert [m.step for m in sink.steps] == [4, 5]
    assert "test_pixel" in sink.steps[-1].values
    assert result.final["test_pixel"] == sink.steps[-1].values["test_pixel"]
    assert read_snapshot(run.path).step == 5


def test_training_learns(new_run, data) -> None:
    _, _, sink = trained(new_run, data, training__steps=120, training__lr=0.005, objective__sigma=0.3)
    assert sink.steps[-1].values["test_pixel"] < 0.5 * sink.steps[1].values["test_pixel"]


def test_a_stop_saves_where_it_stopped(new_run, data) -> None:
    result, run, sink = trained(new_run, data, Memory({5: Memory.quit}))
    assert (result.step, result.stopped) == (5, True)
    assert sink.checkpoints == [(run.path / "checkpoints" / "last", 5)]
    assert events(run)[-1]["event"] == "stop"
    assert read_metrics(run.metrics)["pixel"][0].tolist() == [2, 4, 5]


def test_a_pause_costs_no_training_time_and_is_recorded(new_run, data) -> None:
    class Paused(Memory):
        def wait_if_paused(self) -> None:
            if self.asked == 5:
                threading.Event().wait(1.0)

        def on_step(self, metrics: StepMetrics, status: TrainingStatus) -> None:
            super().on_step(metrics, status)
            times.append(time.perf_counter())

    times: list[float] = []
    _, run, sink = trained(new_run, data, Paused())
    assert sink.steps[-1].elapsed_s - sink.steps[0].elapsed_s <= times[-1] - times[0] - 0.99
    pauses = [e for e in events(run) if e["event"] == "pause"]
    assert [(e["step"], e["paused_s"] >= 1.0) for e in pauses] == [(5, True)]


def test_live_changes_take_effect_and_are_recorded(new_run, data) -> None:
    def change(sink: Memory) -> None:
        sink.changes = {
            "training.lr": 0.5e-3,
            "objective.initial_beta": 7.0,
            "model.width": 8,
            "objective.beta_step": -1,
        }

    _, run, sink = trained(new_run, data, Memory({6: change}), training__log_every=1)
    assert [m.values["lr"] for m in sink.steps] == 6 * [1e-3] + 6 * [0.5e-3]
    assert [m.values["beta"] for m in sink.steps] == 6 * [1.0] + 6 * [7.0]
    told = [e for e in events(run) if e["event"] in ("change", "warning")]
    assert [(e["event"], e["step"]) for e in told] == 2 * [("change", 6)] + 2 * [("warning", 6)]
    assert (told[0]["key"], told[0]["old"], told[0]["new"]) == ("training.lr", 1e-3, 0.5e-3)
    assert "model.width cannot be changed while training runs" in told[2]["what"]
    assert "objective.beta_step" in told[3]["what"]


def test_a_loss_that_is_not_finite_stops_with_a_sentence_and_keeps_the_checkpoint(new_run, data, monkeypatch) -> None:
    really = Vae.training_step

    def explode(self, batch, context):
        metrics = really(self, batch, context)
        return {**metrics, "kld_nats": metrics["kld_nats"] * (float("inf") if context.step == 8 else 1.0)}

    monkeypatch.setattr(Vae, "training_step", explode)
    recipe = make_recipe()
    run = new_run(recipe, data)
    with pytest.raises(LatentLabError, match="kld_nats stopped being a finite number between steps 9 and 10") as caught:
        fit(recipe, data, Memory(), run=run, device="cpu")
    assert "step 6 is kept" in caught.value.hint
    assert read_snapshot(run.path).step == 6
    assert events(run)[-1]["event"] == "failure"
    assert read_metrics(run.metrics)["pixel"][0].tolist() == [2, 4, 6, 8]


def test_weights_that_are_not_finite_are_never_saved(new_run, data, monkeypatch) -> None:
    really = Vae.training_step

    def poison(self, batch, context):
        metrics = really(self, batch, context)
        if context.step == 11:  # The loss of this step was fine; what it left behind is not.
            with torch.no_grad():
                next(iter(self.parameters())).fill_(float("nan"))
        return metrics

    monkeypatch.setattr(Vae, "training_step", poison)
    recipe = make_recipe(training__test_every=100)
    run = new_run(recipe, data)
    with pytest.raises(LatentLabError, match="finite"):
        fit(recipe, data, Memory(), run=run, device="cpu")
    assert read_snapshot(run.path).step == 6


def test_weights_handed_out_are_copies(new_run, data) -> None:
    sink = Memory()
    sink.wants_weights = lambda: True  # type: ignore[method-assign]
    trained(new_run, data, sink, training__steps=3)
    assert [w.step for w in sink.weights] == [0, 1, 2, 3, 3]
    name = next(iter(sink.weights[0].state))
    assert not torch.equal(sink.weights[0].state[name], sink.weights[3].state[name])


def test_discriminators_are_not_handed_out(new_run, data) -> None:
    _, _, sink = trained(new_run, data, model__kind="vaegan", training__steps=2)
    assert not [name for name in sink.weights[-1].state if name.startswith("discriminator.")]


def test_a_trained_run_is_not_trained_anew(new_run, data) -> None:
    _, run, _ = trained(new_run, data)
    with pytest.raises(InputError, match="trained already"):
        fit(make_recipe(), data, Memory(), run=run, device="cpu")


def test_a_small_set_trains_with_a_warning(new_run) -> None:
    tiny = make_data(12)
    result, run, _ = trained(new_run, tiny, training__batch_size=64, training__steps=2)
    assert result.step == 2
    assert "only 10 images" in next(e["what"] for e in events(run) if e["event"] == "warning")


def test_a_device_that_is_not_there_is_one_clear_error(new_run, data, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    recipe = make_recipe()
    run = new_run(recipe, data)
    with pytest.raises(InputError, match="CUDA"):
        fit(recipe, data, Memory(), run=run, device="cuda")
    assert not run.path.exists(), "a run that could not begin is not kept"


def test_a_run_that_others_made_is_never_removed(new_run, data) -> None:
    recipe = make_recipe()
    run = RunWriter.open(new_run(recipe, data).path)
    with pytest.raises(InputError, match="not a device"):
        fit(recipe, data, Memory(), run=run, device="abacus")
    assert run.path.exists()


def test_a_full_disk_for_metrics_is_one_clear_error(new_run, data) -> None:
    recipe = make_recipe()
    run = new_run(recipe, data)
    run.metrics.mkdir()
    with pytest.raises(LatentLabError, match=r"metrics\.db cannot be written"):
        fit(recipe, data, Memory(), run=run, device="cpu")


def test_nothing_is_asked_of_the_process_random_state(new_run, data) -> None:
    """A window, a sampler or another model drawing numbers must not change what a seed gives."""
    weights = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)
        weights.append(trained(new_run, data, model__kind="vaegan")[2].weights[-1].state)
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_the_recipe_given_is_not_touched(new_run, data) -> None:
    recipe = make_recipe()
    before = recipe.model_dump()
    fit(recipe, data, Memory({2: lambda s: s.changes.update({"training.lr": 0.5})}), run=new_run(recipe, data))
    assert recipe.model_dump() == before


def test_previews_on_disk_do_not_pile_up(new_run, data) -> None:
    _, run, sink = trained(new_run, data, training__preview_every=1)
    assert len(sink.previews) == 14
    steps = {Path(p).name.split("_")[1] for p in (run.path / "previews").iterdir()}
    assert "00000012" in steps
    assert len(steps) <= 3
