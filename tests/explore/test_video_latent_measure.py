from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Laplace, Normal, kl_divergence

from latentlab.core.errors import InputError
from latentlab.core.messages import ModelInfo, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.explore.video_latent_measure import FrameMeasurer
from latentlab.models.device import DevicePolicy
from latentlab.models.registry import build_model
from latentlab.models.weights import MODEL_FILE, STATE_FILE, save_tensors

SHAPE = (16, 24, 3)
CPU = DevicePolicy(torch.device("cpu"))


def make(kind, run=None, **objective):
    recipe = Recipe.model_validate(
        {
            "data": {"spec": "video:x", "size": SHAPE[:2]},
            "model": {"kind": kind, "network": "conv" if kind == "vaegan" else "mlp", "latent_dim": 3, "width": 8},
            "objective": objective,
        }
    )
    info = ModelInfo(recipe, SHAPE, num_classes=4 if kind == "cvae" else 0, run=run)
    model = build_model(info, 3).eval()
    with torch.no_grad():  # away from the grey and the standard normal that models begin with
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    measurer = FrameMeasurer(CPU)
    measurer.load(WeightSnapshot(7, info, model.inference_state()))
    return measurer, model


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (5, *SHAPE), dtype=np.uint8)


def tensor(frames):
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255


def test_latents_and_pixel_errors_are_the_models(frames):
    measurer, model = make("vae")
    found = measurer.measure(frames)
    with torch.no_grad():
        mu = model.encode(tensor(frames)).mu_BD
        recon = model.decode(mu)
    assert np.allclose(found.mu, mu, atol=1e-5)
    expected = [float(torch.nn.functional.mse_loss(a, b)) for a, b in zip(recon, tensor(frames), strict=True)]
    assert np.allclose(found.values["pixel"], expected, rtol=1e-4)
    assert np.allclose(measurer.encode(frames), mu, atol=1e-5)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "l1", "optimal-gaussian"])
def test_reconstruction_is_the_negative_log_likelihood_of_each_frame(frames, likelihood):
    measurer, model = make("vae", reconstruction=likelihood, sigma=0.3)
    x = tensor(frames)
    with torch.no_grad():
        mean = model.decode(model.encode(x).mu_BD)
    if likelihood == "bernoulli":
        expected = -Bernoulli(probs=mean, validate_args=False).log_prob(x).sum(dim=(1, 2, 3))
    elif likelihood == "l1":
        expected = -Laplace(mean, 0.3 / math.sqrt(2)).log_prob(x).sum(dim=(1, 2, 3))
    else:
        own = (mean - x).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        sigma = own if likelihood == "optimal-gaussian" else torch.full_like(own, 0.3)
        expected = -Normal(mean, sigma).log_prob(x).sum(dim=(1, 2, 3))
    assert np.allclose(measurer.measure(frames).values["reconstruction"], expected, rtol=1e-3, atol=0.1)


def test_kld_is_that_of_each_frames_posterior(frames):
    measurer, model = make("vae")
    with torch.no_grad():
        mu, logvar = model.encode(tensor(frames))
    expected = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum(dim=1)
    assert np.allclose(measurer.measure(frames).values["kld_nats"], expected, rtol=1e-4)


def test_an_auto_encoder_has_a_likelihood_and_no_kld(frames):
    measurer, model = make("ae", reconstruction="bernoulli")
    found = measurer.measure(frames)
    x = tensor(frames)
    with torch.no_grad():
        mean = model.decode(model.encode(x).mu_BD)
    expected = -Bernoulli(probs=mean, validate_args=False).log_prob(x).sum(dim=(1, 2, 3))
    assert np.allclose(found.values["reconstruction"], expected, rtol=1e-3)
    assert set(measurer.absent) == {"kld_nats", "feature_matching"}
    assert "kld_nats" not in found.values


def test_a_conditional_model_is_told_its_first_class(frames):
    measurer, model = make("cvae")
    with torch.no_grad():
        mu = model.encode(tensor(frames), torch.zeros(5, dtype=torch.int64)).mu_BD
    assert np.allclose(measurer.measure(frames).mu, mu, atol=1e-5)


def test_features_need_the_discriminator_of_a_checkpoint(frames, tmp_path):
    measurer, _ = make("vaegan", run=tmp_path)
    assert "none yet" in measurer.absent["feature_matching"]
    assert "likelihood" in measurer.absent["reconstruction"]
    assert set(measurer.measure(frames).values) == {"pixel", "kld_nats"}


def checkpoint(run, model, step=40):
    folder = run / "checkpoints" / "last"
    folder.mkdir(parents=True)
    save_tensors(folder / MODEL_FILE, model.state_dict())
    (folder / STATE_FILE).write_text(f'{{"step": {step}}}')
    return folder


def test_features_are_compared_by_the_discriminator_frame_by_frame(frames, tmp_path):
    _, model = make("vaegan", run=tmp_path)
    checkpoint(tmp_path, model)
    measurer = FrameMeasurer(CPU)
    measurer.load(WeightSnapshot(50, model.info, model.inference_state()))
    found = measurer.measure(frames).values["feature_matching"]
    x = tensor(frames)
    with torch.no_grad():
        recon = model.decode(model.encode(x).mu_BD)
        real, fake = model.discriminator(x).features, model.discriminator(recon).features
        expected = [
            float(torch.stack([(a[i] - b[i]).square().mean() for a, b in zip(real, fake, strict=True)]).mean())
            for i in range(5)
        ]
    assert np.allclose(found, expected, rtol=1e-3)  # the scales of all levels are 1 before training
    assert "step 40" in measurer.note


def test_a_damaged_checkpoint_costs_the_features_only(frames, tmp_path):
    _, model = make("vaegan", run=tmp_path)
    (checkpoint(tmp_path, model) / MODEL_FILE).write_bytes(b"no tensors")
    measurer = FrameMeasurer(CPU)
    measurer.load(WeightSnapshot(50, model.info, model.inference_state()))
    assert "damaged" in measurer.absent["feature_matching"]
    assert "pixel" in measurer.measure(frames).values


def test_before_any_weights_there_is_nothing_to_measure_with(frames):
    with pytest.raises(InputError, match="no weights"):
        FrameMeasurer(CPU).measure(frames)
