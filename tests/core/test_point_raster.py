from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.point_raster import (
    Viewport,
    dot_offsets,
    dot_size,
    draw_points,
    inside_outline,
    nearest_point,
    visible_points,
)

VIEW = Viewport(200, 100, x=1.0, y=-2.0, scale=10.0)


def test_pixels_and_places_are_inverse_and_up_is_up():
    pixels = VIEW.to_pixels(np.array([[1.0, -2.0], [2.0, -1.0]]))
    np.testing.assert_allclose(pixels, [[100, 50], [110, 40]])
    assert VIEW.to_plane(110, 40) == pytest.approx((2.0, -1.0))


def test_zooming_keeps_what_is_under_the_pointer_and_panning_follows_it():
    place = VIEW.to_plane(30, 20)
    assert VIEW.zoomed(3.0, 30, 20).to_plane(30, 20) == pytest.approx(place)
    assert VIEW.panned(7, -5).to_plane(37, 15) == pytest.approx(place)


def test_fitting_brings_nearly_everything_into_sight():
    points = np.random.default_rng(0).standard_normal((5000, 2)).astype(np.float32) * (3, 40) + (100, -7)
    view = VIEW.fitted(points.astype(np.float32))
    assert len(visible_points(view.to_pixels(points), (100, 200))) > 4900
    assert VIEW.fitted(points[:0]) is VIEW
    assert np.isfinite(VIEW.fitted(points[:1]).scale)


def test_dots_lie_where_their_points_are_and_later_ones_on_top():
    pixels = np.array([[50, 20], [50, 20], [-3, 5], [500, 5]], dtype=np.float32)
    image = draw_points(pixels, np.array([1, 2, 3, 4], dtype=np.uint32), (100, 200), 2)
    assert image[20, 50] == 2
    assert sorted(np.unique(image).tolist()) == [0, 2]
    assert (image != 0).sum() == 4


@pytest.mark.parametrize("size", range(2, 10))
def test_a_dot_is_round_and_as_wide_as_it_should_be(size):
    image = draw_points(np.array([[30.0, 30.0]], dtype=np.float32), np.array([7], dtype=np.uint32), (60, 60), size)
    rows, columns = np.nonzero(image)
    assert rows.max() - rows.min() + 1 == columns.max() - columns.min() + 1 == size
    assert len(rows) == len(dot_offsets(size)) >= 0.6 * size**2


def test_dots_at_every_edge_stay_within_the_image():
    rng = np.random.default_rng(0)
    pixels = (rng.random((3000, 2)) * 80 - 10).astype(np.float32)
    for size in (2, 5, 9):
        assert draw_points(pixels, np.ones(3000, dtype=np.uint32), (60, 60), size).shape == (60, 60)


def test_dots_shrink_where_there_are_many():
    assert dot_size(100_000, 600_000) == 2
    assert dot_size(10, 600_000) == 9
    assert 2 < dot_size(3000, 600_000) < 9


def test_the_nearest_point_is_found_within_reach_only():
    pixels = np.array([[10, 10], [14, 10], [90, 90]], dtype=np.float32)
    assert nearest_point(pixels, 13, 10, 5) == 1
    assert nearest_point(pixels, 50, 50, 5) is None
    assert nearest_point(pixels[:0], 1, 1, 5) is None


def test_an_outline_holds_what_is_inside_even_when_it_is_not_convex():
    outline = np.array([[0, 0], [10, 0], [10, 10], [5, 3], [0, 10]])
    points = np.array([[5, 1], [5, 8], [1, 7], [9, 7], [11, 5], [-1, -1]])
    assert inside_outline(points, outline).tolist() == [True, False, True, True, False, False]
    assert not inside_outline(points, outline[:2]).any()


def test_a_round_outline_agrees_with_the_distance():
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    outline = np.column_stack([np.cos(angles), np.sin(angles)])
    points = np.random.default_rng(0).random((5000, 2)) * 3 - 1.5
    radius = np.linalg.norm(points, axis=1)
    clear = np.abs(radius - 1) > 0.01
    np.testing.assert_array_equal(inside_outline(points, outline)[clear], radius[clear] < 1)
