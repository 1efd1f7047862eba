"""The conditional VAE: the class goes beside image and z, so that z keeps only what the class does not say."""

from __future__ import annotations

import torch
from torch import Tensor

from latentlab.core.errors import InputError
from latentlab.core.messages import ModelInfo
from latentlab.models.vae import Vae

# At height 1 convolutional networks put the class into z first and need thousands of steps to unlearn it:
# Adam moves what a large input multiplies faster, and the class should be heard before z learns to say it.
CLASS_SIGNAL = 4.0


def one_hot(y_B: Tensor | None, batch_size: int, classes: int, device: torch.device) -> Tensor:
    """Return (B, K) float32 rows, 1 at the class; a row of zeros for a label of -1, and for no labels at all."""
    if y_B is None:
        return torch.zeros(batch_size, classes, device=device)
    return (y_B[:, None] == torch.arange(classes, device=device)).float()


class ConditionalVae(Vae):
    """Conditional VAE (Sohn et al. 2015; Kingma et al. 2014): q(z|x,y), p(x|z,y), and p(z) = N(0, I) for every class.

    Encoder and decoder both see the class. The prior is the same for all, so that at the optimum z is
    independent of the class, and one z decodes to the same style in every class. Images without a
    label (-1) train with a row of zeros: the networks then model the mixture of all classes.
    """

    def __init__(self, info: ModelInfo) -> None:
        if info.num_classes < 1:
            raise InputError(
                "A conditional VAE needs images with classes, and this data set has none",
                where="model.kind",
                hint="Use model.kind = vae, or data with labels: digits, or a folder with a sub-folder per class.",
            )
        super().__init__(info, classes=info.num_classes)

    def condition(self, y_B: Tensor | None, x_or_z: Tensor) -> Tensor | None:
        """Return the one-hot classes times ``CLASS_SIGNAL``, (B, K)."""
        return CLASS_SIGNAL * one_hot(y_B, len(x_or_z), self.info.num_classes, x_or_z.device)
