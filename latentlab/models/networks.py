"""Encoders and decoders for images of any size from 16x16 to 256x256, odd sides included.

Encoders turn images in [0,1] into a vector; decoders turn a vector into LOGITS, (B, C, H, W), of which
the sigmoid is the image. Resolution halves at every level until the smaller side is 4 to 8 pixels, so
that only the first and the last layer ever see full resolution (``splatoon`` is the text's own; see there).
Norms other than ``batch`` are per image: the decoding of one z does not depend on its batch. The first and
the finest layer have none: it would cost as much as their convolution and gains nothing.

A class (CVAE) enters an encoder as one-hot planes beside the image and again before the last layer,
and a decoder beside z. A row of zeros says that the class is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

from latentlab.core.recipe_model import ModelConfig, NormName
from latentlab.models.dense_block import DenseBlock
from latentlab.models.layers import (
    MAX_WIDENING,
    DoubleResolution,
    HalveResolution,
    ImageShape,
    OutputLinear,
    ResidualBlock,
    activation,
    downsampled,
    joined,
    level_channels,
)
from latentlab.models.splatoon import SplatoonDecoder, SplatoonEncoder

HIDDEN_PER_WIDTH = 16
"""The mlp's hidden layer has this many units per channel of ``model.width`` (width 25: the 400 of the classic VAE)."""

DENSE_LAYERS = 3

Block = Callable[[int, NormName], nn.Module]
BLOCKS: dict[str, Block | None] = {"conv": None, "residual": ResidualBlock, "dense": DenseBlock}
"""What follows each change of resolution but the finest, by ``model.network``."""


class ConvEncoder(nn.Module):
    """Strided convolutions, optionally a residual or dense block per level, then one linear layer."""

    def __init__(self, model: ModelConfig, shape: ImageShape, outputs: int, classes: int = 0) -> None:
        super().__init__()
        width, norm, block = model.width, model.encoder_norm, BLOCKS[model.network]
        sizes = downsampled(*shape[:2])
        channels = level_channels(width, len(sizes) - 1)
        # A convolution of constant planes is a bias per class and channel (but for the border), at no cost.
        self.class_planes = nn.Linear(classes, channels[0], bias=False) if classes else None
        self.first = HalveResolution(shape[2], channels[0], plain=True)
        self.activation = activation()
        levels: list[nn.Module] = []
        for inputs, outputs_ in pairwise(channels):
            levels.append(HalveResolution(inputs, outputs_, norm=norm))
            levels += [block(outputs_, norm)] if block else []
        self.levels = nn.Sequential(*levels)
        self.head = OutputLinear(channels[-1] * math.prod(sizes[-1]) + classes, outputs)

    def forward(self, x_BCHW: Tensor, class_BK: Tensor | None = None) -> Tensor:
        """Return (B, outputs)."""
        h_BCHW = self.first(x_BCHW * 2.0 - 1.0)
        if self.class_planes is not None:
            assert class_BK is not None
            h_BCHW = h_BCHW + self.class_planes(class_BK)[:, :, None, None]
        h_BCHW = self.levels(self.activation(h_BCHW))
        # Channels go last whatever the memory format, which is free where the model runs channels_last.
        result: Tensor = self.head(joined(h_BCHW.permute(0, 2, 3, 1).flatten(1), class_BK))
        return result


