from __future__ import annotations

import contextlib
import csv
import json
from fractions import Fraction

import av
import numpy as np
import pytest
import torch
import video_clips
from av.filter import Graph
from PIL import Image

from latentlab.core.errors import Cancelled, InputError
from latentlab.core.messages import ModelInfo, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.core.video_edit import EditedFilm
from latentlab.core.video_export import ExportPlan, ExportProgress, estimate_bytes
from latentlab.core.video_messages import psnr_db
from latentlab.data.video import VideoReader
from latentlab.explore.export import read_origin
from latentlab.explore.video_export import export_film, side_by_side
from latentlab.explore.video_export_check import measure_file
from latentlab.explore.video_latent_measure import FrameMeasurer
from latentlab.models.registry import build_model

HEIGHT, WIDTH = 32, 48


@pytest.fixture(scope="module")
def weights():
    recipe = Recipe.model_validate(
        {"data": {"size": (HEIGHT, WIDTH)}, "model": {"kind": "vae", "network": "mlp", "latent_dim": 4, "width": 4}}
    )
    info = ModelInfo(recipe, (HEIGHT, WIDTH, 3))
    return WeightSnapshot(7, info, build_model(info, 1).inference_state())


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return video_clips.write_clip(tmp_path_factory.mktemp("film") / "clip.mp4", frames=90, rate=30, options={"g": "30"})


def numbers_in(path, scale=2):
    """The original pane is half the clip's size: a scale of 2 brings its numbers back to where they can be read."""
    with VideoReader(path) as reader:
        return [video_clips.number_in(frame) for _, frame in reader.iterate()]


def test_a_range_holds_exactly_its_frames_and_their_times(weights, clip, tmp_path):
    out = tmp_path / "out.mp4"
    summary = export_film(ExportPlan(out, first=30, last=49, scale=2), clip, weights)
    assert (summary.written, len(summary.pixel), summary.size) == (20, 20, (2 * 2 * WIDTH, 2 * HEIGHT))
    assert numbers_in(out) == list(range(30, 50))
    with VideoReader(out) as reader:
        assert np.allclose(reader.times_s, np.arange(20) / 30, atol=1e-4)
        assert reader.fps == 30


@pytest.mark.parametrize("panes", [("reconstruction",), ("difference",), ("original", "reconstruction", "difference")])
def test_panes_stand_side_by_side_in_the_order_asked_for(weights, clip, tmp_path, panes):
    out = tmp_path / "frames"
    export_film(ExportPlan(out, panes, last=1), clip, weights)
    both = tmp_path / "all"
    export_film(ExportPlan(both, ("difference", "original", "reconstruction"), last=1), clip, weights)
    shown = np.asarray(Image.open(out / "frame_000001.png"))
    whole = np.asarray(Image.open(both / "frame_000001.png")).reshape(HEIGHT, 3, WIDTH, 3)
    place = {"difference": 0, "original": 1, "reconstruction": 2}
    expected = np.concatenate([whole[:, place[name]] for name in panes], axis=1)
    assert np.array_equal(shown, expected)


def test_magnified_pixels_are_squares():
    small = np.random.default_rng(0).integers(0, 256, (3, 5, 3), dtype=np.uint8)
    large = side_by_side([small, small[:, :, :1]], 4)
    assert large.shape == (12, 40, 3)
    assert np.array_equal(large[::4, ::4][:, :5], small)
    assert np.array_equal(large[3::4, 3::4][:, :5], small)


@pytest.mark.parametrize(("rate", "count"), [(10.0, 30), (60.0, 180), (29.97, 90)])
def test_another_rate_repeats_or_drops_frames_and_keeps_the_duration(weights, clip, tmp_path, rate, count):
    out = tmp_path / "out.mkv"
    summary = export_film(ExportPlan(out, scale=2, rate=rate), clip, weights)
    shown = numbers_in(out)
    assert summary.written == len(shown) == count
    expected = [min(89, int(np.floor(k / rate * 30 + 0.031))) for k in range(count)]
    assert shown == expected
    with VideoReader(out) as reader:
        assert reader.times_s[-1] + 1 / rate == pytest.approx(3.0, abs=0.02)


def test_a_gif_keeps_the_times_to_a_hundredth(weights, clip, tmp_path):
    out = tmp_path / "out.gif"
    export_film(ExportPlan(out, first=10, last=39, scale=2), clip, weights)
    with Image.open(out) as picture:
        assert picture.n_frames == 30
        assert picture.info["loop"] == 0
        shown, length = [], 0
        for number in range(picture.n_frames):
            picture.seek(number)
            shown.append(video_clips.number_in(np.asarray(picture.convert("RGB"))))
            length += picture.info["duration"]
        comment = json.loads(picture.info["comment"])["latentlab"]
    assert shown == list(range(10, 40))
    assert length == pytest.approx(1000, abs=20)
    assert comment["step"] == 7


