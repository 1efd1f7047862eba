"""M1+M2: who learns from what, and when."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from model_builders import CLASSES, make
from test_semisupervised import KNOWN, WAYS, learn, mixed_batch

from latentlab.models.base import Batch, StepContext
from latentlab.models.stacked import StackedVae
from latentlab.models.vae import Vae


def stacked(**settings: object) -> tuple[StackedVae, StepContext]:
    model, context = make("ssvae", **{"network": "mlp", "reconstruction": "bernoulli", "features_dim": 6, **settings})
    assert isinstance(model, StackedVae)
    return model, context


def test_the_first_vae_learns_exactly_as_it_would_alone():
    model, context = stacked()
    batch = mixed_batch()
    alone, plain = make("vae", network="mlp", reconstruction="bernoulli", latent_dim=6)
    assert isinstance(alone, Vae)
    alone.load_state_dict(model.first.state_dict())
    for step in range(3):
        context.step = plain.step = step
        # Both draw the noise of z1 first.
        context.generator.manual_seed(step)
        plain.generator.manual_seed(step)
        model.training_step(batch, context)
        alone.training_step(Batch(torch.cat([batch.labelled.x_BCHW, batch.x_BCHW]), None), plain)
    for name, tensor in alone.state_dict().items():
        torch.testing.assert_close(model.first.state_dict()[name], tensor)


def test_the_first_vae_stays_as_it_is_after_its_steps_while_the_second_learns():
    model, context = stacked(features_steps=2)
    history = []
    for step in range(5):
        context.step = step
        metrics = model.training_step(mixed_batch(), context)
        history.append({name: p.detach().clone() for name, p in model.named_parameters()})
    moved = [{n for n in a if not torch.equal(a[n], b[n])} for a, b in pairwise(history)]
    assert any(name.startswith("first.") for name in moved[0])
    assert not any(name.startswith("first.") for later in moved[1:] for name in later)
    assert any(name.startswith("classifier.") for name in moved[-1])
    assert any(name.startswith("decoder.") for name in moved[-1])
    assert {"features_kld", "features_nll", "class_loss", "pixel"} <= metrics.keys()


def test_pictures_go_through_both():
    model, _ = stacked()
    images = torch.rand(5, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    posterior = model.encode(images)
    assert posterior.mu_BD.shape == (5, 4)
    assert model.class_probabilities(images).shape == (5, CLASSES)
    pictures = model.decode(posterior.mu_BD, model.classes_of(images, None)).detach()
    assert pictures.shape == images.shape
    assert 0.0 <= float(pictures.min()) <= float(pictures.max()) <= 1.0
    assert all(name in model.inference_state() for name in ("first.encoder.first.weight", "classifier.head.weight"))


@pytest.mark.parametrize("way", WAYS)
def test_it_learns_the_bars_from_a_label_each(way: str):
    model, context = stacked(width=8, unlabelled=way, features_steps=60, lr=5e-3, classification_weight=1.0)
    assert learn(model, context, 150) > 0.9
    assert KNOWN > CLASSES  # mixed batches repeat a class
