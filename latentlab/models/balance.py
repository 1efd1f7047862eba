"""Who may move: rests that keep the game even, decided and carried out on the device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentlab.core.recipe import ObjectiveConfig


class Rests(NamedTuple):
    """1 where a network does not move in this step, 0 where it does; float32 scalars on the device."""

    discriminator: Tensor
    decoder: Tensor


def rests(margins: Mapping[str, Tensor], objective: ObjectiveConfig) -> Rests | None:
    """Decide who rests, by the margins ``adversarial.verdicts`` returns; None where the equilibrium is off.

    The rule of Larsen et al.'s own program: with e the equilibrium and m its margin, the discriminator
    rests where its loss on any kind of image, -log sigmoid(margin), is below e - m, the decoder where one is
    above e + m. Where both would rest, both move.
    """
    if objective.equilibrium == 0.0 or not margins:
        return None
    losses = torch.stack([F.softplus(-margin_B.detach()).mean() for margin_B in margins.values()])
    strong = (losses < objective.equilibrium - objective.equilibrium_margin).any()
    weak = (losses > objective.equilibrium + objective.equilibrium_margin).any()
    return Rests((strong & ~weak).float(), (weak & ~strong).float())


def backward(loss: Tensor, parameters: Iterable[nn.Parameter], *, keep: bool = False) -> None:
    """Give these parameters the gradient of ``loss``, and no others; ``keep`` the graph for another loss."""
    if not loss.requires_grad:
        return  # A constant: nobody has anything to learn from it.
    # Weights outside ``inputs`` receive nothing, and their gradients are not even computed.
    torch.autograd.backward(loss, inputs=list(parameters), retain_graph=keep)


def step(optimizer: torch.optim.Optimizer, rest: Tensor | None = None) -> None:
    """Take a step, or none at all where ``rest`` is 1: weights, moments and step count then stay as they are.

    It is the device that looks at ``rest``, by the means with which fused optimisers skip a step whose
    gradients overflowed. Gradients of zero would not do: momentum would still move the weights.
    """
    if rest is None:
        optimizer.step()
        return
    optimizer.found_inf = rest  # type: ignore[attr-defined]
    try:
        optimizer.step()
    finally:
        del optimizer.found_inf  # type: ignore[attr-defined]
