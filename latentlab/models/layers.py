"""Building blocks shared by the networks, and how their weights are drawn."""

from __future__ import annotations

import math
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList

from latentlab.core.recipe_model import NormName
from latentlab.models.spectral import drawn_weight, settle

NEGATIVE_SLOPE = 0.2
MAX_WIDENING = 8
"""Deeper layers double their channels until this multiple of the first layer's."""

ImageShape = tuple[int, int, int]
"""Height, width, channels."""


class OutputLinear(nn.Linear):
    """A last layer: starts near zero, so that a fresh model neither saturates nor strays from the prior."""

    init_gain = 0.1


class OutputConvTranspose(nn.ConvTranspose2d):
    """A last layer that doubles the resolution; starts small for the same reason."""

    init_gain = 0.3


class OutputConv(nn.Conv2d):
    """A last layer that keeps the resolution; starts small for the same reason."""

    init_gain = 0.3


class ResidualOutputConv(nn.Conv2d):
    """Last convolution of a residual branch: starts at zero, so that the block starts as the identity."""

    init_gain = 0.0


def downsampled(height: int, width: int) -> list[tuple[int, int]]:
    """Return the sizes from full resolution down, halved (rounding up) until the smaller side is 4 to 8 pixels."""
    sizes = [(height, width)]
    while min(sizes[-1]) > 8 or len(sizes) == 1:
        height, width = (side + 1 >> 1 for side in sizes[-1])
        sizes.append((height, width))
    return sizes


def level_channels(width: int, levels: int) -> list[int]:
    """Return the channels of each level: ``width`` doubled per level, at most eight times ``width``."""
    return [width * min(2**level, MAX_WIDENING) for level in range(levels)]


def joined(x_BD: Tensor, class_BK: Tensor | None) -> Tensor:
    """Return ``x_BD`` with the class beside it."""
    return x_BD if class_BK is None else torch.cat([x_BD, class_BK.to(x_BD.dtype)], dim=1)


def activation() -> nn.Module:
    """Return the activation of all convolutional networks."""
    return nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True)


class _Planar(torch.autograd.Function):
    """The image with whole planes one after the other in memory; its gradient with channels last again."""

    @staticmethod
    def forward(_: Any, x_BCHW: Tensor) -> Tensor:
        return x_BCHW.contiguous()

    @staticmethod
    def backward(_: Any, gradient_BCHW: Tensor) -> Tensor:
        return gradient_BCHW.contiguous(memory_format=torch.channels_last)


def planar(x_BCHW: Tensor) -> Tensor:
    """Return ``x_BCHW`` in torch's plain memory format, with the gradient in the format of the input."""
    if x_BCHW.is_contiguous():
        return x_BCHW
    result: Tensor = _Planar.apply(x_BCHW)
    return result


class GroupNorm(nn.GroupNorm):
    """torch's group norm, quick for small groups too.

    On the CPU torch's kernel for channels_last works through a group's channels side by side: groups of 8 take
    twice as long as a copy to the other memory format and back with the norm between (measured: 17 against 8 ms
    for 64 channels of 16x31 in batches of 64), groups of 16 a third as long.
    """

    WIDE = 16

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Normalise; the result has the memory format of the input."""
        if self.num_channels >= self.WIDE * self.num_groups or x_BCHW.device.type != "cpu":
            return super().forward(x_BCHW)
        return like_format(super().forward(planar(x_BCHW)), x_BCHW)


class InstanceNorm(nn.InstanceNorm2d):
    """torch's instance norm, whose result has the memory format of the input."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=True)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Normalise; torch's own hands on another format, and every convolution behind it has to transpose."""
        result: Tensor = super().forward(planar(x_BCHW))
        return like_format(result, x_BCHW)


def like_format(y_BCHW: Tensor, x_BCHW: Tensor) -> Tensor:
    """Return ``y_BCHW`` in the memory format of ``x_BCHW``."""
    last = x_BCHW.is_contiguous(memory_format=torch.channels_last) and not x_BCHW.is_contiguous()
    return y_BCHW.contiguous(memory_format=torch.channels_last) if last else y_BCHW


def group_norm(channels: int) -> nn.GroupNorm:
    """Return a normalisation whose result for one image does not depend on the others in the batch."""
    return GroupNorm(math.gcd(channels, 8), channels)


def norm_layer(name: NormName, channels: int) -> nn.Module:
    """Return the normalisation of images called ``name``: group, instance, batch or none (the identity)."""
    if name == "none":
        return nn.Identity()
    if name == "batch":
        return nn.BatchNorm2d(channels)
    return InstanceNorm(channels) if name == "instance" else group_norm(channels)


class HalveResolution(nn.Sequential):
    """Convolution 4x4 of stride 2, then norm and activation unless ``plain``: (H, W) to (ceil(H/2), ceil(W/2))."""

    def __init__(self, inputs: int, outputs: int, *, plain: bool = False, norm: NormName = "group") -> None:
        conv = nn.Conv2d(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=plain or norm == "none")
        super().__init__(conv, *([] if plain else [norm_layer(norm, outputs), activation()]))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Halve; odd sides are padded by one so that no row or column is lost."""
        height, width = x_BCHW.shape[-2:]
        if height % 2 or width % 2:
            x_BCHW = nn.functional.pad(x_BCHW, (0, width % 2, 0, height % 2))
        result: Tensor = super().forward(x_BCHW)  # type: ignore[no-untyped-call]
        return result


