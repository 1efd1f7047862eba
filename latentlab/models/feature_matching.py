"""How alike two images are to the discriminator."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from latentlab.core.recipe import ObjectiveConfig
from latentlab.core.recipe_adversarial import FeatureLayer
from latentlab.models.reconstruction import mean_squared_error


class Targets(NamedTuple):
    """The features of real images, constant, and their mean square at each level in this batch (L,)."""

    features: list[Tensor]
    mean_square_L: Tensor


class FeatureMatching(nn.Module):
    """Distance of two images in the discriminator's features (Larsen et al. 2016, eq. 7, as a mean squared error).

    Normalised, each level is divided by its running root mean square, so that a discriminator whose
    features grow cannot blow up the loss (the splatoon texts saw it grow 475-fold), and the levels weigh
    the same. The running values are buffers, moved by real images in train mode only.
    """

    DECAY = 0.99
    mean_square_L: Tensor

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.register_buffer("mean_square_L", torch.ones(levels))

    def reset_buffers(self) -> None:
        """Start every level at a root mean square of 1."""
        self.mean_square_L.fill_(1.0)

    def observe(self, real: list[Tensor]) -> Targets:
        """Return the features to match, and in train mode let the running scales follow them."""
        features = [feature.detach().float() for feature in real]
        current_L = torch.stack([feature.square().sum() / feature.numel() for feature in features])
        if self.training:
            self.mean_square_L = self.DECAY * self.mean_square_L + (1.0 - self.DECAY) * current_L
        return Targets(features, current_L)

    def forward(self, targets: Targets, features: list[Tensor], objective: ObjectiveConfig) -> Tensor:
        """Return the mean over the chosen levels of the mean squared error per feature, a float32 scalar."""
        chosen = chosen_levels(objective.feature_layer, len(features))
        errors = [mean_squared_error(features[i].float(), targets.features[i]) for i in chosen]
        if objective.normalise_features:
            scales = self.mean_square_L.clamp(min=1e-8)
            errors = [error / scales[i] for error, i in zip(errors, chosen, strict=True)]
        return torch.stack(errors).mean()


def chosen_levels(layer: FeatureLayer, levels: int) -> list[int]:
    """Return the indices of the levels to match: all, the last, or one counted from 1 (at most the last)."""
    if layer == "all":
        return list(range(levels))
    return [levels - 1 if layer == "last" else min(int(layer), levels) - 1]


def feature_scales(targets: Targets) -> dict[str, Tensor]:
    """Return ``feature_rms_N``: the root mean square of the real images' features at each level, from 1."""
    return {f"feature_rms_{i}": rms for i, rms in enumerate(targets.mean_square_L.sqrt().unbind(), start=1)}
