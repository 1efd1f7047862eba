from __future__ import annotations

import random
import shutil
import zlib
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import video_clips

from latentlab.core.errors import InputError
from latentlab.data import video, video_index
from latentlab.data.video import VideoReader

X265 = "keyint=24:log-level=none"
CLIPS = {
    "long-group.mp4": ("libx264", {"g": "250", "bf": "3"}, "yuv420p"),
    "b-frames.mkv": ("libx264", {"g": "25", "bf": "3"}, "yuv420p"),
    "open-group.mp4": ("libx264", {"g": "24", "bf": "3", "x264-params": "open-gop=1"}, "yuv420p"),
    "gradual-refresh.mp4": ("libx264", {"g": "30", "x264-params": "intra-refresh=1"}, "yuv420p"),
    "untimed.avi": ("libx264", {"g": "30", "bf": "3"}, "yuv420p"),
    "raw.h264": ("libx264", {"g": "30", "bf": "2"}, "yuv420p"),
    "hevc.mp4": ("libx265", {"x265-params": X265}, "yuv420p"),
    "mpeg4.avi": ("mpeg4", {"g": "30", "bf": "2"}, "yuv420p"),
    "mpeg2.ts": ("mpeg2video", {"g": "15", "bf": "2"}, "yuv420p"),
    "vp8.webm": ("libvpx", {"g": "30", "auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8"}, "yuv420p"),
    "vp9.webm": ("libvpx-vp9", {"g": "30", "lag-in-frames": "16", "deadline": "realtime"}, "yuv420p"),
    "mjpeg.avi": ("mjpeg", {"q": "3"}, "yuvj420p"),
    "lossless.mkv": ("ffv1", {}, "yuv420p"),
    "av1.mp4": ("libsvtav1", {"preset": "12", "g": "30", "svtav1-params": "lp=1"}, "yuv420p"),
    "alpha.webm": ("libvpx-vp9", {"g": "30", "deadline": "realtime"}, "yuva420p"),
    "alpha.mov": ("qtrle", {}, "argb"),
    "variable.mkv": ("libx264", {"g": "20", "bf": "2"}, "yuv420p"),
    "turned.mp4": ("libx264", {"g": "30", "bf": "2"}, "yuv420p"),
    "lying-count.avi": ("mpeg4", {"g": "30"}, "yuv420p"),
}
TIMES = {"variable.mkv": [n * 20 + (n % 5) * 3 + (400 if n > 30 else 0) for n in range(90)]}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")

    def get(name: str) -> Path:
        path, (codec, options, pix_fmt) = folder / name, CLIPS[name]
        if codec not in av.codecs_available:
            pytest.skip(f"no {codec} encoder here")
        if not path.exists():
            video_clips.write_clip(path, codec, options=options, pix_fmt=pix_fmt, times=TIMES.get(name))
            if name == "turned.mp4":
                rotate(path, path, 90)
            elif name == "lying-count.avi":
                promise(path, 500)
        return path

    return get


def promise(path: Path, frames: int) -> None:
    """Write another number of frames into both headers of an AVI (dwTotalFrames of avih, dwLength of strh)."""
    data = bytearray(path.read_bytes())
    for chunk, offset in ((b"avih", 24), (b"strh", 40)):
        place = data.index(chunk) + offset
        assert int.from_bytes(data[place : place + 4], "little") == 90
        data[place : place + 4] = frames.to_bytes(4, "little")
    path.write_bytes(data)


@pytest.mark.parametrize("name", CLIPS)
def test_a_hundred_random_seeks_each_give_the_frame_of_reading_in_sequence(clips, name, monkeypatch):
    monkeypatch.setattr(video, "RECENT_BYTES", 0)  # No help from the frames decoded a moment ago.
    with VideoReader(clips(name)) as reader:
        sequence = [frame for _, frame in reader.iterate()]
        turns = reader.info.rotation // 90
    assert [video_clips.number_in(np.rot90(frame, -turns)) for frame in sequence] == list(range(90))
    chooser = random.Random(name)
    with VideoReader(clips(name)) as reader:
        assert reader.frames == 90
        for n in [89, 0, 88, 1, *(chooser.randrange(90) for _ in range(100))]:
            assert np.array_equal(reader.read(n), sequence[n]), f"frame {n}"


@pytest.mark.parametrize("name", ["long-group.mp4", "mpeg4.avi", "vp9.webm"])
def test_frames_agree_with_opencv_reading_in_sequence(clips, name):
    capture = cv2.VideoCapture(str(clips(name)))
    with VideoReader(clips(name)) as reader:
        for _, frame in reader.iterate():
            good, other = capture.read()
            assert good
            assert np.abs(frame.astype(int) - other[..., ::-1]).mean() < 4
    assert not capture.read()[0]
    capture.release()


