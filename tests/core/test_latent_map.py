from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from latentlab.core.latent_map import MapLayout, Plane, chi_density, flat_layout, group_of, norm_histogram
from latentlab.core.latent_pca import pca
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.messages import ModelInfo
from latentlab.core.recipe import Recipe


def survey_of(count: int = 400, dim: int = 5, **facts: object) -> LatentSurvey:
    mu = np.random.default_rng(0).standard_normal((count, dim)).astype(np.float32) * np.arange(1, dim + 1)
    info = ModelInfo(Recipe(), (8, 8, 1), 2, ("a", "b"))
    return LatentSurvey(3, info, np.arange(count), mu.astype(np.float32), np.zeros_like(mu, np.float32), **facts)


@pytest.mark.parametrize("kind", ["pca", "dims"])
def test_a_plane_through_latent_space_has_a_way_back(kind):
    survey = survey_of()
    layout = flat_layout(survey, Plane(kind, (1, 3)), pca(survey.mu))
    z = layout.lift(layout.points[:7])
    np.testing.assert_allclose(layout.place(z), layout.points[:7], atol=1e-4)
    np.testing.assert_allclose(layout.place(survey.mu), layout.points, atol=1e-4)
    other = flat_layout(survey, Plane(kind, (0, 2)), layout.pca)
    centre = other.place(survey.mu.mean(axis=0, keepdims=True))
    np.testing.assert_allclose(other.place(z), np.repeat(centre, 7, axis=0), atol=1e-3)


def test_two_dimensions_are_their_own_plane():
    survey = survey_of(dim=2)
    layout = flat_layout(survey, Plane("dims", (0, 1)), pca(survey.mu))
    np.testing.assert_array_equal(layout.lift(survey.mu[:5]), survey.mu[:5])
    assert layout.axes == ("z0", "z1")


def test_the_prior_s_contours_are_circles_around_the_image_of_zero():
    survey = survey_of()
    layout = flat_layout(survey, Plane("pca", (0, 1)), pca(survey.mu))
    sphere = np.random.default_rng(1).standard_normal((4000, 5)).astype(np.float32)
    placed = layout.place(sphere)
    np.testing.assert_allclose(placed.mean(axis=0), layout.prior_centre, atol=0.08)
    np.testing.assert_allclose(placed.std(axis=0), 1.0, atol=0.05)


def test_t_sne_has_no_way_back_and_an_auto_encoder_no_prior():
    survey = survey_of()
    points = np.zeros((400, 2), dtype=np.float32)
    layout = MapLayout(Plane("tsne"), survey, np.arange(400), points, ("", ""), pca(survey.mu))
    assert not layout.has_inverse
    assert layout.place(survey.mu) is None
    assert layout.prior_centre is None
    with pytest.raises(ValueError, match="no way back"):
        layout.lift(points[:1])
    plain = LatentSurvey(3, survey.info, survey.rows, survey.mu)
    assert flat_layout(plain, Plane("pca"), pca(plain.mu)).prior_centre is None


def test_dimensions_that_are_not_there_become_the_last():
    survey = survey_of(dim=3)
    assert flat_layout(survey, Plane("dims", (0, 9)), pca(survey.mu)).plane.dims == (0, 2)


@pytest.mark.parametrize("dim", [1, 2, 16, 512])
def test_the_chi_density_is_that_of_a_chi_squared_variable_s_root(dim):
    radius = np.linspace(0.3, math.sqrt(dim) + 3, 20)
    # r = sqrt(x), x ~ chi^2: p(r) = 2 r p(x)
    x = torch.from_numpy(radius**2)
    expected = (
        2 * radius * torch.distributions.Chi2(torch.tensor(float(dim), dtype=torch.float64)).log_prob(x).exp().numpy()
    )
    np.testing.assert_allclose(chi_density(radius, dim), expected, rtol=1e-4, atol=1e-12)


def test_lengths_of_draws_of_a_matched_posterior_follow_the_prior():
    rng = np.random.default_rng(0)
    mu = (0.6 * rng.standard_normal((20_000, 8))).astype(np.float32)
    survey = LatentSurvey(1, survey_of().info, np.arange(20_000), mu, np.full_like(mu, np.log(0.64)))
    found = norm_histogram(survey)
    width = found.edges[1] - found.edges[0]
    for density in (found.draws, found.means, found.chi):
        assert (density * width).sum() == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(found.draws, found.chi, atol=0.06)
    assert np.abs(found.means - found.chi).max() > 0.3


def test_a_group_s_facts_are_those_of_its_images_against_the_rest_of_the_map():
    survey = survey_of(6, 2, labels=np.array([0, 1, 1, 1, -1, 0]), pixel=np.arange(6, dtype=np.float32),
                       test=np.array([True, False, True, False, False, False]))  # fmt: skip
    layout = flat_layout(survey, Plane("dims"), pca(survey.mu))
    chosen = np.array([False, True, True, False, True, False])
    group = group_of(layout, chosen)
    np.testing.assert_array_equal(group.index, [1, 2, 4])
    np.testing.assert_allclose(group.mean, survey.mu[chosen].mean(axis=0), rtol=1e-5)
    expected = survey.mu[chosen].mean(axis=0) - survey.mu[~chosen].mean(axis=0)
    np.testing.assert_allclose(group.direction, expected, rtol=1e-4, atol=1e-5)
    assert (group.label, group.pixel, group.test, len(group)) == (1, pytest.approx(7 / 3), 1, 3)
    part = MapLayout(Plane("tsne"), survey, np.array([0, 1, 3]), layout.points[:3], ("", ""), layout.pca)
    half = group_of(part, np.array([True, False, False]))
    np.testing.assert_allclose(half.direction, survey.mu[0] - survey.mu[[1, 3]].mean(axis=0), rtol=1e-4, atol=1e-5)
    assert np.isnan(group_of(layout, np.ones(6, dtype=bool)).direction).all()