def test_pictures_are_numbered_as_in_the_film_and_know_their_run(weights, clip, tmp_path):
    out = tmp_path / "pictures"
    export_film(ExportPlan(out, ("original",), first=40, last=44, scale=2), clip, weights)
    assert sorted(path.name for path in out.iterdir()) == [f"frame_{n:06d}.png" for n in range(40, 45)]
    assert video_clips.number_in(np.asarray(Image.open(out / "frame_000043.png"))) == 43
    assert read_origin(out / "frame_000043.png").step == 7
    with pytest.raises(InputError, match="is not empty"):
        export_film(ExportPlan(out), clip, weights)


def test_the_comment_says_where_the_film_comes_from(weights, clip, tmp_path):
    edit = EditedFilm("median", 5)
    for suffix in (".mp4", ".mkv", ".mov"):
        out = tmp_path / f"out{suffix}"
        export_film(ExportPlan(out, ("original", "edited"), last=9, edit=edit), clip, weights)
        with av.open(str(out)) as container:
            tags = {name.lower(): value for name, value in container.metadata.items()}
        facts = json.loads(tags["comment"])["latentlab"]
        assert (facts["step"], facts["film"], facts["frames"]) == (7, "clip.mp4", [0, 9])
        assert Recipe.model_validate(__import__("tomllib").loads(facts["recipe"])) == weights.info.recipe
        assert EditedFilm.from_json(facts["edit"]) == edit


@pytest.mark.parametrize("first", [0, 3, 40])
def test_an_edited_film_is_that_of_the_whole_clips_latents(weights, clip, tmp_path, first):
    """Batches and ranges must not show: compare with smoothing all latents at once, written out here."""
    radius, last = 6, first + 9
    edit = EditedFilm("median", 2 * radius + 1, (0.5, 0.0, -0.25, 0.0), 2.0, "up")
    out = tmp_path / "edited"
    export_film(ExportPlan(out, ("edited",), first=first, last=last, edit=edit), clip, weights)
    model = build_model(weights.info).eval()
    model.load_state_dict(dict(weights.state), strict=False)
    low, high = max(0, first - radius), last + radius + 1
    rows = []
    with VideoReader(clip) as reader:
        for _, frame in reader.iterate(low, high):
            small = frame.reshape(HEIGHT, 2, WIDTH, 2, 3).mean(axis=(1, 3)).round()
            rows.append(torch.from_numpy(small).permute(2, 0, 1).float() / 255)
    with torch.inference_mode():
        z = model.encode(torch.stack(rows)).mu_BD
        for number in range(first, last + 1):
            window = z[max(0, number - radius - low) : number + radius + 1 - low].numpy()
            moved = np.median(window, axis=0) + 2 * np.array([0.5, 0, -0.25, 0])
            expected = model.decode(torch.from_numpy(moved[None].astype(np.float32)))[0].permute(1, 2, 0) * 255
            shown = np.asarray(Image.open(out / f"frame_{number:06d}.png")).astype(float)
            assert np.abs(shown - expected.numpy()).max() < 2.5


def test_the_table_has_a_row_per_frame_with_its_measures(weights, clip, tmp_path):
    table = tmp_path / "measures.csv"
    # A low rate leaves frames out of the film, never out of the table.
    summary = export_film(ExportPlan(tmp_path / "o.mp4", first=20, last=59, rate=5, csv=table), clip, weights)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == list(range(20, 60))
    assert float(rows[3]["time_s"]) == pytest.approx(23 / 30, abs=1e-4)
    assert [float(row["pixel"]) for row in rows] == pytest.approx(summary.pixel, rel=1e-5)
    assert float(rows[5]["psnr_db"]) == pytest.approx(psnr_db(summary.pixel[5]), abs=1e-3)
    model = build_model(weights.info).eval()
    model.load_state_dict(dict(weights.state), strict=False)
    with VideoReader(clip) as reader:
        small = reader.read(25).reshape(HEIGHT, 2, WIDTH, 2, 3).mean(axis=(1, 3)).round()
    with torch.inference_mode():
        posterior = model.encode(torch.from_numpy(small).permute(2, 0, 1).float()[None] / 255)
    normal = torch.distributions.Normal(posterior.mu_BD, (posterior.logvar_BD / 2).exp())
    kld = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum()
    assert float(rows[5]["kld_nats"]) == pytest.approx(float(kld), rel=0.02)
    with VideoReader(clip) as reader:
        before = reader.read(24).reshape(HEIGHT, 2, WIDTH, 2, 3).mean(axis=(1, 3)).round()
    with torch.inference_mode():
        other = model.encode(torch.from_numpy(before).permute(2, 0, 1).float()[None] / 255)
    moved = float((posterior.mu_BD - other.mu_BD).norm())
    assert float(rows[5]["jitter"]) == pytest.approx(moved, rel=0.05)
    assert rows[0]["jitter"] == rows[5]["feature_matching"] == ""  # No frame before; no discriminator.
    measurer = FrameMeasurer()  # What it measures is tested with it.
    measurer.load(weights)
    nll = measurer.measure(small[None].astype(np.uint8)).values["reconstruction"][0]
    assert float(rows[5]["reconstruction"]) == pytest.approx(nll, rel=0.01)


