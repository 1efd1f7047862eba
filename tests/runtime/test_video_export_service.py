from __future__ import annotations

import os
import shutil
import threading

import pytest
import video_clips

from latentlab.core.messages import ModelInfo, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.core.video_export import ExportPlan
from latentlab.data.video import VideoReader
from latentlab.runtime.video_export import ExportService, JobState

WAIT_MS = 180_000


@pytest.fixture(scope="module")
def weights():
    from latentlab.models.registry import build_model

    recipe = Recipe.model_validate(
        {"data": {"size": (32, 48)}, "model": {"kind": "ae", "network": "mlp", "latent_dim": 4, "width": 4}}
    )
    info = ModelInfo(recipe, (32, 48, 3))
    return WeightSnapshot(7, info, build_model(info, 1).inference_state())


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return video_clips.write_clip(tmp_path_factory.mktemp("film") / "clip.mp4", frames=200, sound=True)


@pytest.fixture
def service(qtbot):
    made = ExportService()
    made.reports = []
    made.failed.connect(made.reports.append)
    yield made
    qtbot.waitUntil(lambda: made.shutdown(10), timeout=WAIT_MS)


class Gate:
    """Holds an export after its first batch until it is opened, so that a test can act in the middle of it."""

    def __init__(self, monkeypatch):
        from latentlab.explore.video_export_frames import FilmModel

        self.reached, self.open = threading.Event(), threading.Event()
        film = FilmModel.film

        def held(model, *arguments):
            for batch in film(model, *arguments):
                yield batch
                self.reached.set()
                assert self.open.wait(180)

        monkeypatch.setattr(FilmModel, "film", held)


def ended(job):
    return not job.state.active


def test_jobs_are_done_one_after_the_other_and_tell_how_far_they_are(qtbot, service, weights, clip, tmp_path):
    jobs = [service.start(ExportPlan(tmp_path / f"{n}.mp4", last=99), clip, weights) for n in range(2)]
    assert [job.state for job in jobs] == [JobState.RUNNING, JobState.WAITING]
    qtbot.waitUntil(lambda: all(map(ended, jobs)), timeout=WAIT_MS)
    for job in jobs:
        assert job.state is JobState.DONE
        _, progress = job.progress.get()
        assert (progress.done, progress.total) == (100, 100)
        assert job.summary.sound == "copied"
        assert job.snapshot is None  # The weights are not kept for the list.
        with VideoReader(job.plan.output) as reader:
            assert reader.frames == 100
    assert service.reports == []
    service.forget_ended()
    assert service.jobs == []


def test_a_cancel_leaves_no_file_and_the_next_goes_on(qtbot, service, weights, clip, tmp_path, monkeypatch):
    gate = Gate(monkeypatch)
    first = service.start(ExportPlan(tmp_path / "first.mp4"), clip, weights)
    second = service.start(ExportPlan(tmp_path / "second.mp4"), clip, weights)
    third = service.start(ExportPlan(tmp_path / "third.mp4"), clip, weights)
    qtbot.waitUntil(gate.reached.is_set, timeout=WAIT_MS)
    assert any(path.name.endswith(".part.mp4") for path in tmp_path.iterdir())
    service.cancel(first)
    service.cancel(second)
    gate.open.set()
    qtbot.waitUntil(lambda: all(map(ended, (first, second, third))), timeout=WAIT_MS)
    assert [job.state for job in (first, second, third)] == [JobState.CANCELLED, JobState.CANCELLED, JobState.DONE]
    assert [path.name for path in tmp_path.iterdir()] == ["third.mp4"]
    assert service.reports == []


def test_shutdown_ends_an_export_and_leaves_no_file(qtbot, service, weights, clip, tmp_path, monkeypatch):
    gate = Gate(monkeypatch)
    service.start(ExportPlan(tmp_path / "a.mp4"), clip, weights)
    service.start(ExportPlan(tmp_path / "b.mp4"), clip, weights)
    qtbot.waitUntil(gate.reached.is_set, timeout=WAIT_MS)
    assert service.shutdown(0) is False
    gate.open.set()
    qtbot.waitUntil(lambda: service.shutdown(50), timeout=WAIT_MS)
    assert list(tmp_path.iterdir()) == []


