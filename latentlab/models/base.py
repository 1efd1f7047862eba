"""What every model of the family offers: encode, decode, and one training step.

Shape suffixes: B batch, C channels, H height, W width, D latent dimensions, K classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from latentlab.core.messages import ModelInfo
from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.beta import BetaController


class Posterior(NamedTuple):
    """Mean and log variance of q(z|x); ``logvar_BD`` is None for a plain auto-encoder."""

    mu_BD: Tensor
    logvar_BD: Tensor | None


class LabelledBatch(NamedTuple):
    """Images in [0,1] whose classes are all known, int64 from 0."""

    x_BCHW: Tensor
    y_B: Tensor


class Batch(NamedTuple):
    """Images in [0,1], float32, on the training device, and what is known of them.

    ``y_B``: classes int64, -1 where unknown. ``a_BA``: binary attributes float32, 1 present, 0 absent, -1
    missing. ``labelled``: images of known class that a semi-supervised model sees beside these.
    ``other_BCHW``: more images of the data, for a discriminator whose real batch is not the one that was
    reconstructed.
    """

    x_BCHW: Tensor
    y_B: Tensor | None
    a_BA: Tensor | None = None
    labelled: LabelledBatch | None = None
    other_BCHW: Tensor | None = None


@dataclass
class StepContext:
    """What a training step needs besides the batch.

    ``generator`` is the only source of randomness in a step, so that a resumed run repeats it and
    nothing else in the process can disturb it. ``objective`` is replaced when a setting is changed live.
    ``detail`` asks for the metrics that cost a sort, in a step that is about to be logged.
    """

    step: int
    objective: ObjectiveConfig
    optimizers: dict[str, torch.optim.Optimizer]
    beta: BetaController
    generator: torch.Generator
    autocast: Callable[[], AbstractContextManager[None]]
    detail: bool = False

    def noise_like(self, x: Tensor) -> Tensor:
        """Return standard normal noise of the shape, dtype and device of ``x``."""
        return torch.randn(x.shape, generator=self.generator, device=x.device, dtype=x.dtype)


class LatentModel(nn.Module, ABC):
    """Base of all models. Subclasses set ``encoder``, ``decoder`` and, where they have them, others."""

    encoder: nn.Module
    decoder: nn.Module

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.info = info

    @abstractmethod
    def encode(self, x_BCHW: Tensor, y_B: Tensor | None = None) -> Posterior:
        """Return q(z|x) (or q(z|x,y)) of images in [0,1]."""

    @abstractmethod
    def decode(self, z_BD: Tensor, y_B: Tensor | None = None) -> Tensor:
        """Return images in [0,1], (B, C, H, W) float32; ``y_B``: classes (B,), or shares of the classes (B, K)."""

    def classes_of(self, x_BCHW: Tensor, y_B: Tensor | None) -> Tensor | None:
        """Return the classes to encode and decode images with: those given; a model that guesses fills in the rest."""
        return y_B

    @abstractmethod
    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the parameters of each optimiser by its name; ``"main"`` or encoder, decoder, discriminator."""

    @abstractmethod
    def training_step(self, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        """Compute the losses, update the weights, and return detached scalar metrics on the device.

        Metric names are those of ``latentlab.core.metrics``. Never copies to the host.
        """

    def images_to_begin_on(self, total: int) -> int:
        """Return how many of ``total`` training images ``begin_on`` wants to see; 0 where it has nothing to do."""
        return 0

    def begin_on(self, x_NCHW: Tensor) -> dict[str, float]:
        """Solve what follows from training images alone, before the first step; return facts for the run's events.

        Not called when a training is taken up again: what was solved is among the tensors of its checkpoint.

        Raises
        ------
        InputError
            If the images do not determine it.
        """
        return {}

    def inference_state(self) -> dict[str, Tensor]:
        """Return references to the tensors that encoding and decoding need (no discriminator)."""
        return {k: v for k, v in self.state_dict().items() if not k.startswith("discriminator.")}
