"""A discriminator with the rules of one step: what it is shown, what it is told, and what follows for whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from latentlab.models.adversarial import (
    blurred,
    fake_losses,
    generator_losses,
    labels_for,
    real_losses,
    squared_gradient,
)
from latentlab.models.base import StepContext


class Referee:
    """The rules of the step in ``context``. Labels are drawn once per step.

    Parameters
    ----------
    context
        The step; all randomness comes from its generator.
    images
        This step's real images, (B, C, H, W); as many labels are drawn.
    """

    def __init__(self, context: StepContext, images: Tensor) -> None:
        self._context = context
        self._gan_loss = context.objective.gan_loss
        self._labels = labels_for(context.objective, context, images)

    @property
    def pairs(self) -> bool:
        """Whether only differences between a real and a fake image have a meaning."""
        return self._gan_loss == "relativistic"

    def shown(self, x_BCHW: Tensor) -> Tensor:
        """Return images as the discriminator sees them: with instance noise."""
        return blurred(x_BCHW, self._context)

    def real(self, real_B: Tensor) -> dict[str, Tensor]:
        """Return the discriminator's loss on real images, by the name of its metric."""
        return real_losses(real_B, self._gan_loss, self._labels)

    def fakes(self, real_B: Tensor | None, fakes: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the discriminator's loss on each kind of fake."""
        return fake_losses(real_B, fakes, self._gan_loss, self._labels)

    def generated(self, real_B: Tensor | None, fakes: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the decoder's loss on each kind of fake; whoever makes them is never told noisy labels."""
        return generator_losses(real_B, fakes, self._gan_loss)

    def penalty(self, logit_of: Callable[[Tensor], Tensor], x_BCHW: Tensor) -> tuple[dict[str, Tensor], Tensor | None]:
        """Return the metric ``r1`` and the penalty to add to the discriminator's loss, where it is due.

        ``logit_of`` maps images to logits (B,). The penalty is r1_weight / 2 times the squared gradient
        (Mescheder et al. 2018), in every ``r1_every``-th step and that many times as strong (Karras et al. 2020).
        """
        objective = self._context.objective
        if objective.r1_weight == 0.0 or self._context.step % objective.r1_every:
            return {}, None
        # In float32: the gradient of a gradient squares the rounding of bfloat16.
        with torch.autocast(x_BCHW.device.type, enabled=False):
            images = x_BCHW.detach().requires_grad_()
            r1 = squared_gradient(logit_of(images), images)
        return {"r1": r1}, 0.5 * objective.r1_weight * objective.r1_every * r1
