"""``latentlab evaluate`` on runs of every kind: which metrics there are, that they repeat, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from evaluation_fakes import write_run
from torch.nn import functional as F

from latentlab import cli
from latentlab.core.errors import Cancelled, InputError
from latentlab.core.measures import MEASURES, choose
from latentlab.data.catalog import load_dataset
from latentlab.models.registry import MODELS, build_model
from latentlab.models.weights import read_snapshot
from latentlab.training.evaluate import assess, evaluate
from latentlab.training.evaluation import features
from latentlab.training.evaluation.families import FAMILIES
from latentlab.training.evaluation.subject import EvaluationOptions

QUICK = EvaluationOptions(importance_samples=2, limit=30)


@pytest.fixture(autouse=True)
def short_training(monkeypatch) -> None:
    monkeypatch.setattr(features, "STEPS", 3)
    monkeypatch.setattr(cli, "COMMANDS", ("evaluate",))


@pytest.fixture
def vae(tmp_path):
    return write_run(tmp_path / "vae", model__network="mlp", objective__reconstruction="bernoulli")


def command(*arguments: object) -> int:
    return cli.main(["evaluate", *map(str, arguments)])


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_every_kind_gets_every_metric_that_applies_to_it(tmp_path, kind: str) -> None:
    run = write_run(tmp_path / kind, model__kind=kind)
    found = assess(run, metrics="all", options=QUICK)
    expected = {m.name for m in MEASURES.values() if kind in m.kinds and m.needs != "attributes"} - {"kld_moving"}
    assert set(found.values) == expected
    assert all(math.isfinite(value) for value in found.values.values())
    assert (found.images, found.split, found.step) == (30, "test", 7)


def test_images_of_unknown_class_are_reconstructed_in_the_class_that_is_guessed(tmp_path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (60, 16, 16), dtype=np.uint8)
    parts = {"x_train": images[:40], "y_train": np.arange(40) % 2, "x_test": images[40:], "y_test": np.full(20, -1)}
    np.savez(tmp_path / "data.npz", **parts)
    spec = f"npz:{tmp_path / 'data.npz'}"
    run = write_run(tmp_path / "run", classes=2, model__kind="ssvae", data__spec=spec)
    data = load_dataset(read_snapshot(run).info.recipe.data)
    rows = data.test_index[data.labels[data.test_index] == -1]
    snapshot = read_snapshot(run)
    model = build_model(snapshot.info).eval()
    model.load_state_dict(dict(snapshot.state))
    with torch.no_grad():
        x = torch.tensor(data.images[rows]).permute(0, 3, 1, 2) / 255.0
        guessed = model.class_probabilities(x).argmax(1)
        recon = model.decode(model.encode(x, guessed).mu_BD, guessed)
    found = assess(run, metrics="pixel", options=EvaluationOptions())
    assert found.images == len(rows) == 20
    assert found.values["pixel"] == pytest.approx(float((recon - x).square().mean()), rel=1e-5)


def test_m1_m2_is_measured_and_says_what_its_bound_is(tmp_path) -> None:
    run = write_run(tmp_path / "run", model__kind="ssvae", model__features_dim=3)
    found = assess(run, metrics="quick", options=QUICK)
    assert {"accuracy", "class_entropy", "negative_elbo"} <= set(found.values)
    assert any("M1+M2" in note for note in found.notes)


def test_sets_hold_one_another() -> None:
    for kind in ("ae", "vae", "cgan"):
        quick, default, everything = ({m.name for m in choose(name, kind)} for name in ("quick", "default", "all"))
        assert quick <= default < everything
    assert {measure.family for measure in MEASURES.values()} == set(FAMILIES)


def test_the_same_seed_gives_the_same_figures_and_another_one_others(vae) -> None:
    first, again = (assess(vae, options=QUICK).values for _ in range(2))
    assert first == again
    other = assess(vae, options=dataclasses.replace(QUICK, seed=1)).values
    assert other["negative_elbo"] != first["negative_elbo"]
    assert other["rate"] == first["rate"]


def test_a_figure_does_not_depend_on_what_else_is_asked(vae) -> None:
    everything = assess(vae, metrics="default", options=QUICK).values
    for name in ("negative_elbo", "mutual_information", "z_norm_ks", "sample_diversity", "probe_accuracy"):
        assert assess(vae, metrics=[name], options=QUICK).values == {name: everything[name]}


def test_the_bound_is_the_test_loss_of_the_pytorch_example(vae) -> None:
    """A loop of its own over the same weights: BCE summed over pixels + KLD, one draw of z, averaged over images."""
    snapshot = read_snapshot(vae)
    model = build_model(snapshot.info)
    model.load_state_dict(dict(snapshot.state))
    data = load_dataset(snapshot.info.recipe.data)
    x = torch.tensor(data.images[data.test_index]).permute(0, 3, 1, 2) / 255.0
    losses = []
    with torch.no_grad():
        for seed in range(20):
            mu, logvar = model.encode(x)
            noise = torch.randn(mu.shape, generator=torch.Generator().manual_seed(seed))
            recon = model.decode(mu + noise * torch.exp(0.5 * logvar))
            bce = F.binary_cross_entropy(recon, x, reduction="sum")
            kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
            losses.append(float(bce + kld) / len(x))
    found = assess(vae, metrics="negative_elbo").values["negative_elbo"]
    assert found == pytest.approx(np.mean(losses), abs=5 * np.std(losses) + 1e-3)
    many = assess(vae, metrics="negative_elbo", options=EvaluationOptions(posterior_samples=20))
    assert many.values["negative_elbo"] == pytest.approx(np.mean(losses), abs=2 * np.std(losses) + 1e-3)


def test_the_dictionary_is_what_the_command_prints(vae, capsys) -> None:
    assert command(vae, "--limit", 30, "--importance-samples", 2, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    expected = evaluate(vae, metrics=["default", "iw_nll", "iw_bits_per_dim"], options=QUICK)
    assert {k: v for k, v in printed.items() if k != "took_s"} == {k: v for k, v in expected.items() if k != "took_s"}
    assert {"split", "images", "step", "iw_nll", "details", "notes"} <= set(printed)


def test_the_table_has_units_and_names(vae, capsys) -> None:
    assert command(vae, "--quick", "--limit", 20) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("20 test images, weights of step 7 (last)")
    row = next(line for line in lines if line.endswith("negative_elbo"))
    assert row.startswith("-ELBO")
    assert "nats/image" in row
    assert not any("frechet" in line or "probe" in line for line in lines)


def test_help_defines_every_metric(capsys) -> None:
    with pytest.raises(SystemExit):
        command("--help")
    text = " ".join(capsys.readouterr().out.split())
    for measure in MEASURES.values():
        assert measure.name in text
        assert measure.definition in text


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("vae", ["--metrics", "elbow"], "no metric 'elbow'"),
        ("vae", ["--metrics", "accuracy"], "does not apply to a vae"),
        ("vaegan", ["--metrics", "pixel,iw_nll"], "does not apply to a vaegan"),
        ("vaegan", ["--importance-samples", "5"], "does not apply to a vaegan"),
        ("vae", ["--metrics", "attribute_probe_accuracy"], "has no attributes"),
        ("vae", ["--limit", "0"], "--limit"),
        ("vae", ["--seed", "-1"], "--seed"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(tmp_path, capsys, kind, arguments, message) -> None:
    run = write_run(tmp_path / kind, model__kind=kind)
    assert command(run, *arguments, "--json") == 2
    assert message in json.loads(capsys.readouterr().out)["error"]["what"]


def test_an_interrupt_ends_with_130_and_leaves_nothing(vae, capsys, monkeypatch, own_folders) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("latentlab.training.evaluation.features.update", interrupted)
    before = sorted(vae.rglob("*"))
    assert command(vae, "--metrics", "frechet_data", "--limit", 20, "--json") == 130
    assert "Interrupted" in json.loads(capsys.readouterr().out)["error"]["what"]
    assert sorted(vae.rglob("*")) == before
    assert not (own_folders / "cache" / "features").exists()


def test_progress_may_cancel(vae) -> None:
    seen = []

    def stop(progress) -> None:
        seen.append(progress)
        if progress.what == "Mutual information":
            raise Cancelled

    with pytest.raises(Cancelled):
        assess(vae, progress=stop, options=QUICK)
    assert {"Reconstructions", "Rate and distortion", "Latents"} <= {progress.what for progress in seen}
    assert all(progress.done <= (progress.total or 0) for progress in seen if progress.total)


def test_the_training_split_and_a_probe_that_knows_it(vae) -> None:
    found = assess(vae, split="train", metrics=["probe_accuracy"], options=QUICK)
    assert found.split == "train"
    assert any("fitted to training images" in note for note in found.notes)


def test_a_batch_kld_run_has_the_moments_of_the_split(tmp_path) -> None:
    run = write_run(tmp_path / "run", objective__kld="batch", objective__kld_momentum=0.9)
    found = assess(run, metrics="quick", options=QUICK).values
    assert found["kld_nats"] == pytest.approx(found["kld_moments"], rel=1e-9)
    assert found["rate"] != pytest.approx(found["kld_moments"], rel=0.01)
    assert found["kld_moving"] >= 0.0


def test_a_metric_asked_for_in_vain_is_named(vae) -> None:
    found = assess(vae, metrics="pixel,kld_moving", options=QUICK)
    assert set(found.values) == {"pixel"}
    assert found.notes == ("kld_moving cannot be measured on these images and this run.",)


def test_data_without_classes_leaves_the_probe_out(tmp_path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "plain.npz", images=rng.integers(0, 255, (40, 16, 16), dtype=np.uint8))
    run = write_run(tmp_path / "run", classes=0, data__spec=f"npz:{tmp_path / 'plain.npz'}")
    assert "probe_accuracy" not in assess(run, options=QUICK).values
    with pytest.raises(InputError, match="has no classes"):
        assess(run, metrics="probe_accuracy", options=QUICK)
