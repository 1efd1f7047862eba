"""M2's bound against explicit sums over its definition, and the ways in which unlabelled images teach."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from model_builders import CLASSES, blobs, make, make_info
from torch.distributions import Bernoulli, Categorical, Laplace, Normal, kl_divergence

from latentlab.core.errors import InputError
from latentlab.core.messages import ModelInfo
from latentlab.models.base import Batch, LabelledBatch, LatentModel, StepContext
from latentlab.models.conditioning import CLASS_SIGNAL
from latentlab.models.likelihood import diagonal_gaussian_nll, image_nll
from latentlab.models.reconstruction import pixel_loss
from latentlab.models.registry import build_model
from latentlab.models.semisupervised import SemiSupervisedVae, paired_rows

WAYS = ("marginal", "gumbel", "straight-through")
KNOWN, UNKNOWN = 4, 6


def mixed_batch(seed: int = 0) -> Batch:
    images = blobs(KNOWN + UNKNOWN, seed=seed)
    labelled = LabelledBatch(images[:KNOWN], torch.arange(KNOWN) % CLASSES)
    return Batch(images[KNOWN:], None, labelled=labelled)


def made(**settings: object) -> tuple[SemiSupervisedVae, StepContext]:
    model, context = make("ssvae", **{"network": "mlp", "reconstruction": "bernoulli", **settings})
    assert isinstance(model, SemiSupervisedVae)
    # Fresh networks guess uniformly and answer nearly the same for all classes: nothing would be tested.
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for head in (model.classifier.head, model.encoder.head, model.decoder.head):
            head.weight.add_(torch.randn(head.weight.shape, generator=generator), alpha=0.15)
    return model, context


def code(classes: list[int]) -> torch.Tensor:
    return CLASS_SIGNAL * torch.nn.functional.one_hot(torch.tensor(classes), CLASSES).float()


def bound_of(model: SemiSupervisedVae, x_CHW: torch.Tensor, y: int, noise_D: torch.Tensor) -> torch.Tensor:
    """Return -L(x, y) of one image, eq. 6, from torch.distributions with z = mu + sigma * noise."""
    mu, logvar = model.encoder(x_CHW[None], code([y])).chunk(2, dim=1)
    posterior = Normal(mu, (logvar / 2).exp())
    z = mu + posterior.scale * noise_D
    log_px = Bernoulli(logits=model.decoder(z, code([y]))).log_prob(x_CHW[None]).sum()
    log_py = Categorical(logits=torch.zeros(CLASSES)).log_prob(torch.tensor(y))
    kl = kl_divergence(posterior, Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum()
    return kl - log_px - log_py


def test_the_bound_is_that_of_the_posterior_that_encode_returns():
    batch = mixed_batch()
    losses = []
    for decay in (0.0, 1e5, 0.5):
        model, context = made(latent_decay=decay)
        context.generator.manual_seed(1)
        losses.append(float(model.bound(batch.labelled, batch.x_BCHW, context).loss.detach()))
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert abs(losses[2] - losses[0]) > 1e-3 * losses[0]


def test_the_marginal_bound_is_the_sum_over_classes_by_brute_force():
    """J of eq. 9, one image and one class at a time: eq. 6 where y is known, eq. 7 where it is not."""
    alpha = 0.7
    model, context = made(unlabelled="marginal", classification_weight=alpha)
    batch = mixed_batch()
    black_or_white = LabelledBatch(batch.labelled.x_BCHW.round(), batch.labelled.y_B)
    batch = Batch(batch.x_BCHW.round(), None, labelled=black_or_white)
    noise = torch.randn(KNOWN + CLASSES * UNKNOWN, 4, generator=torch.Generator().manual_seed(0))
    total = torch.zeros(())
    for n in range(KNOWN):
        total = total + bound_of(model, batch.labelled.x_BCHW[n], int(batch.labelled.y_B[n]), noise[n])
    for n in range(UNKNOWN):
        q = Categorical(logits=model.classifier(batch.x_BCHW[n : n + 1])[0])
        for y in range(CLASSES):
            row = KNOWN + y * UNKNOWN + n
            total = total + q.probs[y] * bound_of(model, batch.x_BCHW[n], y, noise[row])
        total = total - q.entropy()
    guess = Categorical(logits=model.classifier(batch.labelled.x_BCHW))
    expected = total / (KNOWN + UNKNOWN) - alpha * guess.log_prob(batch.labelled.y_B).mean()
    gradients = torch.autograd.grad(expected, list(model.parameters()))
    metrics = model.training_step(batch, context)
    torch.testing.assert_close(metrics["loss"], expected.detach())
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-5)


def test_the_average_over_straight_through_samples_is_the_marginal_loss():
    """A hard class is drawn from q(y|x), so that the sampled bound is an unbiased estimate of the sum over classes."""
    batch = mixed_batch()
    # With beta 0 and no noise in z the only randomness left is the class.
    exact, sampled = [], []
    for way, losses, repeats in (("marginal", exact, 1), ("straight-through", sampled, 600)):
        model, context = made(unlabelled=way, classification_weight=0.0, temperature_start=0.5)
        context.noise_like = torch.zeros_like  # type: ignore[method-assign]
        with torch.no_grad():
            losses += [model.bound(batch.labelled, batch.x_BCHW, context).loss for _ in range(repeats)]
    spread = torch.stack(sampled)
    error = 4 * spread.std() / math.sqrt(len(spread))
    assert abs(spread.mean() - exact[0]) < error
    assert error < 0.05 * exact[0]


@pytest.mark.parametrize("way", WAYS)
def test_rows_hold_every_image_with_weights_that_add_up_to_the_images(way: str):
    info = make_info("ssvae", unlabelled=way)
    batch = mixed_batch()
    log_q = torch.randn(UNKNOWN, CLASSES, generator=torch.Generator().manual_seed(2)).log_softmax(1)
    rows = paired_rows(
        batch.labelled, batch.x_BCHW, log_q, info.recipe.objective, 0.5, torch.Generator().manual_seed(0)
    )
    assert len(rows.x_RCHW) == KNOWN + UNKNOWN * (CLASSES if way == "marginal" else 1)
    assert float(rows.weight_R.sum()) == pytest.approx(KNOWN + UNKNOWN, rel=1e-5)
    torch.testing.assert_close(rows.class_RK.sum(1), torch.ones(len(rows.class_RK)))
    if way == "marginal":
        for row, (y, n) in enumerate(itertools.product(range(CLASSES), range(UNKNOWN)), start=KNOWN):
            assert torch.equal(rows.x_RCHW[row], batch.x_BCHW[n])
            assert int(rows.class_RK[row].argmax()) == y
            assert rows.weight_R[row] == log_q.exp()[n, y]


@pytest.mark.parametrize("way", WAYS)
def test_unlabelled_images_teach_the_classifier(way: str):
    """With alpha = 0 the labels' cross-entropy is gone, and what is left of q(y|x)'s gradient comes from the bound."""
    model, context = made(unlabelled=way, classification_weight=0.0)
    model.training_step(mixed_batch(), context)
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.classifier.parameters())


def test_labels_of_the_unlabelled_images_change_nothing():
    batch = mixed_batch()
    losses = []
    for labels in (None, torch.zeros(UNKNOWN, dtype=torch.int64), torch.full((UNKNOWN,), -1)):
        model, context = made()
        losses.append(model.training_step(batch._replace(y_B=labels), context)["loss"])
    assert losses[0] == losses[1] == losses[2]


def test_encoding_takes_the_given_class_and_guesses_the_others():
    model, _ = made()
    images = blobs(5)
    guesses = model.class_probabilities(images).argmax(1)
    others = (guesses + 1) % CLASSES
    assert torch.equal(model.encode(images).mu_BD, model.encode(images, guesses).mu_BD)
    assert not torch.equal(model.encode(images).mu_BD, model.encode(images, others).mu_BD)
    some = torch.where(torch.arange(5) < 2, others, -1)
    assert torch.equal(model.classes_of(images, some), torch.where(torch.arange(5) < 2, others, guesses))
    assert torch.equal(model.encode(images, torch.full((5,), -1)).mu_BD, model.encode(images).mu_BD)


def test_class_probabilities_are_a_distribution():
    model, _ = made()
    q = model.class_probabilities(blobs(9))
    assert q.shape == (9, CLASSES)
    torch.testing.assert_close(q.sum(1), torch.ones(9))


@pytest.mark.parametrize(
    "settings",
    [
        {"network": "conv"},
        {"network": "mlp", "classifier_network": "conv"},
        {"network": "conv", "unlabelled": "gumbel", "conditioning": "embedding"},
        {"network": "residual", "unlabelled": "straight-through"},
    ],
    ids=str,
)
def test_every_network_learns_and_tells_only_finite_numbers(settings: dict[str, object]):
    model, context = make("ssvae", reconstruction="bernoulli", **settings)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for step in range(2):
        context.step = step
        metrics = model.training_step(mixed_batch(step), context)
    assert all(torch.isfinite(value) for value in metrics.values())
    assert {name.partition(".")[0] for name, p in model.named_parameters() if not torch.equal(p, before[name])} >= {
        "encoder",
        "decoder",
        "classifier",
    }
    assert ("temperature" in metrics) == (settings.get("unlabelled", "marginal") != "marginal")


def learn(model: LatentModel, context: StepContext, steps: int) -> float:
    """Train on bars whose place is their class, one label each, and return the accuracy on the unlabelled ones."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(60) % CLASSES
    x = 0.3 * torch.rand(60, 1, 16, 16, generator=generator)
    for image, label in zip(x, y.tolist(), strict=True):
        image[:, :, 5 * label : 5 * label + 4] += 0.6
    for step in range(steps):
        context.step = step
        model.training_step(Batch(x[CLASSES:], None, labelled=LabelledBatch(x[:CLASSES], y[:CLASSES])), context)
    return float((model.classes_of(x, None) == y)[CLASSES:].float().mean())


