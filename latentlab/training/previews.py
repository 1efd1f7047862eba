"""Preview pictures of a training: always the same test images and the same points of the prior."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from latentlab.core.messages import Floats, Gallery, Images, Ints, ModelInfo, Preview
from latentlab.data.dataset import Dataset
from latentlab.models.base import LatentModel
from latentlab.models.device import DevicePolicy
from latentlab.training.batches import Pictures, held_out_rows, labels_at

PREVIEW_IMAGES = 24
PREVIEW_CLASSES = 24
PREVIEW_STYLES = 6
GALLERY_IMAGES = 200
# Samples must not share numbers with the training noise, whatever its seed.
_SAMPLE_SEED = 0x5EED


def spread(rows: Ints, count: int) -> Ints:
    """Return ``count`` of the rows (or all), evenly spread and in order."""
    if len(rows) <= count:
        return rows
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]


def to_uint8(x_BCHW: Tensor) -> Images:
    """Return images in [0,1] (B,C,H,W) as contiguous uint8 (B,H,W,C) on the host, rounded and clamped."""
    scaled = x_BCHW.detach().float().clamp(0.0, 1.0).mul(255.0).round().to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).cpu().numpy())


def gallery(data: Dataset) -> Gallery:
    """Return up to 200 pictures to pick from: test images first, then training images."""
    rows = spread(np.asarray(data.test_index), GALLERY_IMAGES)
    rows = np.concatenate([rows, spread(np.asarray(data.train_index), GALLERY_IMAGES - len(rows))])
    labels = None if data.labels is None else data.labels[rows]
    return Gallery(np.ascontiguousarray(data.images[rows]), labels, data.class_names)


def style_grid(classes: int) -> tuple[int, int]:
    """Return rows (one z each) and columns (one class each) of the samples of a class-conditional model.

    Up to 24 classes are shown, in 6 rows where they are few and at least 2 where they are many.
    """
    columns = min(classes, PREVIEW_CLASSES)
    return min(max(PREVIEW_STYLES * 10 // columns, 2), PREVIEW_STYLES), columns


class Previewer:
    """Makes previews: 24 test images, their reconstructions from the posterior mean, and 24 samples.

    The samples are decoded from fixed z ~ p(z); those of a conditional model form a grid, one z per row and one
    class per column. A plain auto-encoder, which has no prior, shows no samples, and a model without an encoder
    nothing else. Thread: trainer.
    """

    def __init__(self, info: ModelInfo, data: Dataset, pictures: Pictures, policy: DevicePolicy) -> None:
        rows = spread(held_out_rows(data, info.needs_labels), PREVIEW_IMAGES)
        self._policy = policy
        self._x = pictures.at(rows)
        self._y = labels_at(data.labels, rows, policy.device)
        self._originals = to_uint8(self._x)
        self._has_encoder = info.has_encoder
        self._z, self._z_labels, self._columns = None, None, None
        if info.kind != "ae":
            rows_, self._columns = style_grid(info.num_classes) if info.conditional else (PREVIEW_IMAGES, None)
            generator = torch.Generator().manual_seed(_SAMPLE_SEED)
            z = torch.randn(rows_, info.latent_dim, generator=generator).to(policy.device)
            self._z = z
            if self._columns is not None:
                self._z = z.repeat_interleave(self._columns, dim=0)
                self._z_labels = torch.arange(self._columns).repeat(rows_).to(policy.device)

    def __call__(self, model: LatentModel, step: int) -> Preview:
        """Return the preview of the weights as they are; the model is left in training mode."""
        model.eval()
        try:
            with torch.no_grad(), self._policy.autocast():
                samples = None if self._z is None else to_uint8(model.decode(self._z, self._z_labels))
                if not self._has_encoder:
                    return Preview(step, None, None, samples, sample_columns=self._columns)
                y = model.classes_of(self._x, self._y)
                reconstructions = model.decode(model.encode(self._x, y).mu_BD, y).float()
        finally:
            model.train()
        error: Floats = (reconstructions - self._x).square().mean(dim=(1, 2, 3)).cpu().numpy()
        return Preview(step, self._originals.copy(), to_uint8(reconstructions), samples, error, self._columns)
