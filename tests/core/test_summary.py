from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.core.buffers import CHUNK, MetricHistory


def filled(n: int) -> tuple[MetricHistory, np.ndarray]:
    values = np.random.default_rng(n).normal(size=n)
    history = MetricHistory()
    history.extend("a", np.arange(n) * 10.0, values)
    return history, values


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3 * CHUNK + 50), st.integers(10, 3000))
def test_blocks_hold_the_extremes_and_means_of_their_values(n, max_points):
    history, values = filled(n)
    got = history.summary("a", max_points=max_points)
    assert len(got.steps) <= max_points + 1
    parts = [values[i : i + got.block] for i in range(0, n, got.block)]
    np.testing.assert_allclose(got.minima, [part.min() for part in parts])
    np.testing.assert_allclose(got.maxima, [part.max() for part in parts])
    full = n // got.block  # a shorter last block weighs its 16-fold sub-blocks equally
    np.testing.assert_allclose(got.means[:full], [part.mean() for part in parts[:full]], atol=1e-12)
    np.testing.assert_array_equal(got.steps, [10.0 * (min(i + got.block, n) - 1) for i in range(0, n, got.block)])


def test_a_window_includes_its_neighbours_and_counts_blocks_from_the_start():
    history, values = filled(10_000)
    got = history.summary("a", 40_005, 60_005, max_points=500)
    assert got.block == 8
    assert got.steps[0] <= 40_005
    assert got.steps[-1] >= 60_005
    first_row = int(got.steps[0] / 10) - got.block + 1
    assert first_row % got.block == 0
    np.testing.assert_allclose(got.means[3], values[first_row + 24 : first_row + 32].mean())


@pytest.mark.parametrize("n", [2_000, 1_000_000])
def test_the_number_of_points_does_not_grow_with_the_run(n):
    history, values = filled(n)
    got = history.summary("a", max_points=800)
    assert 400 <= len(got.steps) <= 801
    assert got.minima.min() == values.min()
    assert got.steps[-1] == 10.0 * (n - 1)


def test_nan_and_unknown_names():
    history = MetricHistory()
    history.extend("a", [0.0, 1.0, 2.0, 3.0], [1.0, np.nan, np.nan, np.nan])
    got = history.summary("a", max_points=2)
    np.testing.assert_array_equal(got.means, [1.0, np.nan])
    assert len(history.summary("b").steps) == 0
