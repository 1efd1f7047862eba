import time

import numpy as np
import pytest

from latentlab.core.errors import Cancelled, InputError
from latentlab.core.messages import Progress
from latentlab.core.paths import cache_dir
from latentlab.core.recipe_data import DataConfig
from latentlab.data.catalog import load_dataset
from latentlab.data.progress import Ticker


def test_the_seed_moves_the_split_and_not_the_pictures():
    first, other = (load_dataset(DataConfig(spec="digits"), seed=seed) for seed in (0, 1))
    assert first.fingerprint == other.fingerprint
    assert (first.images == other.images).all()
    assert first.test_index.tolist() != other.test_index.tolist()
    assert load_dataset(DataConfig(spec="digits"), seed=0).test_index.tolist() == first.test_index.tolist()


def test_the_test_fraction_is_kept():
    data = load_dataset(DataConfig(spec="digits", test_fraction=0.25))
    assert abs(len(data.test_index) / 1797 - 0.25) < 0.01
    assert len(data.train_index) + len(data.test_index) == 1797


@pytest.mark.parametrize("change", [{"size": (24, 24)}, {"colour": "rgb"}, {"limit": 100}])
def test_settings_that_change_pictures_change_the_fingerprint(change):
    plain = load_dataset(DataConfig(spec="digits", size=(16, 16)))
    assert load_dataset(DataConfig(**({"spec": "digits", "size": (16, 16)} | change))).fingerprint != plain.fingerprint


@pytest.mark.parametrize("change", [{"test_fraction": 0.3}, {"stride": 7}, {"labelled_per_class": 3}])
def test_settings_that_do_not_are_not_decoded_again(change):
    plain = load_dataset(DataConfig(spec="digits", size=(16, 16)))
    assert load_dataset(DataConfig(**({"spec": "digits", "size": (16, 16)} | change))).fingerprint == plain.fingerprint


def test_a_limit_keeps_the_shares_of_the_classes():
    data = load_dataset(DataConfig(spec="digits", limit=500))
    assert len(data.images) == 500
    assert np.bincount(data.labels).min() >= 35


def test_labelled_per_class_hides_training_labels_only():
    data = load_dataset(DataConfig(spec="digits", labelled_per_class=5))
    train, test = data.labels[data.train_index], data.labels[data.test_index]
    assert np.bincount(train[train >= 0]).tolist() == [5] * 10
    assert (test >= 0).all()


def test_labelled_per_class_without_classes_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((5, 8, 8), np.uint8))
    with pytest.raises(InputError, match="has no classes") as caught:
        load_dataset(DataConfig(spec=f"npz:{tmp_path / 'a.npz'}", labelled_per_class=5))
    assert caught.value.where == "data.labelled_per_class"


def test_what_is_made_to_size_cannot_be_cropped():
    with pytest.raises(InputError, match="cannot be cropped") as caught:
        load_dataset(DataConfig(spec="arena", crop=(0, 0, 8, 8)))
    assert caught.value.where == "data.crop"


def test_one_picture_is_too_few(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((1, 8, 8), np.uint8))
    with pytest.raises(InputError, match="holds 1 image, and at least 2"):
        load_dataset(DataConfig(spec=f"npz:{tmp_path / 'a.npz'}"))


@pytest.mark.parametrize("spec", ["digits", "arena"])
def test_progress_reaches_its_end(spec):
    seen: list[Progress] = []
    load_dataset(DataConfig(spec=spec, size=(16, 16), limit=100), progress=seen.append)
    assert seen[-1].done == seen[-1].total == 100
    assert [p.done for p in seen] == sorted(p.done for p in seen)


@pytest.mark.parametrize("after", [0, 1])
def test_cancel_leaves_nothing_behind(after):
    calls = []

    def cancel(progress):
        calls.append(progress)
        if len(calls) > after:
            raise Cancelled

    with pytest.raises(Cancelled):
        load_dataset(DataConfig(spec="arena", size=(16, 16)), progress=cancel)
    assert list((cache_dir() / "datasets").iterdir()) == []


def test_progress_is_reported_a_few_times_a_second_not_per_picture():
    seen = []
    ticker = Ticker(seen.append, "counting", 100_000)
    start = time.monotonic()
    for i in range(100_000):
        ticker.at(i + 1)
    assert len(seen) <= 3 + (time.monotonic() - start) / 0.04
    assert seen[-1] == Progress("counting", 100_000, 100_000)


def test_videos_come_through_the_catalogue(tmp_path):
    from latentlab.data.arena import write_arena_video

    write_arena_video(tmp_path / "a.mp4", battles=1, frames_per_battle=40, size=(32, 56))
    data = load_dataset(DataConfig(spec=f"video:{tmp_path / 'a.mp4'}", size=(32, 32), test_fraction=0.2, stride=2))
    assert data.images.shape == (20, 32, 32, 3)
    assert data.factors["frame"].tolist() == list(range(0, 40, 2))
    assert not set(data.train_index) & set(data.test_index)
    assert np.diff(data.test_index).tolist() == [1] * (len(data.test_index) - 1), "one contiguous block"


def test_a_changed_video_is_decoded_again(tmp_path):
    from latentlab.data.arena import write_arena_video

    config = DataConfig(spec=f"video:{tmp_path / 'a.mp4'}", size=(16, 16))
    counts = []
    for frames in (12, 18):
        write_arena_video(tmp_path / "a.mp4", battles=1, frames_per_battle=frames, size=(32, 32))
        counts.append(len(load_dataset(config).images))
    assert counts == [12, 18]


def test_a_share_of_the_labels_is_kept_in_every_class():
    whole = load_dataset(DataConfig(spec="digits"))
    data = load_dataset(DataConfig(spec="digits", labelled_fraction=0.1))
    for label in range(10):
        count = np.count_nonzero(whole.labels[whole.train_index] == label)
        assert np.count_nonzero(data.labels[data.train_index] == label) == max(1, round(0.1 * count))
    tiny = load_dataset(DataConfig(spec="digits", labelled_fraction=1e-6))
    assert np.count_nonzero(tiny.labels[tiny.train_index] >= 0) == 10


def test_labels_are_kept_by_number_or_by_share():
    with pytest.raises(InputError, match="not both"):
        load_dataset(DataConfig(spec="digits", labelled_fraction=0.1, labelled_per_class=5))
