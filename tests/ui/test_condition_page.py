from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from explore_fakes import make_context, model_info, put_gallery, put_weights
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox

from latentlab.core.latent_state import sample_z
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ReconstructRequest, TrainingState
from latentlab.core.picture_origin import Origin, parse_origin
from latentlab.ui.pages.condition import ConditionPage
from latentlab.ui.pages.condition_grid import MOST_CELLS, style_grid

LEFT = Qt.MouseButton.LeftButton
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture
def context():
    return make_context()


@pytest.fixture
def page(qtbot, context):
    page = ConditionPage(context)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    return page


@pytest.fixture
def ready(page, context):
    put_weights(context, model_info())
    page.tick()
    context.inference.answer("condition")
    return page


def large(page, column=0, row=0, index=0):
    return QColor(page.panel.picture.picture(index).pixel(column, row)).red()


def test_a_grid_has_one_z_per_row_and_one_class_per_column():
    grid = style_grid(4, 3, 2, seed=7, temperature=1.0, image_z=None)
    request = grid.request()
    assert request.z.shape == (6, 4)
    assert request.z.dtype == np.float32
    assert request.labels.tolist() == [0, 1, 2, 0, 1, 2]
    np.testing.assert_array_equal(request.z[0], request.z[2])
    assert np.abs(request.z[0] - request.z[3]).max() > 0.1
    assert grid.cell(5) == (1, 2)


def test_rows_stay_when_their_number_changes_and_an_image_comes_first():
    few = style_grid(4, 3, 2, 7, 1.0, None)
    many = style_grid(4, 3, 6, 7, 1.0, np.ones(4, np.float32), "your picture")
    np.testing.assert_array_equal(many.z[1:3], few.z)
    assert many.names[:2] == ("your picture", "style 1")
    np.testing.assert_array_equal(many.z[0], np.ones(4))


def test_a_grid_of_many_classes_keeps_fewer_rows():
    assert style_grid(4, 150, 6, 0, 1.0, None).cells <= MOST_CELLS
    assert len(style_grid(4, 1000, 6, 0, 1.0, None).z) == 1


def test_the_grid_is_decoded_and_labelled(ready, context):
    request = context.inference.of("condition")[0]
    assert request.z.shape == (18, 4)
    assert ready.grid.columns == 3
    assert ready.grid.picture(17) is not None
    assert ready.grid.picture(18) is None
    assert large(ready, row=7) == 0
    assert ready.panel.caption.text() == "style 1, class 0"


def test_clicking_a_cell_shows_it_large_and_choosing_a_class_keeps_its_row(ready, qtbot):
    qtbot.mouseClick(ready.grid, LEFT, pos=ready.grid.cell_rect(7).center())
    assert (ready.row, ready.label) == (2, 1)
    assert large(ready, row=7) == 20
    z_pixel = large(ready)
    ready.findChild(QAbstractButton, "classButton2").click()
    assert (ready.row, ready.label) == (2, 2)
    assert large(ready, row=7) == 40
    assert large(ready) == z_pixel


def test_keys_move_over_the_grid(ready, qtbot):
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Up):
        qtbot.keyClick(ready.grid, key)
    assert (ready.row, ready.label) == (0, 1)
    qtbot.keyClick(ready, Qt.Key.Key_C)
    assert ready.label == 2


def test_a_cell_is_handed_to_explore(ready, qtbot):
    ready.select(1, 2)
    opened = []
    ready.context.explore_point = lambda *point: opened.append(point)
    qtbot.keyClick(ready.grid, Qt.Key.Key_Return)
    ((z, label),) = opened
    np.testing.assert_array_equal(z, sample_z(0, 24).reshape(6, 4)[1])
    assert label == 2
    qtbot.mouseDClick(ready.grid, LEFT, pos=ready.grid.cell_rect(3).center())
    assert len(opened) == 2


