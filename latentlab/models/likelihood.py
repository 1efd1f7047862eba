"""Negative log-likelihood of each image on its own, where an average over the batch will not do.

The same likelihoods as ``latentlab.models.reconstruction``, which averages; a semi-supervised model weighs each
image by the probability of a class instead. R is the number of rows: images times classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.reconstruction import LOG_2PI, MIN_LOG_SIGMA


def image_nll(logits_RCHW: Tensor, x_RCHW: Tensor, objective: ObjectiveConfig, weight_R: Tensor) -> Tensor:
    """Return -log p(x) of each row under the likelihood that ``objective.reconstruction`` names, (R,) nats.

    Parameters
    ----------
    logits_RCHW, x_RCHW
        Decoder output before the sigmoid (any float type) and images in [0,1], float32.
    weight_R
        Weights that sum to 1. Only ``optimal-gaussian`` needs them: its sigma^2 is the weighted mean square error.
    """
    logits, elements = logits_RCHW.float(), x_RCHW[0].numel()
    if objective.reconstruction == "bernoulli":
        return _per_row(F.binary_cross_entropy_with_logits(logits, x_RCHW, reduction="none"))
    mean = logits.sigmoid()
    if objective.reconstruction == "l1":
        scale = objective.sigma / math.sqrt(2.0)
        return _per_row((mean - x_RCHW).abs()) / scale + elements * math.log(2.0 * scale)
    squares_R = _per_row((mean - x_RCHW).square())
    if objective.reconstruction in ("gaussian", "unit-gaussian"):
        sigma = objective.likelihood_sigma
        return 0.5 * squares_R / sigma**2 + elements * (math.log(sigma) + 0.5 * LOG_2PI)
    with torch.no_grad():
        log_sigma = (0.5 * ((weight_R * squares_R).sum() / elements).log()).clamp(min=MIN_LOG_SIGMA)
    return 0.5 * squares_R * (-2.0 * log_sigma).exp() + elements * (log_sigma + 0.5 * LOG_2PI)


def diagonal_gaussian_nll(x_RF: Tensor, mean_RF: Tensor, logvar_RF: Tensor) -> Tensor:
    """Return -log N(x; mean, diag exp(logvar)) of each row, (R,) nats."""
    squares_RF = (x_RF - mean_RF).square() * (-logvar_RF).exp()
    return 0.5 * (squares_RF + logvar_RF + LOG_2PI).sum(dim=1)


def _per_row(values: Tensor) -> Tensor:
    return values.flatten(1).sum(dim=1)
