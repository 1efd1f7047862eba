"""The sequential order against the plain program it replaces, and pixels before the game begins."""

from __future__ import annotations

import pytest
import torch
from model_builders import batch, blobs, make, make_info, train
from torch import Tensor
from torch.nn import functional as F

from latentlab.models.base import LatentModel
from latentlab.models.registry import build_model

STEPS = 4
COUNT = 8
SETTINGS = {
    "update_order": "sequential",
    "feature_weight": 2.0,
    "adversarial_weight": 0.5,
    "normalise_features": False,
    "beta": "adaptive",
    "initial_beta": 0.7,
    "beta_step": 0.3,
}


def cross_entropy(logits: Tensor, real: bool) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def by_the_book(model: LatentModel, images: Tensor, settings: dict[str, object], steps: int) -> list[float]:
    """Train as the author did: every loss with a forward and a backward pass of its own, all gradients computed.

    Returns the values of beta.
    """
    encoder, decoder, discriminator = model.encoder, model.decoder, model.discriminator
    adams = [
        torch.optim.Adam(net.parameters(), lr=1e-2, betas=(0.5, 0.999)) for net in (encoder, decoder, discriminator)
    ]
    of_encoder, of_decoder, of_discriminator = adams
    generator, beta, betas = torch.Generator().manual_seed(0), 0.7, []

    def reconstruct(noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mu, logvar = encoder(images).chunk(2, dim=1)
        return decoder(mu + (logvar / 2).exp() * noise).sigmoid(), mu, logvar

    def descend(loss: Tensor, *optimizers: torch.optim.Optimizer) -> None:
        for optimizer in adams:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()

    for _ in range(steps):
        betas.append(beta)
        noise = torch.randn(len(images), 4, generator=generator)
        prior = torch.randn(len(images), 4, generator=generator)
        descend(cross_entropy(discriminator(images).logit_B, True), of_discriminator)
        if settings.get("recon_fakes", True):
            descend(cross_entropy(discriminator(reconstruct(noise)[0].detach()).logit_B, False), of_discriminator)
            descend(0.5 * cross_entropy(discriminator(reconstruct(noise)[0]).logit_B, True), of_decoder)
        if settings.get("prior_fakes", True):
            descend(cross_entropy(discriminator(decoder(prior).sigmoid().detach()).logit_B, False), of_discriminator)
            descend(0.5 * cross_entropy(discriminator(decoder(prior).sigmoid()).logit_B, True), of_decoder)
        recon = reconstruct(noise)[0]
        pairs = zip(discriminator(images).features, discriminator(recon).features, strict=True)
        features = torch.stack([(a.detach() - b).square().mean() for a, b in pairs]).mean()
        pixel = float(settings.get("pixel_weight", 0.0)) * (recon - images).square().mean()
        if settings.get("encoder_feature_matching", True):
            descend(2.0 * features + pixel, of_encoder, of_decoder)
        else:
            descend(2.0 * features, of_decoder)
        _, mu, logvar = reconstruct(noise)
        kld = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).mean()
        descend(beta * kld, of_encoder)
        beta = max(0.0, beta + 0.3 * (kld.item() - 0.1))
    return betas


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"recon_fakes": False},
        {"prior_fakes": False},
        {"pixel_weight": 3.0},
        {"encoder_feature_matching": False},
    ],
    ids=str,
)
def test_sequential_ends_with_the_weights_of_a_pass_per_loss(settings: dict[str, object]):
    images = blobs(COUNT)
    model, context = make("vaegan", **SETTINGS, **settings)
    plain = build_model(make_info("vaegan", **SETTINGS, **settings), seed=0)
    history = train(model, context, images, STEPS)
    betas = by_the_book(plain, images, settings, STEPS)
    assert [row["beta"] for row in history] == pytest.approx(betas, rel=1e-4)
    expected = dict(plain.named_parameters())
    fresh = dict(build_model(make_info("vaegan", **SETTINGS), seed=0).named_parameters())
    for name, parameter in model.named_parameters():
        moved = (expected[name] - fresh[name]).norm()
        # Adam divides by the gradient's own size: where that is rounding, so is the step.
        assert (parameter - expected[name]).norm() < 1e-3 * moved + 1e-6, name