def test_stepping_backwards_decodes_a_group_once(clips, monkeypatch):
    with VideoReader(clips("long-group.mp4")) as reader:
        reader.read(80)
        monkeypatch.setattr(reader, "_forward", lambda n: pytest.fail(f"decoded again for {n}"))
        assert [video_clips.number_in(reader.read(n)) for n in range(79, 40, -1)] == list(range(79, 40, -1))


def test_iterating_with_a_step_gives_those_frames(clips):
    with VideoReader(clips("b-frames.mkv")) as reader:
        found = [(n, video_clips.number_in(frame)) for n, frame in reader.iterate(5, 80, 7)]
    assert found == [(n, n) for n in range(5, 80, 7)]


def test_times_of_a_variable_rate_are_the_files_own(tmp_path):
    times = [n * 20 + (n % 5) * 3 + (400 if n > 30 else 0) for n in range(60)]
    path = video_clips.write_clip(tmp_path / "v.mkv", frames=60, times=times, options={"g": "20", "bf": "2"})
    with VideoReader(path) as reader:
        assert reader.frames == 60
        assert np.allclose((reader.times_s - reader.times_s[0]) * 1000, times, atol=1.01)
        assert video_clips.number_in(reader.read(31)) == 31


def test_a_title_in_another_encoding_is_no_hindrance(tmp_path):
    path = tmp_path / "old.avi"
    with av.open(str(path), "w") as output:
        output.metadata["title"] = "Gaelle"
        stream = output.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(video_clips.picture(5), format="rgb24")))
        output.mux(stream.encode(None))
    data = path.read_bytes()
    assert data.count(b"Gaelle") == 1
    path.write_bytes(data.replace(b"Gaelle", b"Ga\xeblle"))
    with VideoReader(path) as reader:
        assert video_clips.number_in(reader.read(0)) == 5


def test_facts_of_a_clip(clips):
    with VideoReader(clips("b-frames.mkv")) as reader:
        info = reader.info
    assert (info.frames, info.width, info.height, info.codec, info.rotation) == (90, 96, 64, "h264", 0)
    assert info.fps == pytest.approx(30, rel=1e-3)
    assert info.duration_s == pytest.approx(3, rel=0.01)


def test_frames_are_fresh_and_can_be_changed(clips):
    with VideoReader(clips("b-frames.mkv")) as reader:
        first = reader.read(10)
        first[:] = 0
        assert reader.read(10).max() > 100
        assert first.dtype == np.uint8
        assert first.flags.c_contiguous
        assert first.shape == (64, 96, 3)


@pytest.mark.parametrize("turn", [90, 180, -90])
def test_rotation_is_applied_as_players_do(tmp_path, turn):
    path = tmp_path / "turned.mp4"
    source = video_clips.write_clip(tmp_path / "plain.mp4", frames=5)
    rotate(source, path, turn)
    with VideoReader(source) as plain, VideoReader(path) as turned:
        expected = np.rot90(plain.read(3), turned.info.rotation // 90)
        assert turned.info.rotation % 360 == turn % 360
        assert turned.size == expected.shape[1::-1]
        assert np.array_equal(turned.read(3), expected)


def rotate(source: Path, path: Path, counter_clockwise: int) -> None:
    """Write the display matrix of a rotation into the track header of an mp4 (ISO 14496-12, tkhd)."""
    data = bytearray(source.read_bytes())
    place = data.index(b"tkhd") + 4 + 40  # version, times, id, duration, layer, volume (version 0)
    sine, cosine = {90: (-1, 0), 180: (0, -1), -90: (1, 0)}[counter_clockwise]
    matrix = [cosine * 65536, sine * 65536, 0, -sine * 65536, cosine * 65536, 0, 0, 0, 1 << 30]
    data[place : place + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(data)


def test_a_file_cut_in_the_middle_gives_the_frames_that_are_left(tmp_path, clips):
    whole = clips("b-frames.mkv")
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    with VideoReader(cut) as reader:
        numbers = [video_clips.number_in(frame) for _, frame in reader.iterate()]
        assert 20 < reader.frames < 90
        assert len(numbers) == reader.frames
        assert numbers[: reader.frames - 4] == list(range(reader.frames - 4))


@pytest.mark.parametrize("name", ["b-frames.mkv", "turned.mp4", "mpeg4.avi"])
def test_what_is_filled_in_after_damage_is_what_reading_in_sequence_fills_in(tmp_path, clips, name, monkeypatch):
    """Of a damaged keyframe decoders take the missing part from the frames before, which a seek has not seen."""
    monkeypatch.setattr(video, "RECENT_BYTES", 0)
    with av.open(str(clips(name))) as container:
        keys = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size and packet.is_keyframe]
    data, (place, size) = bytearray(clips(name).read_bytes()), keys[-1]
    data[place + size // 2 : place + size // 2 + 8] = bytes(range(8))
    path = tmp_path / name
    path.write_bytes(data)
    with VideoReader(path) as reader:
        sequence = [frame for _, frame in reader.iterate()]
    assert len(sequence) == 90
    chooser = random.Random(name)
    with VideoReader(path) as reader:
        for n in [89, *(chooser.randrange(90) for _ in range(40))]:
            assert np.array_equal(reader.read(n), sequence[n]), f"frame {n}"


def test_a_count_that_promises_too_much_is_put_right(clips):
    path = clips("b-frames.mkv")
    honest = video_index.build_index(path)
    lying = video_index.FrameIndex(
        np.append(honest.pts, honest.pts[-1] + np.arange(1, 6)), honest.entries, honest.entry_ticks, True
    )
    with VideoReader(path, lying) as reader:
        assert reader.frames == 95
        with pytest.raises(InputError, match="cannot be decoded"):
            reader.read(93)
        assert reader.frames == 90
        assert video_clips.number_in(reader.read(89)) == 89


def spoil(kind: str, folder: Path, clip: Path) -> Path:
    path = folder / "bad.mp4"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("This is a letter, not a film.\n" * 50)
    elif kind == "truncated":
        path.write_bytes(clip.read_bytes()[:2000])
    elif kind == "folder":
        path.mkdir()
    elif kind == "sound":
        return write_sound(folder / "tone.m4a")
    return path


def write_sound(path: Path) -> Path:
    with av.open(str(path), "w") as output:
        voice = output.add_stream("aac", rate=44100, layout="mono")
        video_clips._write_tone(output, voice, 0.5)
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "There is no video"),
        ("empty", "is empty"),
        ("text", "not a video"),
        ("truncated", "not a video or is damaged"),
        ("folder", "is a folder"),
        ("sound", "holds no video"),
    ],
)
def test_what_cannot_be_opened_says_so_once_and_clearly(tmp_path, clips, kind, words):
    with pytest.raises(InputError, match=words) as caught:
        VideoReader(spoil(kind, tmp_path, clips("long-group.mp4")))
    assert caught.value.where
    assert caught.value.hint


