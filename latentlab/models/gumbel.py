"""Samples of a class that let a gradient through: the Gumbel-softmax, soft and straight-through.

Jang et al. 2017, "Categorical Reparameterization with Gumbel-Softmax"; Maddison et al. 2017 call it the concrete
distribution. Shape suffixes: B batch, K classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from latentlab.core.recipe_semi import SemiSupervisedSettings

# The smallest normal float32: an exponential draw may round to 0, whose logarithm is infinite.
SMALLEST = torch.finfo(torch.float32).tiny


def temperature(objective: SemiSupervisedSettings, step: int) -> float:
    """Return the temperature of training step ``step``: max(minimum, start exp(-rate t)) (Jang et al. 2017, section 4).

    t is the last multiple of ``temperature_every`` that is not after ``step``: the temperature falls in stairs.
    """
    t = step - step % objective.temperature_every
    falling = objective.temperature_start * math.exp(-objective.temperature_rate * t)
    return max(objective.temperature_minimum, falling)


def gumbel_softmax(log_q_BK: Tensor, tau: Tensor | float, generator: torch.Generator) -> Tensor:
    """Return soft classes (B, K), rows on the simplex: softmax((log q + g) / tau), g ~ Gumbel(0, 1) (eq. 2).

    The largest share falls on class k with probability q_k whatever ``tau`` > 0; the smaller ``tau``, the closer
    a row is to one-hot. ``log_q_BK`` may be off by a constant per row.
    """
    exponential_BK = torch.empty_like(log_q_BK).exponential_(generator=generator)
    gumbel_BK = -exponential_BK.clamp(min=SMALLEST).log()
    return ((log_q_BK + gumbel_BK) / tau).softmax(dim=1)


def averaged_softmax(
    log_q_BK: Tensor, hard_BK: Tensor, tau: Tensor | float, draws: int, generator: torch.Generator
) -> Tensor:
    """Return the soft classes (B, K) averaged over ``draws`` noises that all lead to the classes ``hard_BK``.

    Straight through it, the gradient is on average that of one draw, and varies less: the class that the decoder
    saw is kept, and the noise around it is averaged away (Paulus et al. 2021, "Rao-Blackwellizing the
    Straight-Through Gumbel-Softmax Gradient Estimator", eqs. 9 and 10). It costs K numbers an image and draw.

    Parameters
    ----------
    log_q_BK
        Normalised logarithms, of at most 0.
    hard_BK
        One-hot classes, which the largest of log q + g fell on.
    """
    fixed_BK, taken_BK = log_q_BK.detach(), hard_BK.detach().bool()
    exponential_NBK = torch.empty((draws, *log_q_BK.shape), device=log_q_BK.device).exponential_(generator=generator)
    log_NBK = exponential_NBK.clamp(min=SMALLEST).log()
    # The largest is Gumbel(0), as the q sum to 1; each other one is Gumbel(log q) below it.
    largest_NB1 = log_NBK[:, taken_BK].unsqueeze(2)
    perturbed_NBK = -torch.where(taken_BK, log_NBK, torch.logaddexp(log_NBK - fixed_BK, largest_NB1))
    noise_NBK = perturbed_NBK - fixed_BK
    return ((log_q_BK + noise_NBK) / tau).softmax(dim=2).mean(dim=0)


def straight_through(soft_BK: Tensor) -> Tensor:
    """Return one-hot rows, 1 at the largest share, whose gradient is that of the soft rows (section 2.2)."""
    hard_BK = F.one_hot(soft_BK.argmax(dim=1), soft_BK.shape[1]).to(soft_BK.dtype)
    # The difference is exactly 0, and so the sum exactly one-hot; hard - soft + soft would round.
    return hard_BK + (soft_BK - soft_BK.detach())


def entropy(log_q_BK: Tensor) -> Tensor:
    """Return H(q) = -sum_y q(y) log q(y) of each row of normalised logarithms, (B,) nats."""
    return -(log_q_BK.exp() * log_q_BK).sum(dim=1)
