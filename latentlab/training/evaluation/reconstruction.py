"""How alike images and their reconstructions are, and the posteriors that they go through."""

from __future__ import annotations

from collections.abc import Set

import torch
from torch import Tensor
from torch.nn import functional as F

from latentlab.training.evaluation.subject import Findings, Subject
from latentlab.training.measure import Measurement

WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03


def measure_reconstruction(subject: Subject, wanted: Set[str]) -> Findings:
    """Measure what training logs on the test images, and SSIM."""
    measurement = Measurement(subject.model, subject.info.recipe.objective)
    similarities = []
    for images in subject.batches("Reconstructions"):
        posterior, reconstructions = subject.reconstruct(images)
        with torch.no_grad():
            measurement.add(posterior, reconstructions, images.x_BCHW)
        if "ssim" in wanted:
            similarities.append(ssim(reconstructions, images.x_BCHW).cpu())
    found = Findings(measurement.result())
    if similarities:
        found.values["ssim"] = float(torch.cat(similarities).double().mean())
    return found


def ssim(a_BCHW: Tensor, b_BCHW: Tensor) -> Tensor:
    """Return the structural similarity of each pair of images in [0,1], (B,) float32 (Wang et al. 2004, eq. 13).

    Means, variances and covariance are weighed by an 11x11 Gaussian window of sigma 1.5 (smaller where the image
    is); the map is averaged over the positions where the window fits, and over channels. The constants are
    (0.01)^2 and (0.03)^2.
    """
    c1, c2 = K1**2, K2**2
    mean_a, mean_b = _windowed(a_BCHW), _windowed(b_BCHW)
    variance_a = _windowed(a_BCHW * a_BCHW) - mean_a.square()
    variance_b = _windowed(b_BCHW * b_BCHW) - mean_b.square()
    covariance = _windowed(a_BCHW * b_BCHW) - mean_a * mean_b
    luminance = (2.0 * mean_a * mean_b + c1) / (mean_a.square() + mean_b.square() + c1)
    structure = (2.0 * covariance + c2) / (variance_a + variance_b + c2)
    return (luminance * structure).mean(dim=(1, 2, 3))


def _windowed(x_BCHW: Tensor) -> Tensor:
    """Return the Gaussian-weighted mean around each position where the window fits."""
    channels, height, width = x_BCHW.shape[1:]
    down, across = (_window(min(WINDOW, side), x_BCHW) for side in (height, width))
    rows = F.conv2d(x_BCHW, down.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return F.conv2d(rows, across.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)


def _window(size: int, like: Tensor) -> Tensor:
    offsets = torch.arange(size, device=like.device, dtype=like.dtype) - (size - 1) / 2.0
    weights = torch.exp(-0.5 * (offsets / SIGMA).square())
    return weights / weights.sum()
