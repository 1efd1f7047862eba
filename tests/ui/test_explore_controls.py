from __future__ import annotations

import numpy as np
import pytest
from explore_fakes import make_context, model_info, put_gallery, put_weights
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QSlider

from latentlab.core.latent_state import sample_z
from latentlab.core.messages import EncodeRequest
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


def test_dimensions_are_measured_sorted_and_folded(ready, context, qtbot):
    put_gallery(context)
    mu = np.zeros((100, 4), np.float32)
    mu[:, 2] = np.tile([-2.0, 2.0], 50)
    mu[:, 0] = np.tile([-1.0, 1.0], 50)
    context.inference.posterior = lambda request: mu
    ready.tick()
    request = context.inference.of("explore.use")[-1]
    assert isinstance(request, EncodeRequest)
    assert len(request.images) == 100
    context.inference.answer("explore.use")
    panel = ready.panel
    assert panel.sliders.order == [2, 0, 1, 3]
    assert panel.fold.text() == "Fold dead (2)"
    panel.order.setCurrentText("By index")
    assert panel.sliders.order == [0, 1, 2, 3]
    panel.order.setCurrentText("By variance")
    panel.sliders.set_current(0)
    panel.fold.click()
    assert panel.sliders.order == [2, 0]
    assert panel.sliders.slider(1).dead


def test_measuring_waits_some_seconds_between_weights(ready, context):
    put_gallery(context)
    context.inference.posterior = lambda request: np.zeros((100, 4), np.float32)
    ready.tick()
    context.inference.answer("explore.use")
    put_weights(context, ready.info, step=11)
    ready.tick()
    assert len(context.inference.of("explore.use")) == 1


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


def test_every_control_has_a_tooltip_and_a_name(ready):
    kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QSlider)
    controls = [w for kind in kinds for w in ready.findChildren(kind)]
    assert len(controls) > 15
    named = [w for w in controls if w.toolTip() and (w.accessibleName() or w.text())]
    assert [w for w in controls if w not in named] == []


def test_keys_reach_the_page_from_a_number_field(ready, qtbot):
    field = ready.panel.seeds.seed
    field.setFocus()
    qtbot.keyClicks(field, "7")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    typed = ready.state.point
    assert typed.seed != 0
    qtbot.keyClick(field, Qt.Key.Key_C)
    assert ready.state.point.label == 1
    qtbot.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert ready.state.point.same(typed)
