"""The list of runs, and following those that another process writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from run_makers import log, make_run

from latentlab.core.buffers import MetricHistory
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import validate
from latentlab.core.run_facts import differences, read_notes, what_is_special, write_notes
from latentlab.core.run_listing import Wish
from latentlab.core.sweep import SweepPlan, SweepRun, write_plan
from latentlab.runtime.run_jobs import RunJobs
from latentlab.runtime.run_list import RunListService
from latentlab.runtime.run_watch import CurveWatch
from latentlab.runtime.sweep_service import SweepService
from latentlab.training.metrics_db import MetricsWriter
from latentlab.training.run_facts import RunList, how_it_ended, read_run_facts
from latentlab.training.run_lock import LOCK, locked_soon


def test_a_run_is_told_from_its_folder(tmp_path):
    facts = read_run_facts(make_run(tmp_path / "run"))
    assert (facts.state, facts.step, facts.steps, facts.elapsed_s) == ("finished", 10, 10, 5.0)
    assert facts.latest["test_pixel"] == pytest.approx(0.2)
    assert facts.started == pytest.approx(1785578400.0)
    assert facts.as_dict()["latest"]["pixel"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("events", "state"),
    [(("start", "stop"), "stopped"), (("start", "failure"), "failed"), (("start", "stop", "resume"), "interrupted")],
)
def test_what_became_of_a_run(tmp_path, events, state, monkeypatch):
    monkeypatch.setattr("latentlab.training.run_facts.FRESH_S", -1.0)
    run = make_run(tmp_path / "run", events=events)
    assert read_run_facts(run).state == state
    assert how_it_ended(run) == (state if state != "interrupted" else "")


def test_a_run_whose_lock_is_held_is_being_trained(tmp_path, monkeypatch):
    monkeypatch.setattr("latentlab.training.run_facts.FRESH_S", -1.0)
    run = make_run(tmp_path / "run", events=("start",))
    with (run / LOCK).open("ab") as file:
        assert locked_soon(file.fileno())
        assert read_run_facts(run).state == "training"
    assert read_run_facts(run).state == "interrupted"


def test_a_damaged_run_is_listed_with_its_problem(tmp_path):
    run = make_run(tmp_path / "run")
    (run / "recipe.toml").write_text("[model]\nkind = 'nothing'\n")
    facts = read_run_facts(run)
    assert "model.kind" in facts.problem


def test_a_second_look_reads_only_what_changed(tmp_path, monkeypatch):
    for i in range(5):
        make_run(tmp_path / f"run{i}")
    runs = RunList(tmp_path)
    assert len(runs.look()) == 5
    read = []
    monkeypatch.setattr(
        "latentlab.training.run_facts.read_run_facts", lambda run, sweep: read.append(run) or read_run_facts(run, sweep)
    )
    runs.look()
    assert read == []
    write_notes(tmp_path / "run3", "mine", ("good",))
    assert next(f for f in runs.look() if f.path.name == "run3").tags == ("good",)
    assert read == [tmp_path / "run3"]


def test_notes_survive_damage(tmp_path):
    write_notes(tmp_path, "a note", ["x", "y"])
    assert read_notes(tmp_path) == ("a note", ("x", "y"))
    (tmp_path / "notes.json").write_text("{")
    assert read_notes(tmp_path) == ("", ())


def test_differences_and_what_is_special():
    recipes = [validate({"training": {"lr": lr}}) for lr in (0.001, 0.001, 0.01)]
    assert differences(recipes) == {"training.lr": [0.001, 0.001, 0.01]}
    assert what_is_special(recipes) == ["", "", "lr 0.01"]
    assert what_is_special(recipes[1:]) == ["lr 0.001", "lr 0.01"]
    assert differences([Recipe()]) == {}


@pytest.mark.parametrize(("axis", "x"), [("step", [1, 2, 3]), ("time", [0.5, 1.0, 1.5]), ("images", [4, 8, 12])])
def test_curves_lie_over_steps_time_or_images(tmp_path, axis, x):
    history = MetricHistory()
    CurveWatch(Wish((make_run(tmp_path / "run", 3),), axis), history).poll()
    steps, values, _ = history.window("0/pixel")
    assert steps.tolist() == x
    assert values.tolist() == pytest.approx([1.0, 0.5, 1 / 3])


def test_a_run_that_went_back_is_read_anew(tmp_path):
    runs = (make_run(tmp_path / "a", 3), make_run(tmp_path / "b", 6))
    watch = CurveWatch(Wish(runs), MetricHistory())
    watch.poll()
    writer = MetricsWriter(runs[1] / "metrics.db")
    writer.truncate(4)
    writer.append(5, 9.0, {"pixel": 7.0, "test_pixel": 7.0})
    writer.close()
    watch.poll()
    watch.poll()
    assert watch.history.window("1/pixel")[1].tolist() == pytest.approx([1.0, 0.5, 1 / 3, 0.25, 7.0])
    assert watch.history.window("0/pixel")[1].tolist() == pytest.approx([1.0, 0.5, 1 / 3])


@pytest.fixture
def service(qtbot, tmp_path):
    service = RunListService(tmp_path)
    yield service
    assert service.shutdown(10_000)


def listing(service):
    _, found = service.listing.get()
    return found


def test_runs_and_sweeps_are_listed_and_a_written_run_is_followed(qtbot, service, tmp_path):
    make_run(tmp_path / "alone")
    plan = SweepPlan("Swept", (SweepRun("01-a", "a"), SweepRun("02-b", "b")))
    write_plan(tmp_path / "sweep", plan, dict.fromkeys(("01-a", "02-b"), Recipe()))
    run = make_run(tmp_path / "sweep" / "01-a", 3)
    service.look(True)
    qtbot.waitUntil(lambda: listing(service) is not None and len(listing(service).runs) == 2, timeout=10_000)
    assert {facts.name for facts in listing(service).runs} == {"alone", "sweep/01-a"}
    assert listing(service).thumbnails[run].shape == (54, 96, 3)
    (state,) = listing(service).sweeps
    assert [one.state for one in state.runs] == ["finished", "waiting"]
    service.want(Wish((run,)))
    history = service.history
    qtbot.waitUntil(lambda: history.last("0/pixel") == (3.0, pytest.approx(1 / 3)), timeout=10_000)
    log(run, range(4, 5))
    qtbot.waitUntil(lambda: history.last("0/pixel") == (4.0, pytest.approx(1 / 4)), timeout=10_000)
    qtbot.waitUntil(lambda: service.sheets.get()[1].wish.runs == (run,), timeout=10_000)
    _, sheets = service.sheets.get()
    assert sheets.steps == (0, 3)
    assert sheets.pictures[0].step == 3
    service.want(Wish((run,), step=0))
    qtbot.waitUntil(lambda: service.sheets.get()[1].pictures[0].step == 0, timeout=10_000)
    assert service.sheets.get()[1].pictures[0].picture.shape == (12, 20, 3)


def test_the_newest_picture_of_a_run_is_followed(qtbot, service, tmp_path):
    runs = (make_run(tmp_path / "a", 9), make_run(tmp_path / "b", 3))
    service.look(True)
    service.want(Wish(runs))
    qtbot.waitUntil(lambda: service.sheets.get()[1] is not None and service.sheets.get()[1].pictures != ())
    (runs[1] / "previews" / "step_00000009_reconstructions.png").write_bytes(
        (runs[1] / "previews" / "step_00000003_reconstructions.png").read_bytes()
    )
    qtbot.waitUntil(lambda: service.sheets.get()[1].pictures[1].step == 9, timeout=10_000)


def test_whatever_is_wanted_last_is_followed(qtbot, service, tmp_path):
    """Wishes that come while the worker starts, or one upon the other."""
    runs = [make_run(tmp_path / f"run{i}", i + 1) for i in range(3)]
    service.look(True)
    for run in runs:
        service.want(Wish((run,)))
    history = service.history
    qtbot.waitUntil(lambda: history.last("0/pixel") == (3.0, pytest.approx(1 / 3)), timeout=10_000)


@pytest.mark.slow
def test_a_step_of_another_process_is_there_soon_after_it_was_logged(qtbot, service, tmp_path):
    """The trainer writes within 0.4 s and the looks are 0.25 s apart; here the whole way, process to process."""
    run = make_run(tmp_path / "run", 1)
    service.look(True)
    service.want(Wish((run,)))
    history = service.history
    qtbot.waitUntil(lambda: history.last("0/pixel") is not None, timeout=10_000)
    code = (
        "import sys, time; from pathlib import Path; from latentlab.training.recorder import Recorder\n"
        "with Recorder(Path(sys.argv[1]), truncate_after=1) as recorder:\n"
        "    recorder.append(2, 1.0, {'pixel': 0.5})\n"
        "    print('logged', flush=True); sys.stdin.readline()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "logged\n"
    qtbot.waitUntil(lambda: history.last("0/pixel") == (2.0, 0.5), timeout=5_000)
    process.communicate("\n")


def test_trash_takes_runs_away_but_never_one_that_is_trained(qtbot, tmp_path, monkeypatch):
    moved = []
    monkeypatch.setattr("latentlab.runtime.run_jobs.QFile.moveToTrash", lambda path: moved.append(path) or True)
    runs = [make_run(tmp_path / "a"), make_run(tmp_path / "b")]
    jobs = RunJobs()
    with qtbot.waitSignal(jobs.done, timeout=10_000) as said:
        jobs.trash(runs)
    assert said.args == ["2 runs are in the trash"]
    assert moved == [str(run) for run in runs]
    with (runs[0] / LOCK).open("ab") as file:
        assert locked_soon(file.fileno())
        with qtbot.waitSignal(jobs.failed, timeout=10_000) as failed:
            jobs.trash(runs)
    assert "is being trained" in failed.args[0].what
    assert len(moved) == 2
    assert jobs.shutdown(10_000)


def test_exports_are_written_in_the_background(qtbot, tmp_path):
    run = make_run(tmp_path / "a")
    jobs = RunJobs()
    with qtbot.waitSignals([jobs.done, jobs.done], timeout=20_000):
        jobs.export(run, "csv", tmp_path / "a.csv")
        jobs.report(tmp_path / "a.html", "A", [run])
    assert (tmp_path / "a.csv").read_text().startswith("step,elapsed_s,pixel,test_pixel\n1,0.5,1.0,2.0")
    assert "<svg" in (tmp_path / "a.html").read_text(encoding="utf-8")
    with qtbot.waitSignal(jobs.failed, timeout=20_000):
        jobs.export(tmp_path / "none", "csv", tmp_path / "b.csv")
    assert jobs.shutdown(10_000)


def test_a_sweep_is_paused_gone_on_with_and_stopped(qtbot, tmp_path):
    def train(recipe: Path, run: Path, resume: bool, device: str) -> list[str]:
        return [sys.executable, "-c", "input(); raise SystemExit(130)"]

    file = tmp_path / "s.toml"
    file.write_text('title = "S"\nrecipe = "vae-arena"\n[grid]\n"training.seed" = [1, 2]\n')
    service = SweepService(command=train)
    folder = service.start(file, tmp_path, jobs=2)
    qtbot.waitUntil(lambda: service.state.get()[1] is not None and service.state.get()[1].count("running") == 2)
    service.pause()
    qtbot.waitUntil(lambda: service.state.get()[1].paused and service.state.get()[1].count("running") == 0)
    service.resume()
    qtbot.waitUntil(lambda: service.state.get()[1].count("running") == 2)
    assert not service.shutdown(0)
    assert service.shutdown(20_000)
    assert service.folder is None
    assert (folder / "sweep.json").is_file()
