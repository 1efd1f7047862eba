from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import video_clips

from latentlab.core.messages import ModelInfo, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.core.video_curves import PathView
from latentlab.core.video_edit import EditedFilm
from latentlab.data.video import VideoReader
from latentlab.runtime import video_latent_store
from latentlab.runtime.priority import FollowedWeights
from latentlab.runtime.video import VideoService
from latentlab.runtime.video_latent import VideoLatentService
from latentlab.runtime.video_latent_editor import FilmEditor
from latentlab.runtime.video_latent_pictures import BetweenRequest, PictureMaker
from latentlab.runtime.video_latent_store import ClipStore

FRAMES = 150
SIZE = (32, 44)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    return video_clips.write_clip(folder / "a.mp4", frames=FRAMES, options={"g": "50"})


@pytest.fixture(scope="module")
def weights():
    from latentlab.models.registry import build_model

    def make(step=10, seed=1, kind="vae"):
        recipe = Recipe.model_validate(
            {
                "data": {"spec": "video:x", "size": SIZE, "crop": (0, 0, 88, 64)},
                "model": {"kind": kind, "network": "mlp", "latent_dim": 4, "width": 4},
            }
        )
        info = ModelInfo(recipe, (*SIZE, 3))
        # A new model paints everything grey: larger weights make pictures that differ.
        state = {name: 4.0 * tensor for name, tensor in build_model(info, seed).inference_state().items()}
        return WeightSnapshot(step, info, state)

    return make


@pytest.fixture
def video(qtbot):
    made = VideoService()
    made.bind(FollowedWeights())
    yield made
    assert made.shutdown(20_000)


@pytest.fixture
def service(video):
    made = VideoLatentService(lambda: video.proxy)
    made.bind(video._weights)
    made.problems = []
    made.failed.connect(made.problems.append)
    made.set_following(auto=False, every_s=0.0)
    yield made
    assert made.shutdown(20_000)


def open_clip(qtbot, video, path):
    with qtbot.waitSignal(video.opened, timeout=20_000):
        video.open(path)


def measured(qtbot, service, step=None):
    def done():
        curves, path = service.curves.get()[1], service.path.get()[1]
        return (
            curves is not None and curves.complete and path is not None and path.complete and step in (None, path.step)
        )

    qtbot.waitUntil(done, timeout=30_000)
    return service.curves.get()[1]


def prepared(proxy):
    return proxy.read_many(np.arange(FRAMES))


def test_every_frame_is_measured_with_one_set_of_weights(qtbot, video, service, clip, weights):
    snapshot = weights()
    video._weights.put(snapshot)
    service.set_active(True)
    open_clip(qtbot, video, clip)
    curves = measured(qtbot, service)
    assert (curves.step, curves.done, curves.names) == (10, FRAMES, ["pixel", "reconstruction", "kld_nats"])
    assert "discriminator" in curves.absent["feature_matching"]
    from latentlab.explore.video_inference import FrameReconstructor

    reference = FrameReconstructor()
    reference.load(snapshot)
    assert np.allclose(curves.values["pixel"], reference.reconstruct(prepared(video.proxy)).pixel, rtol=1e-3)
    path = service.path.get()[1]
    assert path.frames.tolist() == list(range(FRAMES))
    assert path.heat.shape == (4, FRAMES)


def test_newer_weights_are_taken_when_asked_for_and_values_stay_until_then(qtbot, video, service, clip, weights):
    video._weights.put(weights())
    service.set_active(True)
    open_clip(qtbot, video, clip)
    first = measured(qtbot, service)
    video._weights.put(weights(step=20, seed=2))
    qtbot.wait(400)
    assert service.curves.get()[1].step == 10
    service.update()
    second = measured(qtbot, service, step=20)
    assert second.step == 20
    assert not np.allclose(first.values["pixel"], second.values["pixel"])
    video._weights.put(weights(step=30, seed=3))
    service.set_following(auto=True, every_s=0.0)
    measured(qtbot, service, step=30)


def test_nothing_is_measured_for_nobody(qtbot, video, service, clip, weights):
    video._weights.put(weights())
    open_clip(qtbot, video, clip)
    qtbot.waitUntil(lambda: video.proxy is not None and video.proxy.complete, timeout=20_000)
    service.set_active(False)
    qtbot.wait(300)
    assert service.curves.get()[1] is None
    service.set_active(True)
    measured(qtbot, service)


