from __future__ import annotations

import time

import numpy as np
import pytest
from explore_fakes import make_context, model_info, put_gallery, put_weights
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QSlider

from latentlab.core.latent_state import sample_z
from latentlab.core.messages import DecodeRequest, ReconstructRequest, TrainingState
from latentlab.ui.pages.explore import ExplorePage

LEFT = Qt.MouseButton.LeftButton
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture
def context():
    return make_context()


@pytest.fixture
def page(qtbot, context):
    page = ExplorePage(context)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    return page


@pytest.fixture
def ready(page, context):
    """A page whose first picture has been decoded."""
    put_weights(context, model_info())
    page.tick()
    context.inference.answer()
    return page


def pixel(page, column, row=0, index=0):
    """Return the grey value that the picture on screen has in its own resolution."""
    return QColor(page.stage.picture.picture(index).pixel(column, row)).red()


def grey(value):
    return int(np.clip(value * 30 + 128, 0, 255))


def test_without_weights_the_page_says_what_to_do_and_does_it(qtbot, context):
    trained = []
    context.training.state = TrainingState.IDLE
    context.train = lambda: trained.append(True)
    page = ExplorePage(context)
    qtbot.addWidget(page)
    page.show()
    page.tick()
    assert page.empty.isVisible()
    qtbot.mouseClick(page.empty.button, LEFT)
    assert trained
    assert context.inference.requests == []


def test_while_a_training_gets_ready_the_page_says_so_and_offers_no_button(page, context):
    context.training.state = TrainingState.PREPARING
    page.tick()
    assert "getting ready" in page.empty.label.text()
    assert not page.empty.button.isVisible()
    context.training.state = TrainingState.FAILED
    page.tick()
    assert page.empty.button.isVisible()


def test_the_first_weights_show_a_decoded_picture(ready, context):
    assert not ready.empty.isVisible()
    request = context.inference.of("explore")[0]
    np.testing.assert_array_equal(request.z[0], sample_z(0, 4))
    assert request.labels.tolist() == [0]
    assert pixel(ready, 0) == grey(request.z[0, 0])


def test_moving_a_slider_decodes_the_new_point(ready, context):
    ready.findChild(QSlider, "latentSlider1").setValue(2000)
    context.inference.answer()
    request = context.inference.of("explore")[-1]
    np.testing.assert_array_equal(request.z[0], [*sample_z(0, 4)[:1], 2.0, *sample_z(0, 4)[2:]])
    assert pixel(ready, 1) == grey(2.0)


def test_a_drag_has_one_request_under_way_and_ends_on_the_newest(ready, context):
    slider = ready.findChild(QSlider, "latentSlider0")
    for value in (100, 200, 300, 400):
        slider.setValue(value)
    assert len(context.inference.of("explore")) == 2  # the first picture, and the first move
    context.inference.answer()
    assert pixel(ready, 0) == grey(0.1)
    context.inference.answer()
    assert pixel(ready, 0) == grey(0.4)
    assert len(context.inference.of("explore")) == 3


def test_an_answer_to_a_forgotten_request_is_never_shown(ready, context):
    slider = ready.findChild(QSlider, "latentSlider0")
    slider.setValue(1000)
    ready._cancel()
    slider.setValue(-1000)
    context.inference.answer(index=-2)
    assert pixel(ready, 0) == grey(sample_z(0, 4)[0])
    context.inference.answer()
    assert pixel(ready, 0) == grey(-1.0)


def test_the_picture_follows_newer_weights_and_tells_their_step(ready, context, qtbot):
    before = len(context.inference.of("explore"))
    put_weights(context, ready.info, step=12_396)
    qtbot.waitUntil(lambda: bool(ready.tick() or len(context.inference.of("explore")) > before))
    context.inference.answer()
    assert "step 12,396" in ready.status_text()
    assert "old" in ready.status_text()


def test_holding_the_weights_pins_every_pane_and_following_lets_go(ready, context, qtbot):
    bar = ready.stage.follow_bar
    bar.button.click()
    held = context.inference.bound
    assert held is not context.training.weights
    assert held.get()[1].step == 10
    put_weights(context, ready.info, step=20)
    ready._asked_at = 0.0
    ready.tick()
    assert held.get()[1].step == 10
    context.inference.step = 10
    context.inference.answer()
    assert "held at step 10" in ready.status_text()
    bar.button.click()
    assert context.inference.bound is context.training.weights


def test_a_new_run_follows_the_training_again(ready, context):
    ready.stage.follow_bar.button.click()
    ready.restart()
    assert context.inference.bound is context.training.weights
    assert ready.stage.follow_bar.button.isChecked()
    assert ready.empty.isVisible()


def test_a_hidden_page_asks_for_nothing(ready, context):
    ready.hide()
    count = len(context.inference.requests)
    ready.findChild(QSlider, "latentSlider0").setValue(500)
    ready.panel.seeds.seed.setValue(5)
    assert len(context.inference.requests) == count
    ready.show()
    assert len(context.inference.of("explore")) > 0
    assert context.inference.requests[-1][1].z[0].tolist() == sample_z(5, 4).tolist()


def test_the_strip_shows_the_current_dimension_and_a_click_goes_there(ready, context, qtbot):
    qtbot.waitUntil(lambda: bool(context.inference.of("explore.strip")))
    request = context.inference.of("explore.strip")[-1]
    np.testing.assert_allclose(request.z[:, 0], np.linspace(-3, 3, 9))
    np.testing.assert_array_equal(request.z[:, 1:], np.repeat(sample_z(0, 4)[None, 1:], 9, axis=0))
    context.inference.answer("explore.strip")
    centre = ready.stage.strip.cell_rect(8).center()
    qtbot.mouseClick(ready.stage.strip, LEFT, pos=centre)
    assert ready.state.point.z[0] == 3.0


