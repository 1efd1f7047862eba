from __future__ import annotations

import pytest
import torch
from model_builders import batch, make

from latentlab.models.ema import EVERY, WeightAverage, warmed_up


def walk(model, average: WeightAverage, steps: int, seed: int = 0) -> list[dict[str, torch.Tensor]]:
    """Move every weight at random and return what the weights were after each step."""
    draws = torch.Generator().manual_seed(seed)
    past = []
    for step in range(1, steps + 1):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=draws), alpha=0.1)
        average.update(step)
        past.append({name: value.clone() for name, value in model.inference_state().items()})
    return past


@pytest.mark.parametrize("decay", [0.5, 0.99, 0.9999])
def test_the_average_is_the_recurrence(decay: float):
    model, _ = make("vae")
    name = "encoder.head.weight"
    hand = model.inference_state()[name].double()
    average = WeightAverage(model, decay)
    past = walk(model, average, 6 * EVERY + 1)
    for step in range(EVERY, 6 * EVERY + 1, EVERY):
        share = min(decay, (1 + step) / (10 + step)) ** EVERY
        hand = share * hand + (1 - share) * past[step - 1][name].double()
    torch.testing.assert_close(average.state()[name].double(), hand, rtol=1e-5, atol=1e-6)
    assert not torch.equal(average.state()[name], past[-1][name])


def test_the_decay_warms_up():
    assert warmed_up(0.999, 0) == 0.1
    assert warmed_up(0.999, 90) == 0.91
    assert warmed_up(0.999, 10**6) == 0.999


def test_inside_the_block_the_model_is_its_average_and_afterwards_itself():
    model, context = make("vae", (32, 32, 1), encoder_norm="batch", decoder_norm="batch")
    average = WeightAverage(model, 0.9)
    walk(model, average, 8)
    live = {name: value.clone() for name, value in model.state_dict().items()}
    wanted = {name: value.clone() for name, value in average.state().items()}
    with average.in_place():
        for name, value in model.inference_state().items():
            assert torch.equal(value, wanted[name]), name
    for name, value in model.state_dict().items():
        assert torch.equal(value, live[name]), name
    model.training_step(batch(shape=(32, 32, 1)), context)  # the optimiser still moves the model's own weights
    assert not torch.equal(model.state_dict()["encoder.head.weight"], live["encoder.head.weight"])
    assert torch.equal(average.state()["encoder.head.weight"], wanted["encoder.head.weight"])


def test_the_model_is_itself_again_after_an_error():
    model, _ = make("vae")
    average = WeightAverage(model, 0.9)
    walk(model, average, 4)
    before = model.state_dict()["encoder.head.weight"].clone()
    with pytest.raises(ZeroDivisionError), average.in_place():
        _ = 1 / 0
    assert torch.equal(model.state_dict()["encoder.head.weight"], before)


def test_the_moving_moments_of_norms_are_averaged_and_counters_copied():
    model, context = make("vae", (32, 32, 1), encoder_norm="batch")
    average = WeightAverage(model, 0.9)
    for step in range(1, 3 * EVERY + 1):
        model.training_step(batch(shape=(32, 32, 1)), context)
        average.update(step)
    live, kept = model.inference_state(), average.state()
    moments = [name for name in live if name.endswith("running_mean")]
    counters = [name for name in live if name.endswith("num_batches_tracked")]
    assert moments
    assert counters
    assert all(not torch.equal(live[name], kept[name]) for name in moments)
    assert all(live[name].item() == kept[name].item() == 3 * EVERY for name in counters)


def test_the_discriminator_has_no_average():
    model, _ = make("vaegan")
    assert not [name for name in WeightAverage(model, 0.9).state() if name.startswith("discriminator.")]


def test_averages_are_taken_up_again_and_anew_where_there_are_none():
    model, _ = make("vae")
    average, other = WeightAverage(model, 0.9), WeightAverage(model, 0.9)
    walk(model, average, 8)
    saved = {name: value.clone() for name, value in average.state().items()}
    other.load(saved)
    assert all(torch.equal(value, saved[name]) for name, value in other.state().items())
    other.load(None)
    assert all(torch.equal(value, model.inference_state()[name]) for name, value in other.state().items())
    with pytest.raises(KeyError):
        other.load({})
