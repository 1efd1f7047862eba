"""A semi-supervised replica says which class it sees, and reconstructs with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from replica_fakes import info_of, snapshot_of

from latentlab.core.messages import EncodeRequest, ReconstructRequest
from latentlab.explore.session import ExploreSession
from latentlab.models.device import DevicePolicy
from latentlab.models.registry import build_model
from latentlab.models.semisupervised import SemiSupervisedVae


@pytest.fixture
def session() -> ExploreSession:
    session = ExploreSession(DevicePolicy(torch.device("cpu")))
    session.load(snapshot_of(info_of("ssvae")))
    return session


def pictures(count: int = 6) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 16, 20, 1), dtype=np.uint8)


def test_probabilities_of_the_classes_come_with_the_posterior(session: ExploreSession):
    images = pictures()
    answer = session.run(EncodeRequest(images))
    model = build_model(info_of("ssvae"), 0).eval()
    assert isinstance(model, SemiSupervisedVae)
    with torch.no_grad():
        x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
        expected = model.class_probabilities(x).numpy()
    np.testing.assert_allclose(answer.class_probabilities, expected, rtol=1e-5)
    np.testing.assert_allclose(answer.class_probabilities.sum(1), 1.0, rtol=1e-5)


def test_without_a_class_the_most_probable_one_is_used(session: ExploreSession):
    images = pictures()
    free = session.run(ReconstructRequest(images))
    guesses = free.class_probabilities.argmax(1)
    given = session.run(ReconstructRequest(images, labels=guesses))
    others = session.run(ReconstructRequest(images, labels=(guesses + 1) % free.class_probabilities.shape[1]))
    np.testing.assert_array_equal(free.images, given.images)
    np.testing.assert_array_equal(free.mu, given.mu)
    assert (free.mu != others.mu).any()


def test_other_models_guess_no_class():
    session = ExploreSession(DevicePolicy(torch.device("cpu")))
    session.load(snapshot_of(info_of("vae")))
    assert session.run(EncodeRequest(pictures())).class_probabilities is None
