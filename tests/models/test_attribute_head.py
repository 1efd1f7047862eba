from __future__ import annotations

import dataclasses

import pytest
import torch
from model_builders import blobs, make_context, make_info
from torch.distributions import Bernoulli

from latentlab.models.attributes import attribute_accuracy, attribute_loss
from latentlab.models.base import Batch
from latentlab.models.registry import build_model

LOGITS = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.0, -3.0]])
PRESENT = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])


def test_all_labels_present_it_is_the_mean_cross_entropy():
    expected = -Bernoulli(logits=LOGITS).log_prob(PRESENT).mean()
    torch.testing.assert_close(attribute_loss(LOGITS, PRESENT), expected)


def test_missing_labels_count_for_nothing():
    missing = torch.tensor([[1.0, -1.0, 1.0], [-1.0, 1.0, -1.0]])
    kept = [(0, 0), (0, 2), (1, 1)]
    expected = torch.stack([-Bernoulli(logits=LOGITS[i, j]).log_prob(PRESENT[i, j]) for i, j in kept]).mean()
    torch.testing.assert_close(attribute_loss(LOGITS, missing), expected)
    logits = LOGITS.clone().requires_grad_()
    attribute_loss(logits, missing).backward()
    assert (logits.grad != 0.0).tolist() == [[True, False, True], [False, True, False]]


def test_no_labels_at_all_are_no_loss():
    logits = LOGITS.clone().requires_grad_()
    loss = attribute_loss(logits, torch.full((2, 3), -1.0))
    loss.backward()
    assert loss.item() == 0.0
    assert logits.grad.abs().max() == 0.0
    assert attribute_accuracy(LOGITS, torch.full((2, 3), -1.0)).item() == 0.0


@pytest.mark.parametrize("attributes", [1, 2, 40])
def test_the_weight_means_the_same_for_any_number_of_attributes(attributes: int):
    """Forty attributes that are read equally badly cost what one does: a mean, where a sum would cost 40 times."""
    logits, labels = torch.full((5, attributes), -1.3), torch.ones(5, attributes)
    torch.testing.assert_close(attribute_loss(logits, labels), -Bernoulli(logits=-1.3).log_prob(torch.ones(())))


def test_accuracy_counts_present_labels():
    labels = torch.tensor([[1.0, 1.0, -1.0], [0.0, -1.0, 0.0]])
    assert attribute_accuracy(LOGITS, labels).item() == pytest.approx(2 / 4)


def step_of(names: tuple[str, ...] = ("bald", "smiling"), a_BA: torch.Tensor | None = None, **settings: object):
    info = dataclasses.replace(make_info("vaegan", **settings), attribute_names=names)
    model = build_model(info, seed=0)
    context = make_context(model)
    labels = torch.tensor([[1.0, 0.0], [0.0, -1.0]] * 4) if a_BA is None else a_BA
    return model, model.training_step(Batch(blobs(8), None, a_BA=labels), context)


@pytest.mark.parametrize("order", ["together", "sequential"])
def test_the_share_is_what_the_weighted_attributes_make_up(order: str):
    _, metrics = step_of(attribute_weight=0.5, update_order=order)
    game = sum(metrics[name] for name in ("d_real", "d_recon", "d_fake"))
    weighted = 0.5 * metrics["attributes"]
    torch.testing.assert_close(metrics["attribute_share"], weighted / (game + weighted))
    assert 0.0 <= metrics["attribute_accuracy"] <= 1.0


def test_the_share_counts_the_penalty_too():
    _, metrics = step_of(attribute_weight=0.5, r1_weight=50.0)
    game = sum(metrics[name] for name in ("d_real", "d_recon", "d_fake")) + 25.0 * metrics["r1"]
    weighted = 0.5 * metrics["attributes"]
    torch.testing.assert_close(metrics["attribute_share"], weighted / (game + weighted))


def test_off_by_default_and_silent_without_labels():
    assert "attributes" not in step_of()[1]
    assert "attributes" not in step_of((), attribute_weight=1.0)[1]


def test_the_discriminator_learns_to_read_them():
    """An attribute that is the picture's half: after training it is read rightly, and the weight is what did it."""
    info = dataclasses.replace(
        make_info("vaegan", attribute_weight=2.0, lr=5e-3, discriminator_width=8), attribute_names=("right",)
    )
    model = build_model(info, seed=0)
    context = make_context(model)
    images = blobs(32)
    middle = torch.linspace(0, 1, 16)
    column = (images * middle).sum(dim=(1, 2, 3)) / images.sum(dim=(1, 2, 3))
    labels = (column > 0.5).float()[:, None]
    for step in range(80):
        context.step = step
        metrics = model.training_step(Batch(images, None, a_BA=labels), context)
    assert metrics["attribute_accuracy"] > 0.9
