"""Forks: the same weights and curves up to the checkpoint, other settings after it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from training_fakes import Memory, make_data, make_recipe

from latentlab.core.errors import InputError
from latentlab.training.checkpoint import load_checkpoint
from latentlab.training.fit import fit
from latentlab.training.fork import as_it_was, fork
from latentlab.training.metrics_db import read_metrics
from latentlab.training.run import RunWriter
from latentlab.training.run_facts import read_run_facts


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A run of twelve steps with checkpoints at 6 and 12, whose learning rate was changed live at step 3."""
    data = make_data()
    recipe = make_recipe(objective__beta="fixed")
    writer = RunWriter.create_at(tmp_path_factory.mktemp("runs") / "source", recipe, data)
    sink = Memory({3: lambda memory: memory.changes.update({"training.lr": 0.005})})
    fit(recipe, data, sink, run=writer, device="cpu")
    return writer.path


def forked(source, tmp_path, checkpoint: str = "step_00000006", **changes: object):
    recipe = as_it_was(source, checkpoint).model_copy(deep=True)
    for key, value in changes.items():
        section, _, name = key.partition("__")
        setattr(getattr(recipe, section), name, value)
    return fork(source, checkpoint, recipe, make_data(), tmp_path), recipe


def test_a_fork_without_changes_ends_like_its_source(source, tmp_path):
    writer, recipe = forked(source, tmp_path)
    fit(recipe, make_data(), Memory(), run=writer, device="cpu", resume=True)
    a, b = load_checkpoint(source / "checkpoints"), load_checkpoint(writer.checkpoints)
    assert (a.step, b.step) == (12, 12)
    assert all(torch.equal(a.model[name], b.model[name]) for name in a.model)
    first, second = read_metrics(source / "metrics.db"), read_metrics(writer.metrics)
    assert all(
        np.array_equal(first[name][1], second[name][1]) for name in first if name not in ("elapsed_s", "images_per_s")
    )


def test_a_fork_parts_from_its_source_at_the_checkpoint(source, tmp_path):
    writer, recipe = forked(source, tmp_path, training__lr=0.0001, training__steps=20)
    fit(recipe, make_data(), Memory(), run=writer, device="cpu", resume=True)
    steps, rates = read_metrics(writer.metrics)["lr"]
    assert steps[-1] == 20
    assert dict(zip(steps.tolist(), rates.tolist(), strict=True)) == pytest.approx(
        {2: 0.001, 4: 0.005, 6: 0.005} | dict.fromkeys(range(8, 21, 2), 0.0001)
    )
    first, second = read_metrics(source / "metrics.db")["pixel"][1], read_metrics(writer.metrics)["pixel"][1]
    assert np.array_equal(first[:3], second[:3])
    assert first[4] != second[4]


def test_the_fork_is_in_the_events_and_the_source_untouched(source, tmp_path):
    before = (source / "events.jsonl").read_bytes()
    writer, _ = forked(source, tmp_path, training__lr=0.0001)
    (event,) = [json.loads(line) for line in (writer.path / "events.jsonl").read_text().splitlines()]
    assert (event["event"], event["step"], event["from"], event["checkpoint"]) == ("fork", 6, "source", "step_00000006")
    assert event["changes"] == {"training.lr": [0.005, 0.0001]}
    assert read_run_facts(writer.path).forked_from == "source step_00000006"
    assert (source / "events.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("checkpoint", "changes", "what"),
    [
        ("best", {}, "weights only"),
        ("step_00000099", {}, "no checkpoint"),
        ("last", {}, "training.steps"),
        ("step_00000006", {"model__latent_dim": 9}, "model.latent_dim"),
    ],
)
def test_what_cannot_be_forked_is_refused_and_leaves_nothing(source, tmp_path, checkpoint, changes, what):
    recipe = make_recipe(objective__beta="fixed", **changes)
    with pytest.raises(InputError) as error:
        fork(source, checkpoint, recipe, make_data(), tmp_path / "new")
    assert what in f"{error.value.what} {error.value.where}"
    assert not (tmp_path / "new").exists()
