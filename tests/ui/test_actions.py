from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import QObject
from window_fakes import build

from latentlab.ui.actions import MENUS, PAGE_ACTIONS, SPECS, build_actions, connect_actions, set_tooltip
from latentlab.ui.icons import icon_names

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.

FROM_OUTSIDE = {"actionTrain", "actionPause", "actionStop", "actionOpen", "actionScreenshot"}


@pytest.fixture
def actions(qtbot):
    parent = QObject()
    yield build_actions(parent)
    parent.deleteLater()


def test_every_action_says_what_it_is(actions):
    for spec in SPECS:
        action = actions[spec.name]
        assert action.objectName() == spec.name
        assert action.text().replace("&", "").strip()
        assert len(action.toolTip()) > len(spec.text)
        assert spec.menu in MENUS
        assert not spec.icon or spec.icon in icon_names()


def test_names_and_shortcuts_are_unique():
    assert max(Counter(spec.name for spec in SPECS).values()) == 1
    assert max(Counter(spec.shortcut for spec in SPECS if spec.shortcut).values()) == 1


def test_the_names_that_others_rely_on_are_there(actions):
    assert actions.keys() >= FROM_OUTSIDE | set(PAGE_ACTIONS.values())


def test_mnemonics_are_unique_within_a_menu():
    for menu in MENUS:
        keys = [s.text[s.text.index("&") + 1].lower() for s in SPECS if s.menu == menu and s.group != "theme"]
        doubled = [key for key, count in Counter(keys).items() if count > 1]
        assert doubled == [], f"{menu}: {doubled}"


def test_a_shortcut_is_told_in_the_tooltip(actions):
    set_tooltip(actions["actionTrain"], "Start")
    assert actions["actionTrain"].toolTip() == "Start (F5)"
    set_tooltip(actions["actionAbout"], "About")
    assert actions["actionAbout"].toolTip() == "About"


def test_triggering_calls_the_handler_without_arguments(actions):
    calls = []
    connect_actions(actions, {"actionTrain": lambda *args: calls.append(args)})
    actions["actionTrain"].trigger()
    assert calls == [()]


def test_every_action_of_the_window_has_a_handler(qtbot, tmp_path):
    built = build(tmp_path)
    qtbot.addWidget(built.window)
    assert built.window.commands.handlers().keys() == {spec.name for spec in SPECS}
    built.window.close()