def bad_film(kind, tmp_path, clip):
    path = tmp_path / f"{kind}.mp4"
    if kind == "text":
        path.write_text("This is no film.\n" * 200)
    elif kind == "empty":
        path.touch()
    elif kind == "headless":
        path.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])  # The index is at the end of an mp4.
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("text", "not a video or is damaged"),
        ("empty", "empty"),
        ("headless", "not a video or is damaged"),
        ("missing", "There is no video"),
    ],
)
def test_a_bad_film_is_one_message_and_no_file(qtbot, service, weights, clip, tmp_path, kind, words):
    out = tmp_path / "out"
    out.mkdir()
    job = service.start(ExportPlan(out / "o.mp4"), bad_film(kind, tmp_path, clip), weights)
    qtbot.waitUntil(lambda: ended(job), timeout=WAIT_MS)
    assert job.state is JobState.FAILED
    assert [report.expected for report in service.reports] == [True]
    assert words in service.reports[0].what
    assert list(out.iterdir()) == []


def test_a_film_cut_in_the_middle_gives_the_frames_there_are(qtbot, service, weights, tmp_path):
    whole = video_clips.write_clip(tmp_path / "whole.ts", frames=200, options={"g": "20"})
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    job = service.start(ExportPlan(tmp_path / "o.mp4"), cut, weights)
    qtbot.waitUntil(lambda: ended(job), timeout=WAIT_MS)
    assert job.state is JobState.DONE
    with VideoReader(cut) as given, VideoReader(tmp_path / "o.mp4") as made:
        assert 60 < made.frames < 140
        assert made.frames == given.frames == job.summary.written


def test_a_film_that_vanishes_while_it_is_read_is_told_or_finished(
    qtbot, service, weights, clip, tmp_path, monkeypatch
):
    film = shutil.copy(clip, tmp_path / "film.mp4")
    gate = Gate(monkeypatch)
    job = service.start(ExportPlan(tmp_path / "o.mp4"), film, weights)
    qtbot.waitUntil(gate.reached.is_set, timeout=WAIT_MS)
    film.unlink()
    gate.open.set()
    qtbot.waitUntil(lambda: ended(job), timeout=WAIT_MS)
    if os.name == "posix":  # An open file stays readable.
        assert job.state is JobState.DONE
        assert job.summary.written == 200
    else:
        assert len(service.reports) == 1


@pytest.mark.parametrize("name", ["o.mp4", "o.gif", "o"])
def test_a_folder_that_vanishes_is_one_message(qtbot, service, weights, clip, tmp_path, monkeypatch, name):
    gate = Gate(monkeypatch)
    folder = tmp_path / "out"
    folder.mkdir()
    job = service.start(ExportPlan(folder / name), clip, weights)
    qtbot.waitUntil(gate.reached.is_set, timeout=WAIT_MS)
    shutil.rmtree(folder)
    gate.open.set()
    qtbot.waitUntil(lambda: ended(job), timeout=WAIT_MS)
    assert job.state is JobState.FAILED
    assert len(service.reports) == 1
    report = service.reports[0]
    assert report.expected
    assert "cannot be written" in report.what
    assert str(folder / name) in report.where
    assert "folder is gone" in report.hint
    assert not folder.exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_that_may_not_be_written_is_one_message(qtbot, service, weights, clip, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    job = service.start(ExportPlan(folder / "o.mp4"), clip, weights)
    qtbot.waitUntil(lambda: ended(job), timeout=WAIT_MS)
    assert "may not be written to" in service.reports[0].what


def test_a_folder_that_refuses_the_first_byte_is_one_message(qtbot, service, weights, clip, tmp_path):
    """What an unwritable folder looks like to the encoder: its part file cannot be made."""
    from latentlab.explore.video_write import part_name

    part = part_name(tmp_path / "o.mp4")
    part.mkdir()  # Nothing can be written under the name of a folder.
    job = service.start(ExportPlan(tmp_path / "o.mp4"), clip, weights)
    qtbot.waitUntil(lambda: ended(job), timeout=WAIT_MS)
    assert [report.expected for report in service.reports] == [True]
    assert "o.mp4 cannot be written" in service.reports[0].what
    assert not (tmp_path / "o.mp4").exists()
