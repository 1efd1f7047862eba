from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest
import video_clips
from video_service_fakes import answer, make_weights, open_clip, running_service

from latentlab.core.errors import InputError
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import WeightSnapshot
from latentlab.core.video_messages import VideoView
from latentlab.data.video import VideoReader
from latentlab.data.video_shape import FrameShape
from latentlab.runtime import video_curve, video_watch
from latentlab.runtime.video import VideoService
from latentlab.runtime.video_curve import CurveKeeper

FRAMES = 100


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    return video_clips.write_clip(folder / "a.mp4", frames=FRAMES, options={"g": "50", "bf": "2"})


@pytest.fixture
def weights():
    return make_weights


@pytest.fixture
def service(qtbot):
    with running_service() as made:
        yield made


def test_frames_without_a_model_are_the_films_own(qtbot, service, clip):
    info = open_clip(qtbot, service, clip)
    assert (info.frames, info.width, info.height) == (FRAMES, 96, 64)
    with VideoReader(clip) as reader:
        for n in (70, 3, 99, 4):
            frame = answer(qtbot, service, service.show(n))
            assert frame.index == n
            assert np.array_equal(frame.original, reader.read(n))
            assert frame.reconstruction is None
            assert frame.pixel is None


def test_with_a_model_frames_come_in_its_shape_with_their_error(qtbot, service, clip, weights):
    service._weights.put(weights())
    open_clip(qtbot, service, clip)
    frame = answer(qtbot, service, service.show(42))
    assert frame.crop == (0, 0, 88, 64)
    assert frame.original.shape == frame.reconstruction.shape == frame.difference.shape == (32, 44, 3)
    error = ((frame.original / 255.0 - frame.reconstruction / 255.0) ** 2).mean()
    assert frame.pixel == pytest.approx(error, rel=0.02)
    assert frame.step == 10


def test_the_newest_wish_wins_and_nothing_queues(qtbot, service, clip, weights):
    service._weights.put(weights())
    open_clip(qtbot, service, clip)
    answer(qtbot, service, service.show(0))
    before = service.frame.version
    for n in range(FRAMES):
        last = service.show(n)
    frame = answer(qtbot, service, last)
    assert frame.index == FRAMES - 1
    assert service.frame.version - before < FRAMES


def test_every_frame_is_the_same_before_and_after_the_proxy(qtbot, service, clip, weights):
    service._weights.put(weights())
    open_clip(qtbot, service, clip)
    early = answer(qtbot, service, service.show(77))
    proxy = service._worker.proxy
    qtbot.waitUntil(lambda: proxy.complete, timeout=20_000)
    late = answer(qtbot, service, service.show(77))
    assert np.array_equal(early.original, late.original)
    assert np.array_equal(early.original, proxy.read(77))


def test_the_error_of_every_frame_is_measured_in_the_quiet(qtbot, service, clip, weights):
    service._weights.put(weights())
    open_clip(qtbot, service, clip)
    qtbot.waitUntil(lambda: bool(service.curve.get()[1] and service.curve.get()[1].complete), timeout=30_000)
    curve = service.curve.get()[1]
    assert (len(curve.pixel), curve.step) == (FRAMES, 10)
    for n in (0, 50, 99):
        assert answer(qtbot, service, service.show(n)).pixel == pytest.approx(float(curve.pixel[n]), rel=1e-4)


def test_nothing_is_measured_for_nobody(qtbot, service, clip, weights):
    service.set_active(False)
    service._weights.put(weights())
    open_clip(qtbot, service, clip)
    qtbot.waitUntil(lambda: service._worker.proxy is not None and service._worker.proxy.complete, timeout=20_000)
    qtbot.waitUntil(lambda: service.film.get()[1] is not None, timeout=20_000)
    assert service.curve.get()[1].done == 0
    service.set_active(True)
    qtbot.waitUntil(lambda: service.curve.get()[1].complete, timeout=20_000)


def test_a_standing_frame_follows_the_weights(qtbot, service, clip, weights):
    service._weights.put(weights())
    open_clip(qtbot, service, clip)
    first = answer(qtbot, service, service.show(30))
    assert not service.follow()
    service._weights.put(weights(step=20, seed=2))
    qtbot.waitUntil(service.follow, timeout=5_000)
    qtbot.waitUntil(lambda: service.frame.get()[1].step == 20, timeout=20_000)
    second = service.frame.get()[1]
    assert second.index == 30
    assert not np.array_equal(first.reconstruction, second.reconstruction)


