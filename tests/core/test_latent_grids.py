from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.latent_axes import dimension_axes, direction_axes
from latentlab.core.latent_grids import NamedPoint, arithmetic, corners, plane, plane_point, sigma, traversals, walk
from latentlab.core.latent_state import LatentState

DIM = 5
RNG = np.random.default_rng(3)
POINT = LatentState(DIM, seed=4).point
AXES = dimension_axes(DIM)


def named(name, seed, label=0):
    return NamedPoint(name, LatentState(DIM, seed=seed).point.z, label)


def test_traversals_move_one_axis_a_row_over_its_own_range():
    grid = traversals(POINT, AXES, [3, 0], [(-2.0, 2.0), (-1.0, 4.0)], 5)
    assert grid.columns == 5
    assert grid.rows == ("z3", "z0")
    assert grid.heads == ()  # The rows do not share a range.
    np.testing.assert_allclose(grid.z[:5, 3], np.linspace(-2, 2, 5))
    np.testing.assert_allclose(grid.z[5:, 0], np.linspace(-1, 4, 5))
    np.testing.assert_array_equal(np.delete(grid.z[:5], 3, axis=1), np.tile(np.delete(POINT.z, 3), (5, 1)))
    assert traversals(POINT, AXES, [3, 0], [(-2.0, 2.0)] * 2, 5).heads[0] == "−2"


def test_a_plane_runs_across_and_up():
    grid = plane(POINT, AXES, (1, 4), ((-3.0, 3.0), (-2.0, 2.0)), 5)
    assert grid.z.shape == (25, DIM)
    np.testing.assert_allclose(grid.z[0, [1, 4]], [-3, 2])  # upper left
    np.testing.assert_allclose(grid.z[24, [1, 4]], [3, -2])  # lower right
    assert grid.rows[0] == "+2"


def test_a_plane_over_directions_that_lean_on_each_other_meets_both_coordinates():
    ways = [("a", np.array([1, 0, 0, 0, 0], np.float32), ""), ("b", np.array([1, 1, 0, 0, 0], np.float32), "")]
    axes = direction_axes("classes", DIM, ways)
    z = plane_point(POINT.z, axes, (0, 1), 0.5, -1.5)
    np.testing.assert_allclose(axes.coordinates(z), [0.5, -1.5], atol=1e-5)
    np.testing.assert_array_equal(z[2:], POINT.z[2:])
    same = direction_axes("classes", DIM, [ways[0], ("again", ways[0][1], "")])
    assert plane_point(POINT.z, same, (0, 1), 2.0, 9.0)[0] == pytest.approx(2.0)


@pytest.mark.parametrize("path", ["lerp", "slerp"])
def test_a_walk_begins_at_a_and_ends_at_b_with_their_classes(path):
    a, b = named("A", 1, 2), named("B", 2, 5)
    grid = walk(a, b, 7, path)
    np.testing.assert_allclose(grid.z[0], a.z, atol=1e-5)
    np.testing.assert_allclose(grid.z[-1], b.z, atol=1e-5)
    assert grid.labels.tolist() == [2, 2, 2, 2, 5, 5, 5]
    assert grid.captions[0] == "A"
    assert grid.captions[3] == "50%"


@pytest.mark.parametrize("path", ["lerp", "slerp"])
def test_corners_hold_their_points(path):
    points = [named(name, seed, seed) for name, seed in zip("ABCD", (1, 2, 3, 4), strict=True)]
    grid = corners(points, 4, path)
    for place, point in zip((0, 3, 12, 15), points, strict=True):
        np.testing.assert_allclose(grid.z[place], point.z, atol=1e-5)
        assert grid.labels[place] == point.label
    if path == "lerp":
        middle = corners(points, 3, path).z[4]
        np.testing.assert_allclose(middle, np.mean([p.z for p in points], axis=0), atol=1e-5)


def test_arithmetic_adds_the_difference_in_steps():
    a, b, c = named("A", 1), named("B", 2), named("C", 3, 1)
    grid = arithmetic(a, b, c, [-1.0, 0.0, 1.0])
    np.testing.assert_array_equal(grid.z[1], c.z)
    np.testing.assert_allclose(grid.z[2], a.z - b.z + c.z, atol=1e-5)
    assert grid.captions[1] == "C"
    assert set(grid.labels.tolist()) == {1}


def test_sigmas_are_written_with_a_sign():
    assert [sigma(value) for value in (-2.5, 0.0, 3.0, 0.001)] == ["−2.5", "0", "+3", "0"]
