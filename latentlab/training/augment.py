"""Random changes of training images: mirrored, moved, and turned in hue. Shapes: B batch, C channels, H, W."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from latentlab.core.errors import InputError
from latentlab.core.recipe_data import DataConfig

# Luma and two colour axes, the rows of NTSC's YIQ (FCC 1953): turning I and Q leaves the brightness alone.
_YIQ = np.array([[0.299, 0.587, 0.114], [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])
_RGB = np.linalg.inv(_YIQ)


class Augmentation:
    """What ``data.flip``, ``data.shift`` and ``data.hue`` ask for.

    The draws come from the host's generator that each call is given, so that a resumed training repeats them;
    the pictures never leave their device.

    Raises
    ------
    InputError
        If the hue of grey images is to be turned.
    """

    def __init__(self, config: DataConfig, channels: int) -> None:
        if config.hue > 0 and channels != 3:
            raise InputError(
                "These images are grey and have no hue to turn", where="data.hue", hint="Set data.hue to 0."
            )
        self._flip, self._shift, self._hue = config.flip, config.shift, config.hue
        self.active = config.flip or config.shift > 0 or config.hue > 0

    def __call__(self, x_BCHW: Tensor, rng: np.random.Generator) -> Tensor:
        """Return changed images in [0,1], of the same shape, device and memory format."""
        count = len(x_BCHW)
        if self._flip:
            mirrored = torch.from_numpy(rng.random(count) < 0.5).to(x_BCHW.device)
            x_BCHW = torch.where(mirrored[:, None, None, None], x_BCHW.flip(3), x_BCHW)
        if self._shift:
            x_BCHW = shifted(x_BCHW, rng.integers(-self._shift, self._shift + 1, size=(count, 2)))
        if self._hue:
            turns = rng.uniform(-self._hue, self._hue, count)
            x_BCHW = mixed_channels(x_BCHW, hue_matrices(turns))
        return x_BCHW


def shifted(x_BCHW: Tensor, offsets_B2: npt.NDArray[np.int64]) -> Tensor:
    """Return images moved down and right by whole pixels; what comes in repeats the border."""
    height, width = x_BCHW.shape[-2:]
    rows_BH = np.clip(np.arange(height) - offsets_B2[:, :1], 0, height - 1)
    columns_BW = np.clip(np.arange(width) - offsets_B2[:, 1:], 0, width - 1)
    place = torch.arange(len(x_BCHW), device=x_BCHW.device)[:, None, None]
    rows, columns = (torch.from_numpy(index).to(x_BCHW.device) for index in (rows_BH, columns_BW))
    taken_BHWC = x_BCHW.permute(0, 2, 3, 1)[place, rows[:, :, None], columns[:, None, :]]
    return _like(taken_BHWC.permute(0, 3, 1, 2), x_BCHW)


def hue_matrices(turns: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return the (B, 3, 3) matrices that turn RGB colours by ``turns`` circles around the grey axis."""
    cos, sin = np.cos(2 * math.pi * turns), np.sin(2 * math.pi * turns)
    zero, one = np.zeros_like(turns), np.ones_like(turns)
    rotation_B33 = np.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], axis=1).reshape(-1, 3, 3)
    matrices_B33: npt.NDArray[np.float32] = (_RGB @ rotation_B33 @ _YIQ).astype(np.float32)
    return matrices_B33


def mixed_channels(x_BCHW: Tensor, matrices_B33: npt.NDArray[np.float32]) -> Tensor:
    """Return images whose colours went through one matrix each, held within [0, 1]."""
    matrices = torch.from_numpy(matrices_B33).to(x_BCHW.device)
    flat_BNC = x_BCHW.permute(0, 2, 3, 1).flatten(1, 2)
    mixed_BNC = torch.bmm(flat_BNC, matrices.transpose(1, 2)).clamp_(0.0, 1.0)
    return _like(mixed_BNC.view(len(x_BCHW), *x_BCHW.shape[-2:], -1).permute(0, 3, 1, 2), x_BCHW)


def _like(x_BCHW: Tensor, model: Tensor) -> Tensor:
    """Return ``x_BCHW`` in the memory format of ``model``."""
    last = model.is_contiguous(memory_format=torch.channels_last)
    return x_BCHW.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
