from __future__ import annotations

import contextlib

import pytest
import torch
from model_builders import blobs, make, make_info, train
from torch import nn
from torch.nn.utils import parametrizations

from latentlab.models.layers import initialise
from latentlab.models.registry import build_model
from latentlab.models.spectral import SpectralNorm, normalise_spectrally


def layers(model: nn.Module) -> dict[str, nn.Module]:
    return {name: m for name, m in model.discriminator.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)}


@pytest.mark.parametrize("network", ["conv", "dense", "splatoon"])
def test_a_fresh_discriminators_weights_have_a_largest_singular_value_of_one(network: str):
    """After the meta-device build and the draw of the weights, measured by SVD."""
    model = build_model(make_info("vaegan", (32, 32, 3), spectral_norm=True, discriminator_network=network), seed=3)
    assert len(layers(model)) >= 3
    for layer in layers(model.eval()).values():
        assert torch.linalg.svdvals(layer.weight.flatten(1))[0].item() == pytest.approx(1.0, abs=0.05)


def test_the_estimate_follows_the_weights_as_they_learn():
    model, context = make("vaegan", (32, 32, 1), spectral_norm=True, lr=2e-3)
    before = {name: layer.parametrizations["weight"].original.clone() for name, layer in layers(model).items()}
    train(model, context, blobs(16, (32, 32, 1)), 40)
    for name, layer in layers(model.eval()).items():
        original = layer.parametrizations["weight"].original
        assert (original - before[name]).norm() > 0.05 * before[name].norm()
        expected = original / torch.linalg.svdvals(original.flatten(1))[0]
        torch.testing.assert_close(layer.weight, expected, rtol=0.05, atol=1e-4)


def test_it_agrees_with_the_librarys_own():
    """One power iteration of torch's spectral_norm from the same vectors gives the same weight and gradient."""
    generator = torch.Generator().manual_seed(0)
    ours, theirs = nn.Conv2d(3, 8, 3), parametrizations.spectral_norm(nn.Conv2d(3, 8, 3))
    normalise_spectrally(ours)
    initialise(ours, generator)
    mine, library = ours.parametrizations["weight"], theirs.parametrizations["weight"]
    with torch.no_grad():
        library.original.copy_(mine.original)
        library[0]._u.copy_(mine[0].u_N)
        library[0]._v.copy_(mine[0].v_M)
    direction = torch.randn(8, 3, 3, 3, generator=generator)
    a, b = ours.weight, theirs.weight
    torch.testing.assert_close(a, b)
    (a * direction).sum().backward()
    (b * direction).sum().backward()
    torch.testing.assert_close(mine.original.grad, library.original.grad)


def test_building_is_deterministic_and_leaves_the_random_state_alone():
    before = torch.random.get_rng_state()
    states = [build_model(make_info("vaegan", spectral_norm=True), seed=1).state_dict() for _ in range(2)]
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert any("u_N" in name for name in states[0])


def test_in_eval_mode_the_estimate_rests():
    model = build_model(make_info("vaegan", spectral_norm=True), seed=0).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.discriminator(blobs(2))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("enabled", [True, False])
def test_autocast_does_not_round_the_singular_value(enabled: bool):
    norm = SpectralNorm(torch.empty(5, 7))
    weight = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    norm.settle(weight)
    with torch.autocast("cpu", dtype=torch.bfloat16) if enabled else contextlib.nullcontext():
        for _ in range(50):
            normalised = norm(weight)
    assert normalised.dtype == torch.float32
    assert torch.linalg.svdvals(normalised)[0].item() == pytest.approx(1.0, abs=1e-5)


def test_snapshots_hold_nothing_of_it():
    model, _ = make("vaegan", spectral_norm=True)
    assert not [name for name in model.inference_state() if "parametrizations" in name]
