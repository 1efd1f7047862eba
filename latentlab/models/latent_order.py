"""An order of importance among latent dimensions, for KLD budgets far below a nat per dimension."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LatentOrder(nn.Module):
    """Scales dimension j by exp(-j / decay).

    R nats in one dimension leave exp(-2 R) of a Gaussian signal's variance; spread over many dimensions, each of
    which is almost all noise, they leave 1 / (1 + 2 R). Networks that start with all dimensions alike end in the
    second state, because Adam moves all their weights equally fast, and leave it only slowly. Dimensions that are
    heard less well from the start fall silent instead, and the budget goes to the first ones.
    """

    scale_D: Tensor

    def __init__(self, latent_dim: int, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("scale_D", torch.ones(latent_dim))

    def reset_buffers(self) -> None:
        """Compute the scales, which never change."""
        self.scale_D.copy_(torch.exp(-torch.arange(len(self.scale_D)) / self.decay))

    def forward(self, z_BD: Tensor) -> Tensor:
        """Return ``z_BD`` with its dimensions scaled, float32."""
        return z_BD.float() * self.scale_D
