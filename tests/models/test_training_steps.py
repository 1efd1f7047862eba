"""What holds for the training step of every kind of model."""

from __future__ import annotations

import math

import pytest
import torch
from model_builders import blobs, make, make_context, make_info, train

from latentlab.core.metrics import METRICS
from latentlab.models.base import Batch
from latentlab.models.device import DevicePolicy
from latentlab.models.registry import build_model

KINDS = ["ae", "vae", "cvae", "vaegan"]
LATENT = {"active_units", "z_mean", "z_var", "z_mean_min", "z_mean_max"}
SPREAD = {"z_std", "z_std_var", "z_std_min", "z_std_max"}
VARIATIONAL = LATENT | SPREAD | {"kld_nats", "kld_per_dim", "beta", "loss", "pixel"}
EXPECTED = {
    "ae": LATENT | {"loss", "pixel", "reconstruction"},
    "vae": VARIATIONAL | {"reconstruction"},
    "cvae": VARIATIONAL | {"reconstruction"},
    "vaegan": VARIATIONAL
    | {"feature_matching", "d_real", "d_recon", "d_fake", "g_recon", "g_fake"}
    | {"feature_rms_1", "d_accuracy", "sample_spread"},
}


def one_step(kind: str, **settings: object) -> dict[str, torch.Tensor]:
    model, context = make(kind, **settings)
    return model.training_step(Batch(blobs(6), torch.tensor([0, 1, 2, 0, 1, -1])), context)


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_are_the_catalogues_and_complete(kind: str):
    metrics = one_step(kind)
    assert set(metrics) == EXPECTED[kind]
    assert set(metrics) <= set(METRICS)


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_are_detached_finite_float32_scalars(kind: str):
    for value in one_step(kind).values():
        assert value.shape == ()
        assert value.dtype == torch.float32
        assert not value.requires_grad
        assert value.isfinite()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", ["conv", "residual", "mlp"])
def test_learns_to_reconstruct(kind: str, network: str):
    model, context = make(kind, network=network, beta="fixed", initial_beta=0.1, width=8, lr=3e-3, pixel_weight=5.0)
    history = train(model, context, blobs(24), 60)
    assert history[-1]["pixel"] < 0.5 * history[0]["pixel"]


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_gives_bit_equal_weights(kind: str):
    states = []
    for noise in (1, 2):
        model, context = make(kind, beta="adaptive" if kind != "ae" else "fixed", instance_noise=0.1)
        torch.manual_seed(noise)  # the process's own random state must not matter
        train(model, context, blobs(6), 4)
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("kind", ["vae", "vaegan"])
def test_another_seed_gives_other_noise(kind: str):
    states = []
    for seed in (1, 2):
        model = build_model(make_info(kind), seed=0)
        train(model, make_context(model, seed=seed), blobs(6), 1)
        states.append(model.decoder.state_dict())
    assert any(not torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("kind", KINDS)
def test_resuming_repeats_the_run_bit_for_bit(kind: str):
    """Weights, optimisers, beta and generator restored: the same as never having stopped, batch KLD included."""
    settings = {"beta": "adaptive", "kld": "batch", "kld_momentum": 0.5} if kind != "ae" else {}
    whole, whole_context = make(kind, **settings)
    train(whole, whole_context, blobs(6), 6)

    first, context = make(kind, **settings)
    train(first, context, blobs(6), 3)
    second = build_model(make_info(kind, **settings), seed=99)
    second.load_state_dict(first.state_dict())
    resumed = make_context(second, seed=99)
    for name, optimizer in resumed.optimizers.items():
        optimizer.load_state_dict(context.optimizers[name].state_dict())
    resumed.beta.load_state_dict(context.beta.state_dict())
    resumed.generator.set_state(context.generator.get_state())
    for step in range(3, 6):
        resumed.step = step
        second.training_step(Batch(blobs(6), torch.arange(6) % 3), resumed)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reconstruction", ["bernoulli", "gaussian", "optimal-gaussian", "l1"])
def test_bfloat16_trains_with_float32_weights(kind: str, reconstruction: str):
    policy = DevicePolicy(torch.device("cpu"), torch.bfloat16, channels_last=True)
    model = policy.place(build_model(make_info(kind, reconstruction=reconstruction, lr=3e-3), seed=0))
    context = make_context(model, autocast=policy.autocast)
    metrics = model.training_step(Batch(policy.place_images(blobs(4)), torch.tensor([0, 1, 2, -1])), context)
    assert all(value.isfinite() for value in metrics.values())
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    exact, exact_context = make(kind, reconstruction=reconstruction, lr=3e-3)
    reference = exact.training_step(Batch(blobs(4), torch.tensor([0, 1, 2, -1])), exact_context)
    for name in ("pixel", "loss"):
        assert metrics[name].item() == pytest.approx(reference[name].item(), rel=0.03), name


@pytest.mark.parametrize("kind", ["vae", "cvae", "vaegan"])
def test_beta_logged_is_the_one_used(kind: str):
    model, context = make(kind, beta="adaptive", initial_beta=0.5, beta_step=0.1, target_kld=1.0)
    history = train(model, context, blobs(6), 3)
    beta = 0.5
    for metrics in history:
        assert metrics["beta"] == pytest.approx(beta)
        beta = max(0.0, beta + 0.1 * (metrics["kld_per_dim"] - 1.0))


@pytest.mark.parametrize("kind", ["vae", "cvae", "vaegan"])
def test_kld_in_nats_is_the_sum_over_dimensions(kind: str):
    metrics = one_step(kind, latent_dim=5)
    assert metrics["kld_nats"].item() == pytest.approx(5 * metrics["kld_per_dim"].item())


def test_vae_loss_is_the_bound_with_its_weight():
    metrics = one_step("vae", beta="fixed", initial_beta=3.0)
    expected = metrics["reconstruction"] + 3.0 * metrics["kld_nats"]
    assert metrics["loss"].item() == pytest.approx(expected.item())


@pytest.mark.parametrize("rule", ["pi", "adaptive"])
def test_a_controlled_vae_holds_its_target(rule: str):
    model, context = make(
        "vae", network="mlp", beta=rule, initial_beta=1.0, beta_step=0.5, target_kld=0.5, lr=3e-3, sigma=0.3
    )
    history = train(model, context, blobs(32), 900)
    mean = sum(metrics["kld_per_dim"] for metrics in history[-100:]) / 100
    assert mean == pytest.approx(0.5, rel=0.1)
    assert math.isfinite(history[-1]["beta"])
