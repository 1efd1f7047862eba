from __future__ import annotations

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QToolButton
from window_fakes import FAKE_PAGES, FAKE_VIDEO_PAGE, drop, message, page, train

from latentlab.core.messages import TrainingState
from latentlab.core.paths import screenshots_dir
from latentlab.ui import page_area
from latentlab.ui.dialogs.shortcuts_dialog import ShortcutsDialog
from latentlab.ui.dialogs.text_dialog import TextDialog
from latentlab.ui.screenshots import read_facts

pytestmark = pytest.mark.usefixtures("few_pages")
REAL_PAGES = page_area.PAGES
PAGES = ("monitorPage", "explorePage", "conditionPage", "videoPage")


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


def test_a_video_dropped_while_training_is_shown_beside_its_reconstruction(built, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(page_area, "PAGES", (*FAKE_PAGES[:3], FAKE_VIDEO_PAGE))
    train(qtbot, built)
    before = built.window.form.recipe()
    video = tmp_path / "clip.mp4"
    video.touch()
    drop(built.window, video)
    assert page(built, "videoPage").videos == [video]
    assert built.window.area.shown == "videoPage"
    assert built.window.form.recipe() == before
    assert built.errors == []


def test_nothing_is_loaded_over_a_training(built, qtbot, tmp_path):
    train(qtbot, built)
    before = built.window.form.recipe()
    path = tmp_path / "mine.toml"
    path.write_text("[model]\nlatent_dim = 5\n")
    drop(built.window, path)
    qtbot.waitUntil(lambda: "A training is at work" in message(built))
    assert built.window.form.recipe() == before
    assert built.window.context.training.state.active


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
    qtbot.waitUntil(lambda: "inside cannot be used as a folder" in message(built))


def test_copy_puts_the_page_on_the_clipboard(built):
    built.window.show_page("monitorPage")
    built.window.actions_by_name["actionCopyPicture"].trigger()
    assert QApplication.clipboard().image().size() == page(built, "monitorPage").size()


def test_errors_wait_for_each_other_until_they_are_read(built, qtbot):
    errors = built.window.context.errors
    errors.report(ValueError("first"))
    errors.report(ValueError("second"))
    qtbot.waitUntil(lambda: message(built).startswith("1 of 2: "))
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
