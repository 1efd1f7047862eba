"""Each rule of the doctor is provoked in a real, short training; healthy ones hear nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from latentlab.cli import main
from latentlab.core.buffers import MetricHistory
from latentlab.core.doctor import RULES, Record, diagnose, replay
from latentlab.core.doctor_finding import change, scaled
from latentlab.core.recipe import Recipe
from latentlab.training.changes import live_keys, with_changes

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from _ailments import AILMENTS, HEALTHY, ONE_PICTURE, fall_ill


def test_every_rule_has_a_training_that_provokes_it():
    assert {rule.name for rule in RULES} == set(AILMENTS)


@pytest.mark.parametrize("name", AILMENTS)
def test_the_doctor_sees_it_and_offers_a_fix_that_can_be_made(name: str, tmp_path: Path):
    record = fall_ill(AILMENTS[name], tmp_path / "run")
    found = replay(record)
    assert name in found, f"said only {list(found)}"
    finding = found[name]
    assert finding.sentence.endswith(".")
    assert finding.evidence
    assert 0 < finding.step <= record.step
    assert finding.fix is not None
    if finding.fix.action == "change":
        assert finding.fix.key in live_keys()
        assert with_changes(record.recipe, {finding.fix.key: finding.fix.value}) != record.recipe


def test_samples_that_are_all_one_picture_are_told_from_black_ones(tmp_path: Path):
    found = replay(fall_ill(ONE_PICTURE, tmp_path / "run"))
    assert found["sample-collapse"].sentence.startswith("Samples have become one and the same picture")


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_training_hears_nothing_at_any_step(name: str, tmp_path: Path, capsys):
    record = fall_ill(HEALTHY[name], tmp_path / "run")
    assert replay(record, looks=200) == {}
    assert main(["doctor", str(tmp_path / "run"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["step"], told["findings"], told["past"]) == (400, [], [])


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys):
    fall_ill(AILMENTS["weight-out-of-scale"], tmp_path / "run")
    assert main(["doctor", str(tmp_path / "run")]) == 0
    text = capsys.readouterr().out
    assert "Pixel drowns everything else that the decoder should learn." in text
    assert "Set objective.pixel_weight to " in text
    assert main(["doctor", str(tmp_path / "nowhere")]) == 2


def test_a_live_history_gives_the_record_of_the_run_on_disk(tmp_path: Path):
    record = fall_ill(AILMENTS["weight-out-of-scale"], tmp_path / "run")
    history = MetricHistory()
    for name, (steps, values) in record.series.items():
        history.extend(name, steps, values)
    live = Record.of(history, record.recipe)
    assert diagnose(live) == diagnose(record)


def test_a_long_history_keeps_its_newest_values_as_they_are():
    history = MetricHistory()
    values = np.arange(100_000, dtype=float)
    history.extend("loss", values + 1, values)
    steps, kept = Record.of(history, Recipe()).series["loss"]
    assert len(steps) < 2000
    assert (np.diff(steps) > 0).all()
    assert kept[-50:].tolist() == values[-50:].tolist()


def test_no_fix_is_offered_that_the_recipe_would_refuse():
    recipe = Recipe()
    assert change(recipe, "model.latent_dim", 8) is None
    assert change(recipe, "training.lr", 5.0) is None
    assert change(recipe, "training.lr", recipe.training.lr) is None
    assert scaled(recipe, "training.lr", 0.2).value == pytest.approx(2e-4)
    assert scaled(recipe, "training.discriminator_lr", 0.25).value == pytest.approx(2.5e-4)
    assert scaled(recipe, "objective.pixel_weight", 0.1) is None
