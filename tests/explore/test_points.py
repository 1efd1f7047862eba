"""Interpolation, traversal and grids against closed forms and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import geometric_slerp

from latentlab.core.interpolate import between, lerp, slerp
from latentlab.explore.mosaic import GROUND, mosaic, square_columns
from latentlab.explore.traverse import class_grid, plane, traversal

points = arrays(np.float32, 6, elements=st.floats(-5, 5, width=32))


def test_slerp_agrees_with_scipy_on_the_sphere():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.standard_normal((2, 7))
        a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
        t = np.linspace(0, 1, 11)
        np.testing.assert_allclose(slerp(a, b, t), geometric_slerp(a, b, t), atol=1e-6)


@given(points, points)
def test_every_way_begins_and_ends_at_its_points(a, b):
    for path in ("lerp", "slerp"):
        way = between(a, b, 5, path)
        assert way.dtype == np.float32
        assert way.shape == (5, 6)
        np.testing.assert_allclose(way[0], a, atol=1e-4)
        np.testing.assert_allclose(way[-1], b, atol=1e-4)
        assert np.isfinite(way).all()


@given(points, points, st.floats(0, 1))
def test_the_arc_keeps_between_the_lengths_of_its_ends(a, b, t):
    lengths = sorted([float(np.linalg.norm(a)), float(np.linalg.norm(b))])
    cosine = a @ b / max(lengths[0] * lengths[1], 1e-12)
    if lengths[0] < 1e-3 or abs(cosine) > 0.999:
        return
    length = np.linalg.norm(slerp(a, b, np.array([t])))
    assert lengths[0] - 1e-3 <= length <= lengths[1] + 1e-3


@pytest.mark.parametrize("b", [[2.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])
def test_where_the_arc_is_undefined_the_line_is_taken(b):
    a, b, t = np.array([1.0, 0.0]), np.array(b), np.array([0.25, 0.5])
    np.testing.assert_allclose(slerp(a, b, t), lerp(a, b, t))


def test_the_line_is_straight():
    np.testing.assert_allclose(lerp(np.zeros(2), np.array([4.0, 8.0]), np.array([0.25])), [[1.0, 2.0]])


def test_a_traversal_moves_one_dimension_per_row():
    z = np.array([0.5, -0.5, 1.0], dtype=np.float32)
    rows = traversal(z, [2, 0], count=5, span=2.0).reshape(2, 5, 3)
    np.testing.assert_array_equal(rows[0, :, 2], [-2, -1, 0, 1, 2])
    np.testing.assert_array_equal(rows[0, :, :2], np.tile(z[:2], (5, 1)))
    np.testing.assert_array_equal(rows[1, :, 0], [-2, -1, 0, 1, 2])
    np.testing.assert_array_equal(z, [0.5, -0.5, 1.0])


def test_a_dimension_that_does_not_exist_is_an_error():
    with pytest.raises(IndexError):
        traversal(np.zeros(3), [3])


def test_a_plane_runs_across_and_upwards():
    grid = plane(np.zeros(4), (1, 3), count=3, span=1.0).reshape(3, 3, 4)
    np.testing.assert_array_equal(grid[0, :, 1], [-1, 0, 1])
    np.testing.assert_array_equal(grid[:, 0, 3], [1, 0, -1])
    assert not grid[:, :, [0, 2]].any()


def test_a_class_grid_has_a_row_per_style_and_a_column_per_class():
    styles = np.arange(6, dtype=np.float32).reshape(2, 3)
    z, labels = class_grid(styles, 4)
    assert labels.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    np.testing.assert_array_equal(z[:4], np.tile(styles[0], (4, 1)))
    np.testing.assert_array_equal(z[4:], np.tile(styles[1], (4, 1)))


def test_a_mosaic_puts_every_picture_in_its_place():
    images = np.stack([np.full((3, 2, 1), value, dtype=np.uint8) for value in (10, 20, 30)])
    sheet = mosaic(images, columns=2, gap=1)
    assert sheet.shape == (7, 5, 1)
    assert (sheet[0:3, 0:2] == 10).all()
    assert (sheet[0:3, 3:5] == 20).all()
    assert (sheet[4:7, 0:2] == 30).all()
    assert (sheet[4:7, 3:5] == GROUND).all()
    assert sheet.flags.c_contiguous


@pytest.mark.parametrize(("count", "height", "width", "columns"), [(64, 16, 16, 8), (1, 16, 16, 1), (10, 64, 121, 3)])
def test_columns_make_sheets_about_square(count, height, width, columns):
    assert square_columns(np.empty((count, height, width, 1), dtype=np.uint8)) == columns
