from __future__ import annotations

import os

import pytest
from PySide6.QtWidgets import QPushButton
from window_fakes import make_run

from latentlab.core.recipe_io import bundled_recipes
from latentlab.ui.recipe_card import RecipeCard
from latentlab.ui.thumbnails import SIDE, thumbnail
from latentlab.ui.toolbar import short_run_name
from latentlab.ui.welcome import WelcomePage, age_words, newest_runs

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture
def welcome(qtbot, tmp_path):
    make_run(tmp_path / "20260801-161738-old")
    page = WelcomePage(tmp_path)
    qtbot.addWidget(page)
    page.resize(1000, 800)
    page.show()
    return page


def test_every_bundled_recipe_has_a_card_that_tells_its_story(welcome):
    assert {card.name for card in welcome.cards} == set(bundled_recipes())
    for card in welcome.cards:
        assert card.recipe.story
        assert card.recipe.title
        assert card.train.toolTip()
        assert card.train.accessibleName() == f"Train {card.name}"


def test_quickstart_comes_first(welcome):
    assert welcome.cards[0].name == "quickstart"


def test_one_click_asks_to_train(welcome, qtbot):
    card: RecipeCard = welcome.cards[0]
    with qtbot.waitSignal(welcome.train_requested) as blocker:
        card.train.click()
    assert blocker.args == [card.name]
    with qtbot.waitSignal(welcome.settings_requested) as blocker:
        card.settings.click()
    assert blocker.args == [card.name]


def test_columns_follow_the_width(welcome, qtbot):
    def lefts():
        return {card.x() for card in welcome.cards}

    welcome.resize(500, 800)
    qtbot.waitUntil(lambda: len(lefts()) == 1)
    welcome.resize(700, 800)
    qtbot.waitUntil(lambda: len(lefts()) == min(2, len(welcome.cards)))


def test_a_recent_run_can_be_opened(welcome, qtbot, tmp_path):
    (button,) = [b for b in welcome.findChildren(QPushButton) if b.text().startswith("old 16:17")]
    with qtbot.waitSignal(welcome.path_requested) as blocker:
        button.click()
    assert blocker.args == [tmp_path / "20260801-161738-old"]


def test_runs_are_listed_newest_first_and_only_runs(tmp_path):
    for i, name in enumerate(("a", "b", "c")):
        os.utime(make_run(tmp_path / name), (1000 + i, 1000 + i))
    (tmp_path / "no-run").mkdir()
    assert [run.name for run in newest_runs(tmp_path, 2)] == ["c", "b"]
    assert newest_runs(tmp_path / "missing") == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "just now"), (60, "1 min ago"), (7300, "2 h ago"), (86_400, "1 day ago"), (400_000, "4 days ago")],
)
def test_ages_are_told_in_words(seconds, words):
    assert age_words(seconds) == words


@pytest.mark.parametrize("spec", ["digits", "mnist", "arena", "video:a.mp4", "folder:x", "cifar10", "npz:a.npz"])
def test_every_kind_of_data_has_a_drawing(qtbot, spec):
    image = thumbnail(spec, 2.0).toImage()
    assert image.width() == 2 * SIDE
    assert len({image.pixel(x, y) for x in range(0, 144, 3) for y in range(0, 144, 3)}) > 3


def test_recipes_on_the_same_data_look_different_but_always_the_same(qtbot):
    first, again, other = (thumbnail("arena", 1.0, name).toImage() for name in ("a", "a", "b"))
    assert first == again
    assert first != other


def test_run_names_are_shown_short():
    assert short_run_name("20260801-161738-digits-by-class") == "digits-by-class 16:17"
    assert short_run_name("my run") == "my run"