def test_seed_number_of_styles_and_temperature_change_the_rows(ready, context, qtbot):
    ready.panel.seeds.seed.setValue(9)
    context.inference.answer("condition")
    ready.panel.styles.setValue(2)
    context.inference.answer("condition")
    ready.panel.seeds.scale.setValue(2.0)
    request = context.inference.of("condition")[-1]
    np.testing.assert_allclose(request.z[::3], 2 * sample_z(9, 8).reshape(2, 4), rtol=1e-6)
    context.inference.answer("condition")
    qtbot.keyClick(ready, Qt.Key.Key_R)
    assert np.abs(context.inference.of("condition")[-1].z - request.z).max() > 0.01


def test_an_answer_for_a_grid_of_another_size_is_not_shown(ready, context):
    ready.panel.styles.setValue(2)
    ready.panel.styles.setValue(3)
    context.inference.answer("condition")  # six cells, while nine are wanted
    assert ready._shown.cells == 18
    context.inference.answer("condition")
    assert ready._shown.cells == 9


def test_style_transfer_encodes_with_the_pictures_class_and_shows_it_in_every_class(ready, context):
    put_gallery(context)
    ready.panel.start.choose_from_gallery(1)
    request = context.inference.of("condition.encode")[-1]
    assert isinstance(request, ReconstructRequest)
    assert request.labels.tolist() == [1]
    context.inference.answer("condition.encode")
    context.inference.answer("condition")
    grid = context.inference.of("condition")[-1]
    np.testing.assert_array_equal(grid.z[:3], np.full((3, 4), 0.5))
    assert grid.labels[:3].tolist() == [0, 1, 2]
    assert (ready.row, ready.label) == (0, 1)
    assert large(ready, column=3, row=3, index=0) == 200  # the original
    assert large(ready, row=7, index=1) == 20
    ready.panel.drop.click()
    context.inference.answer("condition")
    assert len(context.inference.of("condition")[-1].z) == 18
    assert ready.panel.picture.picture(1) is None


def test_the_grid_follows_newer_weights(ready, context, qtbot):
    put_weights(context, ready.info, step=77)
    count = len(context.inference.of("condition"))
    qtbot.waitUntil(lambda: bool(ready.tick() or len(context.inference.of("condition")) > count))
    context.inference.answer("condition")
    assert "step 77" in ready.status_text()


def test_a_model_without_classes_says_which_recipe_has_them(page, context, qtbot):
    chosen = []
    page.context.choose_recipe = lambda: chosen.append(True)
    put_weights(context, model_info("vae"))
    page.tick()
    assert page.empty.isVisible()
    assert "cvae-digits" in page.empty.label.text()
    assert context.inference.requests == []
    qtbot.mouseClick(page.empty.button, LEFT)
    assert chosen


def test_choosing_a_recipe_reaches_the_window(qtbot, context):
    asked = []
    context.training.state = TrainingState.IDLE
    context.choose_recipe = lambda: asked.append(True)
    page = ConditionPage(context)
    qtbot.addWidget(page)
    page.empty.button.click()
    assert asked


def test_a_hidden_page_asks_for_nothing_and_a_shown_one_at_once(ready, context):
    ready.hide()
    count = len(context.inference.requests)
    ready.panel.seeds.seed.setValue(3)
    assert len(context.inference.requests) == count
    ready.show()
    np.testing.assert_array_equal(context.inference.of("condition")[-1].z[0], sample_z(3, 24)[:4])


def test_a_new_run_starts_empty(ready, context):
    context.training.weights.clear()
    ready.restart()
    assert ready.empty.isVisible()
    assert "getting ready" in ready.empty.label.text()
    context.training.state = TrainingState.IDLE
    ready.tick()
    assert "Nothing to show yet" in ready.empty.label.text()
    assert ready.status_text() == ""


def test_layout_comes_back_and_nonsense_is_ignored(ready, qtbot):
    ready.panel.styles.setValue(9)
    ready.panel.seeds.scale.setValue(0.4)
    state = ready.save_state()
    other = ConditionPage(make_context())
    qtbot.addWidget(other)
    other.restore_state(state)
    other.restore_state({"styles": "many", "temperature": [], "splitter": [1, "x"]})
    assert other.panel.styles.value() == 9
    assert other.panel.seeds.temperature == pytest.approx(0.4)


