from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch

from latentlab.core.errors import InputError
from latentlab.core.recipe_data import DataConfig
from latentlab.training.augment import Augmentation, hue_matrices, mixed_channels, shifted


def pictures(count: int = 6, channels: int = 3) -> torch.Tensor:
    return torch.rand(count, channels, 5, 7, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_a_shift_moves_pixels_and_repeats_the_border(memory_format) -> None:
    x = pictures(4).contiguous(memory_format=memory_format)
    offsets = np.array([[0, 0], [2, 0], [0, -3], [-1, 1]])
    moved = shifted(x, offsets)
    assert moved.is_contiguous(memory_format=memory_format)
    for image, (down, right), result in zip(x, offsets, moved, strict=True):
        for row in range(5):
            for column in range(7):
                source = min(max(row - down, 0), 4), min(max(column - right, 0), 6)
                assert torch.equal(result[:, row, column], image[:, source[0], source[1]])


def test_a_third_of_the_circle_takes_each_primary_to_the_next_and_grey_stays() -> None:
    colours = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0.4, 0.4, 0.4]]).reshape(4, 3, 1, 1)
    turned = mixed_channels(colours, hue_matrices(np.full(4, 1 / 3))).reshape(4, 3)
    back = mixed_channels(colours, hue_matrices(np.full(4, -1 / 3))).reshape(4, 3)
    for one, other in zip(turned[:3], back[:3], strict=True):
        assert one.argmax() != other.argmax()
        hues = [colorsys.rgb_to_hsv(*colour.tolist())[0] for colour in (one, other)]
        assert 0.2 < abs(hues[0] - hues[1]) < 0.8
    assert torch.allclose(turned[3], torch.full((3,), 0.4), atol=1e-5)


@pytest.mark.parametrize("turn", [0.0, 1.0, -2.0])
def test_whole_circles_change_nothing(turn: float) -> None:
    x = pictures()
    assert torch.allclose(mixed_channels(x, hue_matrices(np.full(6, turn))), x, atol=1e-5)


def test_turning_the_hue_keeps_the_luma_where_nothing_is_clipped() -> None:
    x = 0.4 + 0.2 * pictures(50)
    turned = mixed_channels(x, hue_matrices(np.linspace(-0.5, 0.5, 50)))
    weights = torch.tensor([0.299, 0.587, 0.114])
    before, after = (torch.einsum("bchw,c->bhw", image, weights) for image in (x, turned))
    assert torch.allclose(before, after, atol=1e-5)
    assert not torch.allclose(x, turned, atol=0.02)


def test_half_of_many_images_are_mirrored_and_the_rest_are_not() -> None:
    x = pictures(400)
    out = Augmentation(DataConfig(flip=True), 3)(x, np.random.default_rng(0))
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(out, x, strict=True)]
    same = [torch.equal(a, b) for a, b in zip(out, x, strict=True)]
    assert all(m != s for m, s in zip(mirrored, same, strict=True))
    assert 150 < sum(mirrored) < 250


def test_the_same_draws_give_the_same_pictures_and_others_others() -> None:
    change = Augmentation(DataConfig(flip=True, shift=2, hue=0.3), 3)
    x = pictures()
    first, again, other = (change(x, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.min() >= 0
    assert first.max() <= 1


def test_grey_images_have_no_hue() -> None:
    with pytest.raises(InputError, match="grey"):
        Augmentation(DataConfig(hue=0.1), 1)
    assert not Augmentation(DataConfig(), 1).active
