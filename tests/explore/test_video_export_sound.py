from __future__ import annotations

import av
import numpy as np
import pytest
import video_clips

from latentlab.core.messages import ModelInfo, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.core.video_export import ExportPlan
from latentlab.explore.video_export import export_film
from latentlab.models.registry import build_model

RATE = 44100


@pytest.fixture(scope="module")
def weights():
    recipe = Recipe.model_validate(
        {"data": {"size": (32, 48)}, "model": {"kind": "ae", "network": "mlp", "latent_dim": 4, "width": 4}}
    )
    info = ModelInfo(recipe, (32, 48, 3))
    return WeightSnapshot(7, info, build_model(info, 1).inference_state())


def write_clicks(path, codec, seconds=4.0):
    """A film of 30 frames a second with a click of 4 ms at every whole second and at 2.5 s."""
    with av.open(str(path), "w") as output:
        picture = output.add_stream("libx264", rate=30, options={"bf": "0"})
        picture.width, picture.height, picture.pix_fmt = 96, 64, "yuv420p"
        sound = output.add_stream(codec, rate=48000 if "opus" in codec else RATE, layout="stereo")
        sound.bit_rate = 128_000
        rate = sound.codec_context.sample_rate
        for number in range(round(seconds * 30)):
            frame = av.VideoFrame.from_ndarray(video_clips.picture(number), format="rgb24")
            output.mux(picture.encode(frame))
        output.mux(picture.encode(None))
        wave = np.zeros((2, round(seconds * rate)), np.float32)
        for at in (0.5, 1.0, 2.0, 2.5, 3.0):
            wave[:, round(at * rate) : round((at + 0.004) * rate)] = 0.8
        for start in range(0, wave.shape[1] - 1023, 1024):
            block = np.ascontiguousarray(wave[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = rate, start
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return path


def clicks_in(path):
    """Return when clicks begin on the clock of the first picture, as a player hears them."""
    with av.open(str(path)) as container:
        first = next(container.decode(video=0)).time
    loud = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            level = np.abs(frame.to_ndarray().astype(np.float64))
            level = level.reshape(-1, frame.samples) if frame.format.is_planar else level.reshape(frame.samples, -1).T
            scale = 1.0 if "flt" in frame.format.name else 2.0 ** (8 * frame.format.bytes - 1)
            hits = np.flatnonzero(level.max(axis=0) / scale > 0.3)
            loud.extend((frame.time + hits / frame.sample_rate - first).tolist())
    times = np.sort(np.asarray(loud))
    return times[np.concatenate([[True], np.diff(times) > 0.1])] if len(times) else times


@pytest.mark.parametrize(
    ("source", "codec", "suffix", "how"),
    [
        ("a.mp4", "aac", ".mp4", "copied"),
        ("a.mkv", "libopus", ".mp4", "copied"),
        ("a.mkv", "libopus", ".mkv", "copied"),
        ("a.mp4", "aac", ".mkv", "copied"),
        ("a.mov", "pcm_s16le", ".mov", "copied"),
        ("a.avi", "wmav2", ".mp4", "encoded"),
        ("a.avi", "wmav2", ".mkv", "encoded"),
    ],
)
def test_the_sound_of_a_range_lies_where_its_pictures_do(weights, tmp_path, source, codec, suffix, how):
    film = write_clicks(tmp_path / source, codec)
    out = tmp_path / f"out{suffix}"
    summary = export_film(ExportPlan(out, first=24, last=80), film, weights)  # 0.8 s to 2.7 s
    assert summary.sound == how
    expected = clicks_in(film)
    expected = expected[(expected > 0.8) & (expected < 2.7)] - 0.8
    heard = clicks_in(out)
    heard = heard[heard > -0.01]
    assert len(expected) == 3
    assert np.allclose(heard, expected, atol=0.004)
    with av.open(str(out)) as container:
        end = max(
            float((p.pts + (p.duration or 0)) * p.time_base) for p in container.demux(audio=0) if p.pts is not None
        )
        assert end == pytest.approx(1.9, abs=0.08)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_the_whole_sound_is_there_packet_by_packet(weights, tmp_path, suffix):
    film = write_clicks(tmp_path / "a.mp4", "aac")
    out = tmp_path / f"out{suffix}"
    assert export_film(ExportPlan(out), film, weights).sound == "copied"

    def packets(path):
        with av.open(str(path)) as container:
            return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    assert packets(out) == packets(film)
    assert np.allclose(clicks_in(out), clicks_in(film), atol=0.002)


def test_sound_can_be_left_out_and_a_silent_film_stays_silent(weights, tmp_path):
    film = write_clicks(tmp_path / "a.mp4", "aac", 1.0)
    assert export_film(ExportPlan(tmp_path / "b.mp4", sound=False), film, weights).sound == "none"
    assert export_film(ExportPlan(tmp_path / "c.mp4"), tmp_path / "b.mp4", weights).sound == "none"
    for name in ("b.mp4", "c.mp4"):
        with av.open(str(tmp_path / name)) as container:
            assert not container.streams.audio


def test_another_rate_keeps_the_sound(weights, tmp_path):
    film = write_clicks(tmp_path / "a.mp4", "aac")
    export_film(ExportPlan(tmp_path / "b.mp4", rate=12.0), film, weights)
    assert np.allclose(clicks_in(tmp_path / "b.mp4"), clicks_in(film), atol=0.002)
