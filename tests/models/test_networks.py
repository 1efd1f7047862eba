from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
import torch
from model_builders import blobs, make, make_info, train

from latentlab.models.base import Batch
from latentlab.models.layers import InstanceNorm, downsampled, initialise, level_channels, norm_layer
from latentlab.models.reconstruction import mean_squared_error
from latentlab.models.registry import build_model
from latentlab.models.vae import Vae

NETWORKS = ["conv", "residual", "dense", "mlp", "splatoon"]
CONVOLUTIONAL = ["conv", "residual", "dense", "splatoon"]
SIZES = [(16, 16, 1), (121, 65, 3), (65, 121, 3), (64, 121, 3), (36, 64, 3), (17, 31, 1), (16, 128, 3), (128, 128, 3)]


@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("network", NETWORKS)
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


@pytest.mark.parametrize("network", NETWORKS)
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


@pytest.mark.parametrize("network", NETWORKS)
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
    with pytest.raises(TypeError, match="PReLU"):
        initialise(torch.nn.PReLU(), torch.Generator())


@pytest.mark.parametrize("kind", ["ae", "vae", "cvae", "vaegan"])
@pytest.mark.parametrize("network", NETWORKS)
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


@pytest.mark.parametrize("network", CONVOLUTIONAL)
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
def test_norms_are_where_they_are_asked_for(network: str, norm: str):
    def norms(model: torch.nn.Module) -> list[torch.nn.Module]:
        kinds = torch.nn.GroupNorm | torch.nn.BatchNorm2d | torch.nn.InstanceNorm2d
        return [m for m in model.modules() if isinstance(m, kinds)]

    model = build_model(make_info(shape=(64, 48, 3), width=32, network=network, encoder_norm=norm), seed=0)
    assert {type(m).__mro__[1] for m in norms(model.decoder)} == {torch.nn.GroupNorm}
    kinds = {"none": set(), "batch": {torch.nn.BatchNorm2d}, "instance": {InstanceNorm}}
    assert {type(m) for m in norms(model.encoder)} == kinds[norm]
    twin = build_model(make_info(shape=(64, 48, 3), width=32, network=network, decoder_norm=norm), seed=0)
    assert len(norms(twin.decoder)) == (0 if norm == "none" else len(norms(model.decoder)))


@pytest.mark.parametrize("name", ["instance", "group"])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_norms_are_torchs(name: str, memory_format: torch.memory_format):
    """Narrow groups take a detour; values and gradients are those of the plain norm."""
    draws = torch.Generator().manual_seed(0)
    x = torch.randn(3, 16, 5, 7, generator=draws).contiguous(memory_format=memory_format).requires_grad_()
    weight = torch.randn(3, 16, 5, 7, generator=draws)
    plain = torch.nn.InstanceNorm2d(16) if name == "instance" else torch.nn.GroupNorm(8, 16)
    seen, wanted = norm_layer(name, 16)(x), plain(x)
    torch.testing.assert_close(seen, wanted)
    assert seen.is_contiguous(memory_format=memory_format)
    gradients = [torch.autograd.grad((weight * y).sum(), x)[0] for y in (seen, wanted)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("network", CONVOLUTIONAL)
@pytest.mark.parametrize("norm", ["instance", "none"])
def test_a_decoding_does_not_depend_on_its_batch_with_norms_per_image(network: str, norm: str):
    model = build_model(make_info(network=network, encoder_norm=norm, decoder_norm=norm), seed=0).train()
    z = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model.decode(z)[2:3], model.decode(z[2:3]))
        torch.testing.assert_close(model.encode(blobs(6)).mu_BD[2:3], model.encode(blobs(6)[2:3]).mu_BD)


