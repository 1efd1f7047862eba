from __future__ import annotations

import numpy as np
import pytest
from explore_fakes import make_context, model_info, put_weights
from PySide6.QtCore import QObject, Qt, Signal

from latentlab.core.latent_nearest import Density
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ErrorReport, Progress
from latentlab.runtime.latent_survey import NearestImages
from latentlab.ui.pages.explore import ExplorePage

LEFT = Qt.MouseButton.LeftButton
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


class FakeSurvey(QObject):
    """Remembers questions; ``answer`` answers the newest."""

    nearest_ready = Signal(str, object)

    def __init__(self):
        super().__init__()
        self.surveys, self.progress, self.problem = LatestSlot(), LatestSlot(), LatestSlot()
        self.watched, self.asked = set(), []

    def watch(self, name, on):
        (self.watched.add if on else self.watched.discard)(name)

    def ask_nearest(self, pane, z, count):
        self.asked.append((pane, z, count))
        return len(self.asked)

    def answer(self, rank):
        z = self.asked[-1][1]
        rows = np.array([30, 10], np.int64)
        images = np.full((2, 8, 8, 1), 77, np.uint8)
        density = Density(0.8, rank)
        distance = np.array([0.25, 0.5], np.float32)
        found = NearestImages(1, z, 9, np.array([3, 1]), rows, distance, images, density)
        self.nearest_ready.emit("explore", found)


@pytest.fixture
def context():
    context = make_context()
    context.survey = FakeSurvey()
    put_weights(context, model_info("vae"))
    return context


@pytest.fixture
def page(qtbot, context):
    page = ExplorePage(context)
    qtbot.addWidget(page)
    page.resize(1100, 800)
    page.show()
    page.tick()
    context.inference.answer()
    yield page
    page.close_down()


def put_survey(context, page):
    """A survey of 40 rows, every tenth kept, whose class 2 lies at dimension 3."""
    mu = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    labels = (np.arange(40) % 3).astype(np.int64)
    survey = LatentSurvey(9, page.info, np.arange(40, dtype=np.int64) * 10, mu, np.full_like(mu, -1.0), labels)
    context.survey.surveys.put(survey)
    return survey


def ask(page, context, qtbot):
    count = len(context.survey.asked)
    qtbot.waitUntil(lambda: bool(page.tick() or len(context.survey.asked) > count))


def test_the_nearest_images_are_asked_for_where_z_rests_and_shown_with_their_distance(page, context, qtbot):
    put_survey(context, page)
    ask(page, context, qtbot)
    np.testing.assert_array_equal(context.survey.asked[-1][1], page.state.point.z)
    context.survey.answer(0.42)
    panel = page.stage.nearest
    assert panel.density.text() == "density 42%"
    assert panel.view._captions == ("0.25 σ", "0.50 σ")
    assert "off the map" not in page.stage.info.text()
    page.panel.sliders.slider(0).assign(8.0)
    ask(page, context, qtbot)
    context.survey.answer(0.0)
    assert panel.density.text() == "off the map"
    assert "off the map" in page.stage.info.text()


def test_a_click_goes_to_where_the_encoder_puts_the_image(page, context, qtbot):
    survey = put_survey(context, page)
    ask(page, context, qtbot)
    context.survey.answer(0.5)
    view = page.stage.nearest.view
    qtbot.mouseClick(view, LEFT, pos=view.cell_rect(1).center())
    np.testing.assert_array_equal(page.state.point.z, survey.mu[1])
    assert page.state.point.source == "image 10 of the data"
    page.panel.undo.click()
    assert page.state.point.source == "seed 0"


def test_a_panel_that_is_folded_asks_for_nothing(page, context, qtbot):
    put_survey(context, page)
    qtbot.keyClick(page, Qt.Key.Key_N)
    assert not page.stage.nearest.isVisible()
    page.moves.draw(4, 1.0)
    assert not page.stage.nearest._rest.isActive()


def test_while_there_is_no_survey_the_panel_says_how_far_it_is_or_why_there_is_none(page, context):
    view = page.stage.nearest.view
    context.survey.progress.put(Progress("Encoding the data set", 30, 120))
    page.tick()
    assert view._message == "Encoding the data set: 25%"
    context.survey.problem.put(ErrorReport("the folder is gone"))
    page.tick()
    assert view._message == "the folder is gone"


def test_the_survey_is_watched_while_the_page_is_visible_and_gives_the_directions(page, context, qtbot):
    assert context.survey.watched == {"explore"}
    put_survey(context, page)
    qtbot.waitUntil(lambda: bool(page.tick() or page.panel.data is not None))
    assert page.panel.data.images == 40
    assert page.watch.stats.images == 40
    page.hide()
    assert context.survey.watched == set()


def test_a_model_without_an_encoder_has_no_neighbours(page, context):
    put_weights(context, model_info("cgan"))
    page.tick()
    assert not page.stage.nearest.isVisible()
    assert not page.stage.nearest_button.isEnabled()
