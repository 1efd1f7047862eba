from __future__ import annotations

import pytest
import torch
from model_builders import make

from latentlab.core.recipe import TrainingConfig
from latentlab.models.optim import build_optimizers, learning_rate, set_learning_rates, update


@pytest.mark.parametrize("kind", ["ae", "vae", "cvae", "vaegan"])
def test_every_weight_belongs_to_exactly_one_optimiser(kind: str):
    model, context = make(kind)
    held = [id(p) for o in context.optimizers.values() for group in o.param_groups for p in group["params"]]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in model.parameters()}


def test_learning_rates_change_live_and_keep_the_moments():
    model, _ = make("vaegan")
    optimizers = build_optimizers(model, TrainingConfig(lr=1e-3))
    assert {o.param_groups[0]["lr"] for o in optimizers.values()} == {1e-3}
    set_learning_rates(optimizers, TrainingConfig(lr=5e-4, discriminator_lr=2e-4))
    rates = {name: o.param_groups[0]["lr"] for name, o in optimizers.items()}
    assert rates == {"encoder": 5e-4, "decoder": 5e-4, "discriminator": 2e-4}


def test_one_update_is_adams_first_step():
    """Kingma & Ba 2015: the first step has length lr along the sign of the gradient."""
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = torch.optim.Adam([weight], lr=0.1, fused=True)
    update(optimizer, (weight * torch.tensor([3.0, -0.5])).sum())
    torch.testing.assert_close(weight.detach(), torch.tensor([0.9, -1.9]))


def test_the_cosine_schedule_falls_from_the_full_rate_to_nothing() -> None:
    training = TrainingConfig(lr=0.02, discriminator_lr=0.01, lr_schedule="cosine", steps=100)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(
        torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.02), T_max=100
    )
    for step in range(101):
        assert learning_rate("main", training, step) == pytest.approx(reference.get_last_lr()[0], abs=1e-9)
        assert learning_rate("discriminator", training, step) == pytest.approx(
            0.5 * learning_rate("main", training, step)
        )
        reference.optimizer.step()
        reference.step()
    assert learning_rate("main", training, 500) == 0.0
    assert learning_rate("main", TrainingConfig(lr=0.02), 77) == 0.02