@pytest.mark.parametrize("network", CONVOLUTIONAL)
def test_every_tensor_between_the_layers_keeps_the_memory_format(network: str):
    """A layer that hands on another one makes every convolution behind it transpose its input."""
    shape = (33, 47, 3)
    info = make_info(shape=shape, network=network, width=8, encoder_norm="instance", decoder_norm="instance")
    model = build_model(info, seed=0).to(memory_format=torch.channels_last)
    wrong, seen = [], []

    def look(name: str, tensor: torch.Tensor) -> None:
        if tensor.dim() == 4 and tensor.shape[1] > 1:
            seen.append(name)
            if tensor.stride(1) != 1:
                wrong.append(name)

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d | torch.nn.GroupNorm):
            module.register_forward_pre_hook(lambda _, inputs, name=name: look(name, inputs[0]))
            module.register_forward_hook(
                lambda _, __, output, name=name: output.register_hook(partial(look, f"gradient of {name}")) and None
            )
    x = blobs(2, shape).contiguous(memory_format=torch.channels_last)
    (mean_squared_error(model.decode(model.encode(x).mu_BD), x)).backward()
    assert len(seen) >= 8
    assert wrong == []


def test_the_splatoon_network_is_the_authors():
    """Published: 3 x conv 5x5, 64, 128 and 256 channels to a grid of 16x9, and about 132 M weights in linear layers."""
    info = make_info(shape=(65, 121, 3), network="splatoon", width=64, latent_dim=1024, encoder_norm="batch")
    with torch.device("meta"):
        model = Vae(info)
    linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
    assert sorted((m.in_features, m.out_features) for m in linear) == [(1024, 36864), (36864, 2048)]
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters() if p.dim() == 4}
    assert list(shapes.values()) == [
        (64, 3, 5, 5),
        (128, 64, 5, 5),
        (256, 128, 5, 5),
        (256, 256, 5, 5),
        (256, 128, 5, 5),
        (128, 64, 5, 5),
        (3, 64, 5, 5),
    ]


@pytest.mark.parametrize(
    ("network", "width", "millions"), [("conv", 32, 53.8), ("splatoon", 64, 104.4), ("mlp", 25, 19.8)]
)
def test_weights_of_a_latent_of_1024_are_of_a_sane_number(network: str, width: int, millions: float):
    info = make_info(shape=(64, 121, 3), network=network, width=width, latent_dim=1024)
    with torch.device("meta"):
        model = Vae(info)
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, rel=0.01)


@pytest.mark.parametrize("network", CONVOLUTIONAL)
@pytest.mark.parametrize("side", [128, 160])
def test_faces_of_128_and_160_pixels(network: str, side: int):
    model = build_model(make_info(shape=(side, side, 3), network=network), seed=0).eval()
    with torch.no_grad():
        assert model.decode(model.encode(blobs(1, (side, side, 3))).mu_BD).shape == (1, 3, side, side)


@pytest.mark.parametrize("network", CONVOLUTIONAL)
def test_a_fresh_model_of_any_network_starts_near_the_prior_and_near_grey(network: str):
    for norm in ("group", "instance", "batch", "none"):
        settings = {"network": network, "width": 16, "latent_dim": 16, "encoder_norm": norm, "decoder_norm": norm}
        model = build_model(make_info(shape=(64, 64, 3), **settings), seed=0)
        with torch.no_grad():
            mu, logvar = model.encode(torch.rand(16, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
            picture = model.decode(torch.randn(16, 16, generator=torch.Generator().manual_seed(1)))
        assert mu.abs().max() < 1.5
        assert logvar.abs().max() < 1.5
        assert 0.01 < picture.std() < 0.3


@pytest.mark.parametrize("network", CONVOLUTIONAL)
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
def test_every_network_learns_with_every_norm(network: str, norm: str):
    model, context = make(network=network, encoder_norm=norm, decoder_norm=norm, lr=3e-3, initial_beta=0.1)
    history = train(model, context, blobs(16), 40)
    assert history[-1]["pixel"] < 0.5 * history[0]["pixel"]
