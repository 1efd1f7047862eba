"""Optimisers: Adam, one per group of parameters."""

from __future__ import annotations

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


def learning_rate(group: str, training: TrainingConfig) -> float:
    """Return the learning rate of one group of parameters."""
    own = training.discriminator_lr if group == "discriminator" else None
    return training.lr if own is None else own


def set_learning_rates(optimizers: dict[str, torch.optim.Optimizer], training: TrainingConfig) -> None:
    """Adopt changed learning rates in running optimisers."""
    for name, optimizer in optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(name, training)


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step down the gradient of ``loss``."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
