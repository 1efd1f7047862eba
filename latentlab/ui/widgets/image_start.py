"""A brought picture on its way into latent space: what was encoded, as which class, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentlab.core.latent_state import LatentPoint
from latentlab.core.messages import Floats, Images, InferenceResult, Ints, ReconstructRequest
from latentlab.ui.widgets.image_input import ChosenImage

LEAST_ERROR = 1e-10


def labels_of(label: int, count: int, conditional: bool) -> Ints | None:
    """Return ``label`` for ``count`` pictures, or None for a model without classes."""
    return np.full(count, label, dtype=np.int64) if conditional else None


@dataclass
class ImageStart:
    """A picture, the class it is encoded as, and its newest encoding (None until the first answer).

    Attributes
    ----------
    z
        (D,) mean of q(z|x).
    original
        (1, H, W, C) uint8, the picture at the model's size.
    psnr
        Peak signal-to-noise ratio of its reconstruction in dB.
    """

    image: ChosenImage
    label: int
    z: Floats | None = None
    original: Images | None = None
    psnr: float | None = None

    @classmethod
    def of(cls, image: ChosenImage, label: int) -> ImageStart:
        """Begin with a picture; ``label`` stands in where its class is not known."""
        return cls(image, label if image.label is None else image.label)

    def request(self, conditional: bool) -> ReconstructRequest:
        """Return the request that encodes and decodes the picture."""
        return ReconstructRequest(self.image.images, labels_of(self.label, 1, conditional))

    def take(self, result: InferenceResult) -> bool:
        """Keep an answer; False when it failed or is about another picture."""
        request = result.request
        if not isinstance(request, ReconstructRequest) or request.images is not self.image.images or result.mu is None:
            return False
        self.z, self.original = result.mu[0], result.originals
        if result.pixel is not None:
            self.psnr = float(-10.0 * np.log10(max(float(result.pixel[0]), LEAST_ERROR)))
        return True

    def is_source_of(self, point: LatentPoint) -> bool:
        """Whether ``point`` began as this picture's encoding."""
        return self.z is not None and point.source == self.image.name

    def is_at(self, point: LatentPoint) -> bool:
        """Whether ``point`` is this picture's encoding, not moved since and in the class it was encoded as."""
        return self.is_source_of(point) and not point.edited and point.label == self.label
