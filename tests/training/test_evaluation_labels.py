"""Probes and classifications against data whose answer is known, and against sklearn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from evaluation_fakes import LinearGaussian, LinearM2, linear_data, pixels_of, subject_of
from sklearn.metrics import confusion_matrix as sklearn_confusion
from torch.distributions import Categorical

from latentlab.data.dataset import Dataset
from latentlab.training.evaluation.classes import confusion_matrix, measure_classes
from latentlab.training.evaluation.probe import measure_probe, probe


def blobs(count: int, apart: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    points = rng.normal(size=(count, 2)) + apart * np.array([[0, 0], [1, 0], [0, 1]])[labels]
    return points.astype(np.float32), labels


def test_separable_classes_are_read_without_error() -> None:
    assert probe(*blobs(300, 30.0, 0), *blobs(90, 30.0, 1)) == 1.0


def test_classes_that_are_not_there_are_guessed() -> None:
    assert probe(*blobs(300, 0.0, 0), *blobs(3000, 0.0, 1)) == pytest.approx(1 / 3, abs=0.05)


def test_the_optimum_between_two_gaussians() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(20_000) % 2
    points = (rng.normal(size=(20_000, 1)) + 2.0 * labels[:, None]).astype(np.float32)
    # Bayes: the halfway point, at one standard deviation from each mean.
    assert probe(points[:9000], labels[:9000], points[9000:], labels[9000:]) == pytest.approx(0.8413, abs=0.01)


def test_unknown_labels_are_left_out() -> None:
    train, labels = blobs(300, 30.0, 0)
    test, answers = blobs(90, 30.0, 1)
    labels[::2] = -1
    answers[:80] = -1
    assert probe(train, labels, test, answers) == 1.0
    assert probe(train, np.full(300, -1), test, answers) is None
    assert probe(train, labels, test, np.full(90, -1)) is None
    assert probe(train, np.zeros(300, int), test, answers) is None


def test_balanced_accuracy_is_the_mean_hit_rate() -> None:
    train, labels = np.zeros((100, 1), np.float32), np.array([0] * 90 + [1] * 10)
    train[90:] = 1.0
    test, answers = np.array([[0.0]] * 8 + [[1.0]] * 2, np.float32), np.array([0] * 6 + [1] * 2 + [1, 1])
    assert probe(train, labels, test, answers, balanced=True) == pytest.approx((1.0 + 0.5) / 2)
    assert probe(train, labels, test, answers) == pytest.approx(0.8)


def test_the_probe_reads_the_means_of_the_posterior() -> None:
    data = linear_data(400)
    model = LinearGaussian(shift=0.0)
    mu = model.posterior(pixels_of(data, np.arange(400))).mean.numpy()
    attributes = np.stack([mu[:, 0] > 0, np.arange(400) % 2 == 0], axis=1).astype(np.int8)
    labelled = Dataset(
        name="noise",
        images=data.images,
        train_index=data.train_index,
        test_index=data.test_index,
        labels=(mu[:, 1] > np.median(mu[:, 1])).astype(np.int64),
        class_names=("low", "high"),
        attributes=attributes,
        attribute_names=("right", "even"),
    )
    found = measure_probe(subject_of(model, labelled), {"probe_accuracy", "attribute_probe_accuracy"})
    assert found.values["probe_accuracy"] > 0.95
    rates = found.details["attribute_probe"]
    assert rates["right"] > 0.95
    assert rates["even"] < 0.7
    assert found.values["attribute_probe_accuracy"] == pytest.approx((rates["right"] + rates["even"]) / 2)


def test_confusion_is_that_of_sklearn() -> None:
    rng = np.random.default_rng(0)
    truth, guess = rng.integers(-1, 4, 200), rng.integers(0, 4, 200)
    expected = sklearn_confusion(truth[truth >= 0], guess[truth >= 0], labels=range(4))
    assert confusion_matrix(torch.tensor(truth), torch.tensor(guess), 4).numpy().tolist() == expected.tolist()


def test_accuracy_and_entropy_of_m2() -> None:
    model, data = LinearM2(), linear_data(60, classes=3)
    q = model.class_probabilities(pixels_of(data, data.test_index).reshape(-1, 1, 4, 4))
    found = measure_classes(subject_of(model, data), {"accuracy"})
    guessed = q.argmax(1).numpy()
    assert found.values["accuracy"] == pytest.approx(float((guessed == data.labels[data.test_index]).mean()))
    assert found.values["class_entropy"] == pytest.approx(float(Categorical(q).entropy().mean()), rel=1e-5)
    assert np.array(found.details["confusion"]).sum() == len(data.test_index)
