"""Spectral normalisation: weights divided by their largest singular value (Miyato et al. 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

SETTLING_ITERATIONS = 50


class SpectralNorm(nn.Module):
    """Divides a weight, seen as a matrix of its outputs, by its largest singular value.

    The singular vectors are estimated by power iteration, one per use in train mode (the paper's Algorithm 1),
    and are buffers: they belong to the checkpoint. ``torch.nn.utils.parametrizations.spectral_norm`` computes
    the same, but draws its first vectors from the process's random state, and rounds under autocast.
    """

    u_N: Tensor
    v_M: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        rows, columns = weight.flatten(1).shape
        self.register_buffer("u_N", torch.ones(rows))
        self.register_buffer("v_M", torch.ones(columns))

    def settle(self, weight: Tensor) -> None:
        """Find the singular vectors of a freshly drawn weight, starting from one and the same vector."""
        self.v_M.fill_(1.0)
        self._iterate(weight, SETTLING_ITERATIONS)

    def reset_buffers(self) -> None:
        """Leave the vectors to ``settle``: they follow from the weight."""

    def _iterate(self, weight: Tensor, times: int) -> None:
        with torch.no_grad():
            matrix_NM = weight.detach().flatten(1)
            for _ in range(times):
                self.u_N = F.normalize(matrix_NM @ self.v_M, dim=0)
                self.v_M = F.normalize(matrix_NM.T @ self.u_N, dim=0)

    def forward(self, weight: Tensor) -> Tensor:
        """Return ``weight`` with a largest singular value of 1, as far as the estimate goes."""
        with torch.autocast(weight.device.type, enabled=False):
            if self.training:
                self._iterate(weight, 1)
            return weight / (self.u_N @ (weight.flatten(1) @ self.v_M))


def normalise_spectrally(network: nn.Module) -> None:
    """Give every convolution and every linear layer of ``network`` a spectrally normalised weight."""
    for module in list(network.modules()):
        if isinstance(module, nn.Linear | nn.Conv2d):
            # unsafe: the safe way computes the weight at once, and may find itself on "meta", where nothing can be.
            parametrize.register_parametrization(module, "weight", SpectralNorm(module.weight), unsafe=True)


def drawn_weight(module: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    """Return the tensor that training moves: the weight itself, or what a parametrisation makes it from."""
    if parametrize.is_parametrized(module, "weight"):
        original: Tensor = module.parametrizations["weight"].original  # type: ignore[index, union-attr]
        return original
    return module.weight


def settle(parametrisations: nn.Module, original: Tensor) -> None:
    """Let every spectral norm in a list of parametrisations find its singular vectors."""
    for parametrisation in parametrisations.children():
        if isinstance(parametrisation, SpectralNorm):
            parametrisation.settle(original)
