"""Sweep files: which runs they make, and what is refused before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from latentlab.core.errors import InputError
from latentlab.core.recipe_io import find_recipe, read_recipe
from latentlab.core.sweep import (
    SweepPlan,
    bundled_sweeps,
    find_sweep,
    is_sweep,
    read_plan,
    read_sweep,
    write_plan,
)
from latentlab.core.sweep_state import RunState, SweepState


def sweep(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sweep.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_grid_makes_every_combination_and_lists_multiply_it(tmp_path):
    text = """
title = "Both"
recipe = "vae-arena"
steps = 7
[settings]
"model.latent_dim" = 5
[grid]
"objective.initial_beta" = [0.5, 2.0]
"training.lr" = [0.001, 0.01]
[[list]]
name = "small"
"model.width" = 4
[[list]]
recipe = "ae-arena"
"""
    title, metrics, runs = read_sweep(sweep(tmp_path, text))
    assert (title, metrics, len(runs)) == ("Both", (), 8)
    names = [run.name for run, _ in runs]
    assert names[0] == "01-small-initial-beta-0.5-lr-0.001"
    assert len(set(names)) == 8
    first, last = runs[0][1], runs[-1][1]
    assert (first.objective.initial_beta, first.training.lr, first.model.width) == (0.5, 0.001, 4)
    assert (last.objective.initial_beta, last.training.lr, last.model.kind) == (2.0, 0.01, "ae")
    assert {recipe.training.steps for _, recipe in runs} == {7}
    assert {recipe.model.latent_dim for _, recipe in runs} == {5}
    assert first.title == "Both: small, initial_beta 0.5, lr 0.001"


def test_the_command_line_goes_before_the_file(tmp_path):
    file = sweep(tmp_path, 'recipe = "vae-arena"\nsteps = 7\n[grid]\n"training.seed" = [1, 2]')
    _, _, runs = read_sweep(file, data="digits", steps=9, assignments=["model.width=4"])
    assert [(r.data.spec, r.training.steps, r.model.width, r.training.seed) for _, r in runs] == [
        ("digits", 9, 4, 1),
        ("digits", 9, 4, 2),
    ]


def test_a_recipe_file_beside_the_sweep_is_found(tmp_path):
    (tmp_path / "mine.toml").write_text('[model]\nkind = "vae"\nlatent_dim = 3\n', encoding="utf-8")
    _, _, runs = read_sweep(sweep(tmp_path, 'recipe = "mine.toml"\n[grid]\n"training.seed" = [1]'))
    assert runs[0][1].model.latent_dim == 3


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('recipe = "vae-arena"', "nothing to vary"),
        ('[grid]\n"training.lr" = [0.1]', "Which recipe"),
        ('recipe = "vae-arena"\n[grid]\n"training.lr" = 0.1', "grid.training.lr"),
        ('recipe = "vae-arena"\n[grid]\n"training.lrr" = [0.1]', "training.lrr"),
        ('recipe = "vae-arena"\n[grid]\n"train.lr" = [0.1]', "train.lr"),
        ('recipe = "vae-arena"\n[grid]\n"training.lr" = [-1.0]', "training.lr"),
        ('recipe = "vae-arena"\nrecipes = "x"', "recipes is not a key"),
        ('recipe = "no-such"\n[grid]\n"training.lr" = [0.1]', "no-such"),
        ("recipe = [", "not a TOML file"),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(tmp_path, text, what):
    with pytest.raises(InputError, match=what):
        read_sweep(sweep(tmp_path, text))


def test_too_large_a_grid_is_refused(tmp_path):
    values = list(range(40))
    text = f'recipe = "vae-arena"\n[grid]\n"training.seed" = {values}\n"model.latent_dim" = {[v + 1 for v in values]}'
    with pytest.raises(InputError, match="1600 runs"):
        read_sweep(sweep(tmp_path, text))


@pytest.mark.parametrize("name", bundled_sweeps())
def test_bundled_sweeps_can_be_read(name):
    title, metrics, runs = read_sweep(find_sweep(name))
    assert title
    assert metrics
    assert len(runs) == 4


def test_an_unknown_sweep_is_told_which_there_are():
    with pytest.raises(InputError) as error:
        find_sweep("nothing")
    assert "part7" in error.value.hint


def test_a_plan_comes_back_as_it_was_written(tmp_path):
    _, metrics, runs = read_sweep(find_sweep("part7"))
    plan = SweepPlan("P", tuple(run for run, _ in runs), metrics, jobs=3, threads=2, device="cpu")
    assert not is_sweep(tmp_path)
    write_plan(tmp_path, plan, {run.name: recipe for run, recipe in runs})
    assert is_sweep(tmp_path)
    assert read_plan(tmp_path) == plan
    assert find_recipe(str(tmp_path / "recipes" / f"{runs[0][0].name}.toml")) == runs[0][1]
    (tmp_path / "sweep.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        read_plan(tmp_path)


def test_time_left_counts_what_can_run_side_by_side():
    runs = (
        RunState("a", "a", "finished", 100, 100, 10.0),
        RunState("b", "b", "running", 50, 100, 5.0),
        RunState("c", "c", "waiting", 0, 100),
        RunState("d", "d", "failed", 10, 100, 1.0),
    )
    state = SweepState("s", Path("s"), runs, jobs=1)
    assert state.remaining_s == pytest.approx(15.0)
    assert SweepState("s", Path("s"), runs, jobs=2).remaining_s == pytest.approx(10.0), "the longest run bounds it"
    assert state.done_share == pytest.approx(160 / 400)


@pytest.mark.parametrize("read", [read_sweep, read_recipe])
@pytest.mark.parametrize(
    ("content", "what"),
    [(b"\x89PNG\r\n\x1a\n\xff", "it holds no text"), (b"[data\n", "is not a TOML file"), (None, "There is no")],
)
def test_a_file_that_is_none_is_told_with_what_to_do(tmp_path, read, content, what) -> None:
    path = tmp_path / "chosen.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=what) as caught:
        read(path)
    assert caught.value.hint.startswith(("See: latentlab", "A sweep is a TOML file"))
    assert caught.value.where == str(path)
