from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from training_fakes import make_recipe

from latentlab.core.errors import InputError
from latentlab.core.recipe_io import read_recipe
from latentlab.core.run_folder import is_run, read_model_info
from latentlab.training.run import RunWriter, run_name

NOON = datetime(2024, 5, 6, 12, 30, 7)


@pytest.mark.parametrize(
    ("spec", "label", "name"),
    [
        ("digits", "", "20240506-123007-vae-digits"),
        ("arena", "vaegan-arena", "20240506-123007-vaegan-arena"),
        ("folder:/home/me/My Cats", "Quick start", "20240506-123007-quick-start-folder-my-cats"),
        ("video:clips/*.mp4", "x", "20240506-123007-x-video"),
    ],
)
def test_names_say_when_what_and_on_which_data(spec: str, label: str, name: str) -> None:
    assert run_name(make_recipe(data__spec=spec), label, NOON) == name


def test_two_runs_of_one_second_have_two_folders(tmp_path: Path, data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.training.run.run_name", lambda *_: "same")
    first, second = (RunWriter.create(tmp_path / "runs", make_recipe(), data) for _ in range(2))
    assert (first.path.name, second.path.name) == ("same", "same-2")


def test_a_run_can_be_read_back(tmp_path: Path, data) -> None:
    recipe = make_recipe(training__lr=0.0123)
    run = RunWriter.create(tmp_path, recipe, data, label="mine")
    assert is_run(run.path)
    info = read_model_info(run.path)
    assert info.image_shape == (16, 16, 1)
    assert info.class_names == ("bar 0", "bar 1", "bar 2")
    assert read_recipe(run.path / "recipe.toml") == recipe
    facts = json.loads((run.path / "environment.json").read_text())
    assert facts["packages"]["torch"]
    assert RunWriter.open(run.path).info == info


def test_nothing_is_ever_overwritten(tmp_path: Path, data) -> None:
    (tmp_path / "notes.txt").write_text("precious")
    with pytest.raises(InputError, match="already holds something"):
        RunWriter.create_at(tmp_path, make_recipe(), data)
    with pytest.raises(InputError, match="already holds something"):
        RunWriter.create_at(tmp_path / "notes.txt", make_recipe(), data)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path, data) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        RunWriter.create(tmp_path / "file" / "runs", make_recipe(), data)


def test_events_are_lines_of_json(tmp_path: Path, data) -> None:
    run = RunWriter.create_at(tmp_path / "run", make_recipe(), data)
    run.event("start", 0, device="CPU")
    run.event("change", 12, key="training.lr", old=0.1, new=0.2)
    lines = [json.loads(line) for line in (run.path / "events.jsonl").read_text().splitlines()]
    assert [(line["event"], line["step"]) for line in lines] == [("start", 0), ("change", 12)]
    assert lines[1]["new"] == 0.2
    assert datetime.fromisoformat(lines[0]["time"]).tzinfo is not None