def test_another_model_has_its_own_shape_and_curve(qtbot, service, clip, weights):
    service._weights.put(weights())
    open_clip(qtbot, service, clip)
    answer(qtbot, service, service.show(5))
    service._weights.put(weights(crop=None, size=(16, 24)))
    frame = answer(qtbot, service, service.show(5))
    assert (frame.original.shape, frame.crop) == ((16, 24, 3), None)
    assert service._worker.proxy.shape.size == (16, 24)


def test_a_new_run_without_weights_yet_has_no_reconstruction(qtbot, service, clip, weights):
    service._weights.put(weights())
    open_clip(qtbot, service, clip)
    assert answer(qtbot, service, service.show(5)).reconstruction is not None
    service._weights.clear()
    assert answer(qtbot, service, service.show(5)).reconstruction is None


def test_weights_that_do_not_fit_are_told_and_the_frame_is_shown_all_the_same(qtbot, service, clip, weights):
    good = weights()
    service._weights.put(WeightSnapshot(3, good.info, {}))
    open_clip(qtbot, service, clip)
    frame = answer(qtbot, service, service.show(5))
    assert frame.reconstruction is None
    assert frame.original.shape == (64, 96, 3)
    qtbot.waitUntil(lambda: bool(service.problems), timeout=10_000)
    service._weights.put(good)
    assert answer(qtbot, service, service.show(5)).reconstruction is not None
    assert len(service.problems) == 1


def test_the_recipes_crop_is_left_out_where_it_does_not_fit(qtbot, service, clip, weights):
    service._weights.put(weights(crop=(0, 0, 200, 64)))
    open_clip(qtbot, service, clip)
    assert answer(qtbot, service, service.show(5)).crop is None


def test_an_own_crop_and_difference(qtbot, service, clip, weights):
    service._weights.put(weights())
    open_clip(qtbot, service, clip)
    service.set_view(VideoView(own_crop=True, crop=(8, 16, 40, 40), difference="signed"))
    frame = answer(qtbot, service, service.show(9))
    assert frame.crop == (8, 16, 40, 40)
    same = frame.original == frame.reconstruction
    assert (frame.difference[same] == 128).all()
    service.set_view(VideoView(own_crop=True, crop=(8, 16, 400, 40)))
    qtbot.waitUntil(lambda: bool(service.problems), timeout=10_000)
    assert "reaches beyond" in service.problems[0].what
    assert answer(qtbot, service, service.show(9)).crop == (8, 16, 40, 40)


def test_the_whole_frame_comes_after_the_cut_one(qtbot, service, clip, weights):
    service._weights.put(weights())
    open_clip(qtbot, service, clip)
    answer(qtbot, service, service.show(64))
    qtbot.waitUntil(lambda: bool(service.film.get()[1]) and service.film.get()[1].index == 64, timeout=20_000)
    assert video_clips.number_in(service.film.get()[1].image) == 64


