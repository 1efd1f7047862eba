from __future__ import annotations

import shutil
import subprocess
import sys

import av
import numpy as np
import pytest
import video_clips

from latentlab.core.errors import Cancelled, InputError
from latentlab.core.recipe_data import DataConfig
from latentlab.core.video_dataset import video_spec
from latentlab.data.catalog import load_dataset
from latentlab.data.video import VideoReader
from latentlab.data.video_shape import FrameShape, crop_fits
from latentlab.data.video_source import decode_videos, find_videos
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


def decode(pattern, settings, progress=None):
    pictures = []
    frames = decode_videos(pattern, settings, pictures.append, progress)
    return np.stack(pictures), frames


def numbers(images):
    return [video_clips.number_in(image) for image in images]


def test_several_files_come_in_the_order_of_their_names(folder):
    images, frames = decode(str(folder / "*.mp4"), config())
    assert [path.name for path in frames.files] == ["a.mp4", "b.mp4", "c.mp4"]
    assert images.shape == (120, 64, 96, 3)
    assert numbers(images) == [*range(30), *range(40), *range(50)]
    assert frames.frame_of.tolist() == numbers(images)
    assert np.bincount(frames.file_of).tolist() == [30, 40, 50]


def test_stride_counts_the_frames_of_each_file(folder):
    images, _ = decode(str(folder / "*.mp4"), config(stride=20))
    assert numbers(images) == [0, 20, 0, 20, 0, 20, 40]


def test_keyframes_only_keeps_the_files_own_keyframes(folder):
    images, _ = decode(str(folder / "b.mp4"), config(keyframes_only=True))
    assert numbers(images) == [0, 10, 20, 30]


def test_a_limit_is_spread_over_all_the_material(folder):
    images, frames = decode(str(folder / "*.mp4"), config(limit=12))
    assert len(images) == 12
    assert len(np.unique(frames.file_of)) == 3
    assert max(frames.frame_of) == 49
    assert numbers(images) == frames.frame_of.tolist()


def test_crop_and_size_are_those_of_the_recipe(folder):
    images, _ = decode(str(folder / "a.mp4"), config(crop=(8, 0, 32, 32), size=(16, 16)))
    with VideoReader(folder / "a.mp4") as reader:
        part = reader.read(7)[:32, 8:40].astype(float)
    means = part.reshape(16, 2, 16, 2, 3).mean(axis=(1, 3))  # averaging over areas, written out
    assert np.abs(images[7] - means).max() <= 1


def test_grey_frames_have_one_channel(folder):
    images, _ = decode(str(folder / "a.mp4"), config(colour="grey", limit=2))
    assert images.shape == (2, 64, 96, 1)


def test_a_crop_beyond_the_frame_names_one_that_fits(folder):
    with pytest.raises(InputError, match="96x64 frames of a") as caught:
        decode(str(folder / "a.mp4"), config(crop=(50, 0, 60, 64)))
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
        decode(str(folder / "*"), config())


