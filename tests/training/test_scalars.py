from __future__ import annotations

import math

import pytest
import torch

from latentlab.core.errors import LatentLabError
from latentlab.training.clock import Clock
from latentlab.training.scalars import ScalarMeans, check_finite


def test_means_over_the_interval_and_the_newest_beta() -> None:
    means = ScalarMeans()
    for value in (1.0, 2.0, 6.0):
        means.add({"pixel": torch.tensor(value), "beta": torch.tensor(10 * value)})
    assert means.collect() == {"pixel": 3.0, "beta": 60.0}


def test_collecting_starts_over() -> None:
    means = ScalarMeans()
    assert means.empty
    means.add({"pixel": torch.tensor(1.0)})
    assert not means.empty
    means.collect()
    assert means.empty
    assert means.collect() == {}
    means.add({"pixel": torch.tensor(5.0)})
    assert means.collect() == {"pixel": 5.0}


def test_a_metric_that_is_there_only_sometimes_is_averaged_over_its_own_steps() -> None:
    means = ScalarMeans()
    means.add({"a": torch.tensor(1.0)})
    means.add({"a": torch.tensor(3.0), "b": torch.tensor(7.0)})
    assert means.collect() == {"a": 2.0, "b": 7.0}


def test_long_intervals_do_not_lose_small_numbers() -> None:
    means = ScalarMeans()
    value = torch.tensor(0.1, dtype=torch.float32)
    for _ in range(20_000):
        means.add({"a": value})
    assert means.collect()["a"] == pytest.approx(float(value), rel=1e-12)


def test_half_precision_and_gradients_are_welcome() -> None:
    means = ScalarMeans()
    means.add({"a": torch.tensor(0.5, dtype=torch.bfloat16), "b": torch.tensor(2.0, requires_grad=True)})
    assert means.collect() == {"a": 0.5, "b": 2.0}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_named_with_its_step_and_the_kept_checkpoint(bad: float) -> None:
    with pytest.raises(LatentLabError) as caught:
        check_finite({"pixel": 0.5, "kld_nats": bad}, 41, 50, 40)
    assert "kld_nats" in caught.value.what
    assert "steps 41 and 50" in caught.value.what
    assert "step 40 is kept" in caught.value.hint
    with pytest.raises(LatentLabError, match="at step 50"):
        check_finite({"kld_nats": bad}, 50, 50, None)


def test_finite_values_pass() -> None:
    check_finite({"pixel": 0.0, "beta": 1e30}, 1, 2, None)


def test_pauses_are_not_counted() -> None:
    now = 100.0
    clock = Clock(5.0, now=lambda: now)

    def wait() -> None:
        nonlocal now
        now += 60.0

    now += 2.0
    clock.count(64)
    assert clock.excluding(wait) == 60.0
    assert clock.elapsed_s == pytest.approx(7.0)
    assert clock.images_per_s() == pytest.approx(32.0)
    now += 4.0
    clock.count(64)
    assert clock.images_per_s() == pytest.approx(16.0)
