from __future__ import annotations

import math

import pytest
import torch
from model_builders import batch, blobs, make, train
from torch import nn

from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.balance import rests, step

EVEN = ObjectiveConfig(equilibrium=0.68, equilibrium_margin=0.35)


def margin(loss: float) -> torch.Tensor:
    """Return the logit margin at which -log sigmoid(margin) is ``loss``."""
    return torch.tensor([-math.log(math.expm1(loss))])


@pytest.mark.parametrize(
    ("real", "fake", "expected"),
    [
        (0.68, 0.68, (0.0, 0.0)),
        (0.2, 0.68, (1.0, 0.0)),
        (0.68, 0.2, (1.0, 0.0)),
        (1.2, 0.68, (0.0, 1.0)),
        (0.68, 1.2, (0.0, 1.0)),
        (0.2, 1.2, (0.0, 0.0)),
    ],
)
def test_the_published_rule(real: float, fake: float, expected: tuple[float, float]):
    """Discriminator winning: it rests. Losing: the decoder rests. Both at once: both move."""
    decided = rests({"real": margin(real), "fake": margin(fake)}, EVEN)
    assert (decided.discriminator.item(), decided.decoder.item()) == expected


def test_without_an_equilibrium_nobody_rests():
    assert rests({"real": margin(0.01)}, ObjectiveConfig()) is None
    assert rests({}, EVEN) is None


def fresh() -> tuple[nn.Parameter, torch.optim.Optimizer]:
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    return weight, torch.optim.Adam([weight], lr=0.1, fused=True)


def test_who_rests_does_not_move_at_all():
    """As if the step had never been: weights, moments and count, although gradient and momentum are there."""
    (weight, optimizer), (twin, twins) = fresh(), fresh()
    for rest in (0.0, 1.0, 0.0, 1.0, 1.0, 0.0):
        for parameter in (weight, twin):
            parameter.grad = torch.tensor([0.3, -1.0])
        step(optimizer, torch.tensor(rest))
        if rest == 0.0:
            twins.step()
    assert torch.equal(weight, twin)
    assert all(torch.equal(optimizer.state[weight][k], twins.state[twin][k]) for k in twins.state[twin])


def moved(**settings: object) -> tuple[set[str], dict[str, float]]:
    """Return which networks the second step moves, and its metrics."""
    model, context = make("vaegan", **settings)
    train(model, context, blobs(8), 1)
    before = {name: [p.clone() for p in parameters] for name, parameters in model.parameter_groups().items()}
    context.step = 1
    metrics = model.training_step(batch(), context)
    groups = model.parameter_groups()
    changed = {n for n, ps in groups.items() if any(not torch.equal(a, b) for a, b in zip(ps, before[n], strict=True))}
    return changed, {name: value.item() for name, value in metrics.items()}


@pytest.mark.parametrize("order", ["together", "sequential"])
@pytest.mark.parametrize("gan_loss", ["non-saturating", "hinge", "relativistic"])
def test_a_step_of_the_model_obeys(order: str, gan_loss: str):
    common = {"gan_loss": gan_loss, "update_order": order, "equilibrium_margin": 0.0}
    # A fresh discriminator's losses lie about ln 2: far below 5, far above 0.01.
    winning, metrics = moved(equilibrium=5.0, **common)
    assert "discriminator" not in winning
    assert {"encoder", "decoder"} <= winning
    assert (metrics["d_updates"], metrics["g_updates"]) == (0.0, 1.0)
    losing, metrics = moved(equilibrium=0.01, feature_weight=0.0, **common)
    assert "discriminator" in losing
    assert (metrics["d_updates"], metrics["g_updates"]) == (1.0, 0.0)
    if order == "together":
        assert "decoder" not in losing


def test_update_rates_are_reported_only_where_they_may_change():
    assert "d_updates" not in moved()[1]
