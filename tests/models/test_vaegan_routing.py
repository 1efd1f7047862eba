"""Which loss reaches which network: each adversarial option by itself, everything else at weight 0."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from model_builders import blobs, make_context, make_info, stable_name

from latentlab.models.base import Batch, LatentModel
from latentlab.models.registry import build_model

OFF = {
    "feature_weight": 0.0,
    "pixel_weight": 0.0,
    "adversarial_weight": 0.0,
    "initial_beta": 0.0,
    "recon_fakes": False,
    "prior_fakes": False,
}
ENCODER, DECODER, DISCRIMINATOR = "encoder", "decoder", "discriminator"
ALL = {ENCODER, DECODER, DISCRIMINATOR}
FAKES = {"recon_fakes": True, "prior_fakes": True}


def stepped(**settings: object) -> LatentModel:
    """Return a model with attributes after one step; its gradients are still there."""
    info = dataclasses.replace(make_info("vaegan", **{**OFF, **settings}), attribute_names=("a", "b"))
    model = build_model(info, seed=0)
    labels = torch.tensor([[1.0, 0.0], [0.0, -1.0]] * 3)
    other = blobs(6, seed=9) if settings.get("separate_batches") else None
    model.training_step(Batch(blobs(6), None, labels, None, other), make_context(model))
    return model


def reached(**settings: object) -> set[str]:
    """Return the networks that get a gradient."""
    return {
        name
        for name, parameters in stepped(**settings).parameter_groups().items()
        if any(p.grad is not None and p.grad.abs().max() > 0 for p in parameters)
    }


CASES: list[tuple[dict[str, object], set[str]]] = [
    ({}, {DISCRIMINATOR}),
    ({"initial_beta": 1.0}, {DISCRIMINATOR, ENCODER}),
    ({"feature_weight": 1.0}, ALL),
    ({"feature_weight": 1.0, "encoder_feature_matching": False}, {DISCRIMINATOR, DECODER}),
    ({"feature_weight": 1.0, "encoder_feature_matching": False, "pixel_weight": 1.0}, ALL),
    ({"feature_weight": 1.0, "feature_layer": "last"}, ALL),
    ({"feature_weight": 1.0, "feature_activation": "before"}, ALL),
    ({"feature_weight": 1.0, "normalise_features": False}, ALL),
    ({"pixel_weight": 1.0}, ALL),
    ({"prior_feature_weight": 1.0}, {DISCRIMINATOR, DECODER}),
    ({"decoder_attribute_weight": 1.0}, {DISCRIMINATOR, DECODER}),
    ({"attribute_weight": 1.0}, {DISCRIMINATOR}),
    ({"r1_weight": 1.0}, {DISCRIMINATOR}),
    ({"adversarial_weight": 1.0}, {DISCRIMINATOR}),
    ({"separate_batches": True}, {DISCRIMINATOR}),
    *[
        ({"adversarial_weight": 1.0, "gan_loss": gan_loss, **fakes}, {DISCRIMINATOR, DECODER})
        for gan_loss in ("non-saturating", "saturating", "hinge", "relativistic")
        for fakes in ({"recon_fakes": True}, {"prior_fakes": True}, FAKES)
    ],
    ({"gan_loss": "relativistic"}, set()),
    ({"gan_loss": "relativistic", "r1_weight": 1.0}, {DISCRIMINATOR}),
    ({"gan_loss": "relativistic", "attribute_weight": 1.0}, {DISCRIMINATOR}),
    ({**FAKES, "label_noise": 0.2, "label_smoothing": 0.1, "fake_label_smoothing": 0.1}, {DISCRIMINATOR}),
    ({**FAKES, "label_flip_every": 1}, {DISCRIMINATOR}),
    ({**FAKES, "instance_noise": 0.2}, {DISCRIMINATOR}),
    ({**FAKES, "discriminator_dropout": 0.5}, {DISCRIMINATOR}),
    ({**FAKES, "spectral_norm": True}, {DISCRIMINATOR}),
    ({"initial_beta": 1.0, "latent_batch_norm": True}, {DISCRIMINATOR, ENCODER}),
    ({"adversarial_delay": 5, "feature_weight": 1.0, "adversarial_weight": 1.0, **FAKES}, {ENCODER, DECODER}),
]


@pytest.mark.parametrize(("settings", "expected"), CASES, ids=stable_name)
def test_each_loss_reaches_its_networks_and_no_other(settings: dict[str, object], expected: set[str]):
    assert reached(**settings) == expected


@pytest.mark.parametrize(("settings", "expected"), CASES, ids=str)
def test_a_step_per_loss_moves_the_same_networks(settings: dict[str, object], expected: set[str]):
    """In the sequential order the gradients of all but the last loss are gone; the weights tell who moved."""
    settings = {**settings, "update_order": "sequential"}
    fresh = build_model(
        dataclasses.replace(make_info("vaegan", **{**OFF, **settings}), attribute_names=("a", "b")), seed=0
    )
    before = {name: parameter.detach().clone() for name, parameter in fresh.named_parameters()}
    after = dict(stepped(**settings).named_parameters())
    assert {name.partition(".")[0] for name in before if not torch.equal(before[name], after[name])} == expected


def gradient(network: str, **settings: object) -> torch.Tensor:
    """Return a network's gradient of the first step as one vector."""
    parameters = stepped(**settings).parameter_groups()[network]
    return torch.cat([p.grad.flatten() if p.grad is not None else torch.zeros(p.numel()) for p in parameters])