def test_every_control_has_a_tooltip_and_a_name(ready):
    controls = [w for kind in (QAbstractButton, QAbstractSpinBox, QComboBox) for w in ready.findChildren(kind)]
    assert len(controls) > 10
    named = [w for w in controls if w.toolTip() and (w.accessibleName() or w.text())]
    assert [w for w in controls if w not in named] == []


def mix(page, *shares):
    page.panel.mixture.bars.set_shares(np.array(shares, np.float32))
    page.panel.mixture.bars.changed.emit()


def test_a_mixture_is_a_column_of_its_own_and_told_to_the_decoder(ready, context):
    mix(ready, 0.5, 0.0, 0.5)
    request = context.inference.of("condition")[-1]
    assert request.shares.shape == (24, 3)
    np.testing.assert_array_equal(request.shares[:4], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0, 0.5]])
    np.testing.assert_array_equal(request.z[0], request.z[3])
    context.inference.answer("condition")
    assert ready.grid.columns == 4
    assert (ready.row, ready.label) == (0, 3)
    assert ready.panel.caption.text() == "style 1, mixture"
    assert ready.panel.mixture.note.text() == "0 50 %, 2 50 %"


def test_bars_give_and_take_so_that_shares_stay_whole(ready, context, qtbot):
    bars = ready.panel.mixture.bars
    bars.change(1, 0.25)
    np.testing.assert_allclose(bars.shares, [0.75, 0.25, 0])
    bars.change(2, 0.5)
    np.testing.assert_allclose(bars.shares, [0.375, 0.125, 0.5])
    qtbot.keyClick(bars, Qt.Key.Key_Left)
    qtbot.keyClick(bars, Qt.Key.Key_Up)
    np.testing.assert_allclose(bars.shares.sum(), 1, rtol=1e-6)
    assert bars.shares[1] == pytest.approx(0.175)
    qtbot.keyClick(bars, Qt.Key.Key_Home)
    np.testing.assert_array_equal(bars.shares, [0, 1, 0])
    context.inference.answer("condition")
    context.inference.answer("condition")
    assert ready.grid.columns == 3
    assert ready.label == 1
    column = bars.width() // 3
    qtbot.mouseClick(bars, LEFT, pos=bars.rect().topLeft().__class__(column * 2 + column // 2, 30))
    assert 0.3 < bars.shares[2] < 0.8
    assert bars.accessibleDescription()


def test_gumbel_samples_of_the_mixture_get_harder_as_the_temperature_falls(ready, context, qtbot):
    mix(ready, 0.3, 0.3, 0.4)
    context.inference.answer("condition")
    soft = context.inference.of("condition.gumbel")[-1]
    assert soft.shares.shape == (8, 3)
    context.inference.answer("condition.gumbel")
    assert ready.panel.mixture.samples.picture(7) is not None
    ready.panel.mixture.temperature.setValue(0.05)
    hard = context.inference.of("condition.gumbel")[-1]
    assert hard.shares.max(axis=1).mean() > soft.shares.max(axis=1).mean()
    np.testing.assert_array_equal(hard.labels, soft.labels)
    context.inference.answer("condition.gumbel")
    qtbot.keyClick(ready, Qt.Key.Key_G)
    assert not np.array_equal(context.inference.of("condition.gumbel")[-1].shares, hard.shares)


def test_what_the_classifier_finds_is_marked_and_can_be_mixed(page, context):
    put_weights(context, model_info("ssvae"))
    put_gallery(context, labels=False)
    page.tick()
    context.inference.answer("condition")
    page.panel.start.choose_from_gallery(0)
    request = context.inference.of("condition.encode")[-1]
    assert request.labels is None
    context.inference.probabilities = np.array([[0.1, 0.2, 0.7]], np.float32)
    context.inference.answer("condition.encode")
    context.inference.answer("condition")
    assert page.label == 2
    assert page.panel.mixture.predicted.text() == "q(y|x): 2 70 %, 1 20 %, 0 10 %"
    page.panel.mixture.adopt.click()
    np.testing.assert_allclose(page.panel.mixture.shares, [0.1, 0.2, 0.7], rtol=1e-6)
    page.panel.drop.click()
    assert not page.panel.mixture.predicted.isVisible()


class FakeSurvey:
    def __init__(self):
        self.surveys = LatestSlot()
        self.watched = []

    def watch(self, name, on):
        self.watched.append((name, on))


def survey_of(info):
    mu = np.zeros((4, 4), np.float32)
    mu[:2, 0], mu[1::2, 1] = 2.0, 3.0
    attributes = np.array([[1, 0], [1, 1], [0, 0], [0, 1]], np.int8)
    return LatentSurvey(10, info, np.arange(4), mu, None, None, attributes, None, None)


def test_attributes_move_every_style_along_their_directions(qtbot, context):
    context.survey = FakeSurvey()
    info = replace(model_info("vae"), attribute_names=("hat", "smile"))
    page = ConditionPage(context)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    put_weights(context, info)
    page.tick()
    assert ("conditionPage", True) in context.survey.watched
    context.inference.answer("condition")
    assert page.grid.columns == 1
    context.survey.surveys.put(survey_of(info))
    page.tick()
    context.inference.answer("condition")
    request = context.inference.of("condition")[-1]
    assert request.labels is None
    np.testing.assert_allclose(request.z[1] - request.z[0], [2, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(request.z[2] - request.z[0], [0, 3, 0, 0], atol=1e-6)
    assert page.grid.columns == 3
    before = request.z[0]
    chip = page.findChild(QAbstractButton, "attributeChip1")
    chip.click()
    context.inference.answer("condition")
    np.testing.assert_allclose(context.inference.of("condition")[-1].z[0] - before, [0, 3, 0, 0], atol=1e-6)
    assert chip.text() == "+ smile"
    chip.click()
    context.inference.answer("condition")
    page.panel.attributes.strength.setValue(2.0)
    context.inference.answer("condition")
    np.testing.assert_allclose(context.inference.of("condition")[-1].z[0] - before, [0, -6, 0, 0], atol=1e-6)
    chip.click()
    assert page.panel.attributes.shift() is None
    page.close_down()


def test_an_exported_grid_comes_back_with_rows_mixture_and_cell(ready, context, qtbot):
    ready.panel.seeds.seed.setValue(11)
    mix(ready, 0.25, 0.75, 0.0)
    for _ in range(2):
        context.inference.answer("condition")
    ready.select(2, 3)
    state = ready.picture_state()
    grid = context.inference.of("condition")[-1]
    origin = Origin(
        z=state.z.astype(float).tolist(), labels=state.labels.tolist(), seed=state.seed, view=state.view, step=10
    )
    origin = parse_origin(origin.text(), "p.png", "")
    other = ConditionPage(context)
    qtbot.addWidget(other)
    other.show()
    other.bring_back(origin)
    context.inference.answer("condition")
    again = context.inference.of("condition")[-1]
    assert again.z.tobytes() == grid.z.tobytes()
    assert again.shares.tobytes() == grid.shares.tobytes()
    context.inference.answer("condition")
    assert (other.row, other.label) == (2, 3)
    assert other.picture_state().z.tobytes() == state.z.tobytes()
    other.close_down()


def test_a_picture_of_the_command_line_is_a_row_of_its_own(ready, context):
    ready.bring_back(Origin(z=[[0.5, -1.0, 0.25, 2.0]], labels=[1], step=10))
    context.inference.answer("condition")
    context.inference.answer("condition")
    np.testing.assert_array_equal(context.inference.of("condition")[-1].z[0], [0.5, -1.0, 0.25, 2.0])
    assert (ready.row, ready.label) == (0, 1)
