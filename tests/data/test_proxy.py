from __future__ import annotations

import os
import threading

import numpy as np
import pytest
import video_clips

from latentlab.core.errors import Cancelled, InputError
from latentlab.core.paths import cache_dir
from latentlab.data import proxy as proxy_module
from latentlab.data.proxy import evict
from latentlab.data.video import VideoReader
from latentlab.data.video_index import FrameIndex, build_index
from latentlab.data.video_shape import FrameShape

SHAPE = FrameShape((0, 0, 48, 64), (32, 24))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return video_clips.write_clip(tmp_path_factory.mktemp("film") / "a.mp4", frames=60, options={"g": "20"})


OPEN: list[proxy_module.Proxy] = []


def Proxy(*arguments):
    OPEN.append(proxy_module.Proxy(*arguments))
    return OPEN[-1]


@pytest.fixture(autouse=True)
def close_all():
    yield
    while OPEN:
        OPEN.pop().close()


def files():
    return sorted(path.name for path in (cache_dir() / "proxies").iterdir())


def test_every_frame_is_the_frame_of_the_video_in_its_shape(clip):
    proxy = Proxy(clip, build_index(clip), SHAPE)
    assert not proxy.complete
    proxy.build()
    assert proxy.complete
    with VideoReader(clip) as reader:
        for n, frame in reader.iterate():
            assert np.array_equal(proxy.read(n), SHAPE.apply(frame))
    assert np.array_equal(proxy.read_many(np.array([7, 3]))[1], proxy.read(3))


def test_a_whole_proxy_is_taken_from_the_cache(clip):
    Proxy(clip, build_index(clip), SHAPE).build()
    again = Proxy(clip, build_index(clip), SHAPE)
    assert again.complete
    assert again.read(59) is not None
    assert len(files()) == 1


def test_another_crop_size_or_file_is_another_proxy(clip, tmp_path):
    index = build_index(clip)
    Proxy(clip, index, SHAPE).build()
    assert not Proxy(clip, index, FrameShape((1, 0, 48, 64), (32, 24))).complete
    assert not Proxy(clip, index, FrameShape((0, 0, 48, 64), (32, 32))).complete
    assert not Proxy(clip, index, FrameShape((0, 0, 48, 64), (32, 24), 1)).complete
    changed = tmp_path / "a.mp4"
    changed.write_bytes(clip.read_bytes())
    os.utime(changed, (1, 1))
    assert not Proxy(changed, index, SHAPE).complete


def test_frames_can_be_read_while_it_is_built(clip, monkeypatch):
    monkeypatch.setattr(proxy_module, "FLUSH_S", 0.0)
    proxy, seen = Proxy(clip, build_index(clip), SHAPE), []

    def look(progress):
        if 0 < proxy.available < proxy.frames:
            seen.append((proxy.available, proxy.read(proxy.available - 1), proxy.read(proxy.available)))

    proxy.build(look)
    assert seen
    with VideoReader(clip) as reader:
        for available, last, beyond in seen:
            assert np.array_equal(last, SHAPE.apply(reader.read(available - 1)))
            assert beyond is None


def test_cancelling_leaves_nothing_behind(clip):
    def cancel(_):
        raise Cancelled

    proxy = Proxy(clip, build_index(clip), SHAPE)
    with pytest.raises(Cancelled):
        proxy.build(cancel)
    assert files() == []
    proxy.build()
    assert proxy.complete


def test_a_damaged_file_in_the_cache_is_built_again(clip):
    proxy = Proxy(clip, build_index(clip), SHAPE)
    proxy.build()
    path = cache_dir() / "proxies" / files()[0]
    path.write_bytes(path.read_bytes()[:100])
    again = Proxy(clip, build_index(clip), SHAPE)
    assert not again.complete
    again.build()
    with VideoReader(clip) as reader:
        assert np.array_equal(again.read(5), SHAPE.apply(reader.read(5)))


def test_a_file_cut_under_the_app_is_told_and_not_a_crash(clip):
    proxy = Proxy(clip, build_index(clip), SHAPE)
    proxy.build()
    os.truncate(cache_dir() / "proxies" / files()[0], 500)
    assert proxy.read(50) is None
    with pytest.raises(InputError, match="damaged"):
        proxy.read_many(np.array([50]))


def test_a_full_disk_is_told(clip, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    proxy = Proxy(clip, build_index(clip), SHAPE)
    monkeypatch.setattr(proxy, "_begin", full)
    with pytest.raises(InputError, match="No space left") as caught:
        proxy.build()
    assert "LATENTLAB_CACHE" in caught.value.hint
    assert files() == []


def test_a_count_that_promised_too_much_is_put_right(clip):
    honest = build_index(clip)
    pts = np.append(honest.pts, honest.pts[-1] + np.arange(1, 4) * 512)
    proxy = Proxy(clip, FrameIndex(pts, honest.entries, honest.entry_ticks, True), SHAPE)
    proxy.build()
    assert proxy.frames == 60
    assert proxy.complete
    assert Proxy(clip, honest, SHAPE).complete


def test_the_oldest_go_first_when_there_are_too_many(clip, monkeypatch):
    index = build_index(clip)
    for number, width in enumerate((16, 24, 32)):
        Proxy(clip, index, FrameShape(None, (32, width))).build()
        newest = max((cache_dir() / "proxies").glob("*.npy"), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (1000 + number, 1000 + number))
    size = sum(path.stat().st_size for path in (cache_dir() / "proxies").iterdir())
    monkeypatch.setattr(proxy_module, "limit_bytes", lambda: (size - 1) / proxy_module.SHARE_OF_CACHE)
    assert len(evict()) == 1
    assert not Proxy(clip, index, FrameShape(None, (32, 16))).complete
    assert Proxy(clip, index, FrameShape(None, (32, 32))).complete


def test_another_thread_reads_sound_frames_meanwhile(clip, monkeypatch):
    monkeypatch.setattr(proxy_module, "FLUSH_S", 0.0)
    with VideoReader(clip) as reader:
        expected = [SHAPE.apply(frame) for _, frame in reader.iterate()]
    proxy = Proxy(clip, build_index(clip), SHAPE)
    wrong, done = [], threading.Event()

    def watch():
        while not done.is_set():
            newest = proxy.available - 1
            picture = proxy.read(newest) if newest >= 0 else None
            if picture is not None and not np.array_equal(picture, expected[newest]):
                wrong.append(newest)

    watcher = threading.Thread(target=watch)
    watcher.start()
    proxy.build()
    done.set()
    watcher.join()
    assert not wrong
