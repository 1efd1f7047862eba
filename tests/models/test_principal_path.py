from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from model_builders import CLASSES, SHAPE, blobs, make, train
from torch.distributions import Normal, kl_divergence

from latentlab.core.errors import InputError
from latentlab.models.base import Posterior
from latentlab.models.principal_path import (
    EDGE,
    MAX_IMAGES,
    PrincipalPath,
    build_principal_path,
    leading_eigenvectors,
    solvable_images,
)

KINDS = ["vae", "cvae", "ssvae", "vaegan"]
PIXELS = math.prod(SHAPE)


def soft(count: int, seed: int = 0) -> torch.Tensor:
    """Return blobs far from black and white, so that no image of a linear path comes near its bounds."""
    return 0.3 + 0.4 * blobs(count, seed=seed)


def solved(x_NCHW: torch.Tensor, dims: int = 3) -> tuple[PrincipalPath, dict[str, float]]:
    path = PrincipalPath(dims, SHAPE)
    path.reset_buffers()
    return path, path.solve(x_NCHW)


def posterior_of(path: PrincipalPath, x_NCHW: torch.Tensor, latent_dim: int = 5) -> Posterior:
    zero = torch.zeros(len(x_NCHW), latent_dim)
    return path.add_posterior(Posterior(zero, zero), x_NCHW)


def image_of(path: PrincipalPath, z_BD: torch.Tensor) -> torch.Tensor:
    return path.add_image(torch.zeros(len(z_BD), SHAPE[2], *SHAPE[:2]), z_BD).sigmoid()


@pytest.mark.parametrize("count", [60, 400])
def test_directions_and_variances_are_those_of_numpys_singular_values(count: int) -> None:
    x_NCHW = soft(count)
    path, _ = solved(x_NCHW)
    x_NF = x_NCHW.flatten(1).double().numpy()
    _, singular, rows = np.linalg.svd(x_NF - x_NF.mean(axis=0), full_matrices=False)
    variance = singular**2 / count
    assert np.allclose(path.mean_F, x_NF.mean(axis=0), atol=1e-6)
    assert np.allclose(path.variance_P, variance[:3], rtol=1e-3)
    assert float(path.theta) == pytest.approx(variance[3], rel=1e-3)
    assert np.allclose(np.abs(path.directions_PF.numpy() @ rows[:3].T), np.eye(3), atol=1e-3)


def test_the_kld_of_the_images_is_half_the_logarithms_of_signal_to_noise() -> None:
    path, facts = solved(soft(200))
    mu, logvar = posterior_of(path, soft(200))
    kld = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum(dim=1).mean()
    assert facts["nats"] == pytest.approx(0.5 * float((path.variance_P / path.theta).log().sum()), rel=1e-5)
    assert float(kld) == pytest.approx(facts["nats"], rel=1e-3)
    assert torch.equal(mu[:, 3:], torch.zeros(200, 2))
    assert torch.equal(logvar[:, 3:], torch.zeros(200, 2))


def test_it_is_the_optimum_of_a_linear_vae() -> None:
    # The expected loss of a linear VAE in closed form; its gradient must vanish, whatever formula led there.
    x_NCHW = soft(200)
    path, facts = solved(x_NCHW)
    beta, variance = facts["beta"], 10.0 ** (-facts["psnr"] / 10.0)
    mean_F = x_NCHW.flatten(1).mean(dim=0).double()
    x_NF = x_NCHW.flatten(1).double() - mean_F
    unit = torch.eye(PIXELS).view(-1, SHAPE[2], *SHAPE[:2]) + mean_F.float().view(1, SHAPE[2], *SHAPE[:2])
    encode_FP = posterior_of(path, unit, 3).mu_BD.double().requires_grad_()
    logvar_P = posterior_of(path, x_NCHW[:1], 3).logvar_BD[0].double().requires_grad_()
    image = image_of(path, torch.cat([torch.zeros(1, 3), torch.eye(3)])).flatten(1).double()
    decode_PF = (image[1:] - image[:1]).requires_grad_()

    def loss(encode_FP: torch.Tensor, logvar_P: torch.Tensor, decode_PF: torch.Tensor) -> torch.Tensor:
        mu_NP = x_NF @ encode_FP
        error = (x_NF - mu_NP @ decode_PF).square().sum(dim=1).mean()
        error = error + (logvar_P.exp() * decode_PF.square().sum(dim=1)).sum()
        kld = 0.5 * (mu_NP.square().mean(dim=0) + logvar_P.exp() - 1.0 - logvar_P).sum()
        return error / (2.0 * variance) + beta * kld

    parameters = (encode_FP, logvar_P, decode_PF)
    gradients = torch.autograd.grad(loss(*parameters), parameters)
    elsewhere = [p.detach() * 1.05 for p in parameters]
    for gradient, there in zip(gradients, _gradients_at(loss, elsewhere), strict=True):
        assert float(gradient.norm()) < 0.01 * float(there.norm())
    error = float(loss(*parameters).detach()) - beta * facts["nats"]
    assert error * 2.0 * variance / PIXELS == pytest.approx(variance, rel=1e-3)


def _gradients_at(loss, parameters):
    leaves = [p.clone().requires_grad_() for p in parameters]
    return torch.autograd.grad(loss(*leaves), leaves)