BASE = {"feature_weight": 1.0, "pixel_weight": 1.0, "initial_beta": 1.0, "adversarial_weight": 1.0, **FAKES}


@pytest.mark.parametrize(
    ("network", "settings"),
    [
        (ENCODER, {"adversarial_weight": 100.0}),
        (ENCODER, {"gan_loss": "hinge"}),
        (ENCODER, {"recon_fakes": False}),
        (ENCODER, {"attribute_weight": 9.0}),
        (ENCODER, {"decoder_attribute_weight": 9.0}),
        (ENCODER, {"prior_feature_weight": 9.0}),
        (ENCODER, {"r1_weight": 9.0}),
        (ENCODER, {"label_flip_every": 1}),
        (DECODER, {"initial_beta": 100.0}),
        (DECODER, {"attribute_weight": 9.0}),
        (DECODER, {"r1_weight": 9.0}),
        (DECODER, {"label_flip_every": 1, "label_smoothing": 0.3, "label_noise": 0.0}),
        (DECODER, {"encoder_feature_matching": False}),
        (DISCRIMINATOR, {"feature_weight": 9.0}),
        (DISCRIMINATOR, {"prior_feature_weight": 9.0}),
        (DISCRIMINATOR, {"decoder_attribute_weight": 9.0}),
        (DISCRIMINATOR, {"adversarial_weight": 9.0, "pixel_weight": 9.0, "initial_beta": 9.0}),
        (DISCRIMINATOR, {"feature_layer": "last", "feature_activation": "before", "normalise_features": False}),
    ],
    ids=str,
)
def test_a_network_does_not_notice_what_is_not_its_own(network: str, settings: dict[str, object]):
    torch.testing.assert_close(gradient(network, **BASE), gradient(network, **{**BASE, **settings}))


