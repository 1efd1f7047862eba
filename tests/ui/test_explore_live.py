"""The pages with the real inference thread and a real small model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from explore_fakes import FakeErrors, FakeTraining, model_info
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QSlider

from latentlab.core.messages import Gallery, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.ui.context import AppContext
from latentlab.ui.pages.condition import ConditionPage
from latentlab.ui.pages.explore import ExplorePage

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


def snapshot(kind, seed, step, dim=6):
    from latentlab.models.registry import build_model

    recipe = Recipe()
    recipe.model.kind, recipe.model.latent_dim, recipe.model.width = kind, dim, 8
    info = model_info()
    info = type(info)(recipe, (16, 16, 1), 4, ("a", "b", "c", "d"))
    model = build_model(info, seed=seed)
    return WeightSnapshot(step, info, {k: v.detach().clone() for k, v in model.inference_state().items()})


@pytest.fixture
def context():
    from latentlab.runtime.inference import InferenceService

    training = FakeTraining()
    service = InferenceService()
    service.bind(training.weights)
    rng = np.random.default_rng(0)
    training.gallery.put(Gallery(rng.integers(0, 255, (80, 16, 16, 1), np.uint8), np.arange(80) % 4, tuple("abcd")))
    yield AppContext(training, service, None, FakeErrors(), Path("runs"))
    assert service.shutdown(5000)


def step_of(page):
    page.tick()
    return page.status_text()


def test_a_slider_changes_the_decoded_picture_and_new_weights_arrive(qtbot, context):
    page = ExplorePage(context)
    qtbot.addWidget(page)
    page.show()
    context.training.weights.put(snapshot("cvae", 0, 5))
    qtbot.waitUntil(lambda: "step 5" in step_of(page), timeout=20_000)
    first = page.stage.picture.image()
    page.findChild(QSlider, "latentSlider0").setValue(-3000)
    qtbot.waitUntil(lambda: page.stage.picture.image() != first, timeout=5000)
    context.training.weights.put(snapshot("cvae", 1, 6))
    qtbot.waitUntil(lambda: "step 6" in step_of(page), timeout=5000)
    page.panel.start.choose_from_gallery(7)
    qtbot.waitUntil(lambda: page.state.point.source == "picture 8", timeout=5000)
    original = context.training.gallery.get()[1].images[7]
    qtbot.waitUntil(lambda: page.stage.picture.picture(1) is not None, timeout=5000)
    shown = page.stage.picture.picture(0)
    assert QColor(shown.pixel(3, 2)).red() == original[2, 3, 0]
    qtbot.waitUntil(lambda: page.tick() is None and page.panel.sliders.stats is not None, timeout=10_000)
    assert context.errors.reports == []
    page.close_down()


def test_the_condition_grid_is_decoded_by_a_real_model(qtbot, context):
    page = ConditionPage(context)
    qtbot.addWidget(page)
    page.resize(900, 600)
    page.show()
    context.training.weights.put(snapshot("cvae", 0, 5))
    qtbot.waitUntil(lambda: "step 5" in step_of(page), timeout=20_000)
    assert page.grid.columns == 4
    assert page.grid.picture(0) != page.grid.picture(1)
    page.panel.start.choose_from_gallery(2)
    qtbot.waitUntil(lambda: page._shown.names[0] == "your picture", timeout=5000)
    assert page.label == 2
    page.close_down()


def test_explore_and_condition_share_the_held_step(qtbot, context):
    explore, condition = ExplorePage(context), ConditionPage(context)
    for page in (explore, condition):
        qtbot.addWidget(page)
    explore.show()
    context.training.weights.put(snapshot("cvae", 0, 5))
    qtbot.waitUntil(lambda: "step 5" in step_of(explore), timeout=20_000)
    explore.stage.follow_bar.button.click()
    assert not condition.follow_bar.button.isChecked()
    context.training.weights.put(snapshot("cvae", 1, 6))
    condition.show()
    qtbot.waitUntil(lambda: "held at step 5" in step_of(condition), timeout=5000)
    explore.restart()
    assert condition.follow_bar.button.isChecked()
    for page in (explore, condition):
        page.close_down()
