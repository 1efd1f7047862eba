"""Binary attributes read from images: averaged over attributes and over the labels that are there."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def attribute_loss(logit_BA: Tensor, a_BA: Tensor) -> Tensor:
    """Return the cross-entropy in nats, averaged over all labels that are present; 0 where none is.

    A mean, so that its weight means the same for 2 attributes and for 40. Summed over attributes, the loss
    would weigh as many times more (the faces text's mistake).

    Parameters
    ----------
    logit_BA
        What the discriminator says, float32.
    a_BA
        1 present, 0 absent, -1 missing.
    """
    known_BA = (a_BA >= 0.0).float()
    loss_BA = F.binary_cross_entropy_with_logits(logit_BA, a_BA.clamp(min=0.0), reduction="none")
    return (known_BA * loss_BA).sum() / known_BA.sum().clamp(min=1.0)


def attribute_accuracy(logit_BA: Tensor, a_BA: Tensor) -> Tensor:
    """Return the share of the present labels that the sign of the logit gets right; 0 where none is."""
    right_BA = ((logit_BA > 0.0) == (a_BA > 0.5)) & (a_BA >= 0.0)
    return right_BA.sum() / (a_BA >= 0.0).sum().clamp(min=1)
