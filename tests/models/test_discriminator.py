from __future__ import annotations

import pytest
import torch
from model_builders import blobs, make, make_info, train

from latentlab.core.recipe_model import ModelConfig
from latentlab.models.discriminator import Discriminator, build_discriminator, dropped
from latentlab.models.layers import initialise
from latentlab.models.registry import build_model

NETWORKS = ["conv", "dense", "splatoon"]
NORMS = ["group", "instance", "batch", "none"]
DOWNSAMPLING = ["stride", "average", "max"]
SIZES = [(16, 16, 1), (121, 65, 3), (64, 121, 3), (17, 31, 1), (36, 64, 3)]


def build(shape: tuple[int, int, int] = (32, 32, 3), **settings: object) -> Discriminator:
    network = Discriminator(shape, 4, **settings)
    initialise(network, torch.Generator().manual_seed(0))
    return network


def noise(count: int, shape: tuple[int, int, int]) -> torch.Tensor:
    height, width, channels = shape
    return torch.rand(count, channels, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("downsampling", DOWNSAMPLING)
@pytest.mark.parametrize("network", NETWORKS)
def test_any_size_is_judged(network: str, downsampling: str, shape: tuple[int, int, int]):
    judgement = build(shape, network=network, downsampling=downsampling)(noise(2, shape))
    assert judgement.logit_B.shape == (2,)
    sides = [tuple(f.shape[2:]) for f in judgement.features]
    assert sides == sorted(sides, reverse=True)
    assert judgement.attribute_BA is None


@pytest.mark.parametrize("network", NETWORKS)
def test_the_last_features_are_as_announced(network: str):
    discriminator = build((36, 64, 3), network=network)
    judgement = discriminator(noise(2, (36, 64, 3)))
    assert tuple(judgement.features[-1].shape[1:]) == (discriminator.channels, *discriminator.size)
    assert judgement.code_BN.shape == (2, discriminator.head.in_features)


@pytest.mark.parametrize("shape", [(160, 160, 3), (128, 128, 3), (160, 128, 3)], ids=str)
@pytest.mark.parametrize("network", ["conv", "dense"])
def test_faces_pass_one_training_step(network: str, shape: tuple[int, int, int]):
    model, context = make("vaegan", shape, discriminator_network=network)
    history = train(model, context, blobs(2, shape), 1)
    assert history[0]["feature_rms_4"] > 0.0


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("norm", NORMS)
def test_a_verdict_depends_on_the_batch_only_with_batch_norm(network: str, norm: str):
    discriminator = build(network=network, norm=norm)
    images = noise(6, (32, 32, 3))
    with torch.no_grad():
        alone, among = discriminator(images[2:4]).logit_B, discriminator(images).logit_B[2:4]
    assert torch.allclose(alone, among, atol=1e-4) == (norm != "batch")


def norms_of(network: torch.nn.Module) -> set[str]:
    """Return the names of the norms in a network; a group norm with a group per channel is an instance norm."""
    found = {"batch" for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)}
    groups = [m for m in network.modules() if isinstance(m, torch.nn.GroupNorm)]
    found |= {"instance" if m.num_groups == m.num_channels else "group" for m in groups}
    return found | {"instance" for m in network.modules() if isinstance(m, torch.nn.InstanceNorm2d)}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("network", NETWORKS)
def test_norms_stand_where_they_are_asked_for(network: str, norm: str):
    discriminator = Discriminator((32, 32, 3), 16, network=network, norm=norm)
    assert norms_of(discriminator) == {norm} - {"none"}


@pytest.mark.parametrize(("how", "kind"), [("average", torch.nn.AvgPool2d), ("max", torch.nn.MaxPool2d)])
def test_pooling_stands_where_strides_would(how: str, kind: type):
    for network in NETWORKS:
        modules = list(build(network=network, downsampling=how).modules())
        assert any(isinstance(m, kind) for m in modules)
        assert not [m for m in modules if isinstance(m, torch.nn.Conv2d) and m.stride != (1, 1)]