def test_another_film_and_no_weights_forget_what_was_known(qtbot, video, service, clip, weights, tmp_path):
    video._weights.put(weights())
    service.set_active(True)
    open_clip(qtbot, video, clip)
    measured(qtbot, service)
    open_clip(qtbot, video, video_clips.write_clip(tmp_path / "b.mp4", frames=40))
    qtbot.waitUntil(
        lambda: service.curves.get()[1] is not None and service.curves.get()[1].frames == 40, timeout=20_000
    )
    measured(qtbot, service)
    video._weights.clear()
    qtbot.waitUntil(lambda: service.curves.get()[1] is None, timeout=20_000)


def test_damaged_weights_are_told_once_and_good_ones_measure_again(qtbot, video, service, clip, weights):
    good = weights()
    video._weights.put(WeightSnapshot(3, good.info, {}))
    service.set_active(True)
    open_clip(qtbot, video, clip)
    qtbot.waitUntil(lambda: video.proxy is None or bool(service.problems), timeout=20_000)
    video._weights.put(good)
    video.show(3)
    measured(qtbot, service)
    assert len(service.problems) <= 1


def test_the_path_follows_the_choice_of_plane_and_dimensions(qtbot, video, service, clip, weights):
    video._weights.put(weights())
    service.set_active(True)
    open_clip(qtbot, video, clip)
    measured(qtbot, service)
    service.set_view(PathView((2, 1), (3,), (), 10, 59))
    qtbot.waitUntil(lambda: service.path.get()[1].components == (2, 1), timeout=20_000)
    path = service.path.get()[1]
    assert list(path.curves) == [3]
    assert (path.first, path.last, path.heat.shape[1]) == (10, 59, 50)


def test_thumbnails_and_the_way_between_two_frames(qtbot, video, service, clip, weights):
    snapshot = weights()
    video._weights.put(snapshot)
    open_clip(qtbot, video, clip)
    qtbot.waitUntil(lambda: video.proxy is not None and video.proxy.complete, timeout=20_000)
    service.want_thumbnail(77)
    qtbot.waitUntil(lambda: service.thumbnail.get()[1] is not None, timeout=20_000)
    assert np.array_equal(service.thumbnail.get()[1].image, video.proxy.read(77))
    service.interpolate(5, 90, 7, "lerp")
    qtbot.waitUntil(lambda: service.between.get()[1] is not None, timeout=20_000)
    between = service.between.get()[1]
    from latentlab.explore.video_inference import FrameReconstructor

    reference = FrameReconstructor()
    reference.load(snapshot)
    ends = reference.reconstruct(video.proxy.read_many(np.array([5, 90]))).images
    assert between.images.shape == (7, *SIZE, 3)
    assert np.abs(between.images[[0, -1]].astype(int) - ends).max() <= 1
    assert between.step == 10
    service.interpolate(5, 9999, 7, "lerp")
    qtbot.waitUntil(lambda: bool(service.problems), timeout=20_000)
    assert "9999" in service.problems[0].what


def test_what_is_ready_when_another_film_is_open_is_left_out(qtbot, video, clip, weights):
    video._weights.put(weights())
    open_clip(qtbot, video, clip)
    qtbot.waitUntil(lambda: video.proxy is not None and video.proxy.complete, timeout=20_000)
    opened = iter([video.proxy, object(), video.proxy, object(), video.proxy, video.proxy])
    maker = PictureMaker(lambda: next(opened))
    maker.weights = video._weights
    maker.make_thumbnail(7)
    maker.make_between(BetweenRequest(1, 9, 3, "lerp"))
    assert maker.thumbnail.get()[1] is None
    assert maker.between.get()[1] is None
    maker.make_between(BetweenRequest(1, 9, 3, "lerp"))
    assert len(maker.between.get()[1].images) == 3


def test_the_pictures_between_become_a_film_and_the_errors_a_table(qtbot, video, service, clip, weights, tmp_path):
    video._weights.put(weights())
    service.set_active(True)
    open_clip(qtbot, video, clip)
    measured(qtbot, service)
    pictures = np.random.default_rng(0).integers(0, 255, (6, 32, 44, 3), dtype=np.uint8)
    with qtbot.waitSignal(service.saved, timeout=20_000):
        service.save_film(tmp_path / "a.mp4", pictures, 10)
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert reader.frames == 6
    with qtbot.waitSignal(service.saved, timeout=20_000):
        service.save_csv(tmp_path / "a.csv", video.info.times_s)
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == "frame,time_s,psnr_db,pixel,reconstruction,kld_nats,jitter"
    assert len(lines) == FRAMES + 1
    with qtbot.waitSignal(service.failed, timeout=20_000):
        service.save_csv(tmp_path / "none" / "a.csv", video.info.times_s)


def shown(qtbot, video, generation):
    qtbot.waitUntil(
        lambda: video.frame.get()[1] is not None and video.frame.get()[1].generation >= generation, timeout=20_000
    )
    return video.frame.get()[1]


