"""The discriminator, whose inner features measure how alike two images are."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from latentlab.core.recipe_model import ModelConfig, NormName
from latentlab.models.discriminator_levels import Downsampling, conv_levels, splatoon_levels
from latentlab.models.layers import ImageShape, OutputLinear, downsampled
from latentlab.models.spectral import normalise_spectrally

SPLATOON_HIDDEN = 16
"""Units of the splatoon text's hidden layer per channel of the first convolution: 512 for its 32."""


class Judgement(NamedTuple):
    """What a discriminator says of images.

    ``logit_B``: positive for real, float32. ``features``: one (B, C, H, W) per level, finest first.
    ``code_BN``: what the last layer sees. ``attribute_BA``: logits of the attributes, float32, where read.
    """

    logit_B: Tensor
    features: list[Tensor]
    code_BN: Tensor
    attribute_BA: Tensor | None = None


class Discriminator(nn.Module):
    """Levels of convolutions, then one linear layer to a logit, and one beside it to attributes.

    Parameters
    ----------
    shape
        Height, width and channels of the images.
    width
        Channels of the first level.
    network
        ``conv`` (Radford et al. 2016), ``dense`` (with DenseNet blocks), or ``splatoon``, the text's own.
    dropout
        Share of the last layer's inputs that are dropped in train mode, where a generator is given.
    attributes
        Number of binary attributes to read.
    """

    def __init__(
        self,
        shape: ImageShape,
        width: int,
        *,
        network: Literal["conv", "dense", "splatoon"] = "conv",
        norm: NormName = "group",
        downsampling: Downsampling = "stride",
        dropout: float = 0.0,
        attributes: int = 0,
    ) -> None:
        super().__init__()
        if network == "splatoon":
            levels = splatoon_levels(shape, width, norm, downsampling)
        else:
            levels = conv_levels(shape, width, norm, downsampling, dense=network == "dense")
        self.levels = nn.ModuleList(levels)
        self.channels, self.size = _last(shape, width, network)
        self.dropout = dropout
        inputs = self.channels * math.prod(self.size)
        self.hidden: nn.Module = nn.Identity()
        if network == "splatoon":
            hidden = SPLATOON_HIDDEN * width
            self.hidden, inputs = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU()), hidden
        self.head = OutputLinear(inputs, 1)
        self.attributes = OutputLinear(inputs, attributes) if attributes else None

    def forward(self, x_BCHW: Tensor, *, activated: bool = True, generator: torch.Generator | None = None) -> Judgement:
        """Judge images in [0,1].

        Parameters
        ----------
        activated
            Whether ``features`` are those after each level's non-linearity, or before.
        generator
            Randomness of the dropout; without it nothing is dropped.
        """
        h_BCHW = x_BCHW * 2.0 - 1.0
        features = []
        for level in self.levels:
            feature, h_BCHW = level(h_BCHW, activated=activated)
            features.append(feature)
        code_BN: Tensor = self.hidden(h_BCHW.permute(0, 2, 3, 1).flatten(1))
        if self.training and generator is not None:
            code_BN = dropped(code_BN, self.dropout, generator)
        logit_B1: Tensor = self.head(code_BN)
        attribute_BA = None if self.attributes is None else self.attributes(code_BN).float()
        return Judgement(logit_B1.float().squeeze(1), features, code_BN, attribute_BA)


def _last(shape: ImageShape, width: int, network: str) -> tuple[int, tuple[int, int]]:
    """Return channels and size of the last level's features."""
    if network == "splatoon":
        height, side = (-(-length // 8) for length in shape[:2])
        return 8 * width, (height, side)
    sizes = downsampled(*shape[:2])
    return width * min(2 ** (len(sizes) - 2), 8), sizes[-1]


def dropped(h_BN: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return ``h_BN`` with a share of its numbers at 0 and the rest scaled up (Srivastava et al. 2014)."""
    if share == 0.0:
        return h_BN
    keeps_BN = torch.rand(h_BN.shape, generator=generator, device=h_BN.device) >= share
    return h_BN * keeps_BN.to(h_BN.dtype) / (1.0 - share)


def build_discriminator(model: ModelConfig, shape: ImageShape, attributes: int = 0) -> Discriminator:
    """Return the discriminator that a recipe's ``[model]`` describes, for images of ``shape`` (H, W, C)."""
    network = Discriminator(
        shape,
        model.discriminator_width,
        network=model.discriminator_network,
        norm=model.discriminator_norm,
        downsampling=model.discriminator_downsampling,
        dropout=model.discriminator_dropout,
        attributes=attributes,
    )
    if model.spectral_norm:
        normalise_spectrally(network)
    return network
