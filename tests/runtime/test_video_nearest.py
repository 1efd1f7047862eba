from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import video_clips
from video_service_fakes import answer, make_weights, open_clip, running_service

from latentlab.core.mailbox import LatestSlot
from latentlab.core.video_messages import VideoView
from latentlab.data import video, video_index
from latentlab.runtime import video_worker
from latentlab.runtime.video_scenes import SceneKeeper
from latentlab.runtime.video_worker import FrameRequest, VideoSlots, VideoWorker

FRAMES = 100


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return video_clips.write_clip(tmp_path_factory.mktemp("film") / "a.mp4", frames=FRAMES, options={"g": "50"})


@pytest.fixture
def service(qtbot):
    with running_service() as made:
        yield made


def test_where_decoding_takes_long_the_nearest_frame_comes_first(qtbot, service, tmp_path, monkeypatch):
    path = video_clips.write_clip(tmp_path / "a.mp4", frames=90, options={"g": "40", "keyint_min": "40"})
    monkeypatch.setattr(video_worker, "QUICK_MS", 0.0)
    open_clip(qtbot, service, path)
    answer(qtbot, service, service.show(0))
    seen = []
    put = service.frame.put
    monkeypatch.setattr(service.frame, "put", lambda frame: (seen.append(frame), put(frame))[1])
    generation = service.show(70)

    def exact():
        frame = service.frame.get()[1]
        return frame.generation == generation and frame.exact

    qtbot.waitUntil(exact, timeout=20_000)
    assert [(frame.index, frame.wanted, frame.exact) for frame in seen] == [(40, 70, False), (70, 70, True)]
    assert [video_clips.number_in(frame.original) for frame in seen] == [40, 70]


def test_a_jump_in_a_film_of_large_pictures_shows_the_keyframe_first(tmp_path, monkeypatch):
    """The reader works on several pictures at once, so that the first after a jump comes late."""
    size = (400, 240)
    path = video_clips.write_clip(tmp_path / "a.mp4", frames=30, size=size, options={"g": "20", "keyint_min": "20"})
    worker = VideoWorker(VideoSlots(), lambda proxy: None)
    worker.open(path)
    seen = []
    monkeypatch.setattr(worker.slots.frame, "put", seen.append)
    for number, index in enumerate((0, 1, 22, 23, 20)):
        worker.show(FrameRequest(index, number, VideoView()))
    worker.release()
    assert [(frame.index, frame.wanted) for frame in seen] == [(0, 0), (1, 1), (20, 22), (22, 22), (23, 23), (20, 20)]
    assert [video_clips.number_in(frame.original) for frame in seen] == [frame.index for frame in seen]


def test_a_newer_wish_ends_the_decoding_towards_an_older_one(clip):
    worker = VideoWorker(VideoSlots(), lambda proxy: None)
    worker.open(clip)
    worker.newer = lambda: True
    worker.show(FrameRequest(90, 1, VideoView()))
    assert worker.slots.frame.get()[1] is None
    worker.newer = lambda: False
    worker.show(FrameRequest(91, 2, VideoView()))
    assert worker.slots.frame.get()[1].index == 91
    worker.release()


def test_scenes_are_found_once_the_film_is_prepared(qtbot, service, tmp_path):
    from latentlab.explore.video_scenes import changes, find_scenes, thumbnails

    path = video_clips.write_clip(tmp_path / "a.mp4", frames=FRAMES)
    service._weights.put(make_weights())
    open_clip(qtbot, service, path)
    qtbot.waitUntil(lambda: service.scenes.get()[1] is not None, timeout=20_000)
    proxy = service.proxy
    change = changes(thumbnails(proxy.read_many(np.arange(FRAMES))))
    assert service.scenes.get()[1].tolist() == find_scenes(np.concatenate([[0], change]).astype(np.float32)).tolist()


def test_a_promise_of_too_many_frames_is_put_right(qtbot, service, tmp_path, monkeypatch):
    path = video_clips.write_clip(tmp_path / "a.mp4", frames=40)
    honest = video_index.build_index(path)
    pts = np.append(honest.pts, honest.pts[-1] + np.arange(1, 4) * 512)
    monkeypatch.setattr(video, "build_index", lambda path: replace(honest, pts=pts))
    service._weights.put(make_weights())
    with qtbot.waitSignal(service.corrected, timeout=20_000) as signal:
        assert open_clip(qtbot, service, path).frames == 43
    assert signal.args[0].frames == 40
    assert service.info.frames == 40


@pytest.mark.parametrize("stride", [1, 3])
def test_scenes_come_piece_by_piece_wherever_preparing_begins(stride):
    frames = 64 * 5 * stride
    cut = 64 * 2 * stride  # The first frame of a piece: its difference needs the piece before.
    pictures = np.zeros((frames, 9, 16, 3), np.uint8)
    pictures[cut:] = 200
    proxy = SimpleNamespace(frames=frames, stride=stride, present=np.zeros(frames, bool))
    proxy.read_many = lambda numbers: pictures[numbers]
    slot = LatestSlot()
    keeper = SceneKeeper(proxy, slot)
    assert not keeper.step()
    proxy.present[cut::stride] = True
    assert [keeper.step(), keeper.step(), keeper.step()] == [True, True, False]  # The seam is not there yet.
    proxy.present[::stride] = True
    while keeper.step():
        pass
    assert keeper.complete
    assert slot.get()[1].tolist() == [cut]
