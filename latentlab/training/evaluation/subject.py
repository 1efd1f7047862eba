"""What is measured, on which images, and the few things that every family of measures asks of it.

Shape suffixes: B batch, C channels, H height, W width, D latent dimensions, N images.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from latentlab.core.messages import Ints, ModelInfo, Progress, ProgressSink
from latentlab.data.dataset import Dataset
from latentlab.models.base import LatentModel, Posterior
from latentlab.models.device import DevicePolicy
from latentlab.training.batches import Pictures, labels_at, usable_rows

BATCH = 128
# A logarithm needs room below 1; a model without logits of its own gives probabilities in float32.
_EPSILON = 1e-7


@dataclass(frozen=True)
class EvaluationOptions:
    """How much work to do.

    Attributes
    ----------
    posterior_samples
        Draws of z ~ q(z|x) per image for the bound.
    importance_samples
        Draws per image for the importance-weighted likelihood.
    seed
        Seed of every draw; the same seed gives the same figures on the same device.
    limit
        Measure at most this many images of the split, evenly spread; None measures all.
    """

    posterior_samples: int = 1
    importance_samples: int = 64
    seed: int = 0
    limit: int | None = None


@dataclass
class Findings:
    """What one family found: values by name, tables and errors behind them, and sentences to read them by."""

    values: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class LabelledImages(NamedTuple):
    """Images (B, C, H, W) in [0,1], their classes (B,) or None, and their rows in the data set."""

    x_BCHW: Tensor
    y_B: Tensor | None
    rows: Ints


@dataclass
class Subject:
    """A model in evaluation mode, on its device, with the images to measure it on.

    ``rows`` are the images of the split that are measured. Nothing here keeps more than a batch in memory.
    """

    model: LatentModel
    data: Dataset
    rows: Ints
    pictures: Pictures
    policy: DevicePolicy
    options: EvaluationOptions = field(default_factory=EvaluationOptions)
    split: str = "test"
    progress: ProgressSink | None = None

    @property
    def info(self) -> ModelInfo:
        """What the model was built for."""
        return self.model.info

    @property
    def elements(self) -> int:
        """Numbers per image."""
        height, width, channels = self.info.image_shape
        return height * width * channels

    def tell(self, what: str, done: int, total: int) -> None:
        """Say how far a measurement is; the listener may raise ``Cancelled``."""
        if self.progress is not None:
            self.progress(Progress(what, done, total))

    def batches(self, what: str, rows: Ints | None = None, size: int = BATCH) -> Iterator[LabelledImages]:
        """Yield the images to measure (or other ``rows``) in order, telling how far it is."""
        rows = self.rows if rows is None else rows
        for start in range(0, len(rows), size):
            self.tell(what, start, len(rows))
            part = rows[start : start + size]
            yield LabelledImages(self.pictures.at(part), labels_at(self.data.labels, part, self.policy.device), part)
        self.tell(what, len(rows), len(rows))

    def encode(self, images: LabelledImages) -> Posterior:
        """Return the posterior of a batch, float32."""
        with torch.no_grad(), self.policy.autocast():
            mu_BD, logvar_BD = self.model.encode(images.x_BCHW, images.y_B)
        return Posterior(mu_BD.float(), None if logvar_BD is None else logvar_BD.float())

    def decode(self, z_BD: Tensor, y_B: Tensor | None) -> Tensor:
        """Return images (B, C, H, W) float32 in [0,1]."""
        with torch.no_grad(), self.policy.autocast():
            return self.model.decode(z_BD, y_B).float()

    def reconstruct(self, images: LabelledImages) -> tuple[Posterior, Tensor]:
        """Return the posteriors of a batch and the images decoded from their means, of known or guessed class."""
        with torch.no_grad(), self.policy.autocast():
            told = images._replace(y_B=self.model.classes_of(images.x_BCHW, images.y_B))
        posterior = self.encode(told)
        return posterior, self.decode(posterior.mu_BD, told.y_B)

    def decode_logits(self, z_BD: Tensor, y_B: Tensor | None) -> Tensor:
        """Return what the sigmoid turns into images, float32."""
        direct = getattr(self.model, "decode_logits", None)
        if direct is None:
            return torch.logit(self.decode(z_BD, y_B), eps=_EPSILON)
        with torch.no_grad(), self.policy.autocast():
            logits_BCHW: Tensor = direct(z_BD, y_B)
        return logits_BCHW.float()

    def generator(self, purpose: str) -> torch.Generator:
        """Return a generator on the CPU that depends on the seed and the purpose alone.

        Each family draws from its own, so that a figure does not depend on which others are asked for.
        """
        # One number of 32 bits: the CPU's generator does not look at more.
        return torch.Generator().manual_seed(zlib.crc32(f"{self.options.seed} {purpose}".encode()))

    def noise(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Return standard normal noise on the device, the same on every device."""
        return torch.randn(shape, generator=generator).to(self.policy.device)

    def draw(self, posterior: Posterior, generator: torch.Generator) -> Tensor:
        """Return z ~ q(z|x), (B, D); the codes themselves where the encoder is deterministic."""
        if posterior.logvar_BD is None:
            return posterior.mu_BD
        noise_BD = self.noise(tuple(posterior.mu_BD.shape), generator)
        return posterior.mu_BD + (0.5 * posterior.logvar_BD).exp() * noise_BD

    def some(self, rows: Ints, count: int, purpose: str) -> Ints:
        """Return ``count`` of the rows (or all) in order, chosen by the seed."""
        if len(rows) <= count:
            return rows
        chosen = torch.randperm(len(rows), generator=self.generator(purpose))[:count].numpy()
        return np.sort(rows[chosen])

    def training_rows(self) -> Ints:
        """Return the rows that the model could be trained on."""
        return usable_rows(self.data, self.data.train_index, self.info.needs_labels)

    def samples(self, count: int, purpose: str, y_N: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield ``count`` pictures of the prior in batches, with their classes: ``y_N``, or all in turn."""
        generator = self.generator(purpose)
        if y_N is None and self.info.conditional:
            y_N = torch.arange(count) % self.info.num_classes
        for start in range(0, count, BATCH):
            self.tell("Samples", start, count)
            part = slice(start, min(start + BATCH, count))
            z_BD = self.noise((part.stop - start, self.info.latent_dim), generator)
            y_B = None if y_N is None else y_N[part].to(self.policy.device)
            yield self.decode(z_BD, y_B), y_B


def standard_error(values: Tensor) -> float:
    """Return the standard error of the mean of ``values``, the standard deviation over sqrt(N)."""
    return float(values.double().std() / len(values) ** 0.5) if len(values) > 1 else float("nan")
