"""Batch norm at the end of an encoder, as in Part 4 of the splatoon texts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentlab.core.recipe_model import ModelConfig


class LatentNorm(nn.Module):
    """An encoder whose posterior means pass through batch norm before anything else sees them.

    Each dimension of the mean then has, over a batch, the mean and the scale that the norm learns, so that
    no latent can wander off. In train mode the posterior of an image therefore depends on its batch; in eval
    mode the running moments take the batch's place. Log variances are left alone.
    """

    def __init__(self, encoder: nn.Module, latent_dim: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.norm = nn.BatchNorm1d(latent_dim)

    def forward(self, x_BCHW: Tensor, class_BK: Tensor | None = None) -> Tensor:
        """Return the encoder's (B, outputs), the first ``latent_dim`` of them normalised, float32."""
        statistics_BE = self.encoder(x_BCHW, class_BK).float()
        mean_BD = self.norm(statistics_BE[:, : self.norm.num_features])
        return torch.cat([mean_BD, statistics_BE[:, self.norm.num_features :]], dim=1)


def with_latent_norm(encoder: nn.Module, model: ModelConfig) -> nn.Module:
    """Return an encoder of posteriors as it is, or with batch norm where ``model.latent_batch_norm`` asks for it."""
    return LatentNorm(encoder, model.latent_dim) if model.latent_batch_norm else encoder
