"""The conditional VAE: the class goes beside image and z, so that z keeps only what the class does not say."""

from __future__ import annotations

from torch import Tensor

from latentlab.core.messages import ModelInfo
from latentlab.models.conditioning import build_class_code, one_hot, require_classes
from latentlab.models.vae import Vae


class ConditionalVae(Vae):
    """Conditional VAE (Sohn et al. 2015; Kingma et al. 2014): q(z|x,y), p(x|z,y), and p(z) = N(0, I) for every class.

    Encoder and decoder both see the class. The prior is the same for all, so that at the optimum z is
    independent of the class, and one z decodes to the same style in every class. Images without a
    label (-1) train with a row of zeros: the networks then model the mixture of all classes.
    """

    def __init__(self, info: ModelInfo) -> None:
        code = build_class_code(info.recipe.model.conditioning, require_classes(info, "A conditional VAE"))
        super().__init__(info, classes=code.size)
        self.class_code = code

    def condition(self, y_B: Tensor | None, x_or_z: Tensor) -> Tensor | None:
        """Return the code of the classes, (B, ``class_code.size``)."""
        code_BE: Tensor = self.class_code(one_hot(y_B, len(x_or_z), self.info.num_classes, x_or_z.device))
        return code_BE