@pytest.mark.parametrize("way", WAYS)
def test_three_labels_and_many_images_are_enough_for_three_bars(way: str):
    settings = {"network": "mlp", "width": 8, "reconstruction": "bernoulli", "classification_weight": 30.0}
    model, context = make("ssvae", unlabelled=way, **settings)
    assert learn(model, context, 40) > 0.95


@pytest.mark.parametrize("name", ["bernoulli", "gaussian", "unit-gaussian", "optimal-gaussian", "l1"])
def test_likelihoods_per_image_average_to_those_of_a_batch(name: str):
    generator = torch.Generator().manual_seed(0)
    logits, x = torch.randn(6, 2, 5, 5, generator=generator), torch.rand(6, 2, 5, 5, generator=generator)
    objective = make_info("ssvae", reconstruction=name, sigma=0.3).recipe.objective
    per_image = image_nll(logits, x, objective, torch.full((6,), 1 / 6))
    torch.testing.assert_close(per_image.mean(), pixel_loss(logits, x, objective).nll)
    assert per_image.shape == (6,)


def test_likelihoods_of_single_images_against_torch_distributions():
    generator = torch.Generator().manual_seed(0)
    logits, x = torch.randn(3, 1, 4, 4, generator=generator), torch.rand(3, 1, 4, 4, generator=generator)
    expected = {
        "gaussian": Normal(logits.sigmoid(), 0.3),
        "l1": Laplace(logits.sigmoid(), 0.3 / math.sqrt(2.0)),
    }
    for name, distribution in expected.items():
        objective = make_info("ssvae", reconstruction=name, sigma=0.3).recipe.objective
        torch.testing.assert_close(
            image_nll(logits, x, objective, torch.full((3,), 1 / 3)), -distribution.log_prob(x).sum((1, 2, 3))
        )
    a, b, c = (torch.randn(3, 5, generator=generator) for _ in range(3))
    torch.testing.assert_close(diagonal_gaussian_nll(a, b, c), -Normal(b, (c / 2).exp()).log_prob(a).sum(1))