def test_moving_the_strips_own_dimension_asks_for_no_new_strip(ready, context, qtbot):
    qtbot.waitUntil(lambda: bool(context.inference.of("explore.strip")))
    context.inference.answer("explore.strip")
    ready.findChild(QSlider, "latentSlider0").setValue(700)
    assert not ready.stage.lower_area.requests["strip"]._rest.isActive()
    ready.findChild(QSlider, "latentSlider1").setValue(700)
    assert ready.stage.lower_area.requests["strip"]._rest.isActive()


def test_a_gallery_picture_is_encoded_with_its_class_and_shown_beside_its_decode(ready, context):
    put_gallery(context)
    ready.panel.start.choose_from_gallery(5)
    request = context.inference.of("explore")[-1]
    assert isinstance(request, ReconstructRequest)
    assert request.labels.tolist() == [2]
    assert request.images[0, 0, 0, 0] == 5
    context.inference.answer()
    np.testing.assert_array_equal(ready.state.point.z, np.full(4, 0.5))
    assert ready.state.point.label == 2
    assert pixel(ready, 3, row=3, index=0) == 200  # the original
    assert pixel(ready, 0, index=1) == grey(0.5)
    ready.panel.undo.click()
    context.inference.answer()
    assert ready.stage.picture.picture(1) is None  # the original belongs to the point that was left


def test_an_unmoved_encoding_is_encoded_anew_by_newer_weights(ready, context, qtbot):
    put_gallery(context)
    ready.panel.start.choose_from_gallery(0)
    context.inference.answer()
    steps_back = len(ready.state._past)
    context.inference.posterior = lambda request: np.full((1, 4), -1.0, np.float32)
    put_weights(context, ready.info, step=30)
    count = len(context.inference.of("explore"))
    qtbot.waitUntil(lambda: bool(ready.tick() or len(context.inference.of("explore")) > count))
    assert isinstance(context.inference.of("explore")[-1], ReconstructRequest)
    context.inference.answer()
    np.testing.assert_array_equal(ready.state.point.z, np.full(4, -1.0))
    assert len(ready.state._past) == steps_back
    ready.findChild(QSlider, "latentSlider0").setValue(100)
    assert isinstance(context.inference.of("explore")[-1], DecodeRequest)


def test_a_picture_that_cannot_be_encoded_is_let_go(ready, context):
    put_gallery(context)
    ready.panel.start.choose_from_gallery(0)
    context.inference.answer(error="no")
    assert context.errors.reports[0].what == "no"
    ready.findChild(QSlider, "latentSlider0").setValue(100)
    assert isinstance(context.inference.of("explore")[-1], DecodeRequest)


def test_an_error_is_told_once(ready, context):
    slider = ready.findChild(QSlider, "latentSlider0")
    for value in (1, 2, 3):
        slider.setValue(value)
        context.inference.answer(error="the weights do not fit")
    assert [report.what for report in context.errors.reports] == ["the weights do not fit"]


def test_a_file_and_a_pasted_picture_are_encoded(ready, context, tmp_path):
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(QColor(90, 90, 90))
    path = tmp_path / "grey.png"
    assert image.save(str(path))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    assert ready.panel.start.take_mime(mime)
    request = context.inference.of("explore")[-1]
    assert request.images.shape == (1, 10, 10, 1)
    assert request.images[0, 5, 5, 0] == 90
    context.inference.answer()
    assert ready.state.point.source == "grey.png"
    QGuiApplication.clipboard().setImage(image)
    ready.panel.start.paste.click()
    context.inference.answer()
    assert ready.state.point.source == "pasted picture"


def test_a_broken_file_costs_one_clear_message(ready, context, tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"not a picture")
    count = len(context.inference.requests)
    ready.panel.start.take_file(path)
    assert "broken.png is not a picture" in context.errors.reports[0].what
    assert len(context.inference.requests) == count


def test_a_point_from_another_page_is_taken_with_its_class(ready, context):
    ready.set_point(np.array([1, 2, 3, 4], np.float32), 1)
    context.inference.answer()
    assert context.inference.of("explore")[-1].z.tolist() == [[1, 2, 3, 4]]
    assert ready.state.point.label == 1
    assert ready.panel.sliders.slider(3).latent == 4.0
    ready.set_point(np.zeros(9, np.float32), 1)  # of another model
    assert ready.state.point.z.tolist() == [1, 2, 3, 4]


def test_another_model_restarts_the_page(ready, context):
    put_weights(context, model_info("vae", dim=7))
    ready.tick()
    assert ready.state.dim == 7
    assert ready.panel.sliders.dim == 7
    assert context.inference.of("explore")[-1].z.shape == (1, 7)


def test_512_dimensions_open_in_under_half_a_second(page, context, qtbot):
    put_weights(context, model_info("vae", dim=512))
    began = time.perf_counter()
    page.tick()
    page.grab()
    assert time.perf_counter() - began < 0.5


def test_a_picture_chosen_just_before_the_page_was_hidden_is_encoded_when_it_is_back(ready, context):
    put_gallery(context)
    ready.panel.start.choose_from_gallery(4)
    ready.hide()
    ready.show()
    assert isinstance(context.inference.of("explore")[-1], ReconstructRequest)
    context.inference.answer()
    assert ready.state.point.source == "picture 5"
