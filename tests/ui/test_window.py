from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QToolButton
from window_fakes import FAKE_PAGES, Built, RecordingPage, build, make_run

from latentlab.core.messages import TrainingState
from latentlab.core.paths import config_dir, screenshots_dir
from latentlab.core.recipe_io import read_recipe, validate
from latentlab.core.run_folder import read_model_info
from latentlab.ui import page_area, style, window_memory
from latentlab.ui.dialogs.shortcuts_dialog import ShortcutsDialog
from latentlab.ui.dialogs.text_dialog import TextDialog
from latentlab.ui.screenshots import read_facts
from latentlab.ui.settings_store import SettingsStore

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.
PAGES = ("monitorPage", "explorePage", "conditionPage", "videoPage")


@pytest.fixture(autouse=True)
def few_pages(monkeypatch):
    monkeypatch.setattr(page_area, "PAGES", FAKE_PAGES)
    style.apply_theme(QApplication.instance() or QApplication([]), "dark")


@pytest.fixture
def built(qtbot, tmp_path):
    made = build(tmp_path / "runs")
    made.window.resize(1280, 800)
    made.window.show()
    yield made
    finish(qtbot, made)


def finish(qtbot, made: Built) -> None:
    made.trainer.hold.set()
    made.window.close()
    qtbot.waitUntil(lambda: made.window.shutdown.done, timeout=10_000)
    made.window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def train(qtbot, made: Built, steps: int = 100_000, **values: object) -> None:
    made.window.form.set_recipe(validate({"training": {"steps": steps}, **values}), "test")
    made.window.actions_by_name["actionTrain"].trigger()
    training = made.window.context.training
    qtbot.waitUntil(lambda: training.state is not TrainingState.PREPARING, timeout=5000)


def page(made: Built, name: str) -> RecordingPage:
    found = made.window.area.page(name)
    assert isinstance(found, RecordingPage)
    return found


def message(made: Built) -> str:
    return made.window.status.messages.label.text()


# -- pages ----------------------------------------------------------------------------------------------


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


# -- training -------------------------------------------------------------------------------------------


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


# -- opening --------------------------------------------------------------------------------------------


def drop(window, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(200, 200), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)


def test_a_bad_file_dropped_is_one_message_and_the_window_stays(built, qtbot, tmp_path):
    bad = tmp_path / "notes.txt"
    bad.write_text("hello")
    drop(built.window, bad)
    qtbot.waitUntil(lambda: "notes.txt is nothing that latentlab can open" in message(built))
    assert len(built.errors) == 1
    assert built.window.isVisible()
    built.window.status.messages.dismiss.click()
    assert message(built) == ""


def test_a_broken_recipe_dropped_names_its_key(built, qtbot, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("[model]\nlatent_dims = 3\n")
    drop(built.window, bad)
    qtbot.waitUntil(lambda: "model.latent_dims" in message(built))
    assert "latent_dim" in message(built)


def test_a_recipe_dropped_is_in_the_settings(built, qtbot, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[model]\nlatent_dim = 5\n")
    built.window.show_panel(False)
    drop(built.window, path)
    assert built.window.form.recipe().model.latent_dim == 5
    assert built.window.panel_shown
    assert path in built.window.store.recent()


def test_a_video_dropped_becomes_the_data_set(built, tmp_path):
    video = tmp_path / "clip.mp4"
    video.touch()
    drop(built.window, video)
    assert built.window.form.recipe().data.spec == f"video:{video}"


def test_nothing_is_loaded_over_a_training(built, qtbot, tmp_path):
    train(qtbot, built)
    before = built.window.form.recipe()
    path = tmp_path / "mine.toml"
    path.write_text("[model]\nlatent_dim = 5\n")
    drop(built.window, path)
    qtbot.waitUntil(lambda: "A training is at work" in message(built))
    assert built.window.form.recipe() == before
    assert built.window.context.training.state.active


# -- pictures -------------------------------------------------------------------------------------------


def test_a_screenshot_of_the_page_lands_on_disk_with_its_facts(built, qtbot):
    train(qtbot, built, steps=30)
    qtbot.waitUntil(lambda: built.window.context.training.state is TrainingState.FINISHED)
    built.window.actions_by_name["actionScreenshot"].trigger()
    (path,) = screenshots_dir().glob("*.png")
    assert str(path) in message(built)
    facts = read_facts(path)
    assert facts.run == built.window.context.training.info.run
    assert facts.step == 30
    image = QImage(str(path))
    assert image.size() == page(built, "monitorPage").size()


def test_a_screenshot_of_the_window_is_the_whole_window(built, qtbot):
    built.window.actions_by_name["actionScreenshotWindow"].trigger()
    (path,) = screenshots_dir().glob("*window.png")
    assert QImage(str(path)).size() == built.window.size()


def test_a_picture_that_cannot_be_written_is_one_message(built, qtbot, monkeypatch, tmp_path):
    blocker = tmp_path / "file"
    blocker.touch()
    monkeypatch.setenv("LATENTLAB_SCREENSHOTS", str(blocker / "inside"))
    built.window.actions_by_name["actionScreenshot"].trigger()
    qtbot.waitUntil(lambda: "screenshots folder cannot be used" in message(built))


def test_copy_puts_the_page_on_the_clipboard(built):
    built.window.show_page("monitorPage")
    built.window.actions_by_name["actionCopyPicture"].trigger()
    assert QApplication.clipboard().image().size() == page(built, "monitorPage").size()


# -- messages -------------------------------------------------------------------------------------------


def test_errors_wait_for_each_other_until_they_are_read(built, qtbot):
    errors = built.window.context.errors
    errors.report(ValueError("first"))
    errors.report(ValueError("second"))
    qtbot.waitUntil(lambda: "+1 more" in message(built))
    assert "first" in message(built)
    built.window.context.show_message("news")
    assert "first" in message(built)
    built.window.status.messages.dismiss.click()
    assert "second" in message(built)
    built.window.status.messages.dismiss.click()
    built.window.context.show_message("news")
    assert message(built) == "news"
    assert not built.window.status.messages.details.isVisible()


def test_help_lists_every_shortcut(built):
    page(built, "monitorPage")
    built.window.actions_by_name["actionShortcuts"].trigger()
    (dialog,) = built.window.findChildren(ShortcutsDialog)
    keys = {dialog.table.item(i, 1).text() for i in range(dialog.table.rowCount())}
    assert {"F5", "F6", "Shift+F5", "Ctrl+1", "F12", "Ctrl+,"} <= keys
    dialog.close()


def test_about_tells_versions_and_folders(built):
    built.window.actions_by_name["actionAbout"].trigger()
    (dialog,) = built.window.findChildren(TextDialog)
    assert "torch" in dialog.text.toPlainText()
    assert str(built.window.context.runs_root) in dialog.text.toPlainText()
    dialog.close()


def test_every_button_of_the_window_is_named_and_explained(built):
    for button in built.window.findChildren(QToolButton):
        if button.objectName() == "qt_toolbar_ext_button" or button.objectName().startswith("qt_"):
            continue
        assert button.toolTip(), button
        assert button.accessibleName() or button.text(), button


# -- layout ---------------------------------------------------------------------------------------------


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


# -- closing --------------------------------------------------------------------------------------------


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
