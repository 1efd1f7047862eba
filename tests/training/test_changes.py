from __future__ import annotations

import pytest
from training_fakes import make_recipe

from latentlab.core.errors import InputError
from latentlab.training.changes import carry_over, check_resumable, live_keys, with_changes


def test_live_settings_are_those_that_a_running_model_can_take() -> None:
    keys = live_keys()
    assert {"training.lr", "objective.target_kld", "objective.initial_beta"} <= keys
    assert not {"model.width", "training.batch_size", "data.spec", "objective.beta"} & keys


def test_changes_are_validated_and_leave_the_original_alone() -> None:
    recipe = make_recipe()
    assert with_changes(recipe, {"training.lr": 0.5}).training.lr == 0.5
    assert recipe.training.lr == 1e-3
    with pytest.raises(InputError, match=r"training\.lr"):
        with_changes(recipe, {"training.lr": -1.0})
    with pytest.raises(InputError, match="cannot be changed while"):
        with_changes(recipe, {"training.batch_size": 4})


def test_a_setting_given_anew_wins_over_an_earlier_change() -> None:
    started = make_recipe()
    changes = {"training.lr": 0.5, "objective.target_kld": 2.0}
    again = carry_over(make_recipe(training__lr=0.25), started, changes)
    assert (again.training.lr, again.objective.target_kld) == (0.25, 2.0)


@pytest.mark.parametrize(
    "change", [{"model__latent_dim": 5}, {"model__kind": "ae"}, {"data__size": [32, 32]}, {"objective__kld": "batch"}]
)
def test_what_shapes_the_networks_cannot_differ(change: dict[str, object]) -> None:
    with pytest.raises(InputError, match="cannot differ"):
        check_resumable(make_recipe(**change), make_recipe())


def test_what_does_not_may() -> None:
    check_resumable(make_recipe(training__steps=99, training__lr=0.1, objective__beta="pi"), make_recipe())
