from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QToolButton
from window_fakes import message, page, train

from latentlab.core.messages import TrainingState
from latentlab.core.recipe_io import validate
from latentlab.ui import page_area, style
from latentlab.ui.dialogs.text_dialog import TextDialog

pytestmark = pytest.mark.usefixtures("few_pages")
REAL_PAGES = page_area.PAGES
PAGES = ("monitorPage", "explorePage", "conditionPage", "videoPage")


def test_the_window_has_its_name_and_starts_without_a_page(built):
    assert built.window.objectName() == "mainWindow"
    assert built.window.area.shown == "welcome"
    assert built.window.area.pages == {}


def test_actions_show_pages_and_the_rail_follows(built, qtbot):
    for name in PAGES[:3]:
        built.window.actions_by_name[page_area_action(name)].trigger()
        assert built.window.area.shown == name
        assert page(built, name).isVisible()
        checked = [n for n in PAGES if built.window.findChild(QToolButton, f"{n}Button").isChecked()]
        assert checked == [name]
    built.window.actions_by_name["actionNew"].trigger()
    assert built.window.area.shown == "welcome"
    assert not any(built.window.findChild(QToolButton, f"{n}Button").isChecked() for n in PAGES)


def page_area_action(name: str) -> str:
    return f"action{name.removesuffix('Page').capitalize()}"


def test_keys_show_pages(built, qtbot):
    with qtbot.waitExposed(built.window):
        built.window.activateWindow()
    QTest.keyClick(built.window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: built.window.area.shown == "explorePage", timeout=2000)


def test_only_the_page_on_screen_is_refreshed(built, qtbot):
    explore, monitor = page(built, "explorePage"), page(built, "monitorPage")
    built.window.show_page("monitorPage")
    qtbot.waitUntil(lambda: monitor.ticks > 3)
    assert explore.ticks == 0


def test_a_page_that_cannot_be_built_is_one_message_and_the_rest_works(built, qtbot):
    built.window.show_page("videoPage")
    built.window.show_page("videoPage")
    assert len(built.errors) == 1
    built.window.show_page("monitorPage")
    assert page(built, "monitorPage").isVisible()


def test_a_page_can_be_torn_off_and_put_back(built, qtbot):
    built.window.show_page("explorePage")
    explore = page(built, "explorePage")
    built.window.actions_by_name["actionTearOff"].trigger()
    torn = explore.window()
    assert torn is not built.window
    assert torn.isVisible()
    before = explore.ticks
    built.window.show_page("monitorPage")
    qtbot.waitUntil(lambda: explore.ticks > before + 2)
    torn.close()
    assert explore.window() is built.window
    built.window.show_page("explorePage")
    assert explore.isVisible()
    assert built.window.area.windows == {}


def test_the_note_of_a_torn_off_page_puts_it_back(built, qtbot):
    built.window.show_page("explorePage")
    built.window.area.tear_off("explorePage")
    from latentlab.ui.widgets.empty_state import EmptyState

    (note,) = [n for n in built.window.findChildren(EmptyState) if n.objectName() == "explorePageNote"]
    note.button.click()
    assert page(built, "explorePage").window() is built.window


def test_themes_reach_the_pages_and_are_remembered(built, qtbot):
    monitor = page(built, "monitorPage")
    built.window.actions_by_name["actionThemeLight"].trigger()
    assert style.current_theme() == "light"
    assert monitor.themes == 1
    assert built.window.store.get("theme", "") == "light"


def test_train_pause_resume_stop(built, qtbot):
    actions, training = built.window.actions_by_name, built.window.context.training
    assert not actions["actionPause"].isEnabled()
    assert not actions["actionStop"].isEnabled()
    train(qtbot, built)
    assert built.window.area.shown == "monitorPage"
    assert not actions["actionTrain"].isEnabled()
    assert "stop it" in actions["actionTrain"].toolTip()
    qtbot.waitUntil(lambda: training.status.version > 5)
    actions["actionPause"].trigger()
    assert training.state is TrainingState.PAUSED
    assert actions["actionPause"].iconText() == "Resume"
    qtbot.waitUntil(lambda: "paused" in built.window.toolbar.progress.label.text())
    actions["actionPause"].trigger()
    assert training.state is TrainingState.RUNNING
    assert actions["actionPause"].iconText() == "Pause"
    version = training.status.version
    qtbot.waitUntil(lambda: training.status.version > version + 5)
    actions["actionStop"].trigger()
    qtbot.waitUntil(lambda: training.state is TrainingState.STOPPED)
    assert actions["actionTrain"].isEnabled()
    assert not actions["actionPause"].isEnabled()
    assert built.errors == []


def test_a_pause_by_a_page_turns_the_button_too(built, qtbot):
    train(qtbot, built)
    built.window.context.training.pause()
    assert built.window.actions_by_name["actionPause"].iconText() == "Resume"
    built.window.context.training.resume()
    assert built.window.actions_by_name["actionPause"].iconText() == "Pause"


