from __future__ import annotations

import pytest
import torch
from model_builders import CLASSES, blobs, make, train


@pytest.mark.parametrize("kind", ["ae", "vae", "cvae", "vaegan"])
def test_in_train_mode_the_means_of_a_batch_are_centred_and_scaled(kind: str):
    model, _ = make(kind, latent_batch_norm=True)
    labels = torch.arange(12) % CLASSES
    mu = model.encode(blobs(12), labels).mu_BD
    torch.testing.assert_close(mu.mean(dim=0), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(mu.std(dim=0, correction=0), torch.ones(4), atol=0.05, rtol=0)


def test_log_variances_are_left_alone():
    plain, _ = make("vae")
    normed, _ = make("vae", latent_batch_norm=True)
    torch.testing.assert_close(plain.encode(blobs(6)).logvar_BD, normed.encode(blobs(6)).logvar_BD)


def test_in_eval_mode_an_image_is_encoded_alone():
    model, context = make("vae", latent_batch_norm=True)
    train(model, context, blobs(16), 20)
    model.eval()
    with torch.no_grad():
        torch.testing.assert_close(model.encode(blobs(6)).mu_BD[2:3], model.encode(blobs(6)[2:3]).mu_BD)


def test_its_moments_are_part_of_the_snapshot():
    model, context = make("vaegan", latent_batch_norm=True)
    train(model, context, blobs(16), 3)
    state = {name: value.clone() for name, value in model.inference_state().items()}
    other, _ = make("vaegan", latent_batch_norm=True)
    other.load_state_dict(state, strict=False)
    with torch.no_grad():
        assert torch.equal(model.eval().encode(blobs(4)).mu_BD, other.eval().encode(blobs(4)).mu_BD)


def test_it_learns_with_the_encoder():
    model, context = make("vaegan", latent_batch_norm=True)
    train(model, context, blobs(8), 2)
    assert not torch.equal(model.encoder.norm.weight, torch.ones(4))
    assert any(parameter is model.encoder.norm.weight for parameter in model.parameter_groups()["encoder"])
