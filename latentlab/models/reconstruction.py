"""Negative log-likelihoods of pixels: nats per image, summed over the image, averaged over the batch.

All take the decoder's LOGITS and compute in float32; the mean of the pixels is sigmoid(logits).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from latentlab.core.recipe import ObjectiveConfig

LOG_2PI = math.log(2.0 * math.pi)
# exp(-6) is a quarter of a percent of the image range: a smaller sigma only magnifies rounding (Rybkin et al. 2021).
MIN_LOG_SIGMA = -6.0


class PixelLoss(NamedTuple):
    """``nll``: nats per image, with gradient. ``pixel``: MSE per element in [0,1] units, detached."""

    nll: Tensor
    pixel: Tensor


def mean_squared_error(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean over all elements of (a - b)^2.

    The gradient of a sum keeps the memory format; that of a mean, or of ``F.mse_loss``, does not, and the
    activations of channels_last networks then run backward many times slower on the CPU.
    """
    return (a - b).square().sum() / a.numel()


def bernoulli_nll(logits_BCHW: Tensor, x_BCHW: Tensor) -> Tensor:
    """Return -log Bernoulli(x; sigmoid(logits)) per image; for grey levels, the cross-entropy."""
    return F.binary_cross_entropy_with_logits(logits_BCHW, x_BCHW, reduction="sum") / len(x_BCHW)


def gaussian_nll(mse: Tensor, elements: int, sigma: float) -> Tensor:
    """Return -log N(x; mean, sigma^2) per image of ``elements`` pixels from the MSE, constants included."""
    return elements * (0.5 * mse / sigma**2 + math.log(sigma) + 0.5 * LOG_2PI)


def optimal_gaussian_nll(mse: Tensor, elements: int) -> Tensor:
    """Return the Gaussian NLL at its best sigma, sigma^2 = MSE of the batch (sigma-VAE, Rybkin et al. 2021, eq. 7).

    At the optimum the derivative by sigma vanishes, so sigma may be held constant in the gradient.
    """
    log_sigma = (0.5 * mse.detach().log()).clamp(min=MIN_LOG_SIGMA)
    return elements * (0.5 * mse * (-2.0 * log_sigma).exp() + log_sigma + 0.5 * LOG_2PI)


def laplace_nll(mean_absolute_error: Tensor, elements: int, sigma: float) -> Tensor:
    """Return -log Laplace(x; mean, b) per image, with b = sigma / sqrt(2) so that sigma is the standard deviation."""
    scale = sigma / math.sqrt(2.0)
    return elements * (mean_absolute_error / scale + math.log(2.0 * scale))


def pixel_loss(logits_BCHW: Tensor, x_BCHW: Tensor, objective: ObjectiveConfig) -> PixelLoss:
    """Return the likelihood that ``objective.reconstruction`` names, and the pixel MSE beside it.

    Parameters
    ----------
    logits_BCHW, x_BCHW
        Decoder output before the sigmoid (any float type) and images in [0,1], float32.
    objective
        ``reconstruction`` and, for gaussian and l1, ``likelihood_sigma``.
    """
    logits = logits_BCHW.float()
    elements = x_BCHW[0].numel()
    if objective.reconstruction == "bernoulli":
        with torch.no_grad():
            mse = mean_squared_error(logits.sigmoid(), x_BCHW)
        return PixelLoss(bernoulli_nll(logits, x_BCHW), mse)
    mean = logits.sigmoid()
    mse = mean_squared_error(mean, x_BCHW)
    if objective.reconstruction in ("gaussian", "unit-gaussian"):
        nll = gaussian_nll(mse, elements, objective.likelihood_sigma)
    elif objective.reconstruction == "optimal-gaussian":
        nll = optimal_gaussian_nll(mse, elements)
    else:
        nll = laplace_nll(F.l1_loss(mean, x_BCHW, reduction="sum") / x_BCHW.numel(), elements, objective.sigma)
    return PixelLoss(nll, mse.detach())