@pytest.mark.parametrize("downsampling", DOWNSAMPLING)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_corner_of_an_odd_image_matters(network: str, downsampling: str):
    shape = (17, 33, 1)
    x = noise(1, shape).requires_grad_()
    build(shape, network=network, downsampling=downsampling, norm="none")(x).code_BN.square().sum().backward()
    for row, column in [(0, 0), (0, 32), (16, 0), (16, 32)]:
        window = x.grad[0, 0, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        assert window.abs().max() > 0.0  # The maximum of a pool may be a neighbour.


def test_the_splatoon_discriminator_is_linear_up_to_its_last_non_linearity():
    """The text: multiple convolutions without any non-linear activation. Superposition holds before the last one."""
    discriminator = build(network="splatoon", norm="none")
    a, b = noise(2, (32, 32, 3)).split(1)
    middle = discriminator(0.5 * (a + b), activated=False).features
    ends = [discriminator(x, activated=False).features for x in (a, b)]
    for level in range(4):
        torch.testing.assert_close(middle[level], 0.5 * (ends[0][level] + ends[1][level]), rtol=1e-3, atol=1e-5)
    assert [f.shape[1] for f in middle] == [4, 16, 32, 32]
    last = discriminator(a, activated=True).features[-1]
    assert last.min() == 0.0
    assert middle[-1].min() < 0.0


@pytest.mark.parametrize("network", NETWORKS)
def test_features_before_the_non_linearity_give_those_after_it(network: str):
    discriminator, x = build(network=network), noise(3, (32, 32, 3))
    before, after = discriminator(x, activated=False), discriminator(x, activated=True)
    torch.testing.assert_close(before.logit_B, after.logit_B)
    for i, (plain, bent) in enumerate(zip(before.features, after.features, strict=True)):
        linear = network == "splatoon"
        expected = plain if linear and i < 3 else torch.where(plain > 0, plain, (0.0 if linear else 0.2) * plain)
        torch.testing.assert_close(bent, expected)
    assert not torch.equal(before.features[-1], after.features[-1])


def test_a_dense_layer_sees_what_all_before_it_made():
    block = build(network="dense").levels[1].body[2]
    inputs = [layer[2].in_channels for layer in block.layers]
    assert inputs == [8, 12, 16]
    assert block.transition.in_channels == 20


def test_dropout_drops_its_share_and_keeps_the_mean():
    generator = torch.Generator().manual_seed(0)
    h = torch.full((100, 1000), 2.0)
    kept = dropped(h, 0.3, generator)
    assert (kept == 0.0).float().mean().item() == pytest.approx(0.3, abs=0.005)
    assert kept.mean().item() == pytest.approx(2.0, rel=0.01)
    assert kept.unique().tolist() == pytest.approx([0.0, 2.0 / 0.7])


def test_dropout_needs_a_generator_and_train_mode():
    discriminator, x = build(dropout=0.5), noise(2, (32, 32, 3))
    generator = torch.Generator().manual_seed(0)
    plain = discriminator(x).code_BN
    assert (discriminator(x, generator=generator).code_BN == 0.0).any()
    assert torch.equal(discriminator(x).code_BN, plain)
    assert torch.equal(discriminator.eval()(x, generator=generator).code_BN, plain)


def test_attributes_are_read_beside_the_logit():
    judgement = build(attributes=5)(noise(2, (32, 32, 3)))
    assert judgement.attribute_BA.shape == (2, 5)
    assert judgement.attribute_BA.dtype == torch.float32


def test_the_recipe_reaches_the_network():
    model = ModelConfig(
        kind="vaegan",
        discriminator_network="dense",
        discriminator_norm="instance",
        discriminator_downsampling="average",
        discriminator_dropout=0.25,
        discriminator_width=8,
        spectral_norm=True,
    )
    network = build_discriminator(model, (32, 32, 3), attributes=2)
    assert network.dropout == 0.25
    assert network.channels == 16
    assert network.attributes.out_features == 2
    kinds = {type(module).__name__ for module in network.modules()}
    assert {"AvgPool2d", "DenseBlock", "SpectralNorm"} <= kinds
    assert norms_of(network) == {"instance"}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_every_weight_of_a_discriminator_learns(network: str, norm: str):
    model, context = make("vaegan", (32, 32, 1), discriminator_network=network, discriminator_norm=norm)
    before = {name: value.clone() for name, value in model.discriminator.named_parameters()}
    train(model, context, blobs(4, (32, 32, 1)), 2)
    still = [name for name, value in model.discriminator.named_parameters() if torch.equal(value, before[name])]
    # A norm takes the mean away, and with it whatever a bias before it added.
    assert not still


def test_the_default_is_what_it_was():
    """Strided 4x4 convolutions, group norms but for the first level, one linear layer: as many numbers."""
    network = build_model(make_info("vaegan", (32, 32, 3), discriminator_width=16), seed=0).discriminator
    sizes = [value.numel() for value in network.parameters()]
    assert sizes == [16 * 3 * 16, 16, 32 * 16 * 16, 32, 32, 32 * 64, 1]
