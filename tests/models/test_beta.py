from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.beta import build_beta


def controller(**settings: object):
    return build_beta(ObjectiveConfig(**settings))


def klds(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2.0, 0.1, count).astype(np.float32)


def test_fixed_never_moves():
    beta = controller(beta="fixed", initial_beta=4.0, anneal_delay=100)
    for step in range(3):
        assert beta.at(step).item() == 4.0
        beta.update(torch.tensor(9.0))


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 0.0), (9, 0.0), (10, 0.0), (60, 1.0), (110, 2.0), (111, 2.0), (10_000, 2.0)]
)
def test_linear_waits_then_grows_then_stays(step: int, expected: float):
    beta = controller(beta="linear", initial_beta=2.0, anneal_delay=10, anneal_steps=100)
    assert beta.at(step).item() == pytest.approx(expected)


def test_sigmoid_is_the_logistic_curve_around_the_middle():
    beta = controller(beta="sigmoid", initial_beta=3.0, anneal_delay=5, anneal_steps=100)
    assert beta.at(4).item() == 0.0
    assert beta.at(55).item() == pytest.approx(1.5)
    assert beta.at(30).item() == pytest.approx(3.0 * torch.sigmoid(torch.tensor(-3.0)).item())
    assert beta.at(105).item() == 3.0


def test_cyclical_repeats_half_growing_half_full():
    """Fu et al. 2019, eq. 6 with R = 0.5: tau = mod(t, cycle) / cycle, beta = min(1, tau / R)."""
    beta = controller(beta="cyclical", initial_beta=1.0, anneal_steps=40)
    seen = [beta.at(step).item() for step in range(120)]
    expected = [min(1.0, (step % 40) / 40 / 0.5) for step in range(120)]
    assert seen == pytest.approx(expected)
    assert seen[39] == 1.0
    assert seen[40] == 0.0


def test_adaptive_is_the_texts_rule_to_the_last_bit():
    """new_beta = beta - beta_step * (target_kl - avg_kl); new_beta = max(new_beta, 0), in float32."""
    beta = controller(beta="adaptive", initial_beta=1.0, beta_step=0.1, target_kld=0.15)
    hand, step, target = np.float32(1.0), np.float32(0.1), np.float32(0.15)
    for kld in klds(3000):
        assert beta.at(0).item() == hand
        beta.update(torch.tensor(kld))
        hand = max(hand - step * (target - kld), np.float32(0.0))
    assert hand > 0


def test_adaptive_never_goes_below_zero_and_recovers():
    beta = controller(beta="adaptive", initial_beta=0.01, beta_step=1.0, target_kld=0.5)
    beta.update(torch.tensor(0.0))
    assert beta.at(0).item() == 0.0
    beta.update(torch.tensor(0.75))
    assert beta.at(0).item() == 0.25


def test_pi_follows_the_closed_recurrence():
    """log beta = K_p e + I, I += K_i clamp(e, -1, 1), e = log(KL / KL*), K_p 1, K_i 0.03, I_0 = log beta_0."""
    beta = controller(beta="pi", initial_beta=2.0, target_kld=0.05)
    integral = math.log(2.0)
    clamped = 0
    for kld in klds(500):
        beta.update(torch.tensor(kld))
        error = math.log(float(kld) / 0.05)
        clamped += abs(error) > 1.0
        integral += 0.03 * max(-1.0, min(1.0, error))
        assert beta.at(0).item() == pytest.approx(min(math.exp(error + integral), 1e6), rel=5e-4)
        if integral + error > math.log(1e6):
            break
    assert clamped > 20


def test_pi_tells_its_target_error_and_factors():
    beta = controller(beta="pi", initial_beta=2.0, target_kld=0.2)
    assert beta.terms() == {}
    beta.update(torch.tensor(0.3))
    first = {name: value.item() for name, value in beta.terms().items()}
    assert first == pytest.approx({"target_kld": 0.2, "kld_error": 0.5, "beta_p": 1.0, "beta_i": 2.0}, rel=1e-6)
    weight = beta.at(1).item()
    beta.update(torch.tensor(0.1))
    second = {name: value.item() for name, value in beta.terms().items()}
    assert second["beta_p"] == pytest.approx(1.5)
    assert second["beta_p"] * second["beta_i"] == pytest.approx(weight)
    assert second["kld_error"] == pytest.approx(-0.5)


def test_adaptive_tells_its_target_and_error():
    beta = controller(beta="adaptive", target_kld=0.4)
    beta.update(torch.tensor(0.3))
    assert {k: v.item() for k, v in beta.terms().items()} == pytest.approx({"target_kld": 0.4, "kld_error": -0.25})