class DoubleResolution(nn.Module):
    """Transposed convolution 4x4 of stride 2 (evenly overlapping) cut to ``size``, norm, activation.

    ``last`` is the layer that gives the image: neither norm nor activation.
    """

    def __init__(
        self, inputs: int, outputs: int, size: tuple[int, int], *, norm: NormName = "group", last: bool = False
    ) -> None:
        super().__init__()
        layer = OutputConvTranspose if last else nn.ConvTranspose2d
        self.conv = layer(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=last or norm == "none")
        norms = [] if norm == "none" else [norm_layer(norm, outputs)]
        self.after = nn.Sequential(*([] if last else [*norms, activation()]))
        self.height, self.width = size

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Double and cut the surplus row or column of odd sizes."""
        y_BCHW: Tensor = self.conv(x_BCHW)
        surplus = (y_BCHW.shape[-1] - self.width, y_BCHW.shape[-2] - self.height)
        if any(surplus):
            # Not a slice: its gradient would lose the memory format, and all before it would run many times slower.
            y_BCHW = nn.functional.pad(y_BCHW, (0, -surplus[0], 0, -surplus[1]))
        result: Tensor = self.after(y_BCHW)
        return result


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with pre-activation around a shortcut (He et al. 2016)."""

    def __init__(self, channels: int, norm: NormName = "group") -> None:
        super().__init__()
        self.branch = nn.Sequential(
            norm_layer(norm, channels),
            activation() if norm != "none" else nn.LeakyReLU(NEGATIVE_SLOPE),  # in place it would change the shortcut
            nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=norm == "none"),
            norm_layer(norm, channels),
            activation(),
            ResidualOutputConv(channels, channels, kernel_size=3, padding=1),
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the input plus what the branch adds."""
        result: Tensor = x_BCHW + self.branch(x_BCHW)
        return result


@runtime_checkable
class HasBuffers(Protocol):
    """A module that gives its buffers their first values."""

    def reset_buffers(self) -> None:
        """Set every buffer to what a fresh model starts with."""


def initialise(model: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights from ``generator``: He et al. 2015 for leaky rectifiers, biases 0, norms 1, buffers reset.

    Every module with parameters or buffers must be one of the kinds known here, or offer
    ``reset_buffers``; otherwise its tensors would stay undefined.

    Raises
    ------
    TypeError
        For a module that nobody initialises.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            gain = getattr(module, "init_gain", math.sqrt(2.0 / (1.0 + NEGATIVE_SLOPE**2)))
            nn.init.normal_(drawn_weight(module), 0.0, gain / math.sqrt(_fan_in(module)), generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.GroupNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.InstanceNorm2d):
            module.reset_parameters()  # Constants: ones, zeros and, for batch norm, the running moments.
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, generator=generator)
        elif isinstance(module, ParametrizationList):
            settle(module, module.original)  # Drawn just before, with the layer it belongs to.
        elif isinstance(module, HasBuffers):
            module.reset_buffers()
        elif [*module.parameters(recurse=False), *module.buffers(recurse=False)]:
            raise TypeError(f"nobody initialises {type(module).__name__}")


def _fan_in(module: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> float:
    """Return how many inputs each output adds up (away from borders)."""
    if isinstance(module, nn.Linear):
        return float(module.in_features)
    taps = float(math.prod(module.kernel_size) * module.in_channels)
    return taps / math.prod(module.stride) if isinstance(module, nn.ConvTranspose2d) else taps
