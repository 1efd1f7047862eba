from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QLabel
from window_fakes import make_run

from latentlab.core.errors import InputError
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import recipe_toml
from latentlab.ui import screenshots
from latentlab.ui.screenshots import PictureFacts

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


def _picture() -> QImage:
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(QColor(10, 200, 30))
    return image


def test_a_picture_remembers_run_step_and_recipe(qtbot, tmp_path):
    run = make_run(tmp_path / "run ü")
    path = screenshots.save_picture(_picture(), tmp_path / "p.png", PictureFacts(run, 1234, Recipe()))
    found = screenshots.read_facts(path)
    assert (found.run, found.step, found.recipe_toml) == (run, 1234, recipe_toml(Recipe()))


def test_other_programs_can_read_the_facts(qtbot, tmp_path):
    run = make_run(tmp_path / "run")
    path = screenshots.save_picture(_picture(), tmp_path / "p.png", PictureFacts(run, 7, Recipe()))
    with Image.open(path) as image:
        assert image.size == (20, 10)
        assert image.convert("RGB").getpixel((3, 3)) == (10, 200, 30)
        assert image.text["latentlab.run"] == str(run)
        assert image.text["latentlab.step"] == "7"
        assert 'kind = "vae"' in image.text["latentlab.recipe"]
        assert image.text["Software"] == "latentlab"


def test_a_picture_without_a_run_says_nothing_of_one(qtbot, tmp_path):
    path = screenshots.save_picture(_picture(), tmp_path / "p.png", PictureFacts())
    found = screenshots.read_facts(path)
    assert (found.run, found.step, found.recipe_toml) == (None, -1, "")


def test_an_unwritable_place_is_a_sentence_and_leaves_nothing(qtbot, tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        screenshots.save_picture(_picture(), tmp_path / "missing" / "p.png", PictureFacts())
    assert list(tmp_path.iterdir()) == []


def test_names_carry_date_and_page_and_never_collide(qtbot, tmp_path):
    first = screenshots.picture_path("Monitor page", tmp_path)
    assert first.name.endswith("_Monitor-page.png")
    assert first.name[:2] == "20"
    first.touch()
    second = screenshots.picture_path("Monitor page", tmp_path)
    assert second != first


def test_something_else_is_no_picture(tmp_path: Path):
    (tmp_path / "p.png").write_text("no")
    with pytest.raises(InputError, match="not a picture"):
        screenshots.read_facts(tmp_path / "p.png")


def test_a_grab_shows_the_widget(qtbot):
    label = QLabel()
    label.setStyleSheet("background: #0a64c8;")
    label.resize(40, 30)
    qtbot.addWidget(label)
    image = screenshots.grab(label)
    assert QColor(image.pixel(5, 5)).getRgb()[:3] == (10, 100, 200)


def test_a_copy_is_on_the_clipboard(qtbot):
    screenshots.copy_picture(_picture())
    assert QGuiApplication.clipboard().image().size() == _picture().size()
