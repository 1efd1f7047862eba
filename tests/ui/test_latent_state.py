from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.core.latent_state import (
    HISTORY_LIMIT,
    LatentState,
    expected_norm,
    random_directions,
    sample_z,
    traversal,
)

DIM = 5
dims = st.integers(0, DIM - 1)
values = st.floats(-50, 50, width=32)
vectors = st.lists(values, min_size=DIM, max_size=DIM)
operations = st.one_of(
    st.tuples(st.just("set_value"), dims, values),
    st.tuples(st.just("set_z"), vectors, st.sampled_from(["image", "grid"])),
    st.tuples(st.just("randomise"), st.integers(0, 999), st.floats(0, 3)),
    st.tuples(st.just("reset")),
    st.tuples(st.just("set_label"), st.integers(0, 9)),
    st.tuples(st.just("set_lock"), dims, st.booleans()),
)


@given(st.lists(operations, max_size=200))
def test_undo_and_redo_return_bit_equal_points(steps):
    state = LatentState(DIM)
    seen = [state.point]
    for name, *arguments in steps:
        if getattr(state, name)(*arguments):
            seen.append(state.point)
    kept = [(p.z.tobytes(), p.locks.tobytes(), p.label, p.seed, p.source, p.edited) for p in seen]
    for expected in reversed(seen[:-1]):
        assert state.undo()
        assert state.point.same(expected)
    assert not state.undo()
    for expected in seen[1:]:
        assert state.redo()
        assert state.point.same(expected)
    assert not state.redo()
    assert kept == [(p.z.tobytes(), p.locks.tobytes(), p.label, p.seed, p.source, p.edited) for p in seen]


def test_points_that_were_handed_out_cannot_change():
    state = LatentState(DIM, seed=1)
    before = state.point
    copy = before.z.copy()
    for array in (before.z, before.locks):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    state.set_value(0, 2.5)
    state.set_lock(1, True)
    np.testing.assert_array_equal(before.z, copy)
    assert not before.locks.any()


def test_an_array_given_to_the_state_stays_the_givers():
    state, z = LatentState(DIM), np.ones(DIM, np.float32)
    state.set_z(z, "grid")
    z[:] = 7
    np.testing.assert_array_equal(state.point.z, np.ones(DIM))


def test_locked_dimensions_stay_in_randomise_reset_and_drag():
    state = LatentState(DIM)
    state.set_value(2, 1.5)
    state.set_lock(2, True)
    state.randomise(3)
    expected = sample_z(3, DIM)
    np.testing.assert_array_equal(np.delete(state.point.z, 2), np.delete(expected, 2))
    assert state.point.z[2] == 1.5
    state.shift(np.full(DIM, 0.25), state.point)
    assert state.point.z[2] == 1.5
    state.reset()
    np.testing.assert_array_equal(state.point.z, [0, 0, 1.5, 0, 0])


def test_a_seed_gives_the_same_point_and_temperature_scales_it():
    one, two = LatentState(DIM), LatentState(DIM)
    one.randomise(42)
    two.set_value(0, 9.0)
    two.randomise(42)
    assert one.point.z.tobytes() == two.point.z.tobytes()
    two.randomise(42, 0.5)
    np.testing.assert_allclose(two.point.z, one.point.z / 2)
    one.randomise(43)
    assert np.abs(one.point.z - 2 * two.point.z).max() > 0.1


def test_draws_are_standard_normal():
    from scipy.stats import kstest

    assert kstest(sample_z(0, 20_000), "norm").pvalue > 0.01


def test_a_drag_is_one_step_back_and_is_measured_from_its_start():
    state = LatentState(DIM)
    for value in (0.1, 0.5, 0.9):
        state.set_value(1, value, merge="z1")
    state.end_gesture()
    start = state.point
    for reach in (0.5, 1.0):
        state.shift(np.full(DIM, reach), start, merge="drag")
    np.testing.assert_allclose(state.point.z, start.z + 1.0)
    state.undo()
    assert state.point.same(start)
    state.undo()
    np.testing.assert_array_equal(state.point.z, np.zeros(DIM))
    assert not state.can_undo


def test_two_gestures_of_one_slider_are_two_steps():
    state = LatentState(DIM)
    state.set_value(1, 1.0, merge="z1")
    state.end_gesture()
    state.set_value(1, 2.0, merge="z1")
    state.undo()
    assert state.point.z[1] == 1.0


def test_a_new_move_ends_the_way_forward():
    state = LatentState(DIM)
    state.set_value(0, 1.0)
    state.undo()
    state.set_value(0, 2.0)
    assert not state.can_redo


def test_moves_that_change_nothing_leave_no_step():
    state = LatentState(DIM)
    assert not state.set_label(0)
    assert not state.reset()
    assert not state.can_undo


def test_refreshing_an_encoding_leaves_no_step():
    state = LatentState(DIM)
    state.set_z(np.ones(DIM), "image")
    state.refresh_z(np.full(DIM, 2.0))
    state.undo()
    np.testing.assert_array_equal(state.point.z, np.zeros(DIM))


def test_history_is_bounded():
    state = LatentState(DIM)
    for i in range(HISTORY_LIMIT + 50):
        state.set_value(0, float(i + 1))
    undone = 0
    while state.undo():
        undone += 1
    assert undone == HISTORY_LIMIT


def test_z_of_another_size_is_refused_and_what_is_not_finite_becomes_zero():
    state = LatentState(DIM)
    with pytest.raises(ValueError, match="3 dimensions"):
        state.set_z(np.zeros(3), "grid")
    state.set_z([np.nan, np.inf, -np.inf, 1, 2], "grid")
    np.testing.assert_array_equal(state.point.z, [0, 0, 0, 1, 2])


def test_directions_are_orthonormal_and_fixed_by_their_seed():
    ways = random_directions(5, 16)
    np.testing.assert_allclose(ways @ ways.T, np.eye(2), atol=1e-6)
    np.testing.assert_array_equal(ways, random_directions(5, 16))
    assert random_directions(0, 1).shape == (2, 1)


def test_traversal_changes_one_dimension_only():
    z = sample_z(0, DIM)
    rows = traversal(z, 3, [-1, 0, 1])
    np.testing.assert_array_equal(rows[:, 3], [-1, 0, 1])
    np.testing.assert_array_equal(np.delete(rows, 3, axis=1), np.delete(np.stack([z] * 3), 3, axis=1))


@pytest.mark.parametrize("dim", [1, 2, 16, 512])
def test_expected_norm_is_that_of_a_chi_distribution(dim):
    from scipy.stats import chi

    np.testing.assert_allclose(expected_norm(dim), chi.stats(dim, moments="mv") ** np.array([1, 0.5]), rtol=1e-5)