def test_progress_counts_up_to_the_end_and_may_cancel(folder):
    told = []
    decode(str(folder / "*.mp4"), config(), told.append)
    assert [step.done for step in told] == sorted(step.done for step in told)
    assert (told[-1].done, told[-1].total) == (120, 120)

    def cancel(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        decode(str(folder / "*.mp4"), config(), cancel)


def test_films_joined_by_a_bar_keep_their_order_and_come_once(folder):
    names = [folder / name for name in ("c.mp4", "a.mp4", "c.mp4")]
    images, frames = decode(video_spec(names).removeprefix("video:"), config())
    assert [path.name for path in frames.files] == ["c.mp4", "a.mp4"]
    assert numbers(images) == [*range(50), *range(30)]
    assert [path.name for path in find_videos(f"{folder}/b.mp4|{folder}/*.mp4")] == ["b.mp4", "a.mp4", "c.mp4"]
    with pytest.raises(InputError, match=r"no video .*nothing\.mp4"):
        find_videos(f"{folder}/b.mp4|{folder}/nothing.mp4")


def test_a_name_that_cannot_be_joined_is_refused(tmp_path):
    assert video_spec([tmp_path / "a|b.mp4"]) == f"video:{tmp_path}/a|b.mp4"
    with pytest.raises(InputError, match="in its name"):
        video_spec([tmp_path / "a|b.mp4", tmp_path / "c.mp4"])
    with pytest.raises(InputError, match="no film"):
        video_spec([])


def write_still_film(path):
    """60 frames: 20 of one picture, 20 of a slow fade by one grey level each, 20 of another picture."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "gray"
        for number in range(60):
            level = 60 if number < 20 else 60 + number - 19 if number < 40 else 200
            frame = av.VideoFrame.from_ndarray(np.full((64, 64), level, np.uint8), format="gray")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def test_standing_frames_are_left_out_by_their_difference_to_the_last_kept(tmp_path):
    film = write_still_film(tmp_path / "still.mkv")
    settings = config(dedup=4.5, size=(16, 16), colour="grey")
    images, frames = decode(str(film), settings)
    everything, _ = decode(str(film), config(size=(16, 16), colour="grey"))
    kept = [0]
    for number in range(1, 60):  # the rule, written out
        if np.abs(everything[number].astype(float) - everything[kept[-1]]).mean() >= 4.5:
            kept.append(number)
    assert frames.frame_of.tolist() == kept
    assert 4 < len(kept) < 10  # the fade adds up and is kept in steps
    assert frames.still == 60 - len(kept)
    assert np.array_equal(images, everything[kept])
    # Each film begins anew, though its first frame equals the last one's of the film before.
    copy = shutil.copy(film, tmp_path / "copy.mkv")
    _, twice = decode(f"{film}|{copy}", settings)
    assert twice.frame_of.tolist() == kept * 2


def test_what_was_left_out_is_said_and_the_cache_tells_thresholds_apart(tmp_path):
    film = write_still_film(tmp_path / "still.mkv")
    whole = load_dataset(DataConfig(spec=f"video:{film}", size=(16, 16)))
    some = load_dataset(DataConfig(spec=f"video:{film}", size=(16, 16), dedup=4.5))
    assert len(whole.images) == 60
    assert len(some.images) < 10
    assert some.notes == (f"{60 - len(some.images)} frames that stand still were left out (data.dedup)",)
    assert np.array_equal(some.images, whole.images[some.factors["frame"]])


def test_a_long_film_is_decoded_in_little_memory(tmp_path):
    """A data set of 96 MB must not show in the memory of the process that decodes it."""
    film = tmp_path / "long.mp4"
    with av.open(str(film), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(500):
            picture = video_clips.picture(number, 80, 64)[:, :64]
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        output.mux(stream.encode(None))
    code = (
        "import resource, sys; from latentlab.core.recipe_data import DataConfig; from latentlab.data import cache;"
        "from latentlab.data.catalog import load_dataset; cache.IN_MEMORY_BYTES = 0;"
        "spec = 'video:' + sys.argv[1];"
        "load_dataset(DataConfig(spec=spec, size=(32, 32)));"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "data = load_dataset(DataConfig(spec=spec, size=(256, 256)));"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "print(data.images.nbytes // 2**20, (after - before) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(film)], capture_output=True, text=True, check=True)
    size, grown = (int(word) for word in done.stdout.split())
    assert size == 93
    assert grown < 30


def test_a_shape_gives_fresh_contiguous_pictures():
    frame = video_clips.picture(3)
    kept = FrameShape(None, None).apply(frame)
    assert np.array_equal(kept, frame)
    assert not np.shares_memory(kept, frame)
    assert FrameShape((1, 2, 10, 20), (40, 30), 1).apply(frame).shape == (40, 30, 1)


def test_keyframes_of_five_real_battles(shared_data):
    pattern = str(shared_data / "splatoon2" / "*.mp4")
    images, frames = decode(pattern, config(size=(64, 121), crop=(0, 0, 121, 64), keyframes_only=True, stride=3))
    assert images.shape[1:] == (64, 121, 3)
    assert len(frames.files) == 5
    train, test = split_video(frames.file_of, 0.1)
    assert len(np.unique(frames.file_of[test])) == 1
    assert len(train) + len(test) == len(images)
