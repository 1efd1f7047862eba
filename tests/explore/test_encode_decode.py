"""The commands ``encode`` and ``decode``: files in, files out, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from replica_fakes import CLASSES, info_of, write_run

from latentlab import cli
from latentlab.core.recipe import Recipe
from latentlab.data.catalog import load_dataset
from latentlab.explore.arrays import read_points
from latentlab.explore.export import read_origin
from latentlab.models.registry import build_model
from latentlab.models.weights import read_snapshot


@pytest.fixture(autouse=True)
def only_these_commands(monkeypatch):
    monkeypatch.setattr(cli, "COMMANDS", ("encode", "decode"))


@pytest.fixture
def plain_data(tmp_path):
    """Forty pictures in three classes, two of them of unknown class."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % len(CLASSES)
    labels[:2] = -1
    path = tmp_path / "pictures.npz"
    np.savez(path, images=rng.integers(0, 255, (40, 16, 20), dtype=np.uint8), labels=labels)
    return f"npz:{path}"


def command(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def arrays(path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def model_of(run):
    snapshot = read_snapshot(run)
    model = build_model(snapshot.info)
    model.load_state_dict(dict(snapshot.state), strict=False)
    return model.eval()


def test_encoding_gives_the_posterior_of_every_row(tmp_path, plain_data, capsys):
    run = write_run(tmp_path / "run", info_of())
    assert command("encode", run, "--data", plain_data, "-o", tmp_path / "z.npz", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["images"], facts["latent_dim"], facts["step"]) == (40, 4, 7)
    found = arrays(tmp_path / "z.npz")
    assert set(found) == set(facts["arrays"]) == {"mu", "logvar", "label", "row", "test"}
    data = load_dataset(Recipe().data.model_copy(update={"spec": plain_data, "size": (16, 20)}))
    np.testing.assert_array_equal(found["row"], np.arange(40))
    np.testing.assert_array_equal(found["label"], data.labels)
    np.testing.assert_array_equal(np.flatnonzero(found["test"]), data.test_index)
    with torch.no_grad():
        x = torch.tensor(data.images).permute(0, 3, 1, 2) / 255.0
        mu, logvar = model_of(run).encode(x)
    np.testing.assert_allclose(found["mu"], mu, atol=1e-5)
    np.testing.assert_allclose(found["logvar"], logvar, atol=1e-5)
    assert found["mu"].dtype == found["logvar"].dtype == np.float32


def test_one_split_and_no_variance_for_an_auto_encoder(tmp_path, plain_data):
    run = write_run(tmp_path / "run", info_of("ae"))
    assert command("encode", run, "--data", plain_data, "--split", "test", "-o", tmp_path / "z.npz") == 0
    found = arrays(tmp_path / "z.npz")
    assert set(found) == {"mu", "label", "row", "test"}
    assert found["test"].all()
    assert 0 < len(found["mu"]) < 40


def test_a_model_that_is_told_the_class_encodes_known_classes_only(tmp_path, plain_data):
    run = write_run(tmp_path / "run", info_of("cvae"))
    assert command("encode", run, "--data", plain_data, "-o", tmp_path / "z.npz") == 0
    found = arrays(tmp_path / "z.npz")
    np.testing.assert_array_equal(found["row"], np.arange(2, 40))
    assert (found["label"] >= 0).all()


def test_what_was_encoded_decodes_to_the_reconstructions(tmp_path, plain_data, capsys):
    run = write_run(tmp_path / "run", info_of("cvae"))
    command("encode", run, "--data", plain_data, "-o", tmp_path / "z.npz")
    assert command("decode", run, tmp_path / "z.npz", "-o", tmp_path / "x.npz", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["images"], facts["image_shape"]) == (38, [16, 20, 1])
    codes, found = arrays(tmp_path / "z.npz"), arrays(tmp_path / "x.npz")
    np.testing.assert_array_equal(found["z"], codes["mu"])
    np.testing.assert_array_equal(found["labels"], codes["label"])
    with torch.no_grad():
        x = model_of(run).decode(torch.tensor(codes["mu"]), torch.tensor(codes["label"]))
    expected = (255.0 * x).round().permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(found["images"], expected, atol=1)


def test_a_sheet_remembers_its_points(tmp_path):
    run = write_run(tmp_path / "run", info_of())
    z = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32)
    np.save(tmp_path / "z.npy", z)
    assert command("decode", run, tmp_path / "z.npy", "-o", tmp_path / "x.png", "--columns", 3) == 0
    with Image.open(tmp_path / "x.png") as image:
        assert image.size == (3 * 22 - 2, 2 * 18 - 2)
    origin = read_origin(tmp_path / "x.png")
    np.testing.assert_array_equal(origin.points(), z)
    assert origin.step == 7


def test_one_class_for_all(tmp_path):
    run = write_run(tmp_path / "run", info_of("cvae"))
    np.save(tmp_path / "z.npy", np.zeros((2, 4)))
    assert command("decode", run, tmp_path / "z.npy", "--class", 2, "-o", tmp_path / "x.npz") == 0
    np.testing.assert_array_equal(arrays(tmp_path / "x.npz")["labels"], [2, 2])


def test_a_single_point_and_the_names_that_are_read(tmp_path):
    np.save(tmp_path / "one.npy", np.arange(4))
    assert read_points(tmp_path / "one.npy").z.tolist() == [[0.0, 1.0, 2.0, 3.0]]
    np.savez(tmp_path / "two.npz", mu=np.zeros((2, 4)), z=np.ones((2, 4)), label=np.array([1, 0], np.int16))
    points = read_points(tmp_path / "two.npz")
    assert points.z.tolist() == np.ones((2, 4)).tolist()
    assert points.labels.tolist() == [1, 0]


def bad_files(folder) -> None:
    (folder / "text.npz").write_text("not numpy")
    np.savez(folder / "empty.npz", other=np.zeros(3))
    np.save(folder / "wide.npy", np.zeros((2, 5)))
    np.save(folder / "none.npy", np.zeros((0, 4)))
    np.save(folder / "words.npy", np.array(["a", "b"]))
    np.save(folder / "nan.npy", np.full((1, 4), np.nan))
    np.save(folder / "objects.npy", np.array([object()]), allow_pickle=True)
    np.savez(folder / "odd.npz", z=np.zeros((2, 4)), labels=np.zeros(3, int))
    np.save(folder / "z.npy", np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("vae", ["text.npz", "-o", "x.png"], "text.npz is not a .npy or .npz file"),
        ("vae", ["objects.npy", "-o", "x.png"], "objects.npy is not a .npy or .npz file"),
        ("vae", ["empty.npz", "-o", "x.png"], "neither z nor mu"),
        ("vae", ["wide.npy", "-o", "x.png"], "(B, 4)"),
        ("vae", ["none.npy", "-o", "x.png"], "empty"),
        ("vae", ["words.npy", "-o", "x.png"], "must be numbers"),
        ("vae", ["nan.npy", "-o", "x.png"], "finite"),
        ("vae", ["odd.npz", "-o", "x.png"], "Labels must be whole numbers (2,)"),
        ("vae", ["nowhere.npz", "-o", "x.png"], "There is no file nowhere.npz"),
        ("vae", ["z.npy", "-o", "x.jpg"], "neither .png nor .npz"),
        ("vae", ["z.npy", "-o", "nowhere/x.png"], "no folder nowhere"),
        ("vae", ["z.npy", "--class", "1", "-o", "x.png"], "not conditioned"),
        ("cvae", ["z.npy", "-o", "x.png"], "has no labels"),
        ("cvae", ["z.npy", "--class", "3", "-o", "x.png"], "no class 3"),
    ],
)
def test_what_cannot_be_decoded_is_one_sentence(tmp_path, monkeypatch, capsys, kind, arguments, message):
    run = write_run(tmp_path / "run", info_of(kind))
    bad_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert command("decode", run, *arguments, "--json") == 2
    captured = capsys.readouterr()
    assert message in json.loads(captured.out)["error"]["what"]
    assert "Traceback" not in captured.err
    assert not list(tmp_path.glob("x.*"))


def test_what_cannot_be_encoded_is_one_sentence(tmp_path, plain_data, capsys):
    run = write_run(tmp_path / "run", info_of())
    for arguments, message in (
        (["-o", tmp_path / "z.npy"], "does not end in .npz"),
        (["-o", tmp_path / "nowhere" / "z.npz"], "no folder"),
        (["--data", "npz:nowhere.npz", "-o", tmp_path / "z.npz"], "nowhere.npz"),
        (["--checkpoint", "best", "-o", tmp_path / "z.npz"], "best"),
    ):
        assert command("encode", run, *arguments, "--json") == 2
        assert message in json.loads(capsys.readouterr().out)["error"]["what"]


def test_a_cgan_cannot_encode(tmp_path, plain_data, capsys):
    run = write_run(tmp_path / "run", info_of("cgan"))
    assert command("encode", run, "--data", plain_data, "-o", tmp_path / "z.npz", "--json") == 2
    assert "no encoder" in json.loads(capsys.readouterr().out)["error"]["what"]
    assert not (tmp_path / "z.npz").exists()
