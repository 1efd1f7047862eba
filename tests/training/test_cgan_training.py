"""A model without an encoder from the first step to a resumed one: what is measured, shown, kept."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist, pdist
from training_fakes import Memory, make_data, make_recipe

from latentlab.core.errors import InputError
from latentlab.training.checkpoint import load_checkpoint
from latentlab.training.class_samples import compare, distances_between, distances_within
from latentlab.training.fit import fit
from latentlab.training.measure import best_score
from latentlab.training.metrics_db import read_metrics
from latentlab.training.run import RunWriter

FORMS = ["planes", "one-hot", "embedding"]
GAME = {
    "objective__instance_noise": 0.1,
    "objective__label_noise": 0.1,
    "objective__equilibrium": 0.68,
    "objective__r1_weight": 0.1,
    "objective__r1_every": 3,
    "model__discriminator_dropout": 0.3,
    "model__spectral_norm": True,
    "model__conditioning": "embedding",
    "training__ema_decay": 0.9,
}


@pytest.mark.parametrize("form", FORMS)
def test_stop_and_resume_gives_the_same_bits(form: str, new_run, data) -> None:
    recipe = make_recipe(model__kind="cgan", model__discriminator_conditioning=form, **GAME)
    steady, broken = new_run(recipe, data), new_run(recipe, data)
    fit(recipe, data, Memory(), run=steady, device="cpu")
    fit(recipe, data, Memory({5: Memory.quit}), run=broken, device="cpu")
    fit(recipe, data, Memory(), run=RunWriter.open(broken.path), device="cpu", resume=True)
    a, b = load_checkpoint(steady.checkpoints), load_checkpoint(broken.checkpoints)
    assert (a.step, b.step) == (12, 12)
    for part in ("model", "optimizers", "loop", "ema"):
        before, after = getattr(a, part), getattr(b, part)
        assert before.keys() == after.keys()
        assert [name for name in before if not torch.equal(before[name], after[name])] == []
    ours, theirs = read_metrics(steady.metrics), read_metrics(broken.metrics)
    for name in ("d_real", "g_fake", "test_sample_diversity", "test_energy_distance"):
        assert ours[name][1][-1] == theirs[name][1][-1]


def test_what_is_logged_shown_and_kept(new_run, data) -> None:
    recipe = make_recipe(model__kind="cgan")
    run, sink = new_run(recipe, data), Memory()
    fit(recipe, data, sink, run=run, device="cpu")
    names = set(read_metrics(run.metrics))
    assert {"d_real", "d_fake", "g_fake", "test_sample_diversity", "test_energy_distance"} <= names
    assert not {"pixel", "test_pixel", "kld_nats", "beta"} & names
    assert all(preview.reconstructions is None and preview.samples is not None for preview in sink.previews)
    steps, values = read_metrics(run.metrics)["test_energy_distance"]
    state = json.loads((run.checkpoints / "best" / "state.json").read_text())
    assert state["step"] == steps[values.argmin()]


def test_data_without_classes_is_refused_before_anything_is_written(new_run) -> None:
    recipe, data = make_recipe(model__kind="cgan"), make_data(classes=0)
    with pytest.raises(InputError, match="classes") as caught:
        fit(recipe, data, Memory(), run=new_run(recipe, data), device="cpu")
    assert caught.value.hint


def test_distances_are_those_of_scipy() -> None:
    a, b = np.random.default_rng(0).random((2, 30, 12))
    assert float(distances_within(torch.tensor(a))) == pytest.approx(pdist(a).mean())
    assert float(distances_between(torch.tensor(a), torch.tensor(b))) == pytest.approx(cdist(a, b).mean())


def test_comparison_by_hand() -> None:
    """Two classes; the samples of the first are all alike, those of the second are its images, exchanged."""
    y = torch.tensor([0, 0, 1, 1, 2])
    real = torch.tensor([[0.0], [1.0], [0.0], [2.0], [5.0]])
    samples = torch.tensor([[0.5], [0.5], [2.0], [0.0], [9.0]])
    found = compare(real, samples, y)
    assert found["sample_diversity"] == pytest.approx((0.0 + 1.0) / 2)
    first = (2 * 0.5 - 1.0 - 0.0) / 1.0
    second = (2 * 1.0 - 2.0 - 2.0) / 2.0
    assert found["energy_distance"] == pytest.approx((first + second) / 2)


def test_the_energy_distance_sees_wrong_pictures_and_pictures_that_are_all_alike() -> None:
    draw = torch.Generator().manual_seed(0)
    real, same = (torch.randn(400, 5, generator=draw) for _ in range(2))
    shifted, narrow = same + 1.0, 0.1 * same
    y = torch.zeros(400, dtype=torch.long)
    scores = [compare(real, samples, y)["energy_distance"] for samples in (same, shifted, narrow)]
    assert abs(scores[0]) < 0.01
    assert min(scores[1:]) > 0.1


def test_nothing_to_compare_measures_nothing() -> None:
    assert compare(torch.rand(3, 4), torch.rand(3, 4), torch.tensor([0, 1, 2])) == {}
    assert compare(torch.zeros(3, 4), torch.rand(3, 4), torch.zeros(3, dtype=torch.long)) == {}


def test_the_score_of_a_checkpoint() -> None:
    assert best_score({"test_pixel": 0.5, "test_energy_distance": 0.1}) == 0.5
    assert best_score({"test_energy_distance": 0.1}) == 0.1
    assert best_score({"test_sample_diversity": 0.1}) == float("inf")
