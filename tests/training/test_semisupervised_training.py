"""A semi-supervised training as a whole: what is measured and written, and that it resumes to the bit."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from test_resume import assert_same
from training_fakes import Memory, make_data, make_recipe

from latentlab.core.run_folder import CONFUSION
from latentlab.data.dataset import Dataset
from latentlab.data.splits import hide_labels
from latentlab.training.fit import fit
from latentlab.training.metrics_db import read_metrics
from latentlab.training.run import RunWriter

SETTINGS = {"model__kind": "ssvae", "training__labelled_batch_size": 4, "objective__classification_weight": 10.0}
SAMPLED = {
    "objective__temperature_rate": 0.1,
    "objective__temperature_every": 3,
    "objective__temperature_minimum": 0.1,
}
CASES = {
    "marginal": {},
    "gumbel": {"objective__unlabelled": "gumbel", **SAMPLED},
    "straight-through": {"objective__unlabelled": "straight-through", "model__network": "mlp", **SAMPLED},
    "stacked": {"model__network": "mlp", "model__features_dim": 5, "objective__features_steps": 7},
}


@pytest.fixture
def few_labels() -> Dataset:
    """Return bars of which two per class have a label."""
    data = make_data()
    assert data.labels is not None
    hidden = hide_labels(data.labels, data.train_index, 2, 0)
    return Dataset(**{**vars(data), "labels": hidden, "truth": data.labels})


@pytest.mark.parametrize("case", CASES)
def test_stop_and_resume_gives_the_same_bits(case: str, new_run, few_labels) -> None:
    recipe = make_recipe(**{**SETTINGS, **CASES[case]})
    steady, broken = new_run(recipe, few_labels), new_run(recipe, few_labels)
    fit(recipe, few_labels, Memory(), run=steady, device="cpu")
    fit(recipe, few_labels, Memory({5: Memory.quit}), run=broken, device="cpu")
    opened = RunWriter.open(broken.path)
    assert fit(opened.info.recipe, few_labels, Memory({3: Memory.quit}), run=opened, device="cpu", resume=True).stopped
    assert fit(opened.info.recipe, few_labels, Memory(), run=opened, device="cpu", resume=True).step == 12
    assert_same(steady, broken)


def test_accuracies_entropy_and_temperature_are_logged(new_run, few_labels) -> None:
    recipe = make_recipe(**{**SETTINGS, **CASES["gumbel"], "training__log_every": 1})
    run = new_run(recipe, few_labels)
    fit(recipe, few_labels, Memory(), run=run, device="cpu")
    metrics = read_metrics(run.metrics)
    for name in ("class_loss", "class_entropy", "labelled_accuracy"):
        assert metrics[name][0].tolist() == list(range(1, 13))
    for name in ("test_accuracy", "test_class_entropy", "unlabelled_accuracy"):
        assert metrics[name][0].tolist() == [4, 8, 12]
    stairs = [np.exp(-0.1 * 3 * (step // 3)) for step in range(12)]
    np.testing.assert_allclose(metrics["temperature"][1], stairs, rtol=1e-6)


def test_the_confusion_matrix_of_the_newest_test_lies_in_the_run(new_run, few_labels) -> None:
    recipe = make_recipe(**{**SETTINGS, "model__network": "mlp", "training__steps": 40, "training__lr": 5e-3})
    run = new_run(recipe, few_labels)
    result = fit(recipe, few_labels, Memory(), run=run, device="cpu")
    facts = json.loads((run.path / CONFUSION).read_text(encoding="utf-8"))
    counts = np.array(facts["rows_true_columns_guessed"])
    assert facts["step"] == 40
    assert facts["class_names"] == ["bar 0", "bar 1", "bar 2"]
    truth = few_labels.truth[few_labels.test_index]
    assert counts.sum(axis=1).tolist() == np.bincount(truth, minlength=3).tolist()
    assert result.final["test_accuracy"] == pytest.approx(np.trace(counts) / counts.sum())
    assert result.final["test_accuracy"] > 0.8


def test_a_model_that_guesses_no_class_writes_no_confusion(new_run, few_labels) -> None:
    run = new_run(make_recipe(), few_labels)
    fit(make_recipe(), few_labels, Memory(), run=run, device="cpu")
    assert not (run.path / CONFUSION).exists()
    assert "unlabelled_accuracy" not in read_metrics(run.metrics)


def test_unlabelled_accuracy_is_absent_where_no_label_is_hidden(new_run) -> None:
    data = make_data()
    recipe = make_recipe(**SETTINGS)
    run = new_run(recipe, data)
    fit(recipe, data, Memory(), run=run, device="cpu")
    metrics = read_metrics(run.metrics)
    assert "unlabelled_accuracy" not in metrics
    assert "test_accuracy" in metrics
    assert all(torch.isfinite(torch.from_numpy(values)).all() for _, values in metrics.values())
