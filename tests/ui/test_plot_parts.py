"""The arithmetic under the plots: smoothing, ticks, ranges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from latentlab.ui.views import plot_ticks
from latentlab.ui.views.plot_curve import place, zigzag
from latentlab.ui.views.plot_scaling import data_range, growing_end, padded, settled
from latentlab.ui.views.plot_smoothing import rows_remembered, smooth
from latentlab.ui.views.plot_spec import plots_for

ADVERSARIAL = ["d_real", "d_recon", "d_fake", "g_recon", "g_fake"]


def weighted_mean(values: np.ndarray, factor: float) -> np.ndarray:
    """Return the smoothed values straight from the definition, one weighted mean per place."""
    out = []
    for t in range(len(values)):
        weights = np.array([factor ** (t - i) if np.isfinite(values[i]) else 0.0 for i in range(t + 1)])
        finite = np.nan_to_num(values[: t + 1])
        out.append((weights * finite).sum() / weights.sum() if np.isfinite(values[t]) else np.nan)
    return np.array(out)


@pytest.mark.parametrize("factor", [0.1, 0.6, 0.9, 0.99])
def test_smoothing_is_the_debiased_moving_average(factor):
    values = np.random.default_rng(0).normal(3.0, 1.0, 700)
    values[[0, 5, 6, 300]] = np.nan
    np.testing.assert_allclose(smooth(values, factor), weighted_mean(values, factor), rtol=1e-9)


def test_smoothing_a_constant_changes_nothing():
    np.testing.assert_allclose(smooth(np.full(5000, 7.0), 0.97), 7.0, rtol=1e-12)


def test_no_smoothing_returns_the_values():
    values = np.array([1.0, np.nan, 3.0])
    np.testing.assert_array_equal(smooth(values, 0.0), values)


@pytest.mark.parametrize("block", [2, 8, 64])
def test_blocks_are_smoothed_over_the_same_span_of_rows(block):
    values = np.sin(np.arange(8192) / 900.0)
    fine = smooth(values, 0.99)[block - 1 :: block]
    coarse = smooth(values.reshape(-1, block).mean(axis=1), 0.99, block)
    np.testing.assert_allclose(coarse[2000 // block :], fine[2000 // block :], atol=0.04)


@given(st.floats(0.01, 0.99))
def test_what_is_forgotten_weighs_less_than_a_percent(factor):
    assert factor ** rows_remembered(factor) <= 0.0100001
    assert factor ** (rows_remembered(factor) - 1) > 0.0099999


@settings(max_examples=200)
@given(st.floats(-1e4, 1e4), st.floats(1e-6, 1e6), st.integers(2, 12))
def test_linear_ticks_lie_inside_and_are_round(start, span, count):
    low = start * span
    values, step = plot_ticks.linear_ticks(low, low + span, count)
    assert len(values) <= count + 1
    assert all(low - 1e-6 * span <= value <= low + span + 1e-6 * span for value in values)
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - nice) for nice in (1, 2, 5, 10)) < 1e-6
    texts = plot_ticks.linear_texts(values, step)
    assert len(set(texts)) == len(texts)


@settings(max_examples=200)
@example(low=-4.0, span=0.125, count=7)
@given(st.floats(-9, 6), st.floats(0.05, 9), st.integers(2, 9))
def test_log_ticks_lie_inside_and_tell_their_value(low, span, count):
    places = plot_ticks.log_ticks(low, low + span, count)
    assert len(places) <= count + 2
    assert all(low - 1e-6 <= place <= low + span + 1e-6 for place in places)
    texts = plot_ticks.log_texts(places)
    assert len(set(texts)) == len(texts)


def test_tick_texts():
    assert plot_ticks.linear_texts([0.0, 0.02, 0.04], 0.02) == ["0", "0.02", "0.04"]
    assert plot_ticks.linear_texts([0, 5000, 10_000], 5000) == ["0", "5 k", "10 k"]
    assert plot_ticks.linear_texts([2e-5, 4e-5], 2e-5) == ["2e-5", "4e-5"]
    assert plot_ticks.log_texts([-2, 0, math.log10(2000), -7]) == ["0.01", "1", "2 k", "1e-7"]
    values, _ = plot_ticks.time_ticks(0, 1000, 5)
    assert plot_ticks.time_texts(values) == ["0:00", "5:00", "10:00", "15:00"]


def test_a_spike_does_not_flatten_the_rest():
    values = np.random.default_rng(0).normal(1.0, 0.1, 1000)
    values[500] = 1e6
    assert data_range(values, np.empty(0))[1] < 3
    assert data_range(np.array([1.0, 2.0]), np.array([5.0]))[1] == 5.0
    assert data_range(np.array([np.nan, np.inf]), np.empty(0)) is None
    ordinary = np.random.default_rng(1).uniform(0, 1, 500)
    assert data_range(ordinary, np.empty(0)) == (ordinary.min(), ordinary.max())


def test_ranges_have_height_and_do_not_cross_zero_for_losses():
    low, high = padded((2.0, 2.0))
    assert low < 2.0 < high
    assert padded((0.01, 1.0), floor=0.0)[0] == 0.0
    assert padded((-0.2, 1.0), floor=0.0)[0] < -0.2


def test_the_axis_moves_only_when_it_must():
    current = (0.0, 1.0)
    assert settled(current, (0.0, 0.95), (0.1, 0.9)) == current
    assert settled(current, (0.0, 1.3), (0.1, 1.2)) == (0.0, 1.3)
    assert settled(current, (0.0, 0.3), (0.0, 0.28)) == (0.0, 0.3)
    end, ends = 10.0, set()
    for step in range(10, 2000, 10):
        end = growing_end(step, end)
        assert end >= step
        ends.add(end)
    assert len(ends) < 60
    assert end < 2300


def test_places_on_a_log_axis():
    got = place(np.array([100.0, 0.0, -1.0, np.nan]), True)
    np.testing.assert_allclose(got[0], 2.0)
    assert np.isnan(got[1:]).all()
    x, y = zigzag(np.array([1.0, 2.0]), np.array([0.0, 1.0]), np.array([5.0, 6.0]))
    assert x.tolist() == [1, 1, 2, 2]
    assert y.tolist() == [0, 5, 1, 6]


def test_each_kind_of_model_gets_its_plots():
    assert [plot.key for plot in plots_for("ae", [])] == ["pixel", "reconstruction", "loss"]
    gan = [plot.key for plot in plots_for("vaegan", ["kld_per_dim", "beta", "pixel", "feature_matching", *ADVERSARIAL])]
    assert gan == ["kld_per_dim", "beta", "pixel", "feature_matching", "adversarial"]
    assert "adversarial" not in [plot.key for plot in plots_for("vae", [])]
    assert [plot.key for plot in plots_for("some new kind", ["beta", "test_pixel"])] == ["beta", "pixel"]
