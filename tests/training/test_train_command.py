"""The commands, as the command line runs them: in a process of their own where signals matter."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from latentlab.commands import evaluate, train
from latentlab.core.errors import InputError
from latentlab.core.run_folder import read_model_info

RECIPE = """
[data]
spec = "digits"
size = [16, 16]
limit = 120
[model]
kind = "cvae"
latent_dim = 3
width = 4
[objective]
beta = "adaptive"
initial_beta = 1.0
[training]
steps = 20
batch_size = 16
precision = "fp32"
log_every = 1
checkpoint_every = 10
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(RECIPE)
    return path


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    train.add_parser(subparsers)
    evaluate.add_parser(subparsers)
    args = parser.parse_args([str(a) for a in arguments])
    return int(args.handler(args))


def test_train_prints_one_object_with_the_promised_keys(recipe: Path, capsys) -> None:
    assert run("train", recipe, "--set", "model.latent_dim=2", "--steps", "7", "--device", "cpu", "--json") == 0
    output = capsys.readouterr()
    facts = json.loads(output.out)
    assert set(facts) == {"run", "steps", "images_per_s", "final", "mean_200"}
    assert facts["steps"] == 7
    assert facts["images_per_s"] > 0
    assert {"pixel", "kld_per_dim", "beta", "test_pixel"} <= set(facts["final"])
    assert "step 7 of 7" in output.err
    assert read_model_info(Path(facts["run"])).latent_dim == 2
    assert Path(facts["run"]).name.endswith("-small-digits")


def test_without_json_nothing_is_printed_on_standard_output(recipe: Path, tmp_path: Path, capsys) -> None:
    assert run("train", recipe, "--steps", "2", "--out", tmp_path / "run") == 0
    assert capsys.readouterr().out == ""


def test_resume_goes_on_with_the_runs_own_settings(recipe: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "run"
    run("train", recipe, "--set", "model.latent_dim=2", "--out", out, "--steps", "5", "--json")
    assert run("train", recipe, "--out", out, "--resume", "--steps", "9", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["steps"] == 9
    assert run("train", out, "--resume", "--steps", "11", "--set", "training.lr=0.01", "--json") == 0
    assert json.loads(capsys.readouterr().out)["final"]["lr"] == 0.01


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "no recipe called nonsense"),
        ([], "Which recipe"),
        (["RECIPE", "--resume"], "does not know which run"),
        (["RECIPE", "--resume", "--out", "nowhere"], "not a run folder"),
        (["RECIPE", "--out", "TAKEN"], "already holds something"),
        (["RECIPE", "--steps", "0"], r"training\.steps"),
        (["RECIPE", "--set", "model.latent=3"], r"model\.latent"),
        (["RECIPE", "--data", "cats"], "cats"),
        (["RECIPE", "--device", "abacus"], "abacus"),
    ],
)
def test_bad_usage_is_one_clear_error(recipe: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "file").write_text("")
    known = {"RECIPE": str(recipe), "TAKEN": str(taken)}
    with pytest.raises(InputError, match=message):
        run("train", *(known.get(a, a) for a in arguments), "--json")
    assert [p.name for p in taken.iterdir()] == ["file"]


def test_evaluate_measures_the_whole_split(recipe: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "run"
    run("train", recipe, "--steps", "5", "--out", out)
    assert run("evaluate", out, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    counts = json.loads((out / "model.json").read_text())
    assert (facts["split"], facts["images"], facts["step"]) == ("test", counts["num_test"], 5)
    assert {"pixel", "psnr", "kld_nats", "kld_per_dim", "reconstruction", "active_units"} <= set(facts)
    assert run("evaluate", out, "--split", "train", "--json") == 0
    assert json.loads(capsys.readouterr().out)["images"] == counts["num_train"]
    assert run("evaluate", out) == 0
    assert "Pixel loss" in capsys.readouterr().out


def test_evaluate_agrees_with_what_training_logged(recipe: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "run"
    run("train", recipe, "--steps", "5", "--out", out, "--json")
    logged = json.loads(capsys.readouterr().out)["final"]
    run("evaluate", out, "--json")
    facts = json.loads(capsys.readouterr().out)
    for name in ("pixel", "psnr", "kld_nats", "reconstruction", "active_units"):
        assert facts[name] == pytest.approx(logged[f"test_{name}"], rel=1e-5)


def test_evaluate_on_pictures_that_do_not_fit_is_one_clear_error(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run("train", recipe, "--steps", "1", "--out", out)
    with pytest.raises(InputError, match="networks take"):
        run("evaluate", out, "--data", "arena", "--json")
    with pytest.raises(InputError, match="no checkpoint"):
        run("evaluate", out, "--checkpoint", "step_00000777")
    with pytest.raises(InputError, match="not a run folder"):
        run("evaluate", tmp_path / "nowhere")


PROGRAM = "import argparse, sys; from latentlab.commands import train; p = argparse.ArgumentParser();"
PROGRAM += "train.add_parser(p.add_subparsers()); a = p.parse_args(); sys.exit(a.handler(a))"


def test_an_interrupt_saves_and_resume_ends_with_the_same_bits(recipe: Path, tmp_path: Path) -> None:
    """SIGINT at an unpredictable step, then --resume: as if nothing had happened."""
    broken, steady = tmp_path / "broken", tmp_path / "steady"
    command = [sys.executable, "-c", PROGRAM, "train", str(recipe), "--device", "cpu", "--json"]
    process = subprocess.Popen(
        [*command, "--out", str(broken), "--steps", "100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    while "Training cvae" not in process.stderr.readline():
        assert process.poll() is None
    while not (broken / "checkpoints" / "step_00000020").is_dir():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate()
    assert process.returncode == 130
    stopped = json.loads(output)["steps"]
    assert stopped >= 20
    assert "Stopping after this step" in errors
    assert "Traceback" not in errors
    total = str(stopped + 15)
    for arguments in (["--out", str(broken), "--resume"], ["--out", str(steady)]):
        done = subprocess.run([*command, *arguments, "--steps", total], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    for name in ("model.safetensors", "optimizers.safetensors"):
        parts = [folder / "checkpoints" / "last" / name for folder in (broken, steady)]
        assert parts[0].read_bytes() == parts[1].read_bytes()
