from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from model_builders import blobs, make, make_info

from latentlab.models.base import Batch
from latentlab.models.layers import downsampled, initialise, level_channels
from latentlab.models.registry import build_model

SIZES = [(16, 16, 1), (121, 65, 3), (65, 121, 3), (64, 121, 3), (36, 64, 3), (17, 31, 1), (16, 128, 3)]


@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("network", ["conv", "residual", "mlp"])
def test_any_size_goes_in_and_comes_out(network: str, shape: tuple[int, int, int]):
    model = build_model(make_info(shape=shape, network=network), seed=0).eval()
    height, width, channels = shape
    with torch.no_grad():
        mu, logvar = model.encode(blobs(2, shape))
        picture = model.decode(mu)
    assert mu.shape == logvar.shape == (2, 4)
    assert picture.shape == (2, channels, height, width)
    assert picture.dtype == mu.dtype == torch.float32
    assert picture.min() >= 0.0
    assert picture.max() <= 1.0


@pytest.mark.parametrize("shape", [(256, 256, 3), (250, 144, 3)], ids=str)
def test_the_largest_sizes(shape: tuple[int, int, int]):
    model = build_model(make_info("vaegan", shape), seed=0).eval()
    with torch.no_grad():
        assert model.decode(model.encode(blobs(1, shape)).mu_BD).shape == (1, 3, shape[0], shape[1])
        assert len(model.discriminator(blobs(1, shape)).features) == 5


@pytest.mark.parametrize("network", ["conv", "residual", "mlp"])
def test_every_corner_of_an_odd_image_matters(network: str):
    """No row or column is lost: each corner pixel changes the encoding, each is reached by the decoder."""
    shape = (17, 33, 1)
    model = build_model(make_info(shape=shape, network=network), seed=0).eval()
    x = torch.rand(1, 1, 17, 33, generator=torch.Generator().manual_seed(0)).requires_grad_()
    model.encode(x).mu_BD.sum().backward()
    z = torch.ones(1, 4, requires_grad=True)
    for row, column in [(0, 0), (0, 32), (16, 0), (16, 32)]:
        assert x.grad[0, 0, row, column] != 0.0
        (gradient,) = torch.autograd.grad(model.decode(z)[0, 0, row, column], z)
        assert gradient.abs().sum() > 0.0


@pytest.mark.parametrize("network", ["conv", "residual", "mlp"])
@pytest.mark.parametrize("training", [True, False])
def test_a_decoding_does_not_depend_on_its_batch(network: str, training: bool):
    model = build_model(make_info(network=network), seed=0).train(training)
    z = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model.decode(z)[2:3], model.decode(z[2:3]))
        torch.testing.assert_close(model.encode(blobs(6)).mu_BD[2:3], model.encode(blobs(6)[2:3]).mu_BD)


def test_weights_mean_the_same_in_both_memory_formats():
    shape = (24, 40, 3)
    model, twin = (build_model(make_info(shape=shape), seed=0) for _ in range(2))
    twin.to(memory_format=torch.channels_last)
    x = blobs(2, shape)
    with torch.no_grad():
        torch.testing.assert_close(model.encode(x), twin.encode(x.contiguous(memory_format=torch.channels_last)))


def test_resolution_halves_until_four_to_eight_pixels():
    for side in range(16, 257):
        sizes = downsampled(side, side)
        assert 4 <= sizes[-1][0] <= 8
        assert all(small == ((big + 1) // 2) for (big, _), (small, _) in pairwise(sizes))


def test_channels_double_up_to_eight_times():
    assert level_channels(10, 6) == [10, 20, 40, 80, 80, 80]


def test_a_fresh_model_starts_near_the_prior_and_near_grey():
    model = build_model(make_info(shape=(64, 64, 3), width=32, latent_dim=16), seed=0)
    with torch.no_grad():
        mu, logvar = model.encode(torch.rand(16, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
        picture = model.decode(torch.randn(16, 16, generator=torch.Generator().manual_seed(1)))
    assert mu.abs().max() < 1.0
    assert logvar.abs().max() < 1.0
    assert 0.02 < picture.std() < 0.25


def test_signals_keep_their_size_through_the_levels():
    """He initialisation: neither vanishing nor exploding at 256x256, five levels deep."""
    model = build_model(make_info("vaegan", (256, 256, 3)), seed=0)
    with torch.no_grad():
        noise = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
        features = model.discriminator(noise).features
    for feature in features:
        assert 0.1 < feature.square().mean().sqrt() < 3.0


def test_a_module_that_nobody_initialises_is_refused():
    with pytest.raises(TypeError, match="Embedding"):
        initialise(torch.nn.Embedding(2, 2), torch.Generator())


@pytest.mark.parametrize("kind", ["ae", "vae", "cvae", "vaegan"])
@pytest.mark.parametrize("network", ["conv", "residual", "mlp"])
def test_every_parameter_learns(kind: str, network: str):
    """One step moves every weight that is not behind a branch that starts at zero."""
    model, context = make(kind, network=network)
    before = {name: value.clone() for name, value in model.named_parameters()}
    labels = torch.tensor([0, 1, 2, -1]) if kind == "cvae" else None
    for step in range(3):
        context.step = step
        model.training_step(Batch(blobs(4), labels), context)
    still = [name for name, value in model.named_parameters() if torch.equal(value, before[name])]
    assert not still
