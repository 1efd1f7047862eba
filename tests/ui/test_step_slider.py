from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from explore_fakes import make_context, model_info, put_weights
from PySide6.QtCore import QObject, Qt, Signal

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ErrorReport, WeightSnapshot
from latentlab.runtime.weights_history import KeptSteps, LoadedState
from latentlab.ui.pages.condition import ConditionPage
from latentlab.ui.pages.explore import ExplorePage
from latentlab.ui.widgets.weights_follow import WeightsFollow

RUN = Path("runs/one")
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


class FakeHistory(QObject):
    """Lists what it is told to; ``answer`` answers the newest wish."""

    loaded = Signal(object)

    def __init__(self):
        super().__init__()
        self.steps = LatestSlot()
        self.wanted = []

    def look(self, run):
        pass

    def load(self, wanted):
        self.wanted.append(wanted)

    def forget(self):
        self.wanted.append(None)

    def answer(self, info, error=None):
        wanted = self.wanted[-1]
        found = None if error else WeightSnapshot(wanted.step, info, {})
        self.loaded.emit(LoadedState(wanted, found, error=ErrorReport(error) if error else None))


@pytest.fixture
def context():
    made = make_context()
    made.history = FakeHistory()
    made.history.steps.put(KeptSteps(RUN, (10, 20, 40)))
    put_weights(made, model_info(run=RUN), step=100)
    return made


@pytest.fixture
def page(qtbot, context):
    made = ExplorePage(context)
    qtbot.addWidget(made)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    made.tick()
    return made


def held_step(context):
    bound = context.inference.bound
    return None if bound is None or bound is context.training.weights else bound.get()[1].step


def test_the_slider_has_a_stop_for_every_kept_step_and_one_for_the_newest(page):
    slider = page.stage.follow_bar.slider
    assert (slider.minimum(), slider.maximum(), slider.value()) == (0, 3, 3)
    assert "newest" in slider.toolTip()
    assert slider.text_at(1) == "Step 20, 2 of 3 kept"


def test_moving_it_pins_every_pane_to_the_step_once_its_weights_are_read(page, context):
    slider = page.stage.follow_bar.slider
    slider.setValue(1)
    assert context.history.wanted[-1].step == 20
    assert held_step(context) is None
    context.history.answer(page.info)
    assert held_step(context) == 20
    page.tick()
    context.inference.step = 20
    context.inference.answer("explore")
    assert page.status_text() == "weights held at step 20"
    assert not page.stage.follow_bar.button.isChecked()


def test_new_checkpoints_extend_the_range_and_the_chosen_step_stays(page, context):
    slider = page.stage.follow_bar.slider
    slider.setValue(1)
    context.history.answer(page.info)
    wishes = len(context.history.wanted)
    context.history.steps.put(KeptSteps(RUN, (10, 13, 20, 40, 80, 90)))
    put_weights(context, page.info, step=101)
    page.tick()
    assert (slider.value(), slider.maximum()) == (2, 6)
    assert slider.steps[slider.value()] == 20
    assert held_step(context) == 20
    assert len(context.history.wanted) == wishes


def test_the_right_end_follows_again(page, context):
    slider = page.stage.follow_bar.slider
    slider.setValue(0)
    context.history.answer(page.info)
    slider.setValue(slider.maximum())
    assert held_step(context) is None
    assert page.stage.follow_bar.button.isChecked()
    assert WeightsFollow.of(context).following


def test_keys_go_through_the_steps(page, context, qtbot):
    slider = page.stage.follow_bar.slider
    qtbot.keyClick(page, Qt.Key.Key_BracketLeft)
    assert context.history.wanted[-1].step == 40
    qtbot.keyClick(page, Qt.Key.Key_BracketLeft)
    assert context.history.wanted[-1].step == 20
    qtbot.keyClick(page, Qt.Key.Key_BracketRight)
    qtbot.keyClick(page, Qt.Key.Key_BracketRight)
    assert slider.value() == 3
    assert WeightsFollow.of(context).following


def test_a_step_held_in_memory_is_a_stop_of_its_own(page, context):
    bar = page.stage.follow_bar
    bar.button.click()
    put_weights(context, page.info, step=130)
    page.tick()
    assert bar.slider.steps == (10, 20, 40, 100)
    assert bar.slider.value() == 3
    bar.slider.setValue(0)
    context.history.answer(page.info)
    bar.slider.setValue(3)
    assert held_step(context) == 100
    assert context.history.wanted[-1].step == 10


def test_pages_share_the_step(page, context, qtbot):
    other = ConditionPage(context)
    qtbot.addWidget(other)
    page.stage.follow_bar.slider.setValue(0)
    assert other.follow_bar.slider.value() == 0
    assert not other.follow_bar.button.isChecked()


def test_a_step_that_cannot_be_read_is_told_and_the_training_followed_on(page, context):
    bar = page.stage.follow_bar
    bar.slider.setValue(0)
    context.history.answer(page.info, error="step 10 is damaged")
    assert context.errors.reports[-1].what == "step 10 is damaged"
    assert WeightsFollow.of(context).following
    assert bar.slider.value() == bar.slider.maximum()


def test_another_run_has_other_steps(page, context):
    page.stage.follow_bar.slider.setValue(0)
    context.history.answer(page.info)
    page.restart()
    put_weights(context, replace(model_info(), run=Path("runs/two")), step=5)
    page.tick()
    assert page.stage.follow_bar.slider.steps == ()
    assert not page.stage.follow_bar.slider.isEnabled()
    assert WeightsFollow.of(context).following
