from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import av
import numpy as np
import pytest
import video_clips
from PIL import Image

from latentlab.cli import main
from latentlab.core.messages import ModelInfo
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import recipe_toml
from latentlab.core.run_folder import write_model_info
from latentlab.data.video import VideoReader
from latentlab.explore.video_export_timing import plan_pictures
from latentlab.explore.video_write import VideoWriter
from latentlab.models.registry import build_model
from latentlab.models.weights import save_tensors


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    recipe = Recipe.model_validate(
        {
            "data": {"spec": "video:x", "size": (32, 49), "crop": (0, 0, 49, 32)},
            "model": {"kind": "ae", "network": "mlp", "latent_dim": 4, "width": 4},
        }
    )
    info = ModelInfo(recipe, (32, 49, 3))
    (folder / "recipe.toml").write_text(recipe_toml(recipe))
    write_model_info(folder, info, data_name="x", num_train=1, num_test=1)
    last = folder / "checkpoints" / "last"
    last.mkdir(parents=True)
    save_tensors(last / "model.safetensors", build_model(info, 3).inference_state())
    (last / "state.json").write_text('{"step": 40}')
    return folder


def reconstruct(capsys, *arguments):
    code = main(["reconstruct", *map(str, arguments), "--json", "--device", "cpu"])
    return code, json.loads(capsys.readouterr().out)


def test_a_video_becomes_a_video_of_the_same_length_rate_and_sound(run, tmp_path, capsys):
    clip = video_clips.write_clip(tmp_path / "a.mp4", frames=75, rate=25, sound=True)
    out = tmp_path / "out.mp4"
    code, facts = reconstruct(capsys, run, clip, "-o", out)
    assert code == 0
    assert (facts["frames"], facts["fps"], len(facts["per_frame"])) == (75, 25.0, 75)
    assert (facts["crop"], facts["step"], facts["sound"]) == ([0, 0, 49, 32], 40, True)
    errors = [10 ** (-decibels / 10) for decibels in facts["per_frame"]]
    assert facts["pixel"] == pytest.approx(np.mean(errors), rel=1e-6)
    assert facts["psnr"] == pytest.approx(-10 * np.log10(facts["pixel"]))
    with VideoReader(out) as made, VideoReader(clip) as given:
        assert (made.frames, made.size) == (75, (98, 32))
        assert np.allclose(made.times_s, np.arange(75) / 25, atol=1e-3)
        assert np.abs(made.read(60)[:, :49].astype(int) - given.read(60)[:32, :49]).mean() < 6
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        sound = sum(packet.size for packet in container.demux(container.streams.audio[0]))
    with av.open(str(clip)) as container:
        assert sound == sum(packet.size for packet in container.demux(container.streams.audio[0]))


def test_the_printed_error_is_that_of_the_pictures(run, tmp_path, capsys):
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 256, (32, 49, 3), dtype=np.uint8)).save(tmp_path / "p.png")
    code, facts = reconstruct(capsys, run, tmp_path / "p.png", "-o", tmp_path / "out.png")
    assert code == 0
    assert facts["fps"] is None
    both = np.asarray(Image.open(tmp_path / "out.png")) / 255.0
    assert both.shape == (32, 98, 3)
    assert facts["pixel"] == pytest.approx(((both[:, :49] - both[:, 49:]) ** 2).mean(), rel=0.01)


def test_a_folder_becomes_a_sheet_or_a_video(run, tmp_path, capsys):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(5):
        Image.fromarray(video_clips.picture(number, 60, 40)).save(folder / f"{number}.png")
    (folder / "notes.txt").write_text("passed over")
    code, facts = reconstruct(capsys, run, folder, "-o", tmp_path / "sheet.png", "--crop", "none")
    assert (code, facts["frames"], facts["shown"], facts["crop"]) == (0, 5, 5, None)
    code, facts = reconstruct(capsys, run, folder, "-o", tmp_path / "film.mkv", "--crop", "0,0,40,30")
    assert (code, facts["crop"]) == (0, [0, 0, 40, 30])
    with VideoReader(tmp_path / "film.mkv") as film:
        assert film.frames == 5