def test_a_seek_lands_on_its_own_keyframe(tmp_path, monkeypatch):
    options = {"g": "30", "keyint_min": "30", "sc_threshold": "0", "bf": "3"}
    monkeypatch.setattr(video, "RECENT_BYTES", 0)
    decoded = []
    remember = VideoReader._remember
    monkeypatch.setattr(VideoReader, "_remember", lambda self, n, frame: (decoded.append(n), remember(self, n, frame)))
    for name in ("a.mp4", "a.mkv", "a.mov"):
        with VideoReader(video_clips.write_clip(tmp_path / name, frames=90, options=options)) as reader:
            decoded.clear()
            assert video_clips.number_in(reader.read(65)) == 65
            assert video_clips.number_in(reader.read(30)) == 30
        assert decoded == [*range(60, 66), 30], name


def test_a_file_that_vanishes_is_told_at_the_next_restart(tmp_path, clips):
    path = shutil.copy(clips("untimed.avi"), tmp_path / "gone.avi")
    reader = VideoReader(Path(path))
    reader.read(85)
    reader._recent.clear()
    Path(path).unlink()
    reader._recent.clear()
    with pytest.raises(InputError, match="There is no video"):
        reader.read(0)
    reader.close()


def test_frames_out_of_range_are_refused(clips):
    with VideoReader(clips("b-frames.mkv")) as reader:
        for n in (-1, 90):
            with pytest.raises(IndexError):
                reader.read(n)


def test_odd_sizes_are_kept(tmp_path):
    path = video_clips.write_clip(tmp_path / "odd.mkv", "ffv1", 3, pix_fmt="bgr0", size=(121, 65))
    with VideoReader(path) as reader:
        assert reader.size == (121, 65)
        assert np.array_equal(reader.read(2), video_clips.picture(2, 121, 65))


REAL = (
    "videos/crafter/video.mp4",
    "videos/crafter_episode/episode.mp4",
    "videos/mdn/flower.mp4",
    "videos/mdn/flower.webm",
    "videos/myrkur/gameplay.mp4",
    "splatoon2/4416_409887854-2_recon.mp4",
)


@pytest.mark.parametrize("name", REAL)
def test_real_clips_seek_exactly(shared_data, name, monkeypatch):
    monkeypatch.setattr(video, "RECENT_BYTES", 0)
    with VideoReader(shared_data / name) as reader:
        sums = [zlib.crc32(frame) for _, frame in reader.iterate()]
        assert len(sums) == reader.frames
    with VideoReader(shared_data / name) as reader:
        chooser = random.Random(name)
        for n in (chooser.randrange(len(sums)) for _ in range(100)):
            assert zlib.crc32(reader.read(n)) == sums[n], f"frame {n}"
