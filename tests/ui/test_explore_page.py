from __future__ import annotations

import time

import numpy as np
import pytest
from explore_fakes import make_context, model_info, put_gallery, put_weights
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QSlider

from latentlab.core.latent_state import sample_z
from latentlab.core.messages import DecodeRequest, EncodeRequest, ReconstructRequest
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
    context.train = lambda: trained.append(True)
    page = ExplorePage(context)
    qtbot.addWidget(page)
    page.show()
    page.tick()
    assert page.empty.isVisible()
    qtbot.mouseClick(page.empty.button, LEFT)
    assert trained
    assert context.inference.requests == []


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


def test_seed_randomise_reset_undo_and_redo(ready, qtbot):
    panel = ready.panel
    panel.seeds.seed.setValue(42)
    np.testing.assert_array_equal(ready.state.point.z, sample_z(42, 4))
    qtbot.keyClick(ready, Qt.Key.Key_R)
    drawn = ready.state.point
    assert drawn.seed == panel.seeds.seed.value()
    np.testing.assert_array_equal(drawn.z, sample_z(drawn.seed, 4))
    qtbot.keyClick(ready, Qt.Key.Key_0)
    assert not ready.state.point.z.any()
    qtbot.keyClick(ready, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert ready.state.point.same(drawn)
    control_shift = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(ready, Qt.Key.Key_Z, control_shift)
    assert not ready.state.point.z.any()
    assert not panel.redo.isEnabled()


def test_temperature_scales_a_draw_at_once_but_not_a_moved_point(ready):
    scale = ready.panel.seeds.scale
    scale.setValue(0.5)
    np.testing.assert_allclose(ready.state.point.z, sample_z(0, 4) / 2)
    ready.findChild(QSlider, "latentSlider0").setValue(1000)
    scale.setValue(2.0)
    assert ready.state.point.z[0] == 1.0


def test_a_lock_keeps_its_dimension(ready, qtbot):
    slider = ready.findChild(QSlider, "latentSlider2")
    qtbot.mouseClick(slider, LEFT, pos=slider.lock_rect().center())
    kept = ready.state.point.z[2]
    ready.panel.seeds.button.click()
    assert ready.state.point.z[2] == kept
    assert slider.locked


def test_a_class_is_chosen_and_z_stays(ready, context, qtbot):
    z = ready.state.point.z
    ready.findChild(QAbstractButton, "classButton2").click()
    context.inference.answer()
    assert context.inference.of("explore")[-1].labels.tolist() == [2]
    assert ready.state.point.z is z
    assert pixel(ready, 0, row=7) == 40
    qtbot.keyClick(ready, Qt.Key.Key_C)
    assert ready.state.point.label == 0


def test_a_model_without_classes_has_no_picker_and_sends_none(page, context):
    put_weights(context, model_info("vae", classes=3))
    page.tick()
    assert not page.panel.picker.isVisible()
    assert context.inference.of("explore")[0].labels is None


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
    assert not ready._strip._rest.isActive()
    ready.findChild(QSlider, "latentSlider1").setValue(700)
    assert ready._strip._rest.isActive()


def test_dragging_on_the_picture_moves_along_two_fixed_directions(ready, qtbot):
    picture = ready.stage.picture
    start = ready.state.point.z.copy()
    qtbot.mousePress(picture, LEFT, pos=QPoint(100, 100))
    qtbot.mouseMove(picture, QPoint(100 + picture.width() // 2, 100))
    qtbot.mouseRelease(picture, LEFT, pos=QPoint(100 + picture.width() // 2, 100))
    across, _ = ready.drag.directions(4)
    np.testing.assert_allclose(ready.state.point.z - start, across / 2, atol=0.02)
    ready.panel.undo.click()
    np.testing.assert_array_equal(ready.state.point.z, start)


def test_dragging_can_use_two_dimensions(ready, qtbot):
    ready.panel.sliders.set_current(3)
    ready.drag.across.trigger()
    ready.panel.sliders.set_current(1)
    ready.drag.up.trigger()
    ways = ready.drag.directions(4)
    assert np.flatnonzero(ways[0]).tolist() == [3]
    assert np.flatnonzero(ways[1]).tolist() == [1]
    ready.drag.random.trigger()
    assert np.count_nonzero(ready.drag.directions(4)) == 8


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


def test_dimensions_are_measured_sorted_and_folded(ready, context, qtbot):
    put_gallery(context)
    mu = np.zeros((64, 4), np.float32)
    mu[:, 2] = np.tile([-2.0, 2.0], 32)
    mu[:, 0] = np.tile([-1.0, 1.0], 32)
    context.inference.posterior = lambda request: mu
    ready.tick()
    request = context.inference.of("explore.use")[-1]
    assert isinstance(request, EncodeRequest)
    assert len(request.images) == 64
    context.inference.answer("explore.use")
    panel = ready.panel
    assert panel.sliders.order == [0, 1, 2, 3]
    assert panel.fold.text() == "Fold dead (2)"
    panel.order.setCurrentIndex(1)
    assert panel.sliders.order == [2, 0, 1, 3]
    panel.sliders.set_current(0)
    panel.fold.click()
    assert panel.sliders.order == [2, 0]
    assert panel.sliders.slider(1).dead


def test_measuring_waits_some_seconds_between_weights(ready, context):
    put_gallery(context)
    context.inference.posterior = lambda request: np.zeros((64, 4), np.float32)
    ready.tick()
    context.inference.answer("explore.use")
    put_weights(context, ready.info, step=11)
    ready.tick()
    assert len(context.inference.of("explore.use")) == 1


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


def test_the_range_reaches_sliders_ruler_and_strip(ready, context, qtbot):
    ready.panel.range.setValue(5.0)
    assert ready.panel.sliders.slider(0).maximum() == 5000
    assert ready.panel.sliders.ruler.limit == 5.0
    qtbot.waitUntil(lambda: bool(context.inference.of("explore.strip")))
    assert context.inference.of("explore.strip")[-1].z[0, 0] == -5.0


def test_layout_comes_back_and_nonsense_is_ignored(qtbot, context, ready):
    panel = ready.panel
    panel.order.setCurrentIndex(1)
    panel.range.setValue(4.5)
    panel.seeds.scale.setValue(0.7)
    state = ready.save_state()
    other = ExplorePage(make_context())
    qtbot.addWidget(other)
    other.restore_state(state)
    assert other.panel.save_state() == panel.save_state()
    for bad in ({"splitter": "x", "sliders": 3}, {"sliders": {"range": "wide", "order": 7, "temperature": None}}, {}):
        other.restore_state(bad)
    assert other.panel.range.value() == 4.5


def test_512_dimensions_open_in_under_half_a_second(page, context, qtbot):
    put_weights(context, model_info("vae", dim=512))
    began = time.perf_counter()
    page.tick()
    page.grab()
    assert time.perf_counter() - began < 0.5


def test_every_control_has_a_tooltip_and_a_name(ready):
    kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QSlider)
    controls = [w for kind in kinds for w in ready.findChildren(kind)]
    assert len(controls) > 15
    named = [w for w in controls if w.toolTip() and (w.accessibleName() or w.text())]
    assert [w for w in controls if w not in named] == []
