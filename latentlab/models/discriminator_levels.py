"""What discriminators are made of: one level after the other, each at half the resolution of the one before."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from latentlab.core.recipe_model import NormName
from latentlab.models.layers import NEGATIVE_SLOPE, ImageShape, activation, downsampled, level_channels, norm_layer

Downsampling = Literal["stride", "average", "max"]
DENSE_LAYERS = 3
SPLATOON_WIDENING = (1, 4, 8, 8)
"""Channels of the splatoon text's four convolutions, in units of the first one's 32."""


class Level(nn.Module):
    """Convolutions and norms, whose output can be matched as it is, and the non-linearity behind them."""

    def __init__(self, body: nn.Module, nonlinearity: nn.Module | None) -> None:
        super().__init__()
        self.body = body
        self.nonlinearity = nonlinearity

    def forward(self, h_BCHW: Tensor, *, activated: bool = True) -> tuple[Tensor, Tensor]:
        """Return the level's features, after or before the non-linearity, and what the next level sees."""
        before_BCHW: Tensor = self.body(h_BCHW)
        if self.nonlinearity is None:
            return before_BCHW, before_BCHW
        if activated:  # In place, which saves the memory of a copy.
            after_BCHW = self.nonlinearity(before_BCHW)
            return after_BCHW, after_BCHW
        slope = NEGATIVE_SLOPE if isinstance(self.nonlinearity, nn.LeakyReLU) else 0.0
        return before_BCHW, nn.functional.leaky_relu(before_BCHW, slope)


class EvenPadding(nn.Module):
    """Adds a row or a column to odd sides, so that a stride of 2 loses none."""

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return images of even sides."""
        height, width = x_BCHW.shape[-2:]
        return nn.functional.pad(x_BCHW, (0, width % 2, 0, height % 2)) if height % 2 or width % 2 else x_BCHW


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


def halving(inputs: int, outputs: int, how: Downsampling, *, bias: bool) -> list[nn.Module]:
    """Return a convolution to half the resolution, rounded up: strided, or followed by pooling."""
    if how == "stride":
        return [EvenPadding(), nn.Conv2d(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=bias)]
    pool = nn.AvgPool2d if how == "average" else nn.MaxPool2d
    return [nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=bias), pool(2, ceil_mode=True)]


def conv_levels(shape: ImageShape, width: int, norm: NormName, how: Downsampling, *, dense: bool) -> list[Level]:
    """Return strided convolutions (Radford et al. 2016), each followed by a dense block where asked for."""
    channels = [shape[2], *level_channels(width, len(downsampled(*shape[:2])) - 1)]
    levels = []
    for i, (inputs, outputs) in enumerate(pairwise(channels)):
        # The first layer has no norm (Radford et al. 2016), unless a dense block stands between the two.
        normed = norm != "none" and (i > 0 or dense)
        body = halving(inputs, outputs, how, bias=not normed)
        body += [DenseBlock(outputs, norm)] if dense else []
        body += [norm_layer(norm, outputs)] if normed else []
        levels.append(Level(nn.Sequential(*body), activation()))
    return levels


def splatoon_levels(shape: ImageShape, width: int, norm: NormName, how: Downsampling) -> list[Level]:
    """Return the splatoon text's convolutions: 5x5, reflected borders, and no non-linearity but the last.

    The first keeps the resolution, the other three halve it. The text's have no norms between them.
    """
    channels = [shape[2], *(width * factor for factor in SPLATOON_WIDENING)]
    levels = []
    for i, (inputs, outputs) in enumerate(pairwise(channels)):
        stride = 2 if i > 0 and how == "stride" else 1
        body: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, 5, stride, padding=2, bias=norm == "none", padding_mode="reflect")
        ]
        if i > 0 and how != "stride":
            body.append((nn.AvgPool2d if how == "average" else nn.MaxPool2d)(2, ceil_mode=True))
        body += [norm_layer(norm, outputs)] if norm != "none" else []
        levels.append(Level(nn.Sequential(*body), nn.ReLU() if i == len(SPLATOON_WIDENING) - 1 else None))
    return levels
