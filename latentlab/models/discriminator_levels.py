"""What discriminators are made of: one level after the other, each at half the resolution of the one before."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from latentlab.core.recipe_model import NormName
from latentlab.models.dense_block import DenseBlock
from latentlab.models.layers import NEGATIVE_SLOPE, ImageShape, activation, downsampled, level_channels, norm_layer

Downsampling = Literal["stride", "average", "max"]
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


def halving(inputs: int, outputs: int, how: Downsampling, *, bias: bool) -> list[nn.Module]:
    """Return a convolution to half the resolution, rounded up: strided, or followed by pooling."""
    if how == "stride":
        return [EvenPadding(), nn.Conv2d(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=bias)]
    pool = nn.AvgPool2d if how == "average" else nn.MaxPool2d
    return [nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=bias), pool(2, ceil_mode=True)]


def conv_levels(shape: ImageShape, width: int, norm: NormName, how: Downsampling, *, dense: bool) -> list[Level]:
    """Return strided convolutions (Radford et al. 2016), followed by dense blocks where asked for.

    The first level has neither norm nor dense block, unless it is the only one: they would cost there as much as
    in all others together.
    """
    channels = [shape[2], *level_channels(width, len(downsampled(*shape[:2])) - 1)]
    levels = []
    for i, (inputs, outputs) in enumerate(pairwise(channels)):
        blocks = [DenseBlock(outputs, norm)] if dense and (i > 0 or len(channels) == 2) else []
        normed = norm != "none" and (i > 0 or bool(blocks))
        after = [norm_layer(norm, outputs)] if normed else []
        body = [*halving(inputs, outputs, how, bias=not normed), *blocks, *after]
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