class ConvDecoder(nn.Module):
    """Dense layers, then transposed convolutions of stride 2, optionally with residual or dense blocks.

    The dense layers (as in the mapping network of Karras et al. 2019) let z choose between kinds of
    picture before anything is painted. Without them samples of the prior mix the kinds; on the arena
    they also cut the pixel error by a third at the same KLD, and cost next to nothing.

    ``dense_norm`` puts a batch norm behind each of them: a generator without an encoder needs it (see ``cgan``).
    """

    def __init__(self, model: ModelConfig, shape: ImageShape, inputs: int, *, dense_norm: bool = False) -> None:
        super().__init__()
        width, norm, block = model.width, model.decoder_norm, BLOCKS[model.network]
        sizes = downsampled(*shape[:2])[::-1]
        channels = level_channels(width, len(sizes) - 1)[::-1]
        self.start = (*sizes[0], channels[0])
        hidden = max(MAX_WIDENING * width, inputs)
        widths = [inputs, *[hidden] * DENSE_LAYERS, math.prod(self.start)]
        self.dense = nn.Sequential(*(_dense_layer(*pair, norm=dense_norm) for pair in pairwise(widths)))
        levels: list[nn.Module] = []
        for level, size in enumerate(sizes[1:-1]):
            levels += [block(channels[level], norm)] if block else []
            finest = level == len(channels) - 2
            levels.append(DoubleResolution(channels[level], channels[level + 1], size, norm="none" if finest else norm))
        levels.append(DoubleResolution(channels[-1], shape[2], sizes[-1], last=True))
        self.levels = nn.Sequential(*levels)

    def forward(self, z_BD: Tensor, class_BK: Tensor | None = None) -> Tensor:
        """Return logits, (B, C, H, W)."""
        h_BN = self.dense(joined(z_BD, class_BK))
        result: Tensor = self.levels(h_BN.view(-1, *self.start).permute(0, 3, 1, 2))
        return result


def _dense_layer(inputs: int, outputs: int, *, norm: bool) -> nn.Sequential:
    """Return a linear layer with activation, and a batch norm between them where asked for."""
    return nn.Sequential(nn.Linear(inputs, outputs), *([nn.BatchNorm1d(outputs)] if norm else []), activation())


class MlpEncoder(nn.Module):
    """One hidden layer (Kingma & Welling 2013)."""

    def __init__(self, shape: ImageShape, width: int, outputs: int, classes: int = 0) -> None:
        super().__init__()
        hidden = HIDDEN_PER_WIDTH * width
        self.first = nn.Linear(math.prod(shape) + classes, hidden)
        self.head = OutputLinear(hidden, outputs)

    def forward(self, x_BCHW: Tensor, class_BK: Tensor | None = None) -> Tensor:
        """Return (B, outputs)."""
        result: Tensor = self.head(self.first(joined(x_BCHW.flatten(1), class_BK)).relu())
        return result


class MlpDecoder(nn.Module):
    """One hidden layer (Kingma & Welling 2013)."""

    def __init__(self, shape: ImageShape, width: int, inputs: int, *, dense_norm: bool = False) -> None:
        super().__init__()
        hidden = HIDDEN_PER_WIDTH * width
        self.image_CHW = (shape[2], shape[0], shape[1])
        self.first = nn.Linear(inputs, hidden)
        self.norm = nn.BatchNorm1d(hidden) if dense_norm else nn.Identity()
        self.head = OutputLinear(hidden, math.prod(shape))

    def forward(self, z_BD: Tensor, class_BK: Tensor | None = None) -> Tensor:
        """Return logits, (B, C, H, W)."""
        logits_BN: Tensor = self.head(self.norm(self.first(joined(z_BD, class_BK))).relu())
        return logits_BN.view(-1, *self.image_CHW)


def build_encoder(model: ModelConfig, shape: ImageShape, outputs: int, classes: int = 0) -> nn.Module:
    """Return the encoder of ``model.network`` for images of ``shape`` (H, W, C) and ``classes`` one-hot inputs."""
    if model.network == "mlp":
        return MlpEncoder(shape, model.width, outputs, classes)
    if model.network == "splatoon":
        return SplatoonEncoder(model, shape, outputs, classes)
    return ConvEncoder(model, shape, outputs, classes)


def build_decoder(model: ModelConfig, shape: ImageShape, classes: int = 0, *, dense_norm: bool = False) -> nn.Module:
    """Return the decoder of ``model.network`` for images of ``shape`` (H, W, C) and ``classes`` one-hot inputs.

    With ``dense_norm`` its dense layers are batch-normalised.
    """
    inputs = model.latent_dim + classes
    if model.network == "mlp":
        return MlpDecoder(shape, model.width, inputs, dense_norm=dense_norm)
    if model.network == "splatoon":
        return SplatoonDecoder(model, shape, inputs, dense_norm=dense_norm)
    return ConvDecoder(model, shape, inputs, dense_norm=dense_norm)
