from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from model_builders import CLASSES, SHAPE, blobs, make, make_info

from latentlab.core.errors import InputError
from latentlab.core.messages import ModelInfo
from latentlab.models.base import Batch
from latentlab.models.class_discriminator import ClassDiscriminator
from latentlab.models.layers import initialise
from latentlab.models.registry import build_model

FORMS = ["planes", "one-hot", "embedding"]
LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
LOSSES = ["non-saturating", "saturating", "hinge", "relativistic"]


def labelled() -> Batch:
    return Batch(blobs(8), LABELS)


def moved_by(change: Callable[[dict[str, torch.optim.Optimizer]], None], **settings: object) -> set[str]:
    """Return the networks whose weights a step moves, after ``change`` was made to the optimisers."""
    model, context = make("cgan", **settings)
    change(context.optimizers)
    before = {name: [p.clone() for p in group] for name, group in model.parameter_groups().items()}
    model.training_step(labelled(), context)
    groups = model.parameter_groups()
    return {n for n in groups if any(not torch.equal(a, b) for a, b in zip(before[n], groups[n], strict=True))}


def test_both_networks_learn() -> None:
    assert moved_by(lambda optimizers: None) == {"decoder", "discriminator"}


def gradients(model, context) -> dict[str, torch.Tensor]:
    model.training_step(labelled(), context)
    return {
        name: torch.cat([p.grad.flatten() if p.grad is not None else torch.zeros(p.numel()) for p in group])
        for name, group in model.parameter_groups().items()
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("gan_loss", LOSSES)
def test_each_network_gets_the_gradient_of_its_own_loss_only(form: str, gan_loss: str) -> None:
    """Against one loss at a time, written down from the papers' formulas."""
    model, context = make("cgan", discriminator_conditioning=form, gan_loss=gan_loss, conditioning="embedding")
    x, z = blobs(8), torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    fake = model.decode(z, LABELS)
    real_logit, fake_logit = model.discriminator(x, LABELS), model.discriminator(fake, LABELS)
    real, made = real_logit.sigmoid(), fake_logit.sigmoid()
    discriminating = {
        "hinge": ((1 - real_logit).relu() + (1 + fake_logit).relu()).mean(),
        "relativistic": -(real_logit - fake_logit).sigmoid().log().mean(),
    }.get(gan_loss, -(real.log() + (1 - made).log()).mean())
    generating = {
        "non-saturating": -made.log().mean(),
        "saturating": (1 - made).log().mean(),
        "hinge": -fake_logit.mean(),
        "relativistic": -(fake_logit - real_logit).sigmoid().log().mean(),
    }[gan_loss]
    groups = model.parameter_groups()
    losses = {"decoder": generating, "discriminator": discriminating}
    expected = {
        name: torch.cat([g.flatten() for g in torch.autograd.grad(loss, groups[name], retain_graph=True)])
        for name, loss in losses.items()
    }
    model, context = make("cgan", discriminator_conditioning=form, gan_loss=gan_loss, conditioning="embedding")
    found = gradients(model, context)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_the_embedding_of_the_decoder_learns_with_the_decoder(form: str) -> None:
    model, _ = make("cgan", conditioning="embedding", discriminator_conditioning=form)
    group = model.parameter_groups()["decoder"]
    assert any(p is model.class_code.table.weight for p in group)
    named = {id(p) for parameters in model.parameter_groups().values() for p in parameters}
    assert named == {id(p) for p in model.parameters()}


def test_the_planes_that_the_first_convolution_sees_are_one_hot_and_constant() -> None:
    model, _ = make("cgan", (17, 21, 1))
    seen: list[torch.Tensor] = []
    model.discriminator.images.levels[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    x = blobs(3, (17, 21, 1))
    model.discriminator(x, torch.tensor([2, 0, 1]))
    (inside,) = seen
    assert inside.shape == (3, 1 + CLASSES, 17, 21)
    torch.testing.assert_close(inside[:, :1], 2 * x - 1)
    for image, label in enumerate([2, 0, 1]):
        for plane in range(CLASSES):
            assert (inside[image, 1 + plane] == float(plane == label)).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("spectral_norm", [False, True])
def test_the_class_changes_the_verdict_by_more_than_a_constant(form: str, spectral_norm: bool) -> None:
    """Were the class a constant of its own in the logit, the decoder would learn nothing about it."""
    info = make_info("cgan", discriminator_conditioning=form, spectral_norm=spectral_norm)
    network = ClassDiscriminator(info.recipe.model, SHAPE, CLASSES)
    initialise(network, torch.Generator().manual_seed(0))
    x, ones, twos = blobs(8), torch.ones(8, dtype=torch.long), torch.full((8,), 2)
    change = network(x, ones) - network(x, twos)
    assert change.std() > 1e-6


@pytest.mark.parametrize("conditioning", ["one-hot", "embedding"])
@pytest.mark.parametrize("kind", ["cvae", "cgan"])
def test_the_class_changes_what_is_decoded(kind: str, conditioning: str) -> None:
    model, _ = make(kind, conditioning=conditioning)
    z = torch.zeros(1, 4)
    model.eval()
    with torch.no_grad():
        pictures = [model.decode(z, torch.tensor([label])) for label in range(CLASSES)]
    assert not torch.equal(pictures[0], pictures[1])
    assert not torch.equal(pictures[1], pictures[2])


def test_one_picture_does_not_depend_on_the_others_it_is_decoded_with() -> None:
    model, context = make("cgan")
    model.training_step(labelled(), context)
    model.eval()
    z = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    y = torch.tensor([0, 1, 2, 0, 1])
    with torch.no_grad():
        torch.testing.assert_close(model.decode(z, y)[:1], model.decode(z[:1], y[:1]))


def test_samples_of_a_fresh_model_differ_by_z() -> None:
    """What batch norm in the merging layers is for."""
    model, _ = make("cgan", latent_dim=8)
    z, y = torch.randn(16, 8, generator=torch.Generator().manual_seed(2)), torch.zeros(16, dtype=torch.long)
    with torch.no_grad():
        assert model.decode(z, y).std(dim=0).mean() > 0.01


def test_nothing_is_encoded() -> None:
    model, _ = make("cgan")
    with pytest.raises(InputError, match="no encoder") as caught:
        model.encode(blobs(1), torch.tensor([0]))
    assert caught.value.hint


def test_data_without_classes_is_refused_with_a_hint() -> None:
    info = make_info("cgan")
    with pytest.raises(InputError, match="classes") as caught:
        build_model(ModelInfo(info.recipe, info.image_shape, 0))
    assert caught.value.hint


def test_what_a_step_reports() -> None:
    model, context = make("cgan")
    names = set(model.training_step(labelled(), context))
    assert names == {"loss", "d_real", "d_fake", "g_fake", "d_accuracy"}
    model, context = make("cgan", r1_weight=1.0, equilibrium=0.68)
    assert set(model.training_step(labelled(), context)) == names | {"r1", "d_updates", "g_updates"}


def test_the_class_of_the_fakes_is_that_of_the_batch() -> None:
    model, context = make("cgan")
    asked: list[list[int]] = []
    decode = model.decode
    model.decode = lambda z, y: asked.append(y.tolist()) or decode(z, y)
    model.training_step(labelled(), context)
    assert asked == [LABELS.tolist()]


def test_exploring_needs_no_discriminator() -> None:
    model, _ = make("cgan")
    assert not any(name.startswith("discriminator.") for name in model.inference_state())


@pytest.mark.parametrize(
    "settings", [{"instance_noise": 0.3}, {"label_smoothing": 0.1}, {"discriminator_dropout": 0.5}]
)
def test_the_rules_of_the_game_apply(settings: dict[str, object]) -> None:
    plain_model, plain = make("cgan")
    model, context = make("cgan", **settings)
    assert plain_model.training_step(labelled(), plain)["d_real"] != model.training_step(labelled(), context)["d_real"]


@pytest.mark.parametrize(
    "settings",
    [
        {"r1_weight": 9.0},
        {"label_smoothing": 0.3},
        {"fake_label_smoothing": 0.3},
        {"label_noise": 0.3},
        {"label_flip_every": 1},
    ],
    ids=str,
)
def test_what_only_the_discriminator_is_told_does_not_reach_the_decoder(settings: dict[str, object]) -> None:
    without, found = gradients(*make("cgan")), gradients(*make("cgan", **settings))
    if "label_noise" not in settings:  # Its draws come before those of z, which are then others.
        assert torch.equal(found["decoder"], without["decoder"])
    assert not torch.allclose(found["discriminator"], without["discriminator"], rtol=1e-3)
