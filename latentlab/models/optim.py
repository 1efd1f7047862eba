"""Optimisers: Adam, one per group of parameters."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from latentlab.core.recipe import TrainingConfig
from latentlab.models.base import LatentModel

# Adversarial training oscillates with the usual momentum of 0.9 (Radford et al. 2016).
ADVERSARIAL_BETAS = (0.5, 0.999)
USUAL_BETAS = (0.9, 0.999)


def build_optimizers(model: LatentModel, training: TrainingConfig) -> dict[str, torch.optim.Optimizer]:
    """Return Adam for each of the model's parameter groups, by name; on the device the model is on.

    The group ``discriminator`` uses ``training.discriminator_lr`` when that is set.
    """
    groups = model.parameter_groups()
    betas = ADVERSARIAL_BETAS if "discriminator" in groups else USUAL_BETAS
    return {
        name: torch.optim.Adam(parameters, lr=learning_rate(name, training), betas=betas, fused=True)
        for name, parameters in groups.items()
    }


def learning_rate(group: str, training: TrainingConfig, step: int = 0) -> float:
    """Return the learning rate of one group of parameters at ``step``.

    With the cosine schedule it falls as (1 + cos(pi step / steps)) / 2 (Loshchilov & Hutter 2017, one period).
    """
    own = training.discriminator_lr if group == "discriminator" else None
    rate = training.lr if own is None else own
    if training.lr_schedule == "constant":
        return rate
    return rate * 0.5 * (1.0 + math.cos(math.pi * min(step / training.steps, 1.0)))


def set_learning_rates(optimizers: dict[str, torch.optim.Optimizer], training: TrainingConfig, step: int = 0) -> None:
    """Give running optimisers the learning rates of ``step``."""
    for name, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(name, training, step)


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step down the gradient of ``loss``."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
