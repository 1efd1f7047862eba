"""Adversarial terms: binary cross-entropy on logits, in nats, averaged over the batch (Goodfellow et al. 2014)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def judged_real(logit_B: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the loss of saying "real": -log D, the non-saturating form for generators.

    With ``smoothing`` s the label is 1 - s (one-sided label smoothing, Salimans et al. 2016).
    """
    return F.binary_cross_entropy_with_logits(logit_B, torch.full_like(logit_B, 1.0 - smoothing))


def judged_fake(logit_B: Tensor) -> Tensor:
    """Return the loss of saying "fake": -log(1 - D)."""
    return F.softplus(logit_B).mean()
