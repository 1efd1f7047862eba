from __future__ import annotations

import inspect
import re
import threading
from typing import get_args

import pytest
import torch
from model_builders import make_info

from latentlab.core.recipe_base import ModelKind
from latentlab.models.base import LatentModel
from latentlab.models.registry import MODELS, build_model, is_convolutional
from latentlab.models.stacked import StackedVae

KINDS = get_args(ModelKind)


def test_every_kind_of_the_recipe_can_be_built():
    assert set(MODELS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_weights_and_other_seed_other_weights(kind: str):
    one, two, other = (build_model(make_info(kind), seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_the_global_random_state_is_neither_read_nor_moved():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = build_model(make_info("vaegan"), seed=0).state_dict()
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    second = build_model(make_info("vaegan"), seed=0).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_without_a_seed_every_model_is_another():
    one, two = build_model(make_info()), build_model(make_info())
    assert not torch.equal(one.encoder.head.weight, two.encoder.head.weight)


def test_every_tensor_is_real_and_finite():
    for kind in KINDS:
        model = build_model(make_info(kind, kld="batch"), seed=0)
        for name, value in model.state_dict().items():
            assert value.device.type == "cpu", name
            assert value.isfinite().all(), name


def test_models_built_in_two_threads_are_those_of_one():
    alone = build_model(make_info("vaegan"), seed=5).state_dict()
    built: list[dict[str, torch.Tensor]] = []
    threads = [
        threading.Thread(target=lambda: built.append(build_model(make_info("vaegan"), seed=5).state_dict()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 4
    assert all(torch.equal(state[name], alone[name]) for state in built for name in alone)


@pytest.mark.parametrize(
    ("kind", "network", "expected"),
    [("vae", "conv", True), ("vae", "residual", True), ("vae", "mlp", False), ("vaegan", "mlp", True)],
)
def test_what_counts_as_convolutional(kind: str, network: str, expected: bool):
    assert is_convolutional(make_info(kind, network=network)) is expected


@pytest.mark.parametrize("cls", [*MODELS.values(), StackedVae], ids=lambda cls: cls.__name__)
def test_a_training_step_fits_on_one_screen_and_names_its_paper(cls: type[LatentModel]):
    step = cls.training_step
    assert re.search(r"\d{4}", inspect.getdoc(step)), "authors and year"
    assert len(inspect.getsource(step).splitlines()) <= 45
