"""Densely connected convolutions, for networks through which the gradient must flow."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentlab.core.recipe_model import NormName
from latentlab.models.layers import NEGATIVE_SLOPE, norm_layer

DENSE_LAYERS = 3


class DenseBlock(nn.Module):
    """Layers that each see what all before them made (DenseNet, Huang et al. 2017), and a 1x1 convolution."""

    def __init__(self, channels: int, norm: NormName) -> None:
        super().__init__()
        growth = max(4, channels // 2)
        self.layers = nn.ModuleList(
            nn.Sequential(
                norm_layer(norm, inputs),
                nn.LeakyReLU(NEGATIVE_SLOPE),
                nn.Conv2d(inputs, growth, kernel_size=3, padding=1, bias=norm == "none"),
            )
            for inputs in range(channels, channels + DENSE_LAYERS * growth, growth)
        )
        self.transition = nn.Conv2d(channels + DENSE_LAYERS * growth, channels, kernel_size=1, bias=norm == "none")

    def forward(self, h_BCHW: Tensor) -> Tensor:
        """Return features of the same shape."""
        for layer in self.layers:
            h_BCHW = torch.cat([h_BCHW, layer(h_BCHW)], dim=1)
        result: Tensor = self.transition(h_BCHW)
        return result
