from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.latent_nearest import NEIGHBOURS, NearestCodes
from latentlab.core.latent_pca import pca
from latentlab.core.latent_survey import (
    LatentSurvey,
    aggregate_draws,
    attribute_directions,
    class_directions,
    class_means,
    factor_direction,
    group_direction,
    quantiles,
)
from latentlab.core.messages import ModelInfo
from latentlab.core.recipe import Recipe


def survey_of(mu: np.ndarray, **facts: object) -> LatentSurvey:
    info = ModelInfo(Recipe(), (32, 32, 1), 3, ("a", "b", "c"), attribute_names=("on",))
    return LatentSurvey(5, info, np.arange(len(mu)) * 2, mu.astype(np.float32), **facts)


def normal(count: int, dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


def test_parts_of_a_survey_keep_their_facts_together():
    survey = survey_of(normal(9, 2), labels=np.arange(9) % 3, pixel=np.arange(9, dtype=np.float32), factors={
        "hue": np.arange(9, dtype=np.float32)})  # fmt: skip
    part = survey.rows_where(survey.labels == 1)
    assert part.rows.tolist() == [2, 8, 14]
    assert part.pixel.tolist() == part.factors["hue"].tolist() == [1, 4, 7]
    assert part.logvar is None
    assert (len(part), part.dim, part.step) == (3, 2, 5)


def test_quantiles_are_those_of_the_aggregate_posterior():
    # Means N(0, 0.6^2) and posterior variance 0.64 make a standard normal.
    mu = 0.6 * normal(20_000, 3)
    found = quantiles(survey_of(mu, logvar=np.full_like(mu, np.log(0.64))), (0.0228, 0.5, 0.9772))
    np.testing.assert_allclose(found, np.repeat([[-2.0], [0.0], [2.0]], 3, axis=1), atol=0.08)
    plain = quantiles(survey_of(mu), (0.9772,))
    np.testing.assert_allclose(plain, 1.2, atol=0.06)


def test_draws_repeat_and_take_each_image_once():
    survey = survey_of(normal(50, 2), logvar=np.zeros((50, 2), dtype=np.float32))
    index, z = aggregate_draws(survey, 20)
    again, same = aggregate_draws(survey, 20)
    assert len(set(index.tolist())) == 20
    np.testing.assert_array_equal(index, again)
    np.testing.assert_array_equal(z, same)
    assert len(aggregate_draws(survey, 99)[0]) == 50


def test_means_and_directions_of_classes_leave_out_what_is_unknown():
    mu = np.array([[0, 0], [2, 0], [0, 4], [9, 9]])
    survey = survey_of(mu, labels=np.array([0, 0, 1, -1]))
    means = class_means(survey)
    np.testing.assert_array_equal(means[:2], [[1, 0], [0, 4]])
    assert np.isnan(means[2]).all()
    np.testing.assert_array_equal(class_directions(survey)[0], [1, -4])
    assert class_means(survey_of(mu)).shape == class_directions(survey_of(mu)).shape == (0, 2)


def test_directions_of_attributes_factors_and_groups():
    mu = np.array([[0, 0], [2, 2], [4, 0], [9, 9]])
    survey = survey_of(mu, attributes=np.array([[1], [0], [1], [-1]], dtype=np.int8), factors={
        "ink": np.array([0, 1, 2, 9], dtype=np.float32)})  # fmt: skip
    np.testing.assert_array_equal(attribute_directions(survey), [[0, -2]])
    assert attribute_directions(survey_of(mu)).shape == (0, 2)
    np.testing.assert_array_equal(factor_direction(survey, "ink"), [5.5, 3.5])
    np.testing.assert_array_equal(group_direction(survey, np.array([True, False, False, True])), [1.5, 3.5])
    assert np.isnan(group_direction(survey, np.zeros(4, dtype=bool))).all()


def test_principal_directions_agree_with_the_singular_vectors():
    codes = normal(300, 6) @ np.diag([5, 3, 2, 1, 0.5, 0.1]).astype(np.float32) @ normal(6, 6, 1) + 7
    found = pca(codes)
    centred = codes.astype(np.float64) - codes.astype(np.float64).mean(axis=0)
    _, values, rows = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(found.variance, values**2 / 300, rtol=1e-4, atol=1e-5)
    assert found.total == pytest.approx(centred.var(axis=0).sum(), rel=1e-5)
    assert found.share.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(np.abs((found.directions[:4] * rows[:4]).sum(axis=1)), 1.0, atol=1e-4)
    assert (found.directions[np.arange(6), np.abs(found.directions).argmax(axis=1)] > 0).all()


def test_projection_and_lift_are_inverse_on_the_plane():
    codes = normal(200, 5) * np.array([4, 3, 1, 1, 1], dtype=np.float32)
    found = pca(codes, 3)
    points = found.project(codes, (2, 0))
    z = found.lift(points, (2, 0))
    np.testing.assert_allclose(found.project(z, (2, 0)), points, atol=1e-4)
    np.testing.assert_allclose(found.project(z, (1,)), 0, atol=1e-4)
    assert found.project(codes).shape == (200, 3)


def test_one_code_and_equal_codes_have_directions_without_variance():
    for codes in (normal(1, 4), np.ones((5, 4), dtype=np.float32)):
        found = pca(codes)
        assert found.total == pytest.approx(0.0)
        np.testing.assert_array_equal(found.share, 0.0)


def test_the_nearest_codes_are_those_of_a_plain_search():
    survey = survey_of(normal(3000, 8))
    z = normal(1, 8, 3)[0]
    found = NearestCodes(survey).nearest(z, 7)
    distances = np.linalg.norm(survey.mu.astype(np.float64) - z, axis=1)
    np.testing.assert_array_equal(found.index, np.argsort(distances)[:7])
    np.testing.assert_allclose(found.distance, np.sort(distances)[:7], rtol=1e-5)


def test_a_code_is_its_own_nearest_at_distance_zero_far_from_the_origin():
    survey = survey_of(normal(500, 4) + 1000)
    found = NearestCodes(survey).nearest(survey.mu[42], 1)
    assert (found.index[0], found.distance[0]) == (42, 0.0)
    assert len(NearestCodes(survey).nearest(survey.mu[0], 9999).index) == 500


def test_dead_dimensions_do_not_count():
    mu = normal(400, 3)
    mu[:, 1] *= 0.01
    codes = NearestCodes(survey_of(mu, logvar=np.tile(np.log([0.01, 1.0, 0.01]), (400, 1)).astype(np.float32)))
    assert codes.dims.tolist() == [0, 2]
    z = mu[5] + np.array([0, 3, 0], dtype=np.float32)
    assert codes.nearest(z, 1).distance[0] == 0.0
    assert not codes.density(z).off_map


@pytest.mark.parametrize("dim", [2, 64])
def test_the_data_s_own_draws_are_on_the_map_and_far_points_are_not(dim):
    mu = 0.8 * normal(4000, dim)
    survey = survey_of(mu, logvar=np.full_like(mu, np.log(0.36)))
    codes = NearestCodes(survey)
    _, draws = aggregate_draws(survey, 200, seed=9)
    ranks = np.array([codes.density(z).rank for z in draws])
    assert 0.4 < ranks.mean() < 0.6  # ranks of fresh draws of the reference are uniform
    assert (ranks < 0.01).mean() < 0.06
    assert codes.density(np.full(dim, 4.0, dtype=np.float32)).off_map
    assert codes.density(mu[0]).rank > 0.5
    found, density = codes.around(mu[0], 3)
    assert found.index[0] == 0
    assert len(found.index) == 3
    assert density.distance == pytest.approx(codes.density(mu[0]).distance, rel=1e-3)


def test_a_survey_of_fewer_images_than_neighbours_answers_all_the_same():
    codes = NearestCodes(survey_of(normal(4, 2)))
    found, density = codes.around(np.zeros(2, dtype=np.float32), NEIGHBOURS)
    assert len(found.index) == 4
    assert np.isfinite(density.distance)
    assert NearestCodes(survey_of(normal(1, 2))).density(np.zeros(2, dtype=np.float32)).off_map