@pytest.mark.parametrize("rule", ["fixed", "linear", "sigmoid", "cyclical"])
def test_a_schedule_has_no_target(rule: str):
    beta = controller(beta=rule)
    beta.update(torch.tensor(0.3))
    assert beta.terms() == {}


def test_pi_goes_on_from_the_weight_of_an_older_state():
    beta = controller(beta="pi", initial_beta=9.0, target_kld=0.2)
    beta.load_state_dict({"value": torch.tensor(0.5), "integral": torch.tensor(3.0), "log_start": torch.tensor(1.0)})
    beta.update(torch.tensor(0.2))
    assert beta.at(0).item() == pytest.approx(0.5)


def test_a_capacity_has_a_constant_weight_and_a_growing_target():
    """Burgess et al. 2018: gamma |KL - C|, C linear from 0; the target is per dimension, C / D."""
    objective = ObjectiveConfig(kld_form="capacity", capacity=20, capacity_steps=100, capacity_weight=30, beta="pi")
    rule = build_beta(objective, latent_dim=10)
    for step, target in ((0, 0.0), (25, 0.5), (100, 2.0), (5000, 2.0)):
        assert rule.at(step).item() == 30.0
        rule.update(torch.tensor(1.0))
        assert rule.terms()["target_kld"].item() == pytest.approx(target)
    assert rule.terms()["kld_error"].item() == pytest.approx(-0.5)


def test_pi_does_not_wind_up():
    """After thousands of steps at the bound, one error of the other sign brings the weight back at once."""
    beta = controller(beta="pi", initial_beta=1.0, target_kld=0.1)
    for _ in range(5000):
        beta.update(torch.tensor(10.0))
    assert beta.at(0).item() == pytest.approx(1e6)
    for _ in range(100):
        beta.update(torch.tensor(0.05))
    assert beta.at(0).item() < 3e5


def test_pi_finds_the_weight_of_a_simple_plant_from_far_away():
    """A plant whose KLD is c / (1 + beta), smoothed, has its target at beta = c / target - 1."""
    for start in (1e-3, 1.0, 1e3):
        beta = controller(beta="pi", initial_beta=start, target_kld=0.1)
        kld = 1.0
        for _ in range(2000):
            kld += 0.1 * (2.0 / (1.0 + beta.at(0).item()) - kld)
            beta.update(torch.tensor(kld))
        assert kld == pytest.approx(0.1, rel=0.01)
        assert beta.at(0).item() == pytest.approx(19.0, rel=0.05)


@pytest.mark.parametrize("rule", ["adaptive", "pi"])
def test_state_resumes_bit_for_bit(rule: str):
    settings = {"beta": rule, "initial_beta": 0.7, "beta_step": 0.03, "target_kld": 0.2}
    whole, first, second = controller(**settings), controller(**settings), controller(**{**settings, "initial_beta": 5})
    values = klds(60)
    for kld in values:
        whole.update(torch.tensor(kld))
    for kld in values[:30]:
        first.update(torch.tensor(kld))
    second.load_state_dict(first.state_dict())
    for kld in values[30:]:
        second.update(torch.tensor(kld))
    assert torch.equal(whole.at(60), second.at(60))


@pytest.mark.parametrize("rule", ["fixed", "linear", "sigmoid", "cyclical", "adaptive", "pi"])
def test_values_handed_out_never_change_afterwards(rule: str):
    beta = controller(beta=rule, initial_beta=1.0, anneal_steps=10)
    given = beta.at(3)
    before = given.item()
    beta.update(torch.tensor(3.0))
    beta.at(7)
    assert given.item() == before
    assert given.dtype == torch.float32
    assert given.shape == ()


def test_a_live_target_changes_only_what_comes():
    objective = ObjectiveConfig(beta="adaptive", initial_beta=1.0, beta_step=0.5, target_kld=0.2)
    beta = build_beta(objective)
    beta.update(torch.tensor(0.4))
    beta.configure(objective.model_copy(update={"target_kld": 0.4}))
    assert beta.at(1).item() == pytest.approx(1.1)
    beta.update(torch.tensor(0.4))
    assert beta.at(2).item() == pytest.approx(1.1)


@pytest.mark.parametrize("rule", ["fixed", "linear", "adaptive", "pi"])
def test_a_live_initial_beta_restarts_from_it(rule: str):
    objective = ObjectiveConfig(beta=rule, initial_beta=1.0, anneal_steps=1)
    beta = build_beta(objective)
    beta.update(torch.tensor(0.7))
    beta.configure(objective.model_copy(update={"initial_beta": 0.25}))
    assert beta.at(5).item() == pytest.approx(0.25)
