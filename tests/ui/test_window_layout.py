from __future__ import annotations

import json

import pytest
from PySide6.QtWidgets import QApplication
from window_fakes import build, drop, finish, finish_real, make_run, message, page, train

from latentlab.app import build_window
from latentlab.core.messages import TrainingState
from latentlab.core.paths import config_dir
from latentlab.core.recipe_io import read_recipe, validate
from latentlab.core.run_folder import read_model_info
from latentlab.ui import page_area, window_memory
from latentlab.ui.settings_store import SettingsStore

pytestmark = pytest.mark.usefixtures("few_pages")
REAL_PAGES = page_area.PAGES
PAGES = ("monitorPage", "explorePage", "conditionPage", "videoPage")


def test_the_panel_folds_and_keeps_its_width(built, qtbot):
    built.window.show_panel(True)
    built.window.splitter.setSizes([800, 400])
    width = built.window.splitter.sizes()[1]
    built.window.actions_by_name["actionSettings"].trigger()
    assert not built.window.form.isVisible()
    built.window.actions_by_name["actionSettings"].trigger()
    assert built.window.form.isVisible()
    assert abs(built.window.splitter.sizes()[1] - width) <= 2


def test_layout_comes_back(qtbot, tmp_path):
    first = build(tmp_path / "runs")
    window_memory.restore(first.window, None)
    first.window.resize(790, 700)
    first.window.show()
    page(first, "explorePage").state = {"zoom": 3}
    first.window.show_page("explorePage")
    first.window.form.set_recipe(validate({"title": "Mine", "model": {"latent_dim": 9}}), "mine.toml")
    first.window.form.rows["model.width"].set_value(48)
    first.window.splitter.setSizes([350, 340])
    width = first.window.splitter.sizes()[1]
    finish(qtbot, first)

    second = build(tmp_path / "runs")
    window_memory.restore(second.window, None)
    second.window.show()
    assert second.window.size().toTuple() == (790, 700)
    assert second.window.form.recipe().model.latent_dim == 9
    assert second.window.form.recipe().model.width == 48
    window_memory.show_last_page(second.window)
    assert second.window.area.shown == "explorePage"
    assert page(second, "explorePage").state["zoom"] == 3
    assert page(second, "explorePage").state["mark"] == "explorePage"
    qtbot.waitUntil(lambda: abs(second.window.splitter.sizes()[1] - width) <= 2)
    finish(qtbot, second)


def test_a_change_of_a_preset_comes_back_as_a_change(qtbot, tmp_path):
    first = build(tmp_path / "runs")
    assert first.window.control.load_preset("quickstart")
    first.window.form.rows["training.seed"].set_value(77)
    finish(qtbot, first)
    second = build(tmp_path / "runs")
    window_memory.restore(second.window, None)
    assert second.window.form.name == "quickstart"
    assert second.window.form.modified
    second.window.form.revert()
    assert second.window.form.recipe().training.seed != 77
    finish(qtbot, second)


def test_a_torn_off_page_comes_back_torn_off(qtbot, tmp_path):
    first = build(tmp_path / "runs")
    first.window.show()
    first.window.area.tear_off("explorePage")
    finish(qtbot, first)
    second = build(tmp_path / "runs")
    second.window.show()
    window_memory.restore_torn_off(second.window)
    assert list(second.window.area.windows) == ["explorePage"]
    finish(qtbot, second)


@pytest.mark.parametrize(
    "values",
    [
        {"geometry": "%%%", "panel": {"width": "wide"}, "pages": {"monitorPage": 3}, "torn_off": {"nope": "x"}},
        {"recipe": {"model": {"kind": "gone"}}, "recipe_name": 4, "form": {"open": 1}, "theme": "pink"},
        {"recent": [1, None, "x"], "page": "nothing", "panel": []},
    ],
)
def test_old_or_damaged_settings_do_no_harm(qtbot, tmp_path, values):
    (config_dir() / "window.json").write_text(json.dumps(values))
    made = build(tmp_path / "runs")
    window_memory.restore(made.window, None)
    window_memory.restore_torn_off(made.window)
    made.window.show()
    window_memory.show_last_page(made.window)
    assert made.window.area.shown == "welcome"
    assert window_memory.theme(made.window.store) == "system"
    assert made.window.form.recipe() is not None
    assert page(made, "monitorPage").state.get("mark") is None
    made.window.recent_menu.fill()
    made.window.run_menu.fill()
    assert made.window.run_menu.actions()
    finish(qtbot, made)


