from __future__ import annotations

import pytest
import torch
from model_builders import batch, blobs, make, stable_name

from latentlab.models.discriminator import Discriminator
from latentlab.models.layers import initialise

OFF = {"feature_weight": 0.0, "pixel_weight": 0.0, "adversarial_weight": 0.0, "initial_beta": 0.0}
NETWORKS = {"encoder", "decoder", "discriminator"}


def reached(**settings: object) -> set[str]:
    """Return the networks that a step with these losses alone gives a gradient to."""
    model, context = make("vaegan", **{**OFF, **settings})
    model.training_step(batch(), context)
    return {
        name
        for name, parameters in model.parameter_groups().items()
        if any(p.grad is not None and p.grad.abs().max() > 0 for p in parameters)
    }


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"discriminator"}),
        ({"initial_beta": 1.0}, {"discriminator", "encoder"}),
        ({"feature_weight": 1.0}, NETWORKS),
        ({"pixel_weight": 1.0}, NETWORKS),
        ({"adversarial_weight": 1.0}, {"discriminator", "decoder"}),
        ({"adversarial_weight": 1.0, "recon_fakes": False}, {"discriminator", "decoder"}),
        ({"adversarial_weight": 1.0, "prior_fakes": False}, {"discriminator", "decoder"}),
        ({"adversarial_weight": 1.0, "recon_fakes": False, "prior_fakes": False}, {"discriminator"}),
    ],
    ids=stable_name,
)
def test_each_loss_reaches_its_networks_and_no_other(settings: dict[str, object], expected: set[str]):
    assert reached(**settings) == expected


def gradients(**settings: object) -> dict[str, torch.Tensor]:
    """Return each network's gradient of the first step as one vector."""
    model, context = make("vaegan", **{**OFF, **settings})
    model.training_step(batch(), context)
    return {
        name: torch.cat([p.grad.flatten() if p.grad is not None else torch.zeros(p.numel()) for p in parameters])
        for name, parameters in model.parameter_groups().items()
    }


def test_the_discriminator_learns_from_its_own_loss_only():
    alone = gradients()["discriminator"]
    among = gradients(feature_weight=3.0, pixel_weight=2.0, adversarial_weight=5.0, initial_beta=4.0)["discriminator"]
    torch.testing.assert_close(alone, among)


def test_the_adversarial_loss_changes_nothing_for_the_encoder():
    settings = {"feature_weight": 1.0, "pixel_weight": 1.0, "initial_beta": 1.0}
    torch.testing.assert_close(
        gradients(**settings)["encoder"], gradients(**settings, adversarial_weight=100.0)["encoder"]
    )


def test_the_kld_changes_nothing_for_the_decoder():
    settings = {"feature_weight": 1.0, "adversarial_weight": 1.0}
    torch.testing.assert_close(gradients(**settings)["decoder"], gradients(**settings, initial_beta=100.0)["decoder"])


def test_the_fused_step_equals_a_backward_pass_per_loss():
    """Each network's gradient is that of its own loss, computed one at a time from the losses' definitions."""
    settings = {"feature_weight": 2.0, "pixel_weight": 3.0, "adversarial_weight": 0.5, "initial_beta": 0.7}
    model, context = make("vaegan", normalise_features=False, beta="fixed", **settings)
    images, generator = blobs(8), torch.Generator().manual_seed(0)
    mu, logvar = model.encode(images)
    z = mu + (logvar / 2).exp() * torch.randn(mu.shape, generator=generator)
    recon, fake = model.decode(z), model.decode(torch.randn(z.shape, generator=generator))
    real_logit, real_features, *_ = model.discriminator(images)
    recon_logit, recon_features, *_ = model.discriminator(recon)
    fake_logit = model.discriminator(fake).logit_B
    pairs = zip(real_features, recon_features, strict=True)
    features = torch.stack([(a.detach() - b).square().mean() for a, b in pairs]).mean()
    kld = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean()
    match = 2.0 * features + 3.0 * (recon - images).square().mean()
    generation = -(recon_logit.sigmoid().log().mean() + fake_logit.sigmoid().log().mean())
    judgement = -(
        real_logit.sigmoid().log().mean()
        + (1 - recon_logit.sigmoid()).log().mean()
        + (1 - fake_logit.sigmoid()).log().mean()
    )
    losses = {"encoder": match + 0.7 * kld, "decoder": match + 0.5 * generation, "discriminator": judgement}
    groups = model.parameter_groups()
    expected = {n: torch.autograd.grad(loss, groups[n], retain_graph=True) for n, loss in losses.items()}
    model.training_step(batch(8), context)
    for name, parameters in groups.items():
        for parameter, gradient in zip(parameters, expected[name], strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("switch", ["recon", "prior"])
def test_switched_off_fakes_are_neither_judged_nor_reported(switch: str):
    model, context = make("vaegan", **{f"{switch}_fakes": False})
    names = model.training_step(batch(), context)
    gone = {"recon": {"d_recon", "g_recon"}, "prior": {"d_fake", "g_fake"}}[switch]
    assert not gone & set(names)
    assert "d_real" in names


def test_instance_noise_reaches_the_discriminator_but_not_the_pixel_loss():
    plain_model, plain = make("vaegan")
    noisy_model, noisy = make("vaegan", instance_noise=0.5)
    seen, blurred = plain_model.training_step(batch(), plain), noisy_model.training_step(batch(), noisy)
    assert seen["pixel"] == blurred["pixel"]
    assert seen["d_real"] != blurred["d_real"]


def test_label_smoothing_applies_to_real_images_only():
    sharp_model, sharp = make("vaegan")
    smooth_model, smooth = make("vaegan", label_smoothing=0.2)
    a, b = sharp_model.training_step(batch(), sharp), smooth_model.training_step(batch(), smooth)
    assert a["d_real"] != b["d_real"]
    for name in ("d_recon", "d_fake", "g_recon", "g_fake"):
        assert a[name] == b[name]


def discriminator() -> Discriminator:
    network = Discriminator((32, 32, 3), 4)
    initialise(network, torch.Generator().manual_seed(0))
    return network


def test_the_discriminator_shows_a_feature_per_level():
    judgement = discriminator()(torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)))
    assert judgement.logit_B.shape == (2,)
    assert [tuple(f.shape[1:]) for f in judgement.features] == [(4, 16, 16), (8, 8, 8)]


def test_learning_rates_of_the_networks():
    model, context = make("vaegan", lr=1e-3, discriminator_lr=2e-4)
    rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in context.optimizers.items()}
    assert rates == {"encoder": 1e-3, "decoder": 1e-3, "discriminator": 2e-4}
    assert set(model.parameter_groups()) == NETWORKS


def test_inference_state_leaves_the_discriminator_out():
    model, _ = make("vaegan")
    assert not [name for name in model.inference_state() if name.startswith("discriminator.")]
    assert any(name.startswith("decoder.") for name in model.inference_state())
