from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from replica_fakes import CLASSES, info_of, write_run

from latentlab import cli
from latentlab.core.latent_state import sample_z
from latentlab.explore.export import read_origin
from latentlab.explore.sample import draw_z


def test_draws_are_standard_normal_and_repeat():
    z = draw_z(5, 20_000, 3)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z.mean(axis=0), 0.0, atol=0.03)
    np.testing.assert_allclose(np.cov(z.T), np.eye(3), atol=0.03)
    np.testing.assert_array_equal(draw_z(5, 20_000, 3), z)
    assert (draw_z(6, 10, 3) != z[:10]).any()


def test_the_first_draw_is_what_the_explorer_shows_for_the_seed():
    np.testing.assert_array_equal(draw_z(42, 10, 8)[0], sample_z(42, 8))


@pytest.fixture(autouse=True)
def only_this_command(monkeypatch):
    monkeypatch.setattr(cli, "COMMANDS", ("sample",))


@pytest.fixture
def vae(tmp_path):
    return write_run(tmp_path / "vae", info_of())


@pytest.fixture
def cvae(tmp_path):
    return write_run(tmp_path / "cvae", info_of("cvae"))


def sample(*arguments: object) -> int:
    return cli.main(["sample", *map(str, arguments)])


def test_a_sheet_with_its_origin(vae, tmp_path, capsys):
    assert sample(vae, "-n", 6, "--seed", 3, "--columns", 3, "-o", tmp_path / "a.png", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["step"] == 7
    assert facts["samples"] == 6
    assert facts["image_shape"] == [16, 20, 1]
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (3 * 22 - 2, 2 * 18 - 2)
    origin = read_origin(tmp_path / "a.png")
    assert (origin.run, origin.step, origin.seed, origin.columns) == (str(vae), 7, 3, 3)
    np.testing.assert_array_equal(origin.points(), draw_z(3, 6, 4))


def test_arrays_for_measurement(cvae, tmp_path, capsys):
    assert sample(cvae, "-n", 300, "--class", 2, "-o", tmp_path / "a.npz") == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "300 samples" in captured.err
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["images"].shape == (300, 16, 20, 1)
        assert arrays["images"].dtype == np.uint8
        assert (arrays["labels"] == 2).all()
        np.testing.assert_array_equal(arrays["z"], draw_z(0, 300, 4))


def test_the_same_command_gives_the_same_pictures(cvae, tmp_path):
    for name in ("a.npz", "b.npz"):
        assert sample(cvae, "-n", 4, "-o", tmp_path / name) == 0
    with np.load(tmp_path / "a.npz") as a, np.load(tmp_path / "b.npz") as b:
        np.testing.assert_array_equal(a["images"], b["images"])


def test_without_a_class_a_sheet_has_a_column_for_each(cvae, tmp_path):
    assert sample(cvae, "-n", 6, "-o", tmp_path / "a.png") == 0
    origin = read_origin(tmp_path / "a.png")
    assert origin.columns == len(CLASSES)
    assert origin.labels == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("cvae", ["--class", "3", "-o", "a.png"], "no class 3"),
        ("cvae", ["--class", "-1", "-o", "a.png"], "no class -1"),
        ("vae", ["--class", "1", "-o", "a.png"], "not conditioned"),
        ("vae", ["-o", "a.jpg"], "neither .png nor .npz"),
        ("vae", ["-o", "nowhere/a.png"], "no folder nowhere"),
        ("vae", ["-n", "10001", "-o", "a.png"], "too large"),
        ("vae", ["--checkpoint", "best", "-o", "a.png"], "best"),
        ("ae", ["-o", "a.png"], "no prior"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_code_2(tmp_path, monkeypatch, capsys, model, arguments, message):
    run = write_run(tmp_path / model, info_of(model))
    monkeypatch.chdir(tmp_path)
    assert sample(run, *arguments, "--json") == 2
    captured = capsys.readouterr()
    assert message in json.loads(captured.out)["error"]["what"]
    assert "Traceback" not in captured.err
    assert not list(tmp_path.glob("a.*"))


def test_a_folder_that_is_no_run_says_so(tmp_path, capsys):
    assert sample(tmp_path, "-o", tmp_path / "a.png", "--json") == 2
    assert "not a run folder" in json.loads(capsys.readouterr().out)["error"]["what"]


def test_a_run_without_checkpoints_says_so(vae, tmp_path, capsys):
    import shutil

    shutil.rmtree(vae / "checkpoints")
    assert sample(vae, "-o", tmp_path / "a.png", "--json") == 2
    assert "checkpoint" in json.loads(capsys.readouterr().out)["error"]["what"]


@pytest.mark.parametrize("arguments", [["-n", "0"], ["-n", "many"], ["--seed", "-1"]])
def test_numbers_out_of_range_are_refused_by_name(vae, tmp_path, capsys, arguments):
    assert sample(vae, *arguments, "-o", tmp_path / "a.png") == 2
    assert arguments[0] in capsys.readouterr().err


def test_a_sheet_knows_the_fingerprint_of_its_weights(vae, tmp_path):
    from latentlab.models.weights import fingerprint_of, read_snapshot

    assert sample(vae, "-n", "4", "-o", tmp_path / "s.png") == 0
    assert read_origin(tmp_path / "s.png").fingerprint == fingerprint_of(read_snapshot(vae).state)
