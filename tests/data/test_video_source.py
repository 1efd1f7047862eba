from __future__ import annotations

import numpy as np
import pytest
import video_clips

from latentlab.core.errors import Cancelled, InputError
from latentlab.core.recipe_data import DataConfig
from latentlab.data.video import VideoReader
from latentlab.data.video_shape import FrameShape, crop_fits
from latentlab.data.video_source import VideoFrames, decode_videos, find_videos
from latentlab.data.video_splits import split_video


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("films")
    for name, frames in (("b.mp4", 40), ("a.mp4", 30), ("c.mp4", 50)):
        video_clips.write_clip(root / name, frames=frames, options={"g": "10", "bf": "2"})
    (root / "notes.txt").write_text("not a film")
    return root


def config(**settings):
    return DataConfig(**{"spec": "video:x", "size": (64, 96), **settings})


def numbers(frames: VideoFrames):
    return [video_clips.number_in(image) for image in frames.images]


def test_several_files_come_in_the_order_of_their_names(folder):
    frames = decode_videos(str(folder / "*.mp4"), config())
    assert [path.name for path in frames.files] == ["a.mp4", "b.mp4", "c.mp4"]
    assert frames.images.shape == (120, 64, 96, 3)
    assert numbers(frames) == [*range(30), *range(40), *range(50)]
    assert frames.frame_of.tolist() == numbers(frames)
    assert np.bincount(frames.file_of).tolist() == [30, 40, 50]


def test_stride_counts_the_frames_of_each_file(folder):
    frames = decode_videos(str(folder / "*.mp4"), config(stride=20))
    assert numbers(frames) == [0, 20, 0, 20, 0, 20, 40]


def test_keyframes_only_keeps_the_files_own_keyframes(folder):
    frames = decode_videos(str(folder / "b.mp4"), config(keyframes_only=True))
    assert numbers(frames) == [0, 10, 20, 30]


def test_a_limit_is_spread_over_all_the_material(folder):
    frames = decode_videos(str(folder / "*.mp4"), config(limit=12))
    assert len(frames.images) == 12
    assert len(np.unique(frames.file_of)) == 3
    assert max(frames.frame_of) == 49
    assert numbers(frames) == frames.frame_of.tolist()


def test_crop_and_size_are_those_of_the_recipe(folder):
    frames = decode_videos(str(folder / "a.mp4"), config(crop=(8, 0, 32, 32), size=(16, 16)))
    with VideoReader(folder / "a.mp4") as reader:
        part = reader.read(7)[:32, 8:40].astype(float)
    means = part.reshape(16, 2, 16, 2, 3).mean(axis=(1, 3))  # averaging over areas, written out
    assert np.abs(frames.images[7] - means).max() <= 1


def test_grey_frames_have_one_channel(folder):
    frames = decode_videos(str(folder / "a.mp4"), config(colour="grey", limit=2))
    assert frames.images.shape == (2, 64, 96, 1)


def test_a_crop_beyond_the_frame_names_one_that_fits(folder):
    with pytest.raises(InputError, match="96x64 frames of a") as caught:
        decode_videos(str(folder / "a.mp4"), config(crop=(50, 0, 60, 64)))
    assert caught.value.where == "data.crop"
    assert "[50, 0, 46, 64] fits" in caught.value.hint


@pytest.mark.parametrize(
    ("crop", "fits"), [(None, True), ((0, 0, 96, 64), True), ((1, 0, 96, 64), False), ((-1, 0, 5, 5), False)]
)
def test_crops_fit_or_not(crop, fits):
    assert crop_fits(crop, (96, 64)) is fits


def test_nothing_matching_is_told(folder):
    with pytest.raises(InputError, match="No file matches"):
        find_videos(str(folder / "*.webm"))
    with pytest.raises(InputError, match="There is no video"):
        find_videos(str(folder / "d.mp4"))


def test_a_file_among_them_that_is_no_video_is_named(folder):
    with pytest.raises(InputError, match="notes"):
        decode_videos(str(folder / "*"), config())


def test_progress_counts_up_to_the_end_and_may_cancel(folder):
    told = []
    decode_videos(str(folder / "*.mp4"), config(), told.append)
    assert [step.done for step in told] == sorted(step.done for step in told)
    assert (told[-1].done, told[-1].total) == (120, 120)

    def cancel(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        decode_videos(str(folder / "*.mp4"), config(), cancel)


def test_a_shape_gives_fresh_contiguous_pictures():
    frame = video_clips.picture(3)
    kept = FrameShape(None, None).apply(frame)
    assert np.array_equal(kept, frame)
    assert not np.shares_memory(kept, frame)
    assert FrameShape((1, 2, 10, 20), (40, 30), 1).apply(frame).shape == (40, 30, 1)


def test_keyframes_of_five_real_battles(shared_data):
    pattern = str(shared_data / "splatoon2" / "*.mp4")
    frames = decode_videos(pattern, config(size=(64, 121), crop=(0, 0, 121, 64), keyframes_only=True, stride=3))
    assert frames.images.shape[1:] == (64, 121, 3)
    assert len(frames.files) == 5
    train, test = split_video(frames.file_of, 0.1)
    assert len(np.unique(frames.file_of[test])) == 1
    assert len(train) + len(test) == len(frames.images)
