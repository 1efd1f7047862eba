"""The discriminator, whose inner features measure how alike two images are."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from latentlab.models.layers import (
    HalveResolution,
    ImageShape,
    OutputLinear,
    activation,
    downsampled,
    level_channels,
)
from latentlab.models.reconstruction import mean_squared_error


class Judgement(NamedTuple):
    """``logit_B``: positive for real, float32. ``features``: one (B, C, H, W) per level, finest first."""

    logit_B: Tensor
    features: list[Tensor]


class Discriminator(nn.Module):
    """Strided convolutions with norms per image, then one linear layer to a logit (Radford et al. 2016)."""

    def __init__(self, shape: ImageShape, width: int) -> None:
        super().__init__()
        sizes = downsampled(*shape[:2])
        channels = level_channels(width, len(sizes) - 1)
        self.levels = nn.ModuleList([nn.Sequential(HalveResolution(shape[2], channels[0], plain=True), activation())])
        self.levels.extend(HalveResolution(*pair) for pair in pairwise(channels))
        self.head = OutputLinear(channels[-1] * math.prod(sizes[-1]), 1)

    def forward(self, x_BCHW: Tensor) -> Judgement:
        """Judge images in [0,1]."""
        h_BCHW = x_BCHW * 2.0 - 1.0
        features = []
        for level in self.levels:
            h_BCHW = level(h_BCHW)
            features.append(h_BCHW)
        logit_B1: Tensor = self.head(h_BCHW.permute(0, 2, 3, 1).flatten(1))
        return Judgement(logit_B1.float().squeeze(1), features)


class FeatureMatching(nn.Module):
    """Distance of two images in the discriminator's features (Larsen et al. 2016, eq. 7, as a mean squared error).

    With ``normalise`` each level is divided by its running root mean square, so that a discriminator
    whose features grow cannot blow up the loss (the splatoon texts saw it grow 475-fold), and the
    levels weigh the same. The running values are buffers, moved by real images in train mode only.
    """

    DECAY = 0.99
    mean_square_L: Tensor

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.register_buffer("mean_square_L", torch.ones(levels))

    def reset_buffers(self) -> None:
        """Start every level at a root mean square of 1."""
        self.mean_square_L.fill_(1.0)

    def forward(self, real: list[Tensor], recon: list[Tensor], *, normalise: bool) -> Tensor:
        """Return the mean over levels of the mean squared error per feature, a float32 scalar.

        ``real`` is a constant: no gradient flows into it.
        """
        targets = [feature.detach().float() for feature in real]
        errors_L = torch.stack([mean_squared_error(b.float(), a) for a, b in zip(targets, recon, strict=True)])
        if not normalise:
            return errors_L.mean()
        current_L = torch.stack([target.square().mean() for target in targets])
        if self.training:
            self.mean_square_L = self.DECAY * self.mean_square_L + (1.0 - self.DECAY) * current_L
        return (errors_L / self.mean_square_L.clamp(min=1e-8)).mean()
