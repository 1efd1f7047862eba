"""Sweeps as the command runs them: killed, gone on with, and the same in the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from latentlab import cli
from latentlab.core.sweep import SweepPlan, SweepRun, read_plan, write_plan
from latentlab.training.metrics_db import ELAPSED, read_metrics
from latentlab.training.run_facts import how_it_ended
from latentlab.training.run_lock import is_being_trained
from latentlab.training.sweep import SweepRunner, threads_for
from latentlab.training.sweep_place import LocalPlace

STEPS, EVERY = 240, 20
SWEEP = f"""
title = "Tiny"
recipe = "vae-arena"
data = "digits"
steps = {STEPS}
metrics = ["pixel", "kld_per_dim"]
[settings]
"data.size" = [16, 16]
"data.limit" = 120
"model.width" = 4
"model.latent_dim" = 4
"training.precision" = "fp32"
"training.batch_size" = 8
"training.log_every" = 1
"training.preview_every" = 100
"training.test_every" = 40
"training.checkpoint_every" = {EVERY}
[grid]
"objective.initial_beta" = [0.5, 1.0]
"training.lr" = [0.001, 0.002]
"""


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "latentlab", "sweep", *map(str, arguments), "--device", "cpu", "--json"]


def wait_for(condition, what: str, timeout_s: float = 120.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sweep") / "tiny.toml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def undisturbed(file) -> Path:
    folder = file.parent / "undisturbed"
    report = file.parent / "report.html"
    done = subprocess.run(
        command(file, "--out", folder, "--jobs", 2, "--report", report), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["finished"], facts["failed"], facts["report"]) == (4, 0, str(report))
    assert [run["step"] for run in facts["runs"]] == [STEPS] * 4
    return folder


def same_metrics(a: Path, b: Path) -> bool:
    first, second = read_metrics(a / "metrics.db"), read_metrics(b / "metrics.db")
    for series in (first, second):
        series.pop(ELAPSED)
        series.pop("images_per_s")
    assert first.keys() == second.keys()
    return all(np.array_equal(first[name], second[name], equal_nan=True) for name in first)


@pytest.mark.slow
def test_a_killed_sweep_goes_on_and_ends_like_one_that_was_not(file, undisturbed, tmp_path):
    folder = tmp_path / "killed"
    runs = [folder / run.name for run in read_plan(undisturbed).runs]
    process = subprocess.Popen(command(file, "--out", folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    saved = runs[1] / "checkpoints" / f"step_{2 * EVERY:08d}"
    wait_for(saved.is_dir, "the second run saves")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not is_being_trained(runs[1]), "the training ends with its sweep")
    assert how_it_ended(runs[0]) == "finished"
    assert how_it_ended(runs[1]) == "", "it was cut off"
    assert not runs[2].exists()
    first = (runs[0] / "events.jsonl").read_bytes()
    done = subprocess.run(command(folder, "--resume"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["finished"] == 4
    assert (runs[0] / "events.jsonl").read_bytes() == first, "the finished run stays"
    events = [json.loads(line)["event"] for line in (runs[1] / "events.jsonl").read_text().splitlines()]
    assert events == ["start", "resume", "finish"]
    for run in runs:
        assert same_metrics(run, undisturbed / run.name), run.name


@pytest.mark.slow
def test_the_report_is_one_file_with_plots_table_and_pictures(undisturbed):
    text = (undisturbed.parent / "report.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 2
    assert text.count("data:image/png;base64,") == 8, "reconstructions and samples of each run"
    assert "http" not in text.replace("http-equiv", ""), "nothing is loaded from elsewhere"
    for words in ("initial_beta 0.5, lr 0.002", "objective.initial_beta", "End values", "Pixel loss"):
        assert words in text


@pytest.mark.slow
def test_the_runs_of_a_sweep_are_listed(undisturbed, capsys):
    assert cli.main(["runs", str(undisturbed.parent), "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert len(runs) == 4
    assert {run["state"] for run in runs} == {"finished"}
    assert {run["sweep"] for run in runs} == {str(undisturbed)}
    assert all(run["best"]["score"] > 0 and run["latest"]["test_pixel"] > 0 for run in runs)
    assert cli.main(["runs", str(undisturbed.parent)]) == 0
    assert "initial_beta 0.5" in capsys.readouterr().out


def fake_plan(folder: Path, count: int = 3, jobs: int = 1) -> SweepPlan:
    from latentlab.core.recipe_io import find_recipe

    runs = tuple(SweepRun(f"0{i}", f"run {i}") for i in range(count))
    plan = SweepPlan("Fake", runs, jobs=jobs)
    write_plan(folder, plan, {run.name: find_recipe("vae-arena") for run in runs})
    return plan


def test_a_run_that_crashes_does_not_end_the_others(tmp_path):
    plan = fake_plan(tmp_path)

    def train(recipe: Path, run: Path, resume: bool, device: str) -> list[str]:
        crash = "print('latentlab: out of luck', file=sys.stderr); sys.exit(1)"
        return [sys.executable, "-c", f"import sys; {crash if run.name == '01' else ''}"]

    state = SweepRunner(tmp_path, plan, LocalPlace(train)).run(lambda _state: None)
    assert state.over
    assert [run.problem for run in state.runs] == ["", "out of luck", ""]
    assert state.count("failed") == 1


def test_a_pause_lets_the_trainings_save_and_going_on_resumes_them(tmp_path):
    plan = fake_plan(tmp_path, jobs=2)
    begun: list[str] = []

    def train(recipe: Path, run: Path, resume: bool, device: str) -> list[str]:
        begun.append(run.name)
        waits = "import sys; sys.stdin.readline(); sys.exit(130)"
        return [sys.executable, "-c", waits if begun.count(run.name) == 1 and run.name != "02" else ""]

    runner = SweepRunner(tmp_path, plan, LocalPlace(train))
    told = []

    def tell(state) -> None:
        told.append(state)
        if len(begun) == 2 and not runner.paused:
            runner.pause()
        elif runner.paused and not runner._children:
            runner.resume()

    state = runner.run(tell)
    assert state.over
    assert any(one.paused for one in told)
    assert sorted(begun) == ["00", "00", "01", "01", "02"]


def test_stopping_ends_the_sweep_and_starts_nothing_more(tmp_path):
    plan = fake_plan(tmp_path)
    runner = SweepRunner(
        tmp_path, plan, LocalPlace(lambda *_: [sys.executable, "-c", "input(); raise SystemExit(130)"])
    )
    state = runner.run(lambda _state: runner.stop())
    assert not state.over
    assert state.count("failed") == 0


def test_a_half_made_folder_is_begun_again(tmp_path):
    plan = fake_plan(tmp_path, count=1)
    (tmp_path / "00").mkdir()
    (tmp_path / "00" / "recipe.toml").write_text("")
    seen = []

    def train(recipe: Path, run: Path, resume: bool, device: str) -> list[str]:
        seen.append((run.exists(), resume))
        return [sys.executable, "-c", ""]

    SweepRunner(tmp_path, plan, LocalPlace(train)).run(lambda _state: None)
    assert seen == [(False, False)]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["nothing-like-it"], "nothing-like-it"),
        (["part7", "--jobs", "0"], "--jobs"),
        (["part7", "--resume", "--steps", "4"], "--resume"),
        (["part7", "--report", "no/such/folder/r.html"], "no/such/folder"),
    ],
)
def test_bad_arguments_are_refused(capsys, monkeypatch, tmp_path, arguments, what):
    monkeypatch.setenv("LATENTLAB_RUNS", str(tmp_path))
    assert cli.main(["sweep", *arguments, "--json"]) == 2
    assert what in " ".join(json.loads(capsys.readouterr().out)["error"].values())


def test_threads_are_shared_between_trainings():
    assert threads_for(1) >= threads_for(2) >= threads_for(1000) == 1
