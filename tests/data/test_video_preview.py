from __future__ import annotations

import numpy as np
import pytest
import video_clips

from latentlab.core.errors import Cancelled
from latentlab.core.recipe_data import DataConfig
from latentlab.core.video_dataset import video_spec
from latentlab.data.catalog import load_dataset
from latentlab.data.video_preview import FilmShelf


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    root = tmp_path_factory.mktemp("films")
    return [
        video_clips.write_clip(root / name, frames=frames, options={"g": "20"})
        for name, frames in (("a.mp4", 90), ("b.mp4", 60))
    ]


def config(films, **settings):
    return DataConfig(**{"spec": video_spec(films), "size": (64, 96), **settings})


@pytest.mark.parametrize(
    "settings",
    [{}, {"stride": 7}, {"keyframes_only": True}, {"limit": 31}, {"split": "blocks", "test_fraction": 0.3}],
)
@pytest.mark.parametrize("count", [1, 2])
def test_counts_are_those_of_the_data_set_itself(films, settings, count):
    wanted = config(films[:count], **settings)
    preview, _ = FilmShelf().count(wanted, 3)
    data = load_dataset(wanted)
    assert (preview.generation, preview.chosen, preview.still) == (3, len(data.images), 0)
    assert (preview.train, preview.test) == (len(data.train_index), len(data.test_index))
    assert preview.gap == len(data.images) - preview.train - preview.test
    assert preview.megabytes == pytest.approx(data.images.nbytes / 1e6)


def test_pictures_are_frames_of_their_side(films):
    shelf, wanted = FilmShelf(), config(films, stride=3)
    _, plans = shelf.count(wanted, 0)
    data = load_dataset(wanted)
    for rows, index in zip(shelf.split(wanted, plans), (data.train_index, data.test_index), strict=True):
        assert set(rows.tolist()) <= set(index.tolist())
        assert np.array_equal(shelf.pictures(wanted, plans, rows, lambda: None), data.images[rows])


def test_looking_can_be_ended_between_two_pictures(films):
    shelf, wanted = FilmShelf(), config(films)
    _, plans = shelf.count(wanted, 0)
    seen = []

    def go_on():
        seen.append(1)
        if len(seen) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        shelf.pictures(wanted, plans, shelf.split(wanted, plans)[0], go_on)
    assert len(seen) == 3


def test_standing_frames_are_counted_by_decoding(films):
    shelf, wanted = FilmShelf(), config(films, dedup=14.0)
    first, _ = shelf.count(wanted, 0)
    assert (first.still, first.chosen) == (None, 150)
    preview = shelf.decoded(wanted, 0, first.chosen, lambda progress: None)
    data = load_dataset(wanted)
    assert preview.still == 150 - len(data.images)
    assert 0 < preview.still < 150
    assert np.array_equal(preview.train_images[0], data.images[data.train_index[0]])


def test_facts_and_frames_of_a_film(films, tmp_path):
    shelf = FilmShelf()
    facts = shelf.facts(films[0])
    assert (facts.frames, facts.keyframes, facts.width, facts.height) == (90, 5, 96, 64)
    assert facts.duration_s == pytest.approx(3.0)
    number, picture = shelf.frame(films[0], 0.5)
    assert (number, video_clips.number_in(picture)) == (45, 45)
    assert shelf.frame(films[0], 1.0)[0] == 89
    (tmp_path / "text.mp4").write_text("no film")
    problem = shelf.facts(tmp_path / "text.mp4").problem
    assert problem is not None
    assert problem.expected


def test_a_file_that_was_replaced_is_read_again(films, tmp_path):
    shelf, path = FilmShelf(), tmp_path / "c.mp4"
    video_clips.write_clip(path, frames=20)
    assert shelf.facts(path).frames == 20
    video_clips.write_clip(path, frames=33)
    assert shelf.facts(path).frames == 33
