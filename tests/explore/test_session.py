from __future__ import annotations

import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from replica_fakes import info_of, snapshot_of

from latentlab.core.errors import InputError
from latentlab.core.messages import DecodeRequest, EncodeRequest, ReconstructRequest, WeightSnapshot
from latentlab.explore.session import ExploreSession
from latentlab.models.device import DevicePolicy
from latentlab.models.registry import build_model

CPU = DevicePolicy(torch.device("cpu"))


def loaded(kind: str = "vae", channels: int = 1) -> ExploreSession:
    session = ExploreSession(CPU)
    session.load(snapshot_of(info_of(kind, channels=channels)))
    return session


def points(count: int, dim: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


def pictures(count: int, shape=(16, 20, 1), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["ae", "vae", "vaegan"])
def test_decoding_agrees_with_the_model_itself(kind):
    session, z = loaded(kind), points(5)
    result = session.run(DecodeRequest(z, generation=3))
    model = build_model(info_of(kind), 0).eval()
    with torch.no_grad():
        expected = model.decode(torch.from_numpy(z)).permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(result.images, np.rint(expected * 255).astype(np.uint8))
    assert result.images.flags.c_contiguous
    assert result.images.flags.owndata
    assert (result.step, result.taken_at, result.request.generation) == (7, 1.5, 3)
    assert result.took_ms > 0
    assert result.error is None


def test_decoding_is_bit_equal_every_time_and_in_every_batch():
    session, z = loaded(), points(9)
    images = session.run(DecodeRequest(z)).images
    np.testing.assert_array_equal(session.run(DecodeRequest(z)).images, images)
    again = ExploreSession(CPU)
    again.load(snapshot_of(info_of()))
    np.testing.assert_array_equal(again.run(DecodeRequest(z)).images, images)


def test_encoding_gives_the_posterior_of_the_resized_picture():
    session, images = loaded(channels=3), pictures(3, (40, 60, 3))
    result = session.run(EncodeRequest(images))
    resized = np.stack([cv2.resize(image, (20, 16), interpolation=cv2.INTER_AREA) for image in images])
    np.testing.assert_array_equal(result.originals, resized)
    model = build_model(info_of(channels=3), 0).eval()
    with torch.no_grad():
        posterior = model.encode(torch.from_numpy(resized.transpose(0, 3, 1, 2).astype(np.float32) / 255))
    np.testing.assert_allclose(result.mu, posterior.mu_BD.numpy(), atol=1e-5)
    np.testing.assert_allclose(result.logvar, posterior.logvar_BD.numpy(), atol=1e-5)
    assert result.images is None


def test_a_plain_auto_encoder_has_no_variance():
    result = loaded("ae").run(EncodeRequest(pictures(2)))
    assert result.logvar is None
    assert result.mu.shape == (2, 4)


def test_reconstructing_decodes_the_mean_and_measures_the_error():
    session, images = loaded(), pictures(4)
    result = session.run(ReconstructRequest(images, tag=5))
    decoded = session.run(DecodeRequest(result.mu)).images
    np.testing.assert_array_equal(result.images, decoded)
    error = np.square(images / 255.0 - decoded / 255.0).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(result.pixel, error, atol=2e-3)
    np.testing.assert_array_equal(result.originals, images)
    assert result.request.tag == 5


def test_grey_pictures_enter_a_colour_model_and_the_other_way_round():
    grey, colour = pictures(1), pictures(1, (16, 20, 3))
    np.testing.assert_array_equal(loaded(channels=3).run(EncodeRequest(grey)).originals, np.repeat(grey, 3, axis=3))
    luma = cv2.cvtColor(colour[0], cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(loaded().run(EncodeRequest(colour)).originals[0, :, :, 0], luma)


def test_a_class_changes_the_picture_and_only_where_there_are_classes():
    z = np.zeros((2, 4), dtype=np.float32)
    images = loaded("cvae").run(DecodeRequest(z, np.array([0, 1]))).images
    assert (images[0] != images[1]).any()
    ignored = loaded("vae").run(DecodeRequest(z, np.array([0, 1]))).images
    np.testing.assert_array_equal(ignored[0], ignored[1])


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (DecodeRequest(points(2, 5)), r"z must be \(B, 4\)"),
        (DecodeRequest(points(2)[0]), r"z must be \(B, 4\)"),
        (DecodeRequest(np.full((1, 4), np.nan, dtype=np.float32), np.array([0])), "finite"),
        (DecodeRequest(points(2)), "choose one"),
        (DecodeRequest(points(2), np.array([0])), "one class for each"),
        (DecodeRequest(points(2), np.array([0, 3])), "Class 3 does not exist"),
        (DecodeRequest(points(2), np.array([-1, 0])), "Class -1 does not exist"),
        (EncodeRequest(pictures(1)[0]), "uint8"),
        (EncodeRequest(pictures(1, (4, 4, 2))), "uint8"),
        (EncodeRequest(pictures(1).astype(np.float32)), "uint8"),
    ],
)
def test_a_request_that_does_not_fit_is_answered_with_an_error(request_, message):
    result = loaded("cvae").run(request_)
    assert result.images is None
    assert re.search(message, result.error.what)
    assert result.request is request_


def test_without_weights_every_answer_is_an_error():
    assert "no weights" in ExploreSession(CPU).run(DecodeRequest(points(1))).error.what
    assert ExploreSession(CPU).info is None


def test_loading_copies():
    snapshot = snapshot_of(info_of())
    session = ExploreSession(CPU)
    session.load(snapshot)
    before = session.run(DecodeRequest(points(1))).images
    for tensor in snapshot.state.values():
        tensor.zero_()
    np.testing.assert_array_equal(session.run(DecodeRequest(points(1))).images, before)


def test_newer_weights_reuse_the_networks_and_another_model_rebuilds_them():
    session = loaded()
    first = session._model
    images = session.run(DecodeRequest(points(1))).images
    session.load(snapshot_of(info_of(), seed=1, step=8))
    assert session._model is first
    assert session.step == 8
    assert (session.run(DecodeRequest(points(1))).images != images).any()
    session.load(snapshot_of(info_of(latent_dim=6)))
    assert session._model is not first
    assert session.run(DecodeRequest(points(1, 6))).error is None


def test_weights_of_another_model_are_refused_and_nothing_answers_until_good_ones_come():
    session = loaded()
    good = snapshot_of(info_of())
    state = dict(good.state)
    name = max(state, key=lambda key: state[key].numel())
    state[name] = torch.zeros(1, 2, 3, 5, 7)
    with pytest.raises(InputError, match="do not fit"):
        session.load(replace(good, state=state))
    assert session.run(DecodeRequest(points(1))).error is not None
    session.load(good)
    assert session.run(DecodeRequest(points(1))).error is None


def test_missing_weights_are_named():
    good = snapshot_of(info_of())
    state = dict(good.state)
    name = min(state)
    del state[name]
    with pytest.raises(InputError, match=name):
        ExploreSession(CPU).load(WeightSnapshot(1, good.info, state))


def test_an_empty_request_gives_an_empty_answer():
    result = loaded().run(DecodeRequest(np.zeros((0, 4), dtype=np.float32)))
    assert result.error is not None or result.images.shape == (0, 16, 20, 1)


def test_exploring_leaves_the_global_random_state_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    session = loaded("vaegan")
    session.run(ReconstructRequest(pictures(2)))
    assert torch.equal(torch.get_rng_state(), before)
