"""A discriminator that judges whether an image is real and of the class that it is said to be."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentlab.core.recipe_model import ModelConfig
from latentlab.models.conditioning import class_planes, one_hot
from latentlab.models.discriminator import build_discriminator
from latentlab.models.layers import ImageShape, OutputLinear, activation
from latentlab.models.spectral import normalise_spectrally

JOINT_UNITS = 128


class ClassDiscriminator(nn.Module):
    """A discriminator with one of three ways to be told the class (``model.discriminator_conditioning``).

    ``planes``: K constant planes beside the image, so that every convolution sees the class (the text's Day 11).
    ``one-hot``: the class beside the last features, and a hidden layer that joins the two (Mirza & Osindero 2014).
    ``embedding``: a learned vector per class, and its inner product with the last features summed over the image
    (the projection discriminator, Miyato & Koyama 2018). Both are added to the logit of the image alone.
    """

    def __init__(self, model: ModelConfig, shape: ImageShape, classes: int) -> None:
        super().__init__()
        self.form, self.classes = model.discriminator_conditioning, classes
        height, width, channels = shape
        seen = channels + classes if self.form == "planes" else channels
        self.images = build_discriminator(model, (height, width, seen))
        self.match = nn.ModuleDict()
        if self.form == "one-hot":
            joined = self.images.head.in_features + classes
            self.match["joint"] = nn.Sequential(nn.Linear(joined, JOINT_UNITS), activation())
            self.match["verdict"] = OutputLinear(JOINT_UNITS, 1)
        elif self.form == "embedding":
            self.match["directions"] = OutputLinear(classes, self.images.channels, bias=False)
        if model.spectral_norm:
            normalise_spectrally(self.match)

    def forward(self, x_BCHW: Tensor, y_B: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the logits (B,) of images in [0,1] being real and of class ``y_B``, float32.

        ``generator`` is the randomness of the dropout; without it nothing is dropped.
        """
        class_BK = one_hot(y_B, len(x_BCHW), self.classes, x_BCHW.device)
        if self.form == "planes":
            return self._judge_with_planes(x_BCHW, class_BK, generator)
        judgement = self.images(x_BCHW, generator=generator)
        if self.form == "one-hot":
            beside_BN = torch.cat([judgement.code_BN, class_BK.to(judgement.code_BN.dtype)], dim=1)
            match_B = self.match["verdict"](self.match["joint"](beside_BN)).squeeze(1)
        else:
            features_BN = judgement.features[-1].sum(dim=(2, 3))
            match_B = (features_BN * self.match["directions"](class_BK)).sum(dim=1)
        logit_B: Tensor = judgement.logit_B + match_B.float()
        return logit_B

    def _judge_with_planes(self, x_BCHW: Tensor, class_BK: Tensor, generator: torch.Generator | None) -> Tensor:
        # The network maps [0, 1] to [-1, 1]; this way the planes are 0 and 1 once they are inside.
        planes_BKHW = 0.5 + 0.5 * class_planes(class_BK, *x_BCHW.shape[-2:])
        logit_B: Tensor = self.images(torch.cat([x_BCHW, planes_BKHW], dim=1), generator=generator).logit_B
        return logit_B