def test_an_image_beyond_black_and_white_keeps_a_finite_logit() -> None:
    path, _ = solved(blobs(200))
    image = image_of(path, torch.full((1, 5), 100.0))
    assert EDGE * 0.99 <= float(image.min()) < float(image.max()) <= 1.0 - EDGE * 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_before_it_is_solved_it_adds_nothing(kind: str) -> None:
    model, _ = make(kind, latent_dim=6, principal_dims=3)
    plain, _ = make(kind, latent_dim=6)
    plain.load_state_dict(model.state_dict(), strict=False)
    x, y, z = blobs(4), torch.zeros(4, dtype=torch.int64), torch.randn(4, 6)
    assert torch.equal(model.encode(x, y).mu_BD, plain.encode(x, y).mu_BD)
    assert torch.equal(model.encode(x, y).logvar_BD, plain.encode(x, y).logvar_BD)
    assert torch.equal(model.decode(z, y), plain.decode(z, y))


@pytest.mark.parametrize("network", ["conv", "residual", "dense", "mlp", "splatoon"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_model_begins_as_the_path_alone(kind: str, network: str) -> None:
    model, _ = make(kind, latent_dim=6, principal_dims=3, network=network, latent_decay=2.0)
    facts = model.begin_on(soft(64))
    path = model.principal
    x, y, z = soft(5, seed=1), torch.arange(5) % CLASSES, torch.randn(5, 6)
    assert set(facts) == {"nats", "psnr", "beta"}
    alone = posterior_of(path, x, 6)
    assert torch.allclose(model.encode(x, y).mu_BD, alone.mu_BD, atol=1e-6)
    assert torch.allclose(model.encode(x, y).logvar_BD, alone.logvar_BD, atol=1e-6)
    assert torch.allclose(model.decode(z, y), image_of(path, z), atol=1e-6)


@pytest.mark.parametrize("kind", ["vae", "cvae", "vaegan"])
def test_the_networks_learn_what_the_path_leaves(kind: str) -> None:
    settings = {"pixel_weight": 100.0} if kind == "vaegan" else {"reconstruction": "gaussian", "sigma": 0.1}
    model, context = make(kind, latent_dim=6, principal_dims=2, lr=3e-3, initial_beta=0.1, **settings)
    images = blobs(48)
    model.begin_on(images)
    fixed = {name: tensor.clone() for name, tensor in model.state_dict().items() if name.startswith("principal.")}
    history = train(model, context, images, 60)
    assert history[-1]["pixel"] < 0.7 * history[0]["pixel"]
    for name, tensor in fixed.items():
        assert torch.equal(model.state_dict()[name], tensor)


def test_of_two_stacked_models_the_first_has_the_path() -> None:
    model, _ = make("ssvae", latent_dim=3, features_dim=5, principal_dims=4, network="mlp")
    assert model.images_to_begin_on(64) == 64
    model.begin_on(soft(64))
    x = soft(5, seed=1)
    assert torch.allclose(model.first.encode(x).mu_BD, posterior_of(model.first.principal, x).mu_BD, atol=1e-6)


def test_it_travels_with_the_weights_and_without_it_nothing_does() -> None:
    model, _ = make("vae", principal_dims=2)
    assert {"principal.mean_F", "principal.directions_PF"} <= set(model.inference_state())
    assert not [name for name in make("vae")[0].state_dict() if name.startswith("principal.")]
    assert make("vae")[0].images_to_begin_on(100) == 0
    assert make("vae")[0].begin_on(blobs(4)) == {}


@pytest.mark.parametrize("images", [blobs(4), torch.full((50, 1, 16, 16), 0.5)])
def test_images_that_do_not_determine_it_are_refused(images: torch.Tensor) -> None:
    with pytest.raises(InputError, match="training images vary along") as error:
        solved(images, dims=3 if len(images) > 4 else 4)
    assert error.value.where == "model.principal_dims"


@pytest.mark.parametrize("settings", [{"latent_dim": 3, "principal_dims": 4}, {"latent_batch_norm": True}])
def test_what_does_not_go_together_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(InputError) as error:
        make("vae", **{"latent_dim": 6, "principal_dims": 2} | settings)
    assert error.value.where == "model.principal_dims"


def test_large_images_are_not_all_held_at_once() -> None:
    assert solvable_images(100, SHAPE) == 100
    assert solvable_images(10**6, SHAPE) == MAX_IMAGES
    assert solvable_images(10**6, (256, 256, 3)) == 682
    assert build_principal_path(make("vae")[0].info.recipe.model, SHAPE) is None


@pytest.mark.parametrize(("size", "count", "found"), [(7, 3, 3), (4, 9, 4), (1, 1, 1)])
def test_leading_eigenvectors_are_those_of_numpy(size: int, count: int, found: int) -> None:
    root = np.random.default_rng(3).normal(size=(size, size))
    matrix = root @ root.T
    values, vectors = leading_eigenvectors(torch.from_numpy(matrix), count)
    assert (len(values), vectors.shape) == (found, (size, found))
    np.testing.assert_allclose(values, np.linalg.eigvalsh(matrix)[::-1][:count], rtol=1e-10)
    np.testing.assert_allclose(matrix @ vectors.numpy(), vectors.numpy() * values.numpy(), rtol=1e-8, atol=1e-10)
