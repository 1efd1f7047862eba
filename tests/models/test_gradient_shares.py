"""The terms taken apart make up what a training step goes down, and looking at them changes nothing."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
from model_builders import blobs, make_context, make_info
from test_no_waiting import Watch

from latentlab.models.base import Batch, LabelledBatch
from latentlab.models.gradient_shares import gradient_shares
from latentlab.models.loss_terms import gradients, loss_terms
from latentlab.models.registry import build_model

LABELS = torch.tensor([0, 1, 2] * 2)
CASES = {
    "ae": ("ae", {}),
    "vae": ("vae", {"initial_beta": 3.0}),
    "vae-batch-kld": ("vae", {"kld": "batch", "kld_momentum": 0.5}),
    "cvae": ("cvae", {"reconstruction": "bernoulli"}),
    "ssvae": ("ssvae", {"classification_weight": 2.0}),
    "stacked": ("ssvae", {"features_dim": 3}),
    "cgan": ("cgan", {"r1_weight": 1.0, "label_smoothing": 0.1}),
    "vaegan": ("vaegan", {}),
    "vaegan-all": (
        "vaegan",
        {
            "pixel_weight": 2.0,
            "prior_feature_weight": 0.5,
            "attribute_weight": 0.3,
            "decoder_attribute_weight": 0.2,
            "r1_weight": 1.0,
            "label_noise": 0.1,
            "instance_noise": 0.1,
            "adversarial_weight": 0.4,
        },
    ),
    "vaegan-hinge": ("vaegan", {"gan_loss": "hinge", "encoder_feature_matching": False}),
    "vaegan-pairs": ("vaegan", {"gan_loss": "relativistic"}),
    "vaegan-delayed": ("vaegan", {"adversarial_delay": 10}),
}


def build(case: str):
    kind, settings = CASES[case]
    info = make_info(kind, **settings)
    if kind == "vaegan":
        info = dataclasses.replace(info, attribute_names=("a",))
    model = build_model(info, seed=0)
    known = LABELS if kind in ("cvae", "cgan") else None
    attributes = torch.tensor([[1.0], [0.0], [-1.0]] * 2) if kind == "vaegan" else None
    labelled = LabelledBatch(blobs(6, seed=4), LABELS) if kind == "ssvae" else None
    return model, Batch(blobs(6), known, attributes, labelled)


@pytest.mark.parametrize("case", CASES)
def test_the_terms_make_up_the_gradient_of_the_step(case: str):
    model, batch = build(case)
    apart = copy.deepcopy(model)
    terms = loss_terms(apart, batch, make_context(apart, seed=7))
    parts = gradients(terms, apart)
    model.training_step(batch, make_context(model, seed=7))
    for network, found in parts.items():
        whole = [torch.stack(same).sum(dim=0) for same in zip(*found.values(), strict=True)]
        for mine, weight in zip(whole, getattr(model, network).parameters(), strict=True):
            theirs = torch.zeros_like(weight) if weight.grad is None else weight.grad
            assert torch.allclose(mine, theirs, rtol=1e-3, atol=1e-6), network


@pytest.mark.parametrize("case", CASES)
def test_shares_add_up_to_one_and_disturb_nothing(case: str):
    model, batch = build(case)
    context = make_context(model)
    before, noise = copy.deepcopy(model.state_dict()), context.generator.get_state()
    buffers = [id(buffer) for buffer in model.buffers()]
    with Watch() as watch:
        metrics = gradient_shares(model, batch, context, seed=3)
    assert watch.seen == []
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert [id(buffer) for buffer in model.buffers()] == buffers
    assert torch.equal(noise, context.generator.get_state())
    assert all(weight.grad is None for weight in model.parameters())
    for network in ("encoder", "decoder", "discriminator", "classifier"):
        shares = [float(value) for name, value in metrics.items() if name.startswith(f"share_{network}")]
        assert not shares or sum(shares) == pytest.approx(1.0, abs=1e-5)
        assert f"grad_norm_{network}" in metrics or not hasattr(model, network) or case == "vaegan-delayed"
    again = gradient_shares(model, batch, context, seed=3)
    assert {k: float(v) for k, v in again.items()} == {k: float(v) for k, v in metrics.items()}


def test_a_weight_forty_times_too_large_shows():
    model, batch = build("vaegan-all")
    context = make_context(model)
    usual = gradient_shares(model, batch, context, seed=0)
    loud = context.objective.model_copy(update={"pixel_weight": 80.0})
    context.objective = loud
    shifted = gradient_shares(model, batch, context, seed=0)
    assert float(shifted["share_decoder_pixel"]) > 0.9 > float(usual["share_decoder_pixel"])
