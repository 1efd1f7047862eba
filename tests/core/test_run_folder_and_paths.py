from __future__ import annotations

import pytest

from latentlab.core import paths
from latentlab.core.errors import Cancelled, InputError, LatentLabError
from latentlab.core.messages import ErrorReport, ModelInfo, TrainingStatus
from latentlab.core.metrics import METRICS, describe
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import recipe_toml
from latentlab.core.run_folder import MODEL, RECIPE, is_run, read_model_info, write_model_info


def test_what_the_networks_were_built_for_survives(tmp_path):
    info = ModelInfo(Recipe(), (36, 64, 3), 2, ("a", "b"), tmp_path)
    (tmp_path / RECIPE).write_text(recipe_toml(info.recipe))
    write_model_info(tmp_path, info, data_name="arena", num_train=3, num_test=4)
    assert is_run(tmp_path)
    assert read_model_info(tmp_path) == info


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(InputError, match="not a run folder"):
        read_model_info(tmp_path)


SIZELESS = '{"image_shape": [0, 0, 0], "num_classes": 0, "class_names": []}'


@pytest.mark.parametrize("text", ["{", "{}", '{"image_shape": [1, 2]}', SIZELESS])
def test_a_damaged_model_file_is_named(tmp_path, text):
    (tmp_path / RECIPE).write_text(recipe_toml(Recipe()))
    (tmp_path / MODEL).write_text(text)
    with pytest.raises(InputError, match="damaged"):
        read_model_info(tmp_path)


def test_user_folders_can_be_moved(own_folders):
    for folder in (paths.cache_dir(), paths.config_dir(), paths.runs_dir(), paths.screenshots_dir()):
        assert folder.is_dir()
        assert own_folders in folder.parents


def test_resources_are_found():
    assert (paths.resources_dir() / "recipes").is_dir()


def test_an_error_report_keeps_the_sentence_and_hides_the_traceback():
    report = ErrorReport.of(InputError("x is bad", where="f", hint="do y"))
    assert (report.what, report.where, report.hint) == ("x is bad", "f", "do y")
    assert "InputError" in report.details
    assert ErrorReport.of(ValueError("boom"), doing="Training").where == "Training"
    assert str(LatentLabError("a", where="b", hint="c")) == "a [b] c"
    assert Cancelled().exit_code == 130


def test_time_left_is_known_after_the_first_step():
    assert TrainingStatus(0, 100, 0.0, 0.0, "CPU", 0.0).remaining_s is None
    assert TrainingStatus(25, 100, 10.0, 5.0, "CPU", 0.0).remaining_s == pytest.approx(15.0)


def test_every_metric_has_a_definition_and_test_names_share_it():
    assert all(metric.definition and metric.label for metric in METRICS.values())
    assert describe("test_pixel") is METRICS["pixel"]
    assert describe("something_new").label == "something new"
