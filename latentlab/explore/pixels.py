"""Between pictures on screen (NHWC uint8) and tensors (BCHW in [0,1])."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from latentlab.core.errors import InputError
from latentlab.core.messages import Images
from latentlab.data.pictures import resize, to_channels


def to_uint8(x_BCHW: Tensor) -> Images:
    """Return images in [0,1] (B,C,H,W) as fresh contiguous uint8 (B,H,W,C) on the host, rounded and clamped."""
    scaled = x_BCHW.detach().float().clamp(0.0, 1.0).mul(255.0).round().to(torch.uint8)
    return np.array(scaled.permute(0, 2, 3, 1).cpu().numpy(), order="C")


def to_tensor(images: Images) -> Tensor:
    """Return pictures (B,H,W,C) uint8 as float32 (B,C,H,W) in [0,1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div(255.0)


def at_model_size(images: Images, image_shape: tuple[int, int, int]) -> Images:
    """Return pictures of any size and 1 or 3 channels at a model's (height, width, channels); fresh and contiguous.

    Raises
    ------
    InputError
        If ``images`` is not (B,H,W,1 or 3) uint8 with at least one pixel.
    """
    if images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape[1:] or images.dtype != np.uint8:
        raise InputError(f"Pictures must be (B, H, W, 1 or 3) uint8, not {images.shape} {images.dtype}")
    height, width, channels = image_shape
    fitted = np.empty((len(images), height, width, channels), dtype=np.uint8)
    for i, image in enumerate(images):
        fitted[i] = to_channels(resize(np.ascontiguousarray(image), height, width), channels)
    return fitted
