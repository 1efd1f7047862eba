from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from latentlab.core.errors import LatentLabError
from latentlab.core.messages import ModelInfo, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.core.video_messages import ErrorCurve, psnr_db
from latentlab.explore.video_difference import difference_image
from latentlab.explore.video_inference import FrameReconstructor
from latentlab.models.registry import build_model


def snapshot(kind="vae", *, classes=0, step=7):
    model = {"kind": kind, "network": "mlp", "latent_dim": 4, "width": 4}
    recipe = Recipe.model_validate({"data": {"size": (16, 24)}, "model": model})
    info = ModelInfo(recipe, (16, 24, 3), num_classes=classes)
    network = build_model(info, 1).eval()
    return WeightSnapshot(step, info, network.inference_state()), network


def frames(count=5):
    return np.random.default_rng(0).integers(0, 256, (count, 16, 24, 3), dtype=np.uint8)


def test_frames_are_those_of_the_model_itself_in_any_batch():
    weights, network = snapshot()
    replica = FrameReconstructor()
    replica.load(weights)
    given = frames(7)
    result = replica.reconstruct(given, batch=3)
    x = torch.from_numpy(given).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        expected = network.decode(network.encode(x).mu_BD)
    mse = torch.nn.functional.mse_loss(expected, x, reduction="none").mean(dim=(1, 2, 3))
    assert np.allclose(result.pixel, mse.numpy(), atol=1e-6)
    assert np.abs(result.images - expected.permute(0, 2, 3, 1).numpy() * 255).max() <= 0.51
    assert (replica.step, replica.info) == (7, weights.info)


def test_a_conditional_model_reconstructs_frames_without_labels():
    replica = FrameReconstructor()
    replica.load(snapshot("cvae", classes=3)[0])
    assert replica.reconstruct(frames()).images.shape == (5, 16, 24, 3)


def test_without_weights_it_says_so():
    with pytest.raises(LatentLabError, match="no weights"):
        FrameReconstructor().reconstruct(frames())


@pytest.mark.parametrize(("pixel", "decibels"), [(1.0, 0.0), (0.01, 20.0), (0.5, 3.0103), (0.0, 100.0)])
def test_psnr_of_an_error(pixel, decibels):
    assert psnr_db(pixel) == pytest.approx(decibels, abs=1e-4)


def test_psnr_agrees_with_opencv():
    import cv2

    a, b = frames(2)
    mse = float(((a / 255.0 - b / 255.0) ** 2).mean())
    assert psnr_db(mse) == pytest.approx(cv2.PSNR(a, b), abs=1e-6)
    assert math.isfinite(psnr_db(1e-30))


def test_signed_difference_is_grey_where_equal_and_bright_where_too_bright():
    original = np.full((2, 2, 3), 100, np.uint8)
    recon = original.copy()
    recon[0, 0], recon[1, 1] = 140, 60
    picture = difference_image(original, recon, "signed", 2.0)
    assert picture[0, 1].tolist() == [128, 128, 128]
    assert picture[0, 0].tolist() == [168, 168, 168]
    assert picture[1, 1].tolist() == [88, 88, 88]


def test_heat_grows_with_the_difference_and_ends_at_the_gain():
    original = np.zeros((1, 256, 1), np.uint8)
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 256, 1)
    brightness = difference_image(original, ramp, "heat", 1.0).astype(int).sum(axis=2)[0]
    assert (np.diff(brightness) >= 0).all()
    assert brightness[0] == 0
    three = difference_image(original, ramp, "heat", 3.0)
    assert np.array_equal(three[0, 85], three[0, 255])
    assert three.flags.c_contiguous


def test_the_worst_frames_are_apart():
    pixel = np.array([0.1, 0.9, 0.8, np.nan, 0.2, 0.7], np.float32)
    curve = ErrorCurve(pixel, 5, 1)
    assert curve.worst() == [1]
    assert curve.worst(3) == [1, 2, 5]
    assert curve.worst(3, apart=2) == [1, 5]
    assert not curve.complete
    assert ErrorCurve(np.full(3, np.nan, np.float32), 0, -1).worst() == []