@pytest.mark.parametrize(
    ("name", "content"),
    [("none.mp4", None), ("empty.mp4", b""), ("text.mp4", b"no film " * 99), ("truncated.mp4", "half of a film")],
)
def test_a_bad_file_is_one_message_and_the_next_one_opens(qtbot, service, clip, tmp_path, name, content):
    if isinstance(content, str):
        content = clip.read_bytes()[: clip.stat().st_size // 2]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with qtbot.waitSignal(service.failed, timeout=10_000) as signal:
        service.open(tmp_path / name)
    assert name in signal.args[0].what
    assert service.info is None
    open_clip(qtbot, service, clip)
    answer(qtbot, service, service.show(1))
    assert len(service.problems) == 1


def test_a_file_that_vanishes_or_is_cut_is_told_once(qtbot, service, tmp_path, monkeypatch):
    monkeypatch.setattr(video_watch, "CHECK_S", 0.0)
    for number, words in enumerate(("a.mp4 has vanished", "b.mp4 was changed while open")):
        path = video_clips.write_clip(tmp_path / f"{'ab'[number]}.mp4", frames=FRAMES, options={"g": "250"})
        open_clip(qtbot, service, path)
        answer(qtbot, service, service.show(99))
        if number:
            os.truncate(path, path.stat().st_size // 2)
        else:
            path.unlink()
        for n in (2, 3, 4):
            service.show(n)
            qtbot.waitUntil(lambda words=words: words in [report.what for report in service.problems], timeout=10_000)
        assert [report.what for report in service.problems].count(words) == 1


def test_a_region_still_being_moved_is_shown_and_not_prepared(qtbot, service, clip, weights):
    service._weights.put(weights())
    open_clip(qtbot, service, clip)
    answer(qtbot, service, service.show(9))
    proxy = service.proxy
    frame = answer(qtbot, service, service.set_view(VideoView(own_crop=True, crop=(8, 0, 40, 40), draft=True)))
    assert frame.crop == (8, 0, 40, 40)
    assert service.proxy is proxy
    with VideoReader(clip) as reader:
        assert np.array_equal(frame.original, FrameShape((8, 0, 40, 40), (32, 44)).apply(reader.read(9)))
    frame = answer(qtbot, service, service.set_view(VideoView(own_crop=True, crop=(8, 0, 40, 40))))
    assert service.proxy is not proxy
    assert service.proxy.shape.crop == (8, 0, 40, 40)


def test_an_editor_gives_one_more_picture_and_its_failure_is_told(qtbot, service, clip, weights):
    class Inverted:
        title = "inverted"

        def edit(self, model, index, original):
            if index == 7:
                raise InputError("Frame 7 cannot be edited")
            return 255 - original

    service._weights.put(weights())
    open_clip(qtbot, service, clip)
    service.set_editor(Inverted())
    frame = answer(qtbot, service, service.show(5))
    assert (frame.edited.title, frame.edited.index) == ("inverted", 5)
    assert np.array_equal(frame.edited.image, 255 - frame.original)
    frame = answer(qtbot, service, service.show(7))
    assert frame.edited is None
    assert frame.reconstruction is not None
    qtbot.waitUntil(lambda: [report.what for report in service.problems] == ["Frame 7 cannot be edited"], timeout=9_000)
    service.set_editor(None)
    assert answer(qtbot, service, service.show(6)).edited is None


def test_closing_forgets_and_shutdown_is_quick_and_may_be_repeated(qtbot, clip, weights):
    service = VideoService()
    slot: LatestSlot[WeightSnapshot] = LatestSlot()
    service.bind(slot)
    slot.put(weights())
    open_clip(qtbot, service, clip)
    with qtbot.waitSignal(service.closed):
        service.close()
    assert service.info is None
    assert service.frame.get()[1] is None
    open_clip(qtbot, service, clip)
    service.show(80)
    began = time.monotonic()
    assert service.shutdown(20_000)
    assert time.monotonic() - began < 5
    assert service.shutdown(0)
    service.open(clip)
    assert service.show(1) > 0


def test_shutdown_before_anything_was_opened(qtbot):
    assert VideoService().shutdown(0)


def test_the_module_loads_neither_torch_nor_a_decoder():
    code = "import sys, latentlab.runtime.video; sys.exit(bool({'torch', 'av', 'cv2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_curve_is_coarse_first_and_complete_last():
    slot = LatestSlot()
    keeper, order = CurveKeeper(300, slot), []
    while len(numbers := keeper.next_numbers(np.ones(300, bool))):
        assert len(numbers) <= video_curve.BATCH
        keeper.add(numbers, (numbers / 1000).astype(np.float32), 50)
        order.extend(numbers.tolist())
    assert order[:5] == [0, 64, 128, 192, 256]
    assert sorted(order) == list(range(300))
    curve = slot.get()[1]
    assert curve.complete
    assert np.allclose(curve.pixel, np.arange(300) / 1000)


def test_the_curve_keeps_to_the_frames_there_are():
    keeper = CurveKeeper(300, LatestSlot())
    numbers = keeper.next_numbers(np.arange(300) < 70)
    assert max(numbers) < 70
    assert not len(keeper.next_numbers(np.zeros(300, bool)))


def test_a_complete_curve_is_stale_only_beside_much_newer_weights(monkeypatch):
    keeper, slot = None, LatestSlot()
    keeper = CurveKeeper(4, slot)
    keeper.add(np.arange(4), np.ones(4, np.float32), 100)
    assert not keeper.is_stale(1000)  # it has only just been completed
    monkeypatch.setattr(video_curve, "REST_S", 0.0)
    assert keeper.is_stale(1000)
    assert not keeper.is_stale(110)
    keeper.restart()
    assert slot.get()[1].done == 0
    assert np.array_equal(slot.get()[1].pixel, np.ones(4))  # the old values stay on screen