@pytest.mark.parametrize("edit", [EditedFilm("gaussian", 9), EditedFilm("median", 5, (1.0, 0.0, -2.0, 0.5), 1.5)])
def test_the_edited_frame_is_the_one_of_the_whole_edited_film(qtbot, video, clip, weights, edit):
    from latentlab.explore.video_inference import FrameReconstructor
    from latentlab.explore.video_latent import apply_edit
    from latentlab.explore.video_latent_measure import decode_frames, encode_frames

    snapshot = weights()
    video._weights.put(snapshot)
    open_clip(qtbot, video, clip)
    qtbot.waitUntil(lambda: video.proxy is not None and video.proxy.complete, timeout=20_000)
    video.set_editor(FilmEditor(edit, lambda: video.proxy))
    reference = FrameReconstructor()
    reference.load(snapshot)
    whole = apply_edit(encode_frames(reference.session, prepared(video.proxy)), edit)
    pictures = decode_frames(reference.session, whole)
    for frame in (0, 1, 60, 61, FRAMES - 1):
        answer = shown(qtbot, video, video.show(frame))
        assert answer.edited.title == edit.describe()
        assert np.abs(answer.edited.image.astype(int) - pictures[frame]).max() <= 1
    assert np.abs(pictures[60].astype(int) - shown(qtbot, video, video.show(60)).reconstruction).max() > 5


def test_measuring_is_coarse_first_and_complete_last():
    store, order, present = ClipStore(300, 4), [], np.zeros(300, dtype=bool)
    from latentlab.explore.video_latent_measure import Measured

    present[:200] = True
    store.begin(1, 0.0)
    while len(numbers := store.next_numbers(present, 16)):
        store.add(numbers, Measured(np.ones((len(numbers), 4), np.float32), {"pixel": numbers.astype(np.float32)}))
        order.extend(numbers.tolist())
        present[:] = len(order) >= 40
        present[:200] = True
    assert order[:7] == [0, 32, 64, 96, 128, 160, 192]
    assert sorted(order) == list(range(300))
    assert store.complete
    assert np.array_equal(store.values["pixel"], np.arange(300))


def test_old_latents_stay_whole_until_the_new_ones_are():
    from latentlab.explore.video_latent_measure import Measured

    store, everything = ClipStore(10, 2), np.arange(10)
    store.begin(1, 0.0)
    store.add(everything, Measured(np.full((10, 2), 1, np.float32), {"pixel": np.ones(10, np.float32)}))
    store.begin(2, 0.0)
    assert (store.latents() == 1).all()
    store.add(everything[:5], Measured(np.full((5, 2), 2, np.float32), {"pixel": np.full(5, 2, np.float32)}))
    assert (store.latents() == 1).all()
    assert (store.latents_step, store.step) == (1, 2)
    assert store.values["pixel"].tolist() == [2] * 5 + [1] * 5
    store.add(everything[5:], Measured(np.full((5, 2), 2, np.float32), {"pixel": np.full(5, 2, np.float32)}))
    assert (store.latents() == 2).all()
    assert store.latents_step == 2


@pytest.mark.parametrize(
    ("frames", "dim", "every", "stride"),
    [(6872, 1024, 1, 1), (216_000, 64, 1, 2), (216_000, 1024, 1, 27), (216_000, 1024, 4, 28), (100, 2, 3, 3)],
)
def test_latents_of_long_films_are_thinned_out_to_fit(frames, dim, every, stride):
    store = ClipStore(frames, dim, every)
    assert store.stride == stride
    assert store.latents().nbytes <= video_latent_store.MAX_LATENT_BYTES * 1.01


def test_a_film_of_which_every_third_frame_is_prepared_gets_complete():
    from latentlab.explore.video_latent_measure import Measured

    store = ClipStore(100, 2, every=3)
    store.begin(1, 0.0)
    while len(numbers := store.next_numbers(np.ones(100, dtype=bool), 16)):
        assert (numbers % 3 == 0).all()
        store.add(numbers, Measured(np.ones((len(numbers), 2), np.float32), {}))
    assert store.complete
    assert store.done == 100


def test_the_module_loads_neither_torch_nor_a_decoder():
    code = (
        "import sys, latentlab.runtime.video_latent, latentlab.runtime.video_latent_editor;"
        "sys.exit(bool({'torch', 'av', 'cv2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_shutdown_before_anything_was_asked(qtbot):
    service = VideoLatentService(lambda: None)
    assert service.shutdown(0)
    service.update()
    service.interpolate(0, 1, 5, "slerp")
    assert service.shutdown(0)
