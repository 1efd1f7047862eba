"""A linear VAE, solved in closed form on the training images, beside the networks of a VAE.

Probabilistic PCA (Tipping & Bishop 1999) is the optimum of a VAE with linear networks (Lucas et al. 2019). On frames of
a film at 100 nats it is hard to beat: convolutional networks learn the training frames by heart before they are as
good on others. With this path they begin at that optimum and learn only what it leaves.

Shape suffixes: B batch, C channels, H height, W width, N images, F pixels of an image (C H W, in this order),
P principal directions.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from latentlab.core.errors import InputError
from latentlab.core.recipe_model import ModelConfig
from latentlab.models.base import Posterior
from latentlab.models.layers import ImageShape, OutputConv, OutputConvTranspose, OutputLinear

MAX_IMAGES = 4096
MAX_BYTES = 2**29
"""Of the images that the directions are solved on, in float32."""
EDGE = 0.02
"""The path's image is kept this far from black and white, where the logit has no bounds; the networks go further."""
NEAR_ZERO = 1e-6
"""Directions with less than this share of the first one's variance are rounding errors."""


class PrincipalPath(nn.Module):
    """Latent dimension j is the coordinate along the j-th principal direction v_j of the images, of variance l_j.

    With theta, the variance along the first direction that is left out, as noise (Tipping & Bishop 1999, eqs. 7, 8
    and 12, and their posterior; theta is beta times the variance of the pixels' likelihood):

    - z_j given x: mean sqrt(l_j - theta) / l_j * v_j . (x - mean), variance theta / l_j, which costs
      log(l_j / theta) / 2 nats on average;
    - the image of z: mean + sum of sqrt(l_j - theta) z_j v_j.

    Before ``solve`` the directions are zero and the path says nothing. Nothing of it is trained.
    """

    mean_F: Tensor
    directions_PF: Tensor
    variance_P: Tensor
    theta: Tensor

    def __init__(self, dims: int, shape: ImageShape) -> None:
        super().__init__()
        height, width, channels = shape
        self.image_CHW = (channels, height, width)
        pixels = math.prod(shape)
        self.register_buffer("mean_F", torch.empty(pixels))
        self.register_buffer("directions_PF", torch.empty(dims, pixels))
        self.register_buffer("variance_P", torch.empty(dims))
        self.register_buffer("theta", torch.empty(()))

    def reset_buffers(self) -> None:
        """Begin with a path that adds nothing to image or posterior."""
        self.mean_F.fill_(0.5)
        self.directions_PF.zero_()
        self.variance_P.fill_(1.0)
        self.theta.fill_(1.0)

    @property
    def dims(self) -> int:
        """P, the number of directions."""
        return len(self.variance_P)

    def add_posterior(self, posterior: Posterior, x_BCHW: Tensor) -> Posterior:
        """Return ``posterior`` with the path's mean and log variance added in the first P dimensions."""
        assert posterior.logvar_BD is not None
        rest = posterior.mu_BD.shape[1] - self.dims
        with torch.autocast(x_BCHW.device.type, enabled=False):
            along_BP = (x_BCHW.float().flatten(1) - self.mean_F) @ self.directions_PF.T
            mu_BP = along_BP * (self._gain_P / self.variance_P)
            logvar_P = (self.theta / self.variance_P).log()
        pad = (0, rest)
        return Posterior(
            posterior.mu_BD + nn.functional.pad(mu_BP, pad), posterior.logvar_BD + nn.functional.pad(logvar_P, pad)
        )

    def add_image(self, logits_BCHW: Tensor, z_BD: Tensor) -> Tensor:
        """Return ``logits_BCHW``, float32, with the logits of the path's image of z added."""
        with torch.autocast(z_BD.device.type, enabled=False):
            image_BF = self.mean_F + (z_BD[:, : self.dims].float() * self._gain_P) @ self.directions_PF
            image_BF = image_BF.clamp(EDGE, 1.0 - EDGE)
            path_BF = image_BF.log() - (1.0 - image_BF).log()
        return logits_BCHW.float() + path_BF.view(-1, *self.image_CHW)

    @property
    def _gain_P(self) -> Tensor:
        return (self.variance_P - self.theta).clamp(min=0.0).sqrt()

    @torch.no_grad()
    def solve(self, x_NCHW: Tensor) -> dict[str, float]:
        """Find mean, directions and noise of images in [0,1], on the images' device.

        Returns
        -------
        facts
            ``nats``: KLD per image. ``psnr``: of images decoded from draws of z, in dB. ``beta``: the weight of the
            KLD, beside a Gaussian likelihood of that error, at which the path is the optimum.

        Raises
        ------
        InputError
            If the images vary along too few directions.
        """
        x_NF = x_NCHW.float().flatten(1)
        count, pixels = x_NF.shape
        mean_F = x_NF.mean(dim=0)
        x_NF = x_NF - mean_F
        # The smaller of the two products has the same eigenvalues.
        across = count < pixels
        product = (x_NF @ x_NF.T if across else x_NF.T @ x_NF).double() / count
        values, vectors = leading_eigenvectors(product, self.dims + 1)
        usable = int((values > NEAR_ZERO * values[0]).sum())
        if usable <= self.dims:
            raise InputError(
                f"{count:,} training images vary along {usable} directions; {self.dims} and one more are needed",
                where="model.principal_dims",
                hint="Lower model.principal_dims, or train on more images.",
            )
        variance_P, theta = values[: self.dims], values[self.dims]
        directions_FP = vectors[:, : self.dims].float()
        if across:
            directions_FP = nn.functional.normalize(x_NF.T @ directions_FP, dim=0)
        self.mean_F.copy_(mean_F)
        self.directions_PF.copy_(directions_FP.T)
        self.variance_P.copy_(variance_P)
        self.theta.copy_(theta)
        left_out = product.trace() - variance_P.sum()
        mse = float(left_out + self.dims * theta) / pixels
        nats = 0.5 * float((variance_P / theta).log().sum())
        return {"nats": nats, "psnr": -10.0 * math.log10(mse), "beta": float(theta) / mse}