def test_progress_grows_to_the_end_and_a_cancel_leaves_nothing(weights, clip, tmp_path):
    told: list[ExportProgress] = []
    export_film(ExportPlan(tmp_path / "a.mp4"), clip, weights, progress=told.append)
    assert [step.done for step in told] == [0, 64, 90]
    assert told[-1].per_s > 0
    assert told[-1].left_s == 0

    def cancel(progress):
        if progress.done >= 64:
            raise Cancelled

    for name in ("b.mp4", "b.gif", "folder", "b.png"):
        plan = ExportPlan(tmp_path / name, csv=tmp_path / "b.csv")
        with pytest.raises(Cancelled):
            export_film(plan, clip, weights, progress=cancel)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_the_estimate_is_of_the_right_order(weights, clip, tmp_path):
    for name in ("a.mp4", "a.gif", "pictures"):
        plan = ExportPlan(tmp_path / name, scale=2)
        export_film(plan, clip, weights)
        paths = [plan.output] if plan.output.is_file() else list(plan.output.iterdir())
        size = sum(path.stat().st_size for path in paths)
        assert 0.1 < estimate_bytes(plan, 90, (WIDTH, HEIGHT)) / size < 10


def test_a_model_without_an_encoder_is_refused(clip, tmp_path):
    model = {"kind": "cgan", "latent_dim": 4, "width": 4}
    info = ModelInfo(Recipe.model_validate({"data": {"size": (32, 32)}, "model": model}), (32, 32, 1), num_classes=3)
    with pytest.raises(InputError, match="no encoder"):
        export_film(ExportPlan(tmp_path / "a.mp4"), clip, WeightSnapshot(1, info, {}))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("first", "last"), [(0, 90), (50, 20), (-1, 5)])
def test_a_range_that_is_not_in_the_film_names_those_that_are(weights, clip, tmp_path, first, last):
    with pytest.raises(InputError, match="are not in clip") as caught:
        export_film(ExportPlan(tmp_path / "a.mp4", first=first, last=last), clip, weights)
    assert "0 to 89" in caught.value.hint


def test_the_error_in_the_file_is_what_ffmpeg_measures_there(weights, clip, tmp_path):
    out = tmp_path / "out.mp4"
    plan = ExportPlan(out)
    summary = export_film(plan, clip, weights)
    held = psnr_db(measure_file(out, plan, WIDTH))
    assert held == pytest.approx(psnr_db(float(np.mean(summary.pixel))), abs=0.3)
    assert held == pytest.approx(ffmpeg_psnr(out), abs=0.05)


def ffmpeg_psnr(path):
    """Return what FFmpeg's own filter says of the left against the right half: PSNR of the mean error in dB."""
    graph = Graph()
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        rgb, halves = graph.add("format", "gbrp"), graph.add("split")
        panes = [graph.add("crop", f"{WIDTH}:{HEIGHT}:{left}:0") for left in (0, WIDTH)]
        psnr = graph.add("psnr")
        graph.link_nodes(graph.add_buffer(template=stream), rgb, halves)
        for place, pane in enumerate(panes):
            halves.link_to(pane, place, 0)
            pane.link_to(psnr, 0, place)
        graph.link_nodes(psnr, graph.add("buffersink")).configure()
        errors = []
        for frame in (*film.decode(stream), None):
            graph.push(frame)
            with contextlib.suppress(av.BlockingIOError, av.EOFError):
                while True:
                    errors.append(float(graph.pull().metadata["lavfi.psnr.mse_avg"]))
    assert len(errors) == 90
    return 10 * np.log10(255**2 / np.mean(errors))


def test_variable_times_are_kept_in_a_range(weights, tmp_path):
    times = [n * 30 + (n % 3) * 7 + (500 if n > 20 else 0) for n in range(40)]
    film = video_clips.write_clip(tmp_path / "v.mkv", frames=40, times=times)
    export_film(ExportPlan(tmp_path / "out.mp4", first=10, last=29), film, weights)
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert np.allclose(reader.times_s * 1000, np.array(times[10:30]) - times[10], atol=1.5)


def test_rates_of_films_are_exact_fractions(weights, tmp_path):
    film = tmp_path / "ntsc.mp4"
    with av.open(str(film), "w") as output:
        stream = output.add_stream("libx264", rate=Fraction(30000, 1001))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(60):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(video_clips.picture(number), format="rgb24")))
        output.mux(stream.encode(None))
    export_film(ExportPlan(tmp_path / "out.mp4"), film, weights)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].average_rate == Fraction(30000, 1001)
