from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.core.buffers import CHUNK, FACTOR, MetricHistory


def filled(n: int, seed: int = 0) -> tuple[MetricHistory, np.ndarray]:
    values = np.random.default_rng(seed).normal(size=n)
    history = MetricHistory()
    history.extend("a", np.arange(n) * 10.0, values)
    return history, values


def test_short_window_is_the_raw_data():
    history, values = filled(100)
    steps, low, high = history.window("a")
    np.testing.assert_array_equal(steps, np.arange(100) * 10.0)
    np.testing.assert_array_equal(low, values)
    np.testing.assert_array_equal(high, values)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30_000), st.integers(20, 3000), st.randoms(use_true_random=False))
def test_a_coarse_window_keeps_every_extreme(n, max_points, random):
    history, values = filled(n)
    first, last = sorted((random.randrange(n), random.randrange(n)))
    steps, low, high = history.window("a", first * 10.0, last * 10.0, max_points)
    inside = values[first : last + 1]
    assert low.min() <= inside.min()
    assert high.max() >= inside.max()
    around = values[max(0, first - FACTOR**3) : last + FACTOR**3]
    assert low.min() >= around.min()
    assert np.all(np.diff(steps) > 0)
    assert np.all(low <= high)


@pytest.mark.parametrize("n", [10_000, 1_000_000])
def test_the_number_of_points_does_not_grow_with_the_run(n):
    history, values = filled(n)
    steps, low, high = history.window("a", max_points=2000)
    assert 2000 / FACTOR <= len(steps) <= 2001
    assert low.min() == values.min()
    assert high.max() == values.max()


def test_appending_one_by_one_equals_adding_at_once():
    whole, values = filled(3 * CHUNK + 7)
    single = MetricHistory()
    for step, value in enumerate(values):
        single.append(step * 10, {"a": value})
    for limit in (10, 300, 10**6):
        for got, expected in zip(
            single.window("a", max_points=limit), whole.window("a", max_points=limit), strict=True
        ):
            np.testing.assert_array_equal(got, expected)


def test_memory_per_value_is_bounded():
    history, _ = filled(1_000_000)
    series = history._series["a"]
    columns = {id(c): c for pair in series.levels for c in pair}.values()
    stored = sum(chunk.nbytes for column in columns for chunk in column._chunks)
    assert stored <= 2 * 8 * 1_000_000  # Steps and values; the pyramid fits in what whole steps save.


def test_nan_does_not_hide_its_neighbours():
    history = MetricHistory()
    values = np.ones(FACTOR * 200)
    values[::7] = np.nan
    history.extend("a", np.arange(len(values), dtype=float), values)
    _, low, high = history.window("a", max_points=250)
    assert np.all(low == 1)
    assert np.all(high == 1)


def test_read_out_takes_the_nearest_logged_step():
    history, values = filled(50)
    assert history.at("a", 143.0) == (140.0, values[14])
    assert history.at("a", 1e9) == (490.0, values[-1])
    assert history.at("b", 0.0) is None
    assert history.last("a") == (490.0, values[-1])
    assert history.span() == (0.0, 490.0)


def test_every_change_moves_the_version():
    history = MetricHistory()
    seen = [history.version]
    history.append(1, {"a": 1.0})
    seen.append(history.version)
    history.extend("a", [2.0], [3.0])
    seen.append(history.version)
    history.clear()
    seen.append(history.version)
    assert seen == sorted(set(seen))
    assert history.names() == []
    assert history.span() is None
