from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from replica_fakes import info_of, snapshot_of, write_run

from latentlab.core.errors import InputError
from latentlab.core.messages import DecodeRequest
from latentlab.core.recipe_io import validate
from latentlab.explore.export import KEYWORD, Origin, read_origin, write_png
from latentlab.explore.mosaic import mosaic
from latentlab.explore.session import ExploreSession
from latentlab.models.device import choose_device
from latentlab.models.weights import read_snapshot


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_picture_comes_back_with_its_origin(tmp_path):
    info = info_of("cvae", run=tmp_path / "run")
    z = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    origin = Origin.of(info, 42, z_BD=z, labels=np.arange(6) % 3, seed=9, columns=3, losses={"pixel": 0.0123})
    picture = np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    write_png(tmp_path / "a.png", picture, origin)
    read = read_origin(tmp_path / "a.png")
    assert read == origin
    assert read.points().tobytes() == z.tobytes()
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), picture)
    assert validate(tomllib.loads(read.recipe)) == info.recipe


def test_an_exported_sheet_is_made_again_bit_by_bit(tmp_path):
    run = write_run(tmp_path / "run", info_of())
    session = ExploreSession(choose_device("cpu", "fp32"))
    session.load(read_snapshot(run))
    z = np.random.default_rng(3).standard_normal((12, 4)).astype(np.float32)
    images = session.run(DecodeRequest(z)).images
    write_png(tmp_path / "a.png", mosaic(images, 4), Origin.of(read_snapshot(run).info, 7, z_BD=z, columns=4))

    origin = read_origin(tmp_path / "a.png")
    again = ExploreSession(choose_device("cpu", "fp32"))
    again.load(read_snapshot(run))
    decoded = again.run(DecodeRequest(origin.points())).images
    sheet = pixels(tmp_path / "a.png")
    np.testing.assert_array_equal(mosaic(decoded, origin.columns)[:, :, 0], sheet)
    assert (origin.run, origin.step) == (str(run), 7)


def test_grey_pictures_stay_grey(tmp_path):
    write_png(tmp_path / "a.png", np.zeros((4, 5, 1), dtype=np.uint8))
    assert pixels(tmp_path / "a.png").shape == (4, 5)
    assert read_origin(tmp_path / "a.png") is None


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_png(tmp_path / "nowhere" / "a.png", np.zeros((4, 5, 1), dtype=np.uint8))
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_png(tmp_path / "folder.png", np.zeros((4, 5, 1), dtype=np.uint8))
    assert [p.name for p in tmp_path.iterdir()] == ["folder.png"]


def test_reading_a_text_file_says_so(tmp_path):
    (tmp_path / "a.png").write_text("hello")
    with pytest.raises(InputError, match="not a picture"):
        read_origin(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "damaged"), ('{"format": 1, "nonsense": 2}', "damaged"), ('{"format": 99}', "newer"), ("[]", "damaged")],
)
def test_a_damaged_or_newer_origin_says_so(tmp_path, text, message):
    chunk = PngInfo()
    chunk.add_itxt(KEYWORD, text)
    Image.new("L", (4, 4)).save(tmp_path / "a.png", pnginfo=chunk)
    with pytest.raises(InputError, match=message):
        read_origin(tmp_path / "a.png")


def test_weights_that_were_never_saved_have_no_run():
    origin = Origin.of(snapshot_of(info_of()).info, 3)
    assert (origin.run, origin.z, origin.labels, origin.seed) == ("", [], [], None)
