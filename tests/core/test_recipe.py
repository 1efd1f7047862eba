from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.core.errors import EXIT_USAGE, InputError
from latentlab.core.recipe import Recipe, setting_facts
from latentlab.core.recipe_io import (
    apply_settings,
    bundled_recipes,
    field_errors,
    find_recipe,
    read_recipe,
    recipe_fields,
    recipe_toml,
    validate,
)


def test_a_recipe_survives_toml(tmp_path):
    recipe = apply_settings(Recipe(title="ö", story='a "quoted" line'), ["data.crop=[1,2,30,40]", "training.lr=0.003"])
    file = tmp_path / "r.toml"
    file.write_text(recipe_toml(recipe), encoding="utf-8")
    assert read_recipe(file) == recipe


@given(st.integers(16, 256), st.integers(16, 256), st.floats(1e-6, 1.0), st.integers(0, 2**31 - 1))
def test_any_valid_value_survives_toml(tmp_path_factory, height, width, lr, seed):
    recipe = validate({"data": {"size": [height, width]}, "training": {"lr": lr, "seed": seed}})
    file = tmp_path_factory.mktemp("r") / "r.toml"
    file.write_text(recipe_toml(recipe), encoding="utf-8")
    assert read_recipe(file) == recipe


@pytest.mark.parametrize(
    ("setting", "what", "hint"),
    [
        ("model.latent_dims=4", "model.latent_dims", "model.latent_dim"),
        ("modell.kind=vae", "modell.kind", "model.kind"),
        ("model.kind=vaegen", "model.kind = 'vaegen'", "vaegan"),
        ("training.lr=-1", "training.lr = -1", ""),
        ("data.size=[8, 64]", "data.size.0 = 8", ""),
        ("data.crop=[0,0,0,5]", "data.crop", ""),
        ("lr=1", "section.key=value", "--set training.lr"),
        ("training.steps", "section.key=value", ""),
    ],
)
def test_a_bad_setting_is_named_with_the_nearest_valid_one(setting, what, hint):
    with pytest.raises(InputError) as caught:
        apply_settings(Recipe(), [setting])
    assert what in caught.value.what
    assert hint in caught.value.hint
    assert caught.value.exit_code == EXIT_USAGE


def test_settings_take_toml_values_plain_text_and_none():
    recipe = apply_settings(
        Recipe(), ["data.spec=video:a b/*.mp4", "data.crop=[0,0,121,64]", "data.limit=50", "training.precision=fp32"]
    )
    assert recipe.data.spec == "video:a b/*.mp4"
    assert recipe.data.crop == (0, 0, 121, 64)
    assert recipe.data.limit == 50
    assert apply_settings(recipe, ["data.crop=none"]).data.crop is None


@pytest.mark.parametrize(
    ("text", "what"),
    [("not toml [", "not a TOML file"), ("[model]\nkind = 3", "model.kind"), ("[extra]\na=1", "extra")],
)
def test_a_bad_file_is_named(tmp_path, text, what):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        read_recipe(file)
    assert what in caught.value.what
    assert "bad.toml" in caught.value.where


def test_a_missing_recipe_suggests_the_nearest():
    with pytest.raises(InputError) as caught:
        find_recipe("vaegan-arenna")
    assert "vaegan-arena" in caught.value.hint


def test_every_bundled_recipe_is_valid_and_introduces_itself():
    recipes = {name: find_recipe(name) for name in bundled_recipes()}
    assert {"quickstart", "vae-arena", "vaegan-arena", "cvae-digits", "ae-arena", "vae-mnist"} <= set(recipes)
    for name, recipe in recipes.items():
        assert recipe.title, name
        assert recipe.story, name
        assert recipe.group, name


def test_every_setting_explains_itself():
    for key, field in recipe_fields():
        facts = setting_facts(key, field)
        assert facts["description"].endswith("."), key
        assert len(facts["description"]) > 10, key


def test_field_errors_name_every_bad_field():
    values = Recipe().model_dump()
    values["training"]["lr"] = 5.0
    values["model"]["kind"] = "nope"
    assert set(field_errors(values)) == {"training.lr", "model.kind"}
    assert field_errors(Recipe().model_dump()) == {}
