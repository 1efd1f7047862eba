"""Principal directions of the codes, against numpy on the codes themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from evaluation_fakes import LinearGaussian, linear_data, subject_of

from latentlab.training.evaluation.principal import covariance, measure_principal

NAMES = {"principal_share", "principal_dimensions"}


def codes_of(subject) -> np.ndarray:
    return torch.cat([subject.encode(images).mu_BD for images in subject.batches("codes")]).double().numpy()


def test_the_covariance_is_numpys_even_far_from_the_origin():
    subject = subject_of(LinearGaussian(shift=1000.0), linear_data(600))
    np.testing.assert_allclose(covariance(subject), np.cov(codes_of(subject), rowvar=False), rtol=1e-3)


def test_shares_and_loadings_are_those_of_eigh():
    subject = subject_of(LinearGaussian(), linear_data(600))
    values, vectors = np.linalg.eigh(np.cov(codes_of(subject), rowvar=False))
    found = measure_principal(subject, NAMES)
    assert found.values["principal_share"] == pytest.approx(values[-1] / values.sum(), rel=1e-5)
    squares = (vectors**2).T
    dimensions = (values * (1.0 / (squares**2).sum(axis=1))).sum() / values.sum()
    assert found.values["principal_dimensions"] == pytest.approx(dimensions, rel=1e-4)
    first = found.details["principal_loadings"][0]
    assert first["variance_share"] == found.values["principal_share"]
    assert [row["dimension"] for row in first["loadings"]] == np.argsort(-squares[-1]).tolist()
    assert [row["share"] for row in first["loadings"]] == pytest.approx(np.sort(squares[-1])[::-1], rel=1e-4)


def test_one_image_has_no_directions():
    found = measure_principal(subject_of(LinearGaussian(), linear_data(2)), NAMES)
    assert found.values == {}
    assert "two images" in found.notes[0]
