"""``latentlab.load``: a trained model from Python."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from replica_fakes import info_of, write_run

import latentlab
from latentlab.api import as_pictures
from latentlab.core.errors import InputError
from latentlab.core.weights_kept import history_file
from latentlab.explore.sample import draw_z
from latentlab.models.registry import build_model
from latentlab.models.weights import save_tensors


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (3, 16, 20, 1), dtype=np.uint8)


@pytest.fixture
def vae(tmp_path):
    return latentlab.load(write_run(tmp_path / "vae", info_of()), device="cpu")


@pytest.fixture
def cvae(tmp_path):
    return latentlab.load(str(write_run(tmp_path / "cvae", info_of("cvae"))), device="cpu")


def test_importing_latentlab_does_not_wait_for_torch():
    code = "import sys, latentlab; assert 'torch' not in sys.modules; latentlab.load; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="nonsense"):
        latentlab.nonsense  # noqa: B018


def test_a_model_says_what_it_is(vae):
    assert repr(vae) == "<vae of 16x20x1 pictures, 4 latent dimensions, step 7>"
    assert vae.info.latent_dim == 4


def test_encode_and_decode_are_the_halves_of_reconstruct(vae, pictures):
    codes = vae.encode(pictures)
    assert codes.mu.shape == codes.logvar.shape == (3, 4)
    found = vae.reconstruct(pictures)
    np.testing.assert_array_equal(vae.decode(codes.mu), found.images)
    error = ((found.images / 255.0 - pictures / 255.0) ** 2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(found.pixel, error, atol=2e-3)  # the pictures are rounded to 8 bits


def test_many_are_worked_on_in_batches(vae):
    z = draw_z(0, 600, 4)
    np.testing.assert_array_equal(vae.decode(z)[-1:], vae.decode(z[-1:]))
    assert vae.decode(z).shape == (600, 16, 20, 1)


def test_samples_are_those_of_the_command(vae, cvae):
    samples = vae.sample(5, seed=3)
    np.testing.assert_array_equal(samples.z, draw_z(3, 5, 4))
    np.testing.assert_array_equal(samples.images, vae.decode(samples.z))
    assert cvae.sample(4).labels.tolist() == [0, 1, 2, 0]
    assert cvae.sample(4, label=1).labels.tolist() == [1, 1, 1, 1]


def test_traversals_move_one_dimension(vae):
    z = draw_z(1, 1, 4)[0]
    rows = vae.traverse(z, [2, 0], count=5, span=2.0)
    assert rows.shape == (2, 5, 16, 20, 1)
    moved = z.copy()
    moved[2] = 2.0
    np.testing.assert_array_equal(rows[0, 4], vae.decode(moved)[0])
    assert vae.traverse().shape == (4, 9, 16, 20, 1)


def test_classes(cvae, pictures):
    one = cvae.encode(pictures, 2).mu
    np.testing.assert_array_equal(one, cvae.encode(pictures, [2, 2, 2]).mu)
    assert cvae.decode(one, 1).shape == (3, 16, 20, 1)
    assert cvae.traverse(label=0, count=3).shape == (4, 3, 16, 20, 1)
    with pytest.raises(InputError, match="choose one"):
        cvae.decode(one)
    with pytest.raises(InputError, match="Class 3 does not exist"):
        cvae.decode(one, 3)
    with pytest.raises(InputError, match="whole numbers"):
        cvae.decode(one, 0.5)


def test_pictures_in_every_form(pictures):
    assert as_pictures(pictures) is pictures
    np.testing.assert_array_equal(as_pictures(pictures[0]), pictures[:1])
    np.testing.assert_array_equal(as_pictures(pictures[0, :, :, 0]), pictures[:1])
    np.testing.assert_array_equal(as_pictures(pictures[..., 0]), pictures)
    np.testing.assert_array_equal(as_pictures(pictures / 255.0), pictures)
    assert as_pictures(np.zeros((5, 6, 3), np.uint8)).shape == (1, 5, 6, 3)


@pytest.mark.parametrize("wrong", [np.zeros((2, 3, 4, 5), np.uint8), np.full((4, 4), 2.0), np.ones((4, 4), int), [0.5]])
def test_what_is_no_picture_is_refused(wrong):
    with pytest.raises(InputError, match="Pictures are"):
        as_pictures(wrong)


def test_what_does_not_fit_is_refused(vae, tmp_path):
    with pytest.raises(InputError, match=r"z must be \(B, 4\)"):
        vae.decode([[0.0, 1.0]])
    with pytest.raises(InputError, match="no dimension 4"):
        vae.traverse(dims=[1, 4])
    with pytest.raises(InputError, match="z must be"):
        vae.traverse([1.0])
    with pytest.raises(InputError, match="not a run folder"):
        latentlab.load(tmp_path)
    with pytest.raises(InputError, match="no prior"):
        latentlab.load(write_run(tmp_path / "ae", info_of("ae"))).sample()
    with pytest.raises(InputError, match="no encoder"):
        latentlab.load(write_run(tmp_path / "cgan", info_of("cgan"))).encode(np.zeros((16, 20)))
    with pytest.raises(InputError, match="empty"):
        vae.decode(np.zeros((0, 4)))


def test_the_data_of_the_run(vae):
    data = vae.data()
    assert data.image_shape == (16, 20, 1)
    assert vae.encode(data.images[data.test_index[:2]]).mu.shape == (2, 4)


def test_loadings_are_the_squares_of_eighs_vectors(vae):
    pictures = np.random.default_rng(1).integers(0, 255, (60, 16, 20, 1), dtype=np.uint8)
    values, vectors = np.linalg.eigh(np.cov(vae.encode(pictures).mu.astype(np.float64), rowvar=False))
    found = vae.loadings(pictures)
    np.testing.assert_allclose(found.variance_D, values[::-1], rtol=1e-6)
    np.testing.assert_allclose(found.share_DD, (vectors**2).T[::-1], atol=1e-5)
    with pytest.raises(InputError, match="two pictures"):
        vae.loadings(pictures[0])


def test_any_step_that_was_kept_can_be_loaded(tmp_path):
    run = write_run(tmp_path / "run", info_of())
    history_file(run, 3).parent.mkdir()
    other = latentlab.load(write_run(tmp_path / "other", info_of(), seed=5), device="cpu")
    save_tensors(history_file(run, 3), build_model(info_of(), 5).inference_state())
    assert latentlab.steps(run) == (3, 7)
    early, late = latentlab.load(run, 3, device="cpu"), latentlab.load(run, device="cpu")
    assert (early.step, late.step) == (3, 7)
    z = np.ones(4)
    np.testing.assert_array_equal(early.decode(z), other.decode(z))
    assert (early.decode(z) != late.decode(z)).any()
    assert latentlab.load(run, "step_00000003", device="cpu").step == 3
    with pytest.raises(InputError, match="no checkpoint step_00000004"):
        latentlab.load(run, 4)


def test_classes_are_mixed_by_their_shares(cvae):
    z = np.zeros((2, 4))
    one = cvae.decode(z, [0, 1])
    np.testing.assert_array_equal(cvae.decode(z, np.eye(3)[:2]), one)
    assert cvae.decode(z, [0.5, 0.5, 0.0]).shape == one.shape
    with pytest.raises(InputError, match="Shares of classes"):
        cvae.decode(z, [0.5, 0.5])


def test_the_loop_of_the_documentation_replays_a_training(tmp_path):
    run = write_run(tmp_path / "run", info_of())
    frames = [latentlab.load(run, step).decode(np.zeros(4))[0] for step in latentlab.steps(run)]
    assert len(frames) == 1