def test_the_recipe_can_be_saved_and_read_again(built, tmp_path):
    built.window.form.rows["model.latent_dim"].set_value(21)
    path = tmp_path / "saved.toml"
    built.window.commands.save_recipe(path)
    assert read_recipe(path) == built.window.form.recipe()
    assert not built.window.form.modified
    built.window.commands.save_recipe(tmp_path / "missing" / "saved.toml")
    assert "cannot be written" in built.errors[0].what


def test_closing_while_training_finishes_the_step_and_then_goes(built, qtbot):
    train(qtbot, built)
    built.trainer.hold.clear()
    qtbot.waitUntil(built.trainer.held.is_set)
    training = built.window.context.training
    assert built.window.close() is False
    assert built.window.isVisible()
    assert "Finishing the step" in message(built)
    assert training.state is TrainingState.STOPPING
    with qtbot.waitSignal(built.window.closed, timeout=5000):
        built.trainer.hold.set()
    assert not built.window.isVisible()
    assert training.state is TrainingState.STOPPED
    assert page(built, "monitorPage").closings == 1
    assert not built.window.poller.running


def test_closing_twice_takes_the_window_out_of_sight(built, qtbot):
    train(qtbot, built)
    built.trainer.hold.clear()
    qtbot.waitUntil(built.trainer.held.is_set)
    built.window.close()
    built.window.close()
    assert not built.window.isVisible()
    with qtbot.waitSignal(built.window.closed, timeout=5000):
        built.trainer.hold.set()


def test_closing_at_rest_is_immediate(built):
    assert built.window.close() is True
    assert built.window.shutdown.done


def test_settings_that_were_set_aside_are_told(tmp_path):
    (config_dir() / "window.json").write_text("{")
    assert "damaged" in SettingsStore().problem


def test_the_first_paint_is_told_once(qtbot, tmp_path):
    made = build(tmp_path / "runs")
    painted = []
    made.window.first_painted.connect(lambda: painted.append(True))
    made.window.show()
    qtbot.waitUntil(lambda: painted == [True])
    made.window.repaint()
    QApplication.processEvents()
    assert painted == [True]
    finish(qtbot, made)


def test_a_run_on_disk_is_shown_with_its_recipe(built, qtbot, tmp_path, monkeypatch):
    run = make_run(tmp_path / "other", validate({"title": "Other", "model": {"latent_dim": 7}}))
    training = built.window.context.training
    opened = []
    monkeypatch.setattr(training, "open_run", opened.append)
    monitor = page(built, "monitorPage")
    drop(built.window, run)
    assert opened == [run]
    assert monitor.restarts == 1
    assert built.window.area.shown == "monitorPage"
    training.info = read_model_info(run)
    training.run_started.emit(training.info)
    assert built.window.form.recipe().model.latent_dim == 7
    assert not built.window.form.modified
    assert built.window.toolbar.run_button.text() == "other · Other"
    assert run in built.window.store.recent()


def test_all_four_pages_can_be_built_and_driven(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(page_area, "PAGES", REAL_PAGES)
    window = build_window(tmp_path / "runs", theme="dark")
    found = []
    window.context.errors.reported.connect(found.append)
    window.make_all_pages()
    assert [type(p).__name__ for p in window.area.pages.values()] == [spec.cls for spec in REAL_PAGES]
    for spec in REAL_PAGES:
        real = window.area.pages[spec.name]
        assert (real.objectName(), real.title) == (spec.name, spec.title)
        real.restart()
        real.tick()
        real.apply_theme()
        assert isinstance(real.status_text(), str)
        json.dumps(real.save_state())
    finish_real(qtbot, window)
    assert found == []