def test_the_orders_differ():
    """A step per loss is not the same as one for all."""
    weights = []
    for order in ("sequential", "together"):
        model, context = make("vaegan", **{**SETTINGS, "update_order": order})
        train(model, context, blobs(COUNT), 1)
        weights.append(torch.cat([p.flatten() for p in model.discriminator.parameters()]))
    assert not torch.allclose(*weights, rtol=1e-3)


def test_sequential_passes_each_network_as_seldom_as_the_weights_allow():
    """Two passes of the encoder, three of the decoder; the plain program makes four of each."""
    model, context = make("vaegan", **SETTINGS)
    counts = {"encoder": 0, "decoder": 0}
    for name in counts:
        network = getattr(model, name)
        network.register_forward_hook(lambda *_, name=name: counts.__setitem__(name, counts[name] + 1))
    model.training_step(batch(), context)
    assert counts == {"encoder": 2, "decoder": 3}


@pytest.mark.parametrize("gan_loss", ["non-saturating", "saturating", "hinge", "relativistic"])
def test_both_orders_report_the_same_metrics_but_those_of_pairs(gan_loss: str):
    names = []
    for order in ("sequential", "together"):
        model, context = make("vaegan", gan_loss=gan_loss, update_order=order, r1_weight=1.0, prior_feature_weight=1.0)
        names.append(set(model.training_step(batch(), context)))
    assert names[0] == names[1]
    assert ("d_real" in names[0]) == (gan_loss != "relativistic")


@pytest.mark.parametrize("order", ["sequential", "together"])
@pytest.mark.parametrize("settings", [{}, {"gan_loss": "relativistic"}, {"gan_loss": "hinge", "spectral_norm": True}])
def test_both_orders_learn(order: str, settings: dict[str, object]):
    model, context = make(
        "vaegan", update_order=order, pixel_weight=5.0, width=8, lr=3e-3, initial_beta=0.1, **settings
    )
    history = train(model, context, blobs(24), 50)
    assert history[-1]["pixel"] < 0.7 * history[0]["pixel"]


@pytest.mark.parametrize("weight", [0.0, 4.0])
def test_before_the_delay_only_pixels_and_the_kld_teach(weight: float):
    """The gradients are those of the plain loss, with a pixel weight of 1 where none is given."""
    model, context = make("vaegan", adversarial_delay=2, pixel_weight=weight, initial_beta=0.3)
    images, generator = blobs(COUNT), torch.Generator().manual_seed(0)
    mu, logvar = model.encode(images)
    recon = model.decode(mu + (logvar / 2).exp() * torch.randn(mu.shape, generator=generator))
    kld = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean()
    loss = (weight or 1.0) * (recon - images).square().mean() + 0.3 * kld
    taught = [*model.encoder.parameters(), *model.decoder.parameters()]
    expected = torch.autograd.grad(loss, taught)
    metrics = model.training_step(batch(COUNT), context)
    assert {"pixel", "loss", "kld_nats", "beta"} <= set(metrics)
    assert not {"d_real", "g_fake", "feature_matching"} & set(metrics)
    for parameter, gradient in zip(taught, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=2e-4, atol=1e-7)


def test_the_discriminator_waits_for_the_delay_to_pass():
    model, context = make("vaegan", adversarial_delay=3)
    before = [p.clone() for p in model.discriminator.parameters()]
    history = train(model, context, blobs(COUNT), 3)
    assert all(torch.equal(a, b) for a, b in zip(model.discriminator.parameters(), before, strict=True))
    assert not any("d_real" in row for row in history)
    context.step = 3
    assert "d_real" in model.training_step(batch(COUNT), context)
    assert not any(torch.equal(a, b) for a, b in zip(model.discriminator.parameters(), before, strict=True))
