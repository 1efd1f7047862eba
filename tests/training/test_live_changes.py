"""Every setting marked as live reaches the loop of a running training, and is noted in the run."""

from __future__ import annotations

import json

import pytest
from training_fakes import Memory, make_recipe

from latentlab.core.events import RunEvent, read_changes
from latentlab.core.recipe_io import recipe_fields
from latentlab.models.optim import learning_rate
from latentlab.models.vaegan import VaeGan
from latentlab.training.changes import live_keys, value_of
from latentlab.training.fit import fit

VALUES = {
    "training.lr": 3e-4,
    "training.discriminator_lr": 2e-4,
    "training.gradient_shares_every": 3,
    "objective.feature_layer": "last",
    "objective.feature_activation": "before",
    "objective.gan_loss": "hinge",
    "objective.update_order": "sequential",
    "objective.equilibrium": 0.68,
    "objective.label_flip_every": 50,
    "objective.label_flip_steps": 2,
    "objective.r1_every": 2,
    "objective.temperature_every": 20,
    "objective.instance_noise_steps": 40,
    "objective.adversarial_delay": 1,
    "objective.anneal_delay": 1,
    "objective.anneal_steps": 77,
    "objective.capacity_steps": 77,
}


def other_value(key: str, recipe) -> object:
    """Return a value that is allowed and differs from the recipe's."""
    old = value_of(recipe, key)
    if key in VALUES:
        return VALUES[key]
    return not old if isinstance(old, bool) else 0.25 if isinstance(old, float) else old + 1


class Watching(Memory):
    """Changes one setting before each step, and notes what is said of it."""

    def __init__(self, wanted: dict[str, object]) -> None:
        super().__init__()
        self.wanted = list(wanted.items())
        self.events: list[RunEvent] = []

    def take_changes(self):
        return dict([self.wanted.pop(0)]) if self.wanted else {}

    def on_event(self, event: RunEvent) -> None:
        self.events.append(event)


def test_each_live_setting_reaches_the_step_that_follows(new_run, data, monkeypatch):
    keys = sorted(live_keys())
    assert len(keys) > 25
    recipe = make_recipe(
        model__kind="vaegan",
        objective__beta="adaptive",
        training__steps=len(keys) + 4,
        training__checkpoint_every=1000,
        training__preview_every=1000,
        training__gradient_shares_every=0,
    )
    wanted = {key: other_value(key, recipe) for key in keys}
    assert all(wanted[key] != value_of(recipe, key) for key in keys)
    seen: list[tuple[object, float, float]] = []
    step = VaeGan.training_step

    def spy(self, batch, context):
        rates = [context.optimizers[name].param_groups[0]["lr"] for name in ("encoder", "discriminator")]
        seen.append((context.objective, *rates))
        assert context.beta.objective is context.objective
        return step(self, batch, context)

    monkeypatch.setattr(VaeGan, "training_step", spy)
    run, sink = new_run(recipe, data), Watching(wanted)
    fit(recipe, data, sink, run=run, device="cpu")
    for place, key in enumerate(keys):
        objective, encoder_lr, discriminator_lr = seen[place]
        section, _, name = key.partition(".")
        if section == "objective":
            assert getattr(objective, name) == wanted[key], key
        elif name == "lr":
            assert encoder_lr == wanted[key]
        elif name == "discriminator_lr":
            assert discriminator_lr == wanted[key]
    assert seen[0][1] == learning_rate("encoder", recipe.training)
    assert any(name.startswith("share_") for logged in sink.steps for name in logged.values)
    told = [event for event in sink.events if event.kind == "change"]
    assert [event.step for event in told] == list(range(len(keys)))
    assert all(event.text.startswith(key) for event, key in zip(told, keys, strict=True))
    assert read_changes(run.path) == json.loads(json.dumps(wanted))


def test_the_form_marks_as_live_what_the_loop_takes():
    marked = {key for key, field in recipe_fields() if (field.json_schema_extra or {}).get("live")}
    assert marked == live_keys()
    assert {
        "training.lr",
        "objective.target_kld",
        "objective.feature_weight",
        "objective.kld_momentum",
        "objective.label_smoothing",
        "objective.initial_beta",
        "objective.beta_step",
        "objective.adversarial_weight",
        "objective.pixel_weight",
    } <= marked


def test_a_bad_change_is_told_and_changes_nothing(new_run, data):
    recipe = make_recipe(training__steps=4)
    run, sink = new_run(recipe, data), Watching({"training.lr": 7.0, "model.width": 8})
    fit(recipe, data, sink, run=run, device="cpu")
    assert [event.kind for event in sink.events] == ["warning", "warning"]
    assert "training.lr = 7.0 was not adopted" in sink.events[0].text
    assert read_changes(run.path) == {}
    assert pytest.approx(sink.steps[-1].values["lr"]) == recipe.training.lr