@pytest.mark.parametrize(
    ("network", "settings"),
    [
        (DISCRIMINATOR, {"attribute_weight": 9.0}),
        (DISCRIMINATOR, {"r1_weight": 9.0}),
        (DISCRIMINATOR, {"label_flip_every": 1}),
        (DISCRIMINATOR, {"label_smoothing": 0.3}),
        (DISCRIMINATOR, {"fake_label_smoothing": 0.3}),
        (DISCRIMINATOR, {"label_noise": 0.3}),
        (DISCRIMINATOR, {"instance_noise": 0.3}),
        (DISCRIMINATOR, {"discriminator_dropout": 0.5}),
        (DISCRIMINATOR, {"gan_loss": "hinge"}),
        (DISCRIMINATOR, {"gan_loss": "relativistic"}),
        (DISCRIMINATOR, {"recon_fakes": False}),
        (DISCRIMINATOR, {"prior_fakes": False}),
        (DISCRIMINATOR, {"separate_batches": True}),
        (DECODER, {"gan_loss": "saturating"}),
        (DECODER, {"gan_loss": "hinge"}),
        (DECODER, {"gan_loss": "relativistic"}),
        (DECODER, {"prior_feature_weight": 9.0}),
        (DECODER, {"decoder_attribute_weight": 9.0}),
        (DECODER, {"feature_layer": "last", "feature_activation": "before"}),
        (DECODER, {"normalise_features": False}),
        (ENCODER, {"encoder_feature_matching": False}),
        (ENCODER, {"feature_activation": "before"}),
    ],
    ids=str,
)
def test_a_network_notices_what_is_its_own(network: str, settings: dict[str, object]):
    assert not torch.allclose(gradient(network, **BASE), gradient(network, **{**BASE, **settings}), rtol=1e-3)


def test_features_of_prior_samples_are_matched_with_the_images_of_the_batch():
    """The decoder's gradient from the second term alone is that of E||phi(G(z)) - phi(x)||^2, written out."""
    settings = {"prior_feature_weight": 2.0, "normalise_features": False, "feature_layer": "last"}
    info = make_info("vaegan", **{**OFF, **settings})
    model = build_model(info, seed=0)
    generator = torch.Generator().manual_seed(0)
    torch.randn(6, 4, generator=generator)  # The posterior's own noise comes first.
    fake = model.decode(torch.randn(6, 4, generator=generator))
    features = [model.discriminator(images).features[-1] for images in (fake, blobs(6))]
    loss = 2.0 * (features[0] - features[1].detach()).square().mean()
    expected = torch.autograd.grad(loss, list(model.decoder.parameters()))
    model.training_step(Batch(blobs(6), None), make_context(model))
    for parameter, gradient_ in zip(model.decoder.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient_, rtol=1e-4, atol=1e-7)


def test_lazy_r1_has_the_strength_of_r1_in_every_step():
    """The discriminator's gradient minus the one without: every third step three times that of every step."""

    def gradient_at(step: int, **settings: object) -> torch.Tensor:
        model = build_model(make_info("vaegan", **{**OFF, **settings}), seed=0)
        context = make_context(model, step=step)
        model.training_step(Batch(blobs(6), None), context)
        return torch.cat([p.grad.flatten() for p in model.discriminator.parameters()])

    without = gradient_at(3)
    always, lazy = gradient_at(3, r1_weight=2.0), gradient_at(3, r1_weight=2.0, r1_every=3)
    torch.testing.assert_close(lazy - without, 3.0 * (always - without), rtol=1e-3, atol=1e-7)
    assert torch.equal(gradient_at(4, r1_weight=2.0, r1_every=3), without)


def test_r1_adds_half_its_weight_times_the_squared_gradient():
    """Against autograd on the discriminator alone, in units of images in [-1, 1]."""
    model = build_model(make_info("vaegan", **OFF), seed=0)
    images = (2.0 * blobs(6) - 1.0).requires_grad_()
    logits = model.discriminator((images + 1.0) / 2.0).logit_B
    (slope,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    loss = torch.nn.functional.softplus(-logits).mean() + 1.5 * slope.square().sum(dim=(1, 2, 3)).mean()
    expected = torch.autograd.grad(loss, list(model.discriminator.parameters()), allow_unused=True)
    penalised = build_model(make_info("vaegan", **{**OFF, "r1_weight": 3.0}), seed=0)
    metrics = penalised.training_step(Batch(blobs(6), None), make_context(penalised))
    torch.testing.assert_close(metrics["r1"], slope.square().sum(dim=(1, 2, 3)).mean().detach())
    for parameter, gradient_ in zip(penalised.discriminator.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient_, rtol=1e-3, atol=1e-7)