def test_numbered_pictures_are_a_film_in_the_order_of_their_numbers(run, tmp_path, capsys):
    folder = tmp_path / "shots"
    folder.mkdir()
    for number in (11, 9, 10, 2):
        Image.fromarray(np.full((32, 49, 3), number * 20, np.uint8)).save(folder / f"img_{number}.png")
    for source in (folder, folder / "img_%d.png", folder / "img_*.png"):
        code, facts = reconstruct(capsys, run, source, "-o", tmp_path / "film.mkv", "--panes", "original")
        assert (code, facts["frames"]) == (0, 4)
        with VideoReader(tmp_path / "film.mkv") as film:
            assert film.fps == 25
            assert [round(frame.mean() / 20) for _, frame in film.iterate()] == [2, 9, 10, 11]
    code, facts = reconstruct(capsys, run, folder / "shot_%d.png", "-o", tmp_path / "film.mkv")
    assert code == 2
    assert "No picture matches" in facts["error"]["what"]


def test_times_of_a_variable_rate_are_kept(run, tmp_path, capsys):
    times = [n * 30 + (n % 3) * 7 + (500 if n > 20 else 0) for n in range(40)]
    clip = video_clips.write_clip(tmp_path / "v.mkv", frames=40, times=times)
    code, _ = reconstruct(capsys, run, clip, "-o", tmp_path / "out.mp4")
    assert code == 0
    with VideoReader(tmp_path / "out.mp4") as made:
        assert made.frames == 40
        assert np.allclose(made.times_s * 1000, times, atol=1.5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.mp4", "-o", "out.mp4"], "There is no video"),
        (["text.mp4", "-o", "out.mp4"], "not a video"),
        (["clip.mp4", "-o", "out.txt"], "does not end in"),
        (["clip.mp4", "-o", "nowhere/out.mp4"], "There is no folder"),
        (["clip.mp4", "-o", "clip.mp4"], "is what is to be read"),
        (["clip.mp4", "-o", "out.mp4", "--crop", "90,0,20,20"], "reaches beyond"),
        (["empty", "-o", "out.png"], "holds no pictures"),
        (["broken.png", "-o", "out.png"], "cannot be read as a picture"),
    ],
)
def test_bad_input_is_one_message_and_no_file(run, tmp_path, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    video_clips.write_clip(tmp_path / "clip.mp4", frames=3)
    (tmp_path / "text.mp4").write_text("no film " * 100)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (tmp_path / "empty").mkdir()
    before = sorted(path.name for path in tmp_path.iterdir())
    code, answer = reconstruct(capsys, run, *arguments)
    assert code == 2
    assert words in answer["error"]["what"]
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_folder_that_is_no_run_is_refused(tmp_path, capsys):
    code, answer = reconstruct(capsys, tmp_path, tmp_path / "a.mp4", "-o", tmp_path / "b.mp4")
    assert code == 2
    assert "not a run folder" in answer["error"]["what"]


def test_a_failure_while_writing_leaves_the_old_file_and_no_half(tmp_path):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"the one before")

    def interrupted():
        with VideoWriter(out, plan_pictures(20)) as writer:
            for number in range(20):
                writer.write(video_clips.picture(number))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert out.read_bytes() == b"the one before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_an_interrupt_ends_with_130_and_leaves_no_file(run, tmp_path):
    clip = video_clips.write_clip(tmp_path / "long.mp4", frames=900, options={"preset": "ultrafast"})
    slow = (
        "import sys, time; from latentlab.explore.session import ExploreSession as F; "
        "old = F.run; F.run = lambda *a: (sys.stderr.write('at work\\n'), sys.stderr.flush(), "
        "time.sleep(0.3), old(*a))[-1]; from latentlab.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", slow, "reconstruct", str(run), str(clip), "-o", str(tmp_path / "out.mp4")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert process.stderr is not None
    seen = 0
    for line in process.stderr:
        seen += line == "at work\n"
        if seen == 3:
            break
    process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + 60
    process.wait(deadline - time.monotonic())
    rest = process.stderr.read()
    process.stderr.close()
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert [path.name for path in tmp_path.iterdir()] == ["long.mp4"]
