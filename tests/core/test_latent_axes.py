from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.explore_data import axes_of, explore_data
from latentlab.core.latent_axes import (
    ATTRIBUTES,
    CLASSES,
    PRINCIPAL,
    SAVED,
    bounds_along,
    dimension_axes,
    direction_axes,
    slider_range,
    steady_bounds,
)
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.messages import ModelInfo
from latentlab.core.recipe import Recipe

RNG = np.random.default_rng(0)
DIM = 6
Z = RNG.normal(size=DIM).astype(np.float32)


def leaning_axes():
    ways = RNG.normal(size=(3, DIM)).astype(np.float32)
    return direction_axes("classes", DIM, [(f"way {i}", way * (i + 1), "") for i, way in enumerate(ways)])


def test_a_dimension_is_its_own_coordinate_and_moves_alone_even_when_locked():
    axes = dimension_axes(DIM)
    assert axes.names[4] == "z4"
    locks = np.ones(DIM, dtype=bool)
    moved = axes.moved(Z, 4, 1.5, locks)
    assert moved[4] == 1.5
    np.testing.assert_array_equal(np.delete(moved, 4), np.delete(Z, 4))


@pytest.mark.parametrize("index", range(3))
def test_moving_along_a_direction_reaches_the_value_and_goes_no_other_way(index):
    axes = leaning_axes()
    moved = axes.moved(Z, index, -2.25)
    assert axes.coordinates(moved)[index] == pytest.approx(-2.25, abs=1e-5)
    way, unit = moved - Z, axes.unit(index)
    np.testing.assert_allclose(way, (way @ unit) * unit, atol=1e-5)
    assert np.linalg.norm(unit) == pytest.approx(1.0, abs=1e-6)


def test_locked_dimensions_stay_while_a_direction_moves_and_the_value_is_still_reached():
    axes, locks = leaning_axes(), np.array([True, False, False, True, False, False])
    moved = axes.moved(Z, 0, 1.0, locks)
    np.testing.assert_array_equal(moved[locks], Z[locks])
    assert axes.coordinates(moved)[0] == pytest.approx(1.0, abs=1e-5)
    all_locked = np.ones(DIM, dtype=bool)
    np.testing.assert_array_equal(axes.moved(Z, 0, 1.0, all_locked), Z)


def test_what_an_axis_does_not_move_is_the_same_all_along_it():
    for axes in (dimension_axes(DIM), leaning_axes()):
        rests = {axes.rest(z, 1) for z in axes.traverse(Z, 1, np.linspace(-3, 3, 7, dtype=np.float32))}
        assert len(rests) == 1
        assert axes.rest(axes.moved(Z, 0, 2.5), 1) not in rests


def test_directions_that_lead_nowhere_are_left_out():
    rows = [("no", np.zeros(DIM, np.float32), ""), ("nan", np.full(DIM, np.nan, np.float32), "")]
    assert len(direction_axes(SAVED, DIM, rows)) == 0
    assert direction_axes(SAVED, DIM, [*rows, ("yes", Z, "")]).names == ("yes",)


def test_bounds_follow_the_data_and_ranges_hold_them_zero_and_one_sigma():
    draws = RNG.normal(size=(4000, DIM)).astype(np.float32) * np.array([1, 1, 5, 0.1, 1, 1], np.float32)
    low, high = bounds_along(dimension_axes(DIM), draws)
    assert high[0] == pytest.approx(2.576, abs=0.25)  # quantile 0.995 of the standard normal
    assert high[2] == pytest.approx(5 * 2.576, abs=1.2)
    left, right = slider_range(np.array([low[2], high[2]]))
    assert left < low[2] < high[2] < right
    assert (left * 2).is_integer()
    assert slider_range(np.array([low[3], high[3]])) == (-1.0, 1.0)
    assert slider_range(np.array([4.0, 5.0]))[0] == -1.0


def test_bounds_that_hardly_changed_stay():
    old = np.array([[-3.0, -3.0], [3.0, 3.0]], np.float32)
    new = np.array([[-3.1, -5.0], [3.1, 5.0]], np.float32)
    np.testing.assert_array_equal(steady_bounds(old, new), [[-3.0, -5.0], [3.0, 5.0]])
    np.testing.assert_array_equal(steady_bounds(None, new), new)


def labelled_survey():
    """Classes 0 and 1 differ along dimension 2; attribute 1 adds to dimension 3; class 2 has no images."""
    count = 400
    labels = (np.arange(count) % 2).astype(np.int64)
    attributes = RNG.integers(0, 2, (count, 2)).astype(np.int8)
    mu = RNG.normal(size=(count, DIM)).astype(np.float32) * 0.3
    mu[:, 2] += 4.0 * labels
    mu[:, 3] += 3.0 * attributes[:, 1]
    recipe = Recipe()
    recipe.model.latent_dim = DIM
    info = ModelInfo(recipe, (8, 8, 1), 3, ("round", "flat", "gone"), attribute_names=("hat", "smile"))
    rows = np.arange(count, dtype=np.int64)
    return LatentSurvey(7, info, rows, mu, np.full_like(mu, -2.0), labels, attributes)


def test_a_survey_gives_directions_of_every_kind():
    data = explore_data(labelled_survey())
    assert data.step == 7
    assert data.images == 400
    principal = axes_of(PRINCIPAL, DIM, data)
    assert abs(principal.unit(0)[2]) > 0.95
    assert "%" in principal.tips[0]
    classes = axes_of(CLASSES, DIM, data)
    assert classes.names == ("round", "flat")
    assert classes.unit(1)[2] > 0.95
    assert data.known_classes() == [0, 1]
    attributes = axes_of(ATTRIBUTES, DIM, data)
    assert attributes.names == ("hat", "smile")
    assert attributes.unit(1)[3] > 0.95
    assert attributes.share is not None
    assert attributes.share.max() == pytest.approx(1.0)


def test_without_data_only_dimensions_and_saved_directions_are_there():
    assert len(axes_of(PRINCIPAL, DIM, None)) == 0
    assert len(axes_of(CLASSES, DIM, None)) == 0
    assert len(axes_of("dimensions", DIM, None)) == DIM
