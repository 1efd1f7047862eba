"""The networks of the splatoon texts: 5x5 convolutions that end on a wide grid, e.g. 16x9 for pictures of 121x65.

The author's have a width of 64, batch norm in the encoder, instance norm in the decoder, and 1024 latent
dimensions; 121x65 is three times f(x) = 2x - 1 from 16x9. Other sizes work alike: every level halves,
rounding up, and the decoder makes the very sizes the encoder met. Three quarters of the weights lie in the
linear layers at the grid, so that ``width`` and ``latent_dim`` decide what a step costs.
"""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from latentlab.core.recipe_model import ModelConfig
from latentlab.models.layers import ImageShape, OutputConv, OutputLinear, joined, norm_layer

LEVELS = 3
NEGATIVE_SLOPE = 0.01


def grid_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return the sizes from full resolution down to the grid."""
    sizes = [(height, width)]
    for _ in range(LEVELS):
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


class SplatoonEncoder(nn.Module):
    """Three times reflected borders, convolution 5x5 of stride 2, norm and ReLU; then one linear layer."""

    def __init__(self, model: ModelConfig, shape: ImageShape, outputs: int, classes: int = 0) -> None:
        super().__init__()
        channels = [shape[2], *(model.width * 2**level for level in range(LEVELS))]
        norm = model.encoder_norm
        self.levels = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(inputs, outputs_, 5, 2, padding=2, padding_mode="reflect", bias=norm == "none"),
                norm_layer(norm, outputs_),
            )
            for inputs, outputs_ in pairwise(channels)
        )
        # Behind the norm: an instance norm takes away what is the same all over a plane.
        self.class_planes = nn.Linear(classes, channels[1], bias=False) if classes else None
        self.head = OutputLinear(channels[-1] * math.prod(grid_sizes(*shape[:2])[-1]) + classes, outputs)

    def forward(self, x_BCHW: Tensor, class_BK: Tensor | None = None) -> Tensor:
        """Return (B, outputs)."""
        h_BCHW: Tensor = self.levels[0](x_BCHW * 2.0 - 1.0)
        if self.class_planes is not None:
            assert class_BK is not None
            h_BCHW = h_BCHW + self.class_planes(class_BK)[:, :, None, None]
        h_BCHW = h_BCHW.relu()
        for level in self.levels[1:]:
            h_BCHW = level(h_BCHW).relu_()
        h_BN = h_BCHW.permute(0, 2, 3, 1).flatten(1)
        result: Tensor = self.head(joined(h_BN, class_BK))
        return result


class SplatoonDecoder(nn.Module):
    """A linear layer to the grid; three times transposed convolution 5x5, norm and leaky ReLU; a convolution 5x5.

    The author's ends in tanh for images in [-1,1]: the sigmoid of twice its input, scaled.
    """

    def __init__(self, model: ModelConfig, shape: ImageShape, inputs: int, *, dense_norm: bool = False) -> None:
        super().__init__()
        sizes = grid_sizes(*shape[:2])[::-1]
        channels = [4 * model.width, 4 * model.width, 2 * model.width, model.width]
        norm = model.decoder_norm
        self.start = (*sizes[0], channels[0])
        features = math.prod(self.start)
        self.dense = nn.Sequential(nn.Linear(inputs, features), *([nn.BatchNorm1d(features)] if dense_norm else []))
        levels: list[nn.Module] = []
        for (below, above), (inputs_, outputs) in zip(pairwise(sizes), pairwise(channels), strict=True):
            surplus = (above[0] - 2 * below[0] + 1, above[1] - 2 * below[1] + 1)
            conv = nn.ConvTranspose2d(inputs_, outputs, 5, 2, padding=2, output_padding=surplus, bias=norm == "none")
            levels += [conv, norm_layer(norm, outputs), nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)]
        self.levels = nn.Sequential(*levels)
        self.last = OutputConv(channels[-1], shape[2], 5, padding=2, padding_mode="reflect")

    def forward(self, z_BD: Tensor, class_BK: Tensor | None = None) -> Tensor:
        """Return logits, (B, C, H, W)."""
        h_BN = self.dense(joined(z_BD, class_BK))
        result: Tensor = self.last(self.levels(h_BN.view(-1, *self.start).permute(0, 3, 1, 2)))
        return result