def leading_eigenvectors(matrix: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the largest eigenvalues of a symmetric matrix, descending, and their eigenvectors as columns, float64.

    ``count`` of them, or all where the matrix is smaller. On a CPU LAPACK finds only these: of 4,096 the 173 largest
    take 0.55 times as long as all.
    """
    if matrix.device.type != "cpu":
        values, vectors = torch.linalg.eigh(matrix)
        return values.flip(0)[:count], vectors.flip(1)[:, :count]
    import scipy.linalg  # Only here: not every model needs it, and every start would wait for it.

    size = len(matrix)
    found = scipy.linalg.eigh(matrix.numpy(), subset_by_index=[max(0, size - count), size - 1], check_finite=False)
    values, vectors = (torch.from_numpy(part.astype(np.float64)) for part in found)
    return values.flip(0), vectors.flip(1)


def build_principal_path(model: ModelConfig, shape: ImageShape) -> PrincipalPath | None:
    """Return the path that ``model.principal_dims`` asks for, not solved yet; None for 0.

    Raises
    ------
    InputError
        If it does not go with the rest of the model.
    """
    if not model.principal_dims:
        return None
    if model.principal_dims > model.latent_dim:
        raise InputError(
            f"{model.principal_dims} principal dimensions do not fit into {model.latent_dim} latent dimensions",
            where="model.principal_dims",
            hint="Raise model.latent_dim, or lower model.principal_dims.",
        )
    if model.latent_batch_norm:
        raise InputError(
            "Principal dimensions have a scale of their own, which a batch norm of the latent would not know",
            where="model.principal_dims",
            hint="Switch model.latent_batch_norm off, or set model.principal_dims to 0.",
        )
    return PrincipalPath(model.principal_dims, shape)


def solvable_images(total: int, shape: ImageShape) -> int:
    """Return how many of ``total`` images of ``shape`` (H, W, C) a path is solved on: 4,096, or fewer large ones."""
    return min(total, MAX_IMAGES, max(2, MAX_BYTES // (4 * math.prod(shape))))


def silence(network: nn.Module) -> None:
    """Set the last layer of an encoder or decoder to zero, so that it adds nothing to the path yet."""
    for layer in network.modules():
        if isinstance(layer, OutputLinear | OutputConv | OutputConvTranspose):
            for parameter in layer.parameters(recurse=False):
                nn.init.zeros_(parameter)