def test_the_best_sigma_is_that_of_the_weighted_error():
    """Moving all weight to one image gives that image's own best sigma."""
    generator = torch.Generator().manual_seed(0)
    logits, x = torch.randn(3, 1, 4, 4, generator=generator), torch.rand(3, 1, 4, 4, generator=generator)
    objective = make_info("ssvae", reconstruction="optimal-gaussian").recipe.objective
    sigma = (logits[1].sigmoid() - x[1]).square().mean().sqrt()
    weighed = image_nll(logits, x, objective, torch.tensor([0.0, 1.0, 0.0]))
    torch.testing.assert_close(weighed, -Normal(logits.sigmoid(), sigma).log_prob(x).sum((1, 2, 3)))


def test_rows_keep_the_memory_format_of_colour_pictures():
    """Rows in another memory format would run the convolutions many times slower on the CPU."""
    info = make_info("ssvae", unlabelled="marginal")
    x = torch.rand(6, 3, 8, 8).to(memory_format=torch.channels_last)
    labelled = LabelledBatch(x[:3], torch.arange(3))
    log_q = torch.zeros(3, CLASSES).log_softmax(1)
    rows = paired_rows(labelled, x[3:], log_q, info.recipe.objective, 1.0, torch.Generator())
    assert rows.x_RCHW.is_contiguous(memory_format=torch.channels_last)


def test_data_without_classes_is_one_clear_error():
    info = ModelInfo(make_info("ssvae").recipe, (16, 16, 1), 0)
    with pytest.raises(InputError, match="classes"):
        build_model(info)
