import av
import numpy as np
import pytest

from latentlab.core.errors import Cancelled, InputError
from latentlab.data.arena import write_arena_video
from latentlab.data.arena.film import arena_frames


def decode(path):
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_the_video_shows_the_frames(tmp_path):
    write_arena_video(tmp_path / "a.mp4", battles=2, frames_per_battle=15, size=(64, 112), seed=3)
    decoded = decode(tmp_path / "a.mp4")
    painted = np.stack(list(arena_frames(battles=2, frames_per_battle=15, size=(64, 112), seed=3)))
    assert decoded.shape == painted.shape == (30, 64, 112, 3)
    error = np.mean((decoded.astype(float) - painted) ** 2, axis=(1, 2, 3))
    assert (10 * np.log10(255**2 / error) > 22).all(), "PSNR of every frame, dB; half the colour resolution costs most"


def test_speed_and_codec(tmp_path):
    write_arena_video(tmp_path / "a.mp4", battles=1, frames_per_battle=5, size=(32, 32), fps=12.5)
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert float(stream.average_rate) == pytest.approx(12.5)
        assert stream.codec_context.name in ("h264", "mpeg4")


def test_cancel_leaves_no_file(tmp_path):
    def cancel(progress):
        if progress.done > 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_arena_video(tmp_path / "a.mp4", battles=1, frames_per_battle=20, size=(32, 32), progress=_always(cancel))
    assert list(tmp_path.iterdir()) == []


def _always(cancel):
    def sink(progress):
        cancel(type(progress)(progress.what, progress.done + 4, progress.total))

    return sink


def test_odd_sides_are_refused(tmp_path):
    with pytest.raises(InputError, match="both sides must be even"):
        write_arena_video(tmp_path / "a.mp4", size=(33, 32))


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match=r"a\.mp4 cannot be written"):
        write_arena_video(tmp_path / "absent" / "a.mp4", battles=1, frames_per_battle=2, size=(32, 32))
