from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.latent_stats import DimensionStats, dimension_stats


def test_kl_agrees_with_torch_distributions():
    torch = pytest.importorskip("torch")
    from torch.distributions import Normal, kl_divergence

    rng = np.random.default_rng(0)
    mu = rng.normal(size=(20, 3)).astype(np.float32)
    logvar = rng.normal(size=(20, 3)).astype(np.float32)
    posterior = Normal(torch.tensor(mu), torch.exp(0.5 * torch.tensor(logvar)))
    expected = kl_divergence(posterior, Normal(0.0, 1.0)).mean(dim=0).numpy()
    stats = dimension_stats(mu, logvar)
    np.testing.assert_allclose(stats.kl_nats, expected, rtol=1e-5)
    assert stats.images == 20


def test_variance_of_two_points_is_the_square_of_half_their_distance():
    stats = dimension_stats(np.array([[0.0, 1.0], [2.0, 1.0]], np.float32), None)
    np.testing.assert_allclose(stats.variance, [1.0, 0.0])
    assert stats.kl_nats is None
    assert stats.active.tolist() == [True, False]


def test_order_puts_used_dimensions_first_and_dead_ones_last_though_their_kl_is_large():
    mu = np.zeros((4, 4), np.float32)
    mu[:, 1] = [-1, 1, -1, 1]
    mu[:, 2] = [-3, 3, -3, 3]
    mu[:, 3] = 5.0  # far from the prior and the same for every image: dead
    order = dimension_stats(mu, np.zeros((4, 4), np.float32)).order()
    assert order.tolist() == [2, 1, 3, 0]


def test_order_falls_back_on_variance_and_keeps_ties_by_index():
    mu = np.array([[0, 2, 1, 1], [0, -2, -1, -1]], np.float32)
    assert dimension_stats(mu, None).order().tolist() == [1, 2, 3, 0]


def test_an_order_stands_until_a_measure_has_changed_by_much():
    stats = DimensionStats(np.array([2.0, 1.0, 1.1, 0.0], np.float32), None, 10)
    assert stats.order().tolist() == [0, 2, 1, 3]
    assert stats.agrees([0, 1, 2, 3])  # 1.1 below 1.0 is near enough.
    assert not stats.agrees([1, 0, 2, 3])
    assert not stats.agrees([0, 3, 1, 2])  # A dead one before active ones.