def test_the_toolbar_says_where_the_training_stands(built, qtbot):
    assert built.window.toolbar.progress.label.text() == "No run yet"
    train(qtbot, built, steps=50)
    qtbot.waitUntil(lambda: built.window.context.training.state is TrainingState.FINISHED)
    qtbot.waitUntil(lambda: "50 / 50 · finished" in built.window.toolbar.progress.label.text())
    assert built.window.toolbar.progress.bar.value() == built.window.toolbar.progress.bar.maximum()
    assert built.window.toolbar.device.text() == "CPU, fake · 812 MB"
    assert built.window.toolbar.run_button.text() == "run-1 · test"
    assert "run-1" in built.window.windowTitle()


def test_the_status_bar_shows_speed_delay_and_the_page(built, qtbot):
    train(qtbot, built)
    qtbot.waitUntil(lambda: built.window.status.speed.text() == "803 images/s")
    assert built.window.status.delay.text().startswith("window ")
    assert built.window.status.page.text() == "Monitor says so"
    assert built.window.findChild(QLabel, "speedLabel").isVisible()


def test_an_invalid_setting_keeps_train_off_and_says_why(built, qtbot):
    built.window.form.rows["training.steps"].set_value(0)
    train_action = built.window.actions_by_name["actionTrain"]
    assert not train_action.isEnabled()
    assert "Steps" in train_action.toolTip()
    built.window.control.train()
    assert built.trainer.jobs == []
    assert "Steps" in message(built)
    built.window.form.rows["training.steps"].set_value(10)
    assert train_action.isEnabled()


def test_live_settings_reach_the_trainer(built, qtbot):
    train(qtbot, built, objective={"beta": "adaptive"})
    assert not built.window.form.rows["model.latent_dim"].editor.isEnabled()
    built.window.form.rows["objective.target_kld"].editor.setText("0.25")
    qtbot.waitUntil(lambda: built.trainer.changes.get("objective.target_kld") == 0.25, timeout=5000)
    assert "objective.target_kld is now 0.25" in message(built)


def test_a_failed_training_is_one_message_with_details(built, qtbot):
    built.trainer.fail_at = 3
    train(qtbot, built)
    qtbot.waitUntil(lambda: "the loss went away" in message(built))
    assert len(built.errors) == 1
    assert built.window.actions_by_name["actionTrain"].isEnabled()
    built.window.status.messages.details.click()
    (dialog,) = built.window.findChildren(TextDialog)
    assert "RuntimeError" in dialog.text.toPlainText()
    assert message(built) == ""
    dialog.close()


def test_a_run_can_be_continued_to_more_steps(built, qtbot):
    train(qtbot, built, steps=5)
    training = built.window.context.training
    qtbot.waitUntil(lambda: training.state is TrainingState.FINISHED)
    built.window.form.rows["training.steps"].set_value(8)
    built.window.actions_by_name["actionContinue"].trigger()
    qtbot.waitUntil(lambda: len(built.trainer.jobs) == 2 and training.state is TrainingState.FINISHED)
    job = built.trainer.jobs[1]
    assert job.resume_run == training.info.run
    assert job.recipe.training.steps == 8


def test_the_welcome_trains_with_one_click(built, qtbot):
    card = built.window.welcome.cards[0]
    card.train.click()
    training = built.window.context.training
    qtbot.waitUntil(lambda: training.state is TrainingState.RUNNING)
    assert training.recipe == card.recipe
    assert built.window.area.shown == "monitorPage"
    assert built.window.form.name == card.name


def test_pages_forget_the_old_run_when_a_new_one_starts(built, qtbot):
    monitor = page(built, "monitorPage")
    train(qtbot, built)
    assert monitor.restarts == 1


def test_a_setting_changed_between_two_parts_of_a_run_holds_in_the_second(built, qtbot):
    train(qtbot, built, steps=5, objective={"beta": "adaptive"})
    training = built.window.context.training
    qtbot.waitUntil(lambda: training.state is TrainingState.FINISHED)
    built.window.form.rows["training.steps"].set_value(8)
    built.window.form.rows["objective.target_kld"].set_value(0.25)
    built.window.actions_by_name["actionContinue"].trigger()
    qtbot.waitUntil(lambda: built.trainer.changes.get("objective.target_kld") == 0.25)
    qtbot.waitUntil(lambda: training.state is TrainingState.FINISHED)
    assert training.recipe.objective.target_kld == 0.25
    assert built.window.form.rows["objective.target_kld"].value() == 0.25


def test_settings_of_another_recipe_are_not_forced_on_a_run_that_goes_on(built, qtbot):
    train(qtbot, built, steps=5, objective={"beta": "adaptive"})
    training = built.window.context.training
    qtbot.waitUntil(lambda: training.state is TrainingState.FINISHED)
    built.window.form.set_recipe(validate({"model": {"latent_dim": 3}, "objective": {"target_kld": 0.9}}), "other")
    built.window.actions_by_name["actionContinue"].trigger()
    qtbot.waitUntil(lambda: len(built.trainer.jobs) == 2 and training.state is TrainingState.FINISHED)
    assert built.trainer.changes == {}
    assert built.window.form.recipe().model.latent_dim == training.recipe.model.latent_dim
