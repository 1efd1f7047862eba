"""Hands on the training, and earlier pictures: real widgets over a session and a run folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from monitor_bench import GAN, fill, preview, recipe, settle
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from window_fakes import open_window, train

from latentlab.core.messages import ModelInfo, TrainingState
from latentlab.runtime.training_session import TrainingSession
from latentlab.training.preview_files import write_preview
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.pages.monitor import MonitorPage
from latentlab.ui.pages.monitor_hands import HandsBar
from latentlab.ui.pages.monitor_pictures import Look, difference

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture
def page(qtbot, qapp, tmp_path):
    style.apply_theme(qapp, "dark")
    session = TrainingSession()
    session.recipe = recipe("vaegan")
    session.info = ModelInfo(session.recipe, (16, 16, 3), run=tmp_path)
    fill(session, GAN)
    for step in (100, 200, 300):
        write_preview(tmp_path / "previews", preview(step=step))
    session.previews.put(preview(step=400))
    page = MonitorPage(AppContext(session, None, None, None, Path()))
    qtbot.addWidget(page)
    page.resize(1280, 800)
    page.show()
    settle(page)
    yield page
    page.close_down()


def test_earlier_pictures_are_shown_and_new_ones_do_not_move_them(page, qtbot, tmp_path):
    timeline, pictures = page.shown.timeline, page.pictures
    qtbot.waitUntil(lambda: (page.tick(), timeline.slider.maximum() == 2)[1])
    assert pictures.step == 400
    timeline.slider.setFocus()
    QTest.keyClick(timeline.slider, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: (page.tick(), pictures.step == 100)[1])
    assert not timeline.live.isChecked()
    write_preview(tmp_path / "previews", preview(step=500))
    page._session.previews.put(preview(step=500))
    page.shown._listed_at = 0.0
    page.shown.look_for_steps()
    qtbot.waitUntil(lambda: (page.tick(), timeline.slider.maximum() == 3)[1])
    assert (pictures.step, timeline.step) == (100, 100)
    QTest.keyClick(timeline.slider, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: (page.tick(), pictures.step == 200)[1])
    qtbot.mouseClick(timeline.live, Qt.MouseButton.LeftButton)
    page.tick()
    assert pictures.step == 500
    assert timeline.live.isChecked()


def test_gain_gamma_and_errors_change_the_look_alone(page):
    shown = page.pictures.pairs
    before = shown.image().copy()
    page.shown.timeline.looks.gain.setValue(30)
    assert shown.image() != before
    page.shown.timeline.looks._reset()
    assert shown.image() == before
    images = np.array([[0, 51, 255]], dtype=np.uint8)
    assert Look(gain=2.0).shown(images).tolist() == [[0, 102, 255]]
    assert Look(gamma=2.0).shown(images).tolist() == [[0, 114, 255]]
    assert Look().shown(images) is images
    apart = difference(np.full((1, 2, 2, 1), 10, np.uint8), np.full((1, 2, 2, 1), 30, np.uint8))
    assert apart.flatten().tolist() == [60] * 4
    page.shown.timeline.looks.errors.setChecked(True)
    assert len(shown._layers) == 3


def test_a_click_enlarges_one_picture_with_its_twin_and_another_brings_all_back(page, qtbot):
    view = page.pictures.pairs
    assert view.shown > 1
    small = view.cell_rect(0).width()
    place = view.cell_rect(view._across).center()  # The reconstruction of the first image.
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=place)
    assert (view.focus, view.shown) == (0, 1)
    assert view.cell_rect(0).width() > 1.5 * small
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.cell_rect(0).center())
    assert view.focus is None
    assert view.shown > 1


def test_the_share_for_exploring_is_set_and_its_cost_is_said(qtbot):
    session = TrainingSession()
    bar = HandsBar(session)
    qtbot.addWidget(bar)
    bar.slider.setValue(20)
    assert session.weights.priority.share == pytest.approx(0.2)
    assert "20 %" in bar.share_text.text()
    session.weights.priority.waited_s += 0.5
    then, before = bar._cost_seen
    bar._cost_seen = (then - 10.0, before)
    session.state = TrainingState.RUNNING
    bar.refresh()
    assert "5%" in bar.share.toolTip()
    assert bar.step.isEnabled()
    session.state = TrainingState.STOPPED
    bar.refresh()
    assert not bar.step.isEnabled()
    bar.restore_state({"explore_share": 35})
    assert bar.save_state() == {"explore_share": 35}


def test_steps_are_taken_one_by_one(qtbot, tmp_path):
    with open_window(qtbot, tmp_path) as made:
        train(qtbot, made)
        training = made.window.context.training
        made.window.actions_by_name["actionStep"].trigger()
        qtbot.waitUntil(lambda: training.state is TrainingState.PAUSED)
        assert made.window.actions_by_name["actionPause"].iconText() == "Resume"
        qtbot.wait(50)
        step = training.status.get()[1].step
        for _ in range(2):
            made.window.actions_by_name["actionStep"].trigger()
        qtbot.waitUntil(lambda: training.status.get()[1].step >= step + 2)
        qtbot.wait(50)
        assert training.status.get()[1].step <= step + 3
        assert training.state is TrainingState.PAUSED


def test_a_discarded_run_is_stopped_and_goes_to_the_trash(qtbot, tmp_path, monkeypatch):
    thrown = []
    monkeypatch.setattr(
        "latentlab.ui.run_control.QFile.moveToTrash", lambda path: (thrown.append(path), len(thrown) == 1)[1]
    )
    with open_window(qtbot, tmp_path) as made:
        train(qtbot, made)
        training = made.window.context.training
        qtbot.waitUntil(lambda: training.state is TrainingState.RUNNING)
        made.window.control.discard()
        qtbot.waitUntil(lambda: bool(thrown))
        assert thrown[0].endswith("run-1")
        assert not training.state.active
        train(qtbot, made)
        qtbot.waitUntil(lambda: training.state is TrainingState.RUNNING)
        made.window.control.discard()
        qtbot.waitUntil(lambda: len(thrown) == 2)
        qtbot.waitUntil(lambda: any("could not be moved" in str(error) for error in made.errors))
