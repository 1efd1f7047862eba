from __future__ import annotations

import pytest
import torch
from model_builders import make, train

from latentlab.models.conditioning import CLASS_SIGNAL, build_class_code, class_planes, one_hot
from latentlab.models.layers import initialise

CPU = torch.device("cpu")
KNOWN = one_hot(torch.tensor([2, 0, -1]), 3, 4, CPU)


def test_planes_are_constant_and_one_hot() -> None:
    planes = class_planes(KNOWN, 5, 7)
    assert planes.shape == (3, 4, 5, 7)
    expected = torch.zeros(3, 4, 5, 7)
    expected[0, 2] = expected[1, 0] = 1.0
    assert torch.equal(planes, expected)


@pytest.mark.parametrize("form", ["one-hot", "embedding"])
def test_a_code_is_linear_in_the_class(form: str) -> None:
    """A guessed class is the mixture of the classes, an unknown one is nothing."""
    code = build_class_code(form, 4)
    initialise(code, torch.Generator().manual_seed(0))
    rows = code(torch.eye(4))
    assert rows.shape == (4, code.size)
    soft = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    torch.testing.assert_close(code(soft), sum(w * row for w, row in zip(soft[0], rows, strict=True))[None])
    assert torch.equal(code(KNOWN)[2], torch.zeros(code.size))
    assert len(rows.unique(dim=0)) == 4


def test_one_hot_learns_nothing_and_an_embedding_does() -> None:
    assert not list(build_class_code("one-hot", 3).parameters())
    assert torch.equal(build_class_code("one-hot", 3)(torch.eye(3)), CLASS_SIGNAL * torch.eye(3))
    assert [tuple(p.shape) for p in build_class_code("embedding", 3).parameters()] == [(3, 16)]


def test_the_embedding_of_a_cvae_learns() -> None:
    model, context = make("cvae", conditioning="embedding")
    before = model.class_code.table.weight.clone()
    train(model, context, torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(0)), 1)
    assert not torch.equal(before, model.class_code.table.weight)
