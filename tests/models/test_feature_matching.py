from __future__ import annotations

import pytest
import torch
from torch import Tensor

from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.feature_matching import FeatureMatching, chosen_levels, feature_scales

PLAIN = ObjectiveConfig(normalise_features=False)
NORMALISED = ObjectiveConfig(normalise_features=True)


def distance(matching: FeatureMatching, real: list[Tensor], recon: list[Tensor], objective: ObjectiveConfig) -> Tensor:
    return matching(matching.observe(real), recon, objective)


def test_without_normalisation_it_is_the_plain_mean_squared_error():
    real = [torch.full((2, 4, 2, 2), 3.0), torch.zeros(2, 8, 1, 1)]
    recon = [torch.full((2, 4, 2, 2), 1.0), torch.full((2, 8, 1, 1), 2.0)]
    assert distance(FeatureMatching(2), real, recon, PLAIN).item() == pytest.approx((4.0 + 4.0) / 2)


@pytest.mark.parametrize(("layer", "expected"), [("1", 1.0), ("2", 4.0), ("3", 9.0), ("6", 9.0), ("last", 9.0)])
def test_one_level_may_be_chosen(layer: str, expected: float):
    real = [torch.zeros(2, 4, 2, 2)] * 3
    recon = [torch.full((2, 4, 2, 2), float(i)) for i in (1, 2, 3)]
    objective = ObjectiveConfig(normalise_features=False, feature_layer=layer)
    assert distance(FeatureMatching(3), real, recon, objective).item() == pytest.approx(expected)


def test_all_levels_are_chosen_by_default():
    assert chosen_levels("all", 4) == [0, 1, 2, 3]


def test_normalised_it_does_not_know_the_scale():
    """Once the running values have settled, features a thousand times larger give the same loss."""
    generator = torch.Generator().manual_seed(0)
    real, recon = torch.randn(2, 4, 4, 4, generator=generator), torch.randn(2, 4, 4, 4, generator=generator)
    seen = []
    for scale in (1.0, 1000.0):
        matching = FeatureMatching(1)
        for _ in range(3000):
            loss = distance(matching, [real * scale], [recon * scale], NORMALISED)
        seen.append(loss.item())
    assert seen[0] == pytest.approx(seen[1], rel=1e-3)
    assert seen[0] == pytest.approx(((real - recon).square().mean() / real.square().mean()).item(), rel=1e-3)


def test_normalised_levels_weigh_the_same():
    matching = FeatureMatching(2)
    real = [torch.full((2, 1, 2, 2), 100.0), torch.full((2, 1, 2, 2), 0.01)]
    for _ in range(3000):
        targets = matching.observe(real)
    assert matching(targets, [torch.zeros(2, 1, 2, 2)] * 2, NORMALISED).item() == pytest.approx(1.0, rel=1e-3)


def test_it_pulls_the_reconstruction_only():
    real, recon = torch.ones(2, 1, 2, 2, requires_grad=True), torch.zeros(2, 1, 2, 2, requires_grad=True)
    distance(FeatureMatching(1), [real], [recon], NORMALISED).backward()
    assert real.grad is None
    assert recon.grad.abs().sum() > 0


def test_the_running_scale_moves_with_every_look_in_train_mode_only():
    matching = FeatureMatching(1)
    matching.observe([torch.full((2, 1, 2, 2), 9.0)])
    assert matching.mean_square_L.item() == pytest.approx(0.99 + 0.01 * 81.0)
    matching.eval().observe([torch.full((2, 1, 2, 2), 9.0)])
    assert matching.mean_square_L.item() == pytest.approx(0.99 + 0.01 * 81.0)


def test_scales_are_reported_level_by_level():
    targets = FeatureMatching(2).observe([torch.full((2, 1, 2, 2), -3.0), torch.full((2, 1, 1, 1), 0.5)])
    assert {k: v.item() for k, v in feature_scales(targets).items()} == {"feature_rms_1": 3.0, "feature_rms_2": 0.5}
