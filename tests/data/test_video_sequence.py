from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import video_clips
from PIL import Image

from latentlab.core.errors import InputError
from latentlab.data.proxy import Proxy
from latentlab.data.video import VideoReader
from latentlab.data.video_frames import file_facts, open_frames
from latentlab.data.video_sequence import PictureSequence
from latentlab.data.video_shape import FrameShape


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "shots"
    made.mkdir()
    for number in range(12):
        Image.fromarray(video_clips.picture(number)).save(made / f"img_{number}.png")
    (made / "notes.txt").write_text("not a picture")
    return made


def test_a_folder_is_a_film_in_the_order_of_its_numbers(folder):
    with open_frames(folder) as reader:
        assert [video_clips.number_in(frame) for _, frame in reader.iterate()] == list(range(12))
        assert reader.size == (96, 64)
        info = reader.info
    assert (info.frames, info.fps, info.codec) == (12, 25.0, "PNG pictures")
    assert info.times_s[-1] == pytest.approx(11 / 25)


@pytest.mark.parametrize("pattern", ["img_*.png", "img_%d.png", "img_[0-9]*.png"])
def test_a_pattern_names_the_same_film(folder, pattern):
    with open_frames(folder / pattern) as reader:
        assert reader.frames == 12
        assert np.array_equal(reader.read(10), video_clips.picture(10))


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path):
    path = video_clips.write_clip(tmp_path / "take[1].mp4", frames=3)
    with open_frames(path) as reader:
        assert isinstance(reader, VideoReader)


def test_transparent_grey_and_deep_pictures_are_shown_in_colour(tmp_path):
    Image.new("RGBA", (8, 6), (255, 0, 0, 0)).save(tmp_path / "a1.png")
    Image.new("L", (8, 6), 77).save(tmp_path / "a2.png")
    Image.fromarray(np.full((6, 8), 0x8000, np.uint16)).save(tmp_path / "a3.png")
    with open_frames(tmp_path) as reader:
        pictures = [frame for _, frame in reader.iterate()]
    assert all(picture.shape == (6, 8, 3) for picture in pictures)
    assert pictures[0].min() == 255  # transparent parts are white
    assert set(pictures[1].flat) == {77}
    assert set(pictures[2].flat) <= {127, 128}


def test_it_is_prepared_like_any_film(folder):
    shape = FrameShape((0, 0, 48, 64), (32, 24))
    with open_frames(folder) as reader:
        proxy = Proxy(folder, reader.index, shape)
        proxy.build()
        assert np.array_equal(proxy.read(7), shape.apply(reader.read(7)))
    proxy.close()


def test_what_cannot_be_read_is_told_by_name(folder, tmp_path):
    reader = PictureSequence(folder)
    (folder / "img_3.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"img_3.png cannot be read"):
        reader.read(3)
    (folder / "img_4.png").unlink()
    with pytest.raises(InputError, match="There is no picture"):
        reader.read(4)
    Image.new("RGB", (5, 5)).save(folder / "img_5.png")
    with pytest.raises(InputError, match="5x5, not 96x64"):
        reader.read(5)
    with pytest.raises(IndexError):
        reader.read(12)
    assert reader.read(6).shape == (64, 96, 3)
    empty = tmp_path / "empty"
    empty.mkdir()
    for path, words in ((empty, "no pictures in"), (tmp_path / "x_*.png", "No picture matches")):
        with pytest.raises(InputError, match=words):
            open_frames(path)


def test_another_state_of_the_folder_is_another_film(folder):
    before = file_facts(folder)
    assert file_facts(folder) == before
    (folder / "img_11.png").unlink()
    assert file_facts(folder) != before
