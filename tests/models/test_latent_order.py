from __future__ import annotations

import math

import pytest
import torch
from model_builders import make

from latentlab.models.latent_order import LatentOrder


def test_dimension_j_is_scaled_by_its_exponential() -> None:
    order = LatentOrder(5, 2.0)
    order.reset_buffers()
    expected = [[3.0 * math.exp(-j / 2.0) for j in range(5)]]
    assert torch.allclose(order(torch.full((1, 5), 3.0)), torch.tensor(expected))


@pytest.mark.parametrize("kind", ["vae", "cvae", "ssvae", "vaegan"])
def test_later_dimensions_say_less_and_are_heard_less(kind: str) -> None:
    model, _ = make(kind, latent_dim=6, latent_decay=1.5)
    plain, _ = make(kind, latent_dim=6)
    plain.load_state_dict(model.state_dict(), strict=False)
    x, y = torch.rand(4, *_chw(model)), torch.zeros(4, dtype=torch.int64)
    scale = torch.exp(-torch.arange(6) / 1.5)
    assert torch.allclose(model.encode(x, y).mu_BD, plain.encode(x, y).mu_BD * scale, atol=1e-5)
    assert torch.equal(model.encode(x, y).logvar_BD, plain.encode(x, y).logvar_BD)
    z = torch.randn(4, 6)
    assert torch.allclose(model.decode(z, y), plain.decode(z * scale, y), atol=1e-5)
    assert torch.equal(model.inference_state()["order.scale_D"], scale)


def test_without_it_nothing_is_kept_in_checkpoints() -> None:
    assert not [name for name in make("vae")[0].state_dict() if name.startswith("order.")]


def _chw(model) -> tuple[int, int, int]:
    height, width, channels = model.info.image_shape
    return channels, height, width
