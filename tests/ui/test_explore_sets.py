from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from explore_fakes import make_context, model_info, put_gallery, put_weights
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSlider

from latentlab.core.directions import read_directions
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ReconstructRequest
from latentlab.ui.pages.explore import ExplorePage
from latentlab.ui.pages.explore_arrange import matches

LEFT = Qt.MouseButton.LeftButton
RNG = np.random.default_rng(5)
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture
def context(tmp_path):
    context = make_context()
    context.messages = []
    context.show_message = context.messages.append
    run = tmp_path / "run"
    run.mkdir()
    put_gallery(context, 60)
    put_weights(context, model_info("vae", run=run))
    mu = RNG.normal(size=(60, 4)).astype(np.float32)
    mu[:, 1] += 3.0 * (np.arange(60) % 3 == 2)  # Class 2 lies along dimension 1.
    mu[:, 3] = 0.0
    context.inference.posterior = lambda request: mu[: len(request.images)]
    return context


@pytest.fixture
def page(qtbot, context):
    page = ExplorePage(context)
    qtbot.addWidget(page)
    page.resize(1100, 800)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    page.tick()
    context.inference.answer()
    yield page
    page.close_down()


@pytest.fixture
def known(page, context, qtbot):
    """A page that knows its data."""
    context.inference.answer("explore.use")
    qtbot.waitUntil(lambda: bool(page.tick() or page.panel.data is not None))
    return page


def test_class_directions_become_sliders_that_move_z_along_them(known, qtbot):
    known.panel.arrangement.choose_set("classes")
    sliders = known.panel.sliders
    assert sliders.axes.names == ("0", "1", "2")
    slider = known.findChild(QSlider, "directionSlider2")
    assert "class 2" in slider.toolTip()
    before = known.state.point
    slider.assign(2.5)
    unit = sliders.axes.unit(2)
    assert known.state.point.z @ unit == pytest.approx(2.5, abs=1e-4)
    way = known.state.point.z - before.z
    np.testing.assert_allclose(way, (way @ unit) * unit, atol=1e-4)
    assert abs(unit[1]) > 0.9
    known.panel.undo.click()
    assert known.state.point.same(before)
    assert slider.latent == pytest.approx(float(before.z @ unit), abs=1e-5)


def test_the_strip_runs_along_the_current_direction(known, context, qtbot):
    known.panel.arrangement.choose_set("principal")
    context.inference.requests.clear()
    known.stage.lower_area.refresh()
    known.panel.sliders.set_current(1)
    qtbot.waitUntil(lambda: bool(context.inference.of("explore.strip")))
    request = context.inference.of("explore.strip")[-1]
    unit = known.panel.sliders.axes.unit(1)
    low, high = known.panel.sliders.spans[1]
    np.testing.assert_allclose(request.z @ unit, np.linspace(low, high, 9), atol=1e-4)


def test_the_data_gives_the_sliders_their_range(known):
    sliders = known.panel.sliders
    low, high = sliders.slider(1).low, sliders.slider(1).high
    assert high > 4.0  # Class 2 reaches out.
    assert sliders.slider(1).band is not None
    assert sliders.slider(3).high <= 3.5
    assert not sliders.ruler.shared
    known.panel.arrangement.data.click()
    assert (sliders.slider(1).low, sliders.slider(1).high) == (-3.0, 3.0)
    assert sliders.ruler.shared
    assert low < -1.0


def test_the_present_move_is_saved_renamed_and_forgotten_as_a_direction(known, qtbot):
    run = known.info.run
    known.moves.draw(3, 1.0)
    known.panel.sliders.slider(0).assign(2.0)
    start = known.state.origin_of_move.z
    qtbot.keyClick(known, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    bar = known.panel.bar
    assert bar.isVisible()
    assert bar.name.hasFocus()
    qtbot.keyClicks(bar.name, "wider")
    qtbot.keyClick(bar.name, Qt.Key.Key_Return)
    saved = read_directions(run)
    assert [way.name for way in saved] == ["wider"]
    np.testing.assert_allclose(saved[0].vector, known.state.point.z - start, atol=1e-6)
    assert known.panel.sliders.axes.names == ("wider",)
    known.findChild(QSlider, "directionSlider0").assign(1.0)
    bar.name.setText("broad")
    qtbot.mouseClick(bar.rename_button, LEFT)
    assert [way.name for way in read_directions(run)] == ["broad"]
    qtbot.mouseClick(bar.delete_button, LEFT)
    assert read_directions(run) == []
    assert "No direction is saved" in known.panel.hint.text()


def test_without_a_move_there_is_no_direction_to_save(known, context):
    known.panel.arrangement.choose_set("saved")
    known.panel.bar.name.setText("nowhere")
    known.panel.bar.save()
    assert "Nothing was moved" in context.messages[-1]
    assert read_directions(known.info.run) == []


def test_sets_that_the_data_does_not_have_say_so(known):
    known.panel.arrangement.choose_set("attributes")
    assert known.panel.hint.isVisible()
    assert "no attributes" in known.panel.hint.text()
    assert known.stage.lower_area.strip.key(known.scene()) is None


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("z12", "12", True),
        ("z12", "z12", True),
        ("z112", "12", False),
        ("z12", "10-20", True),
        ("z12", "3, 12", True),
        ("smiling", "smil", True),
        ("smiling", "hat", False),
        ("PC 4", "4", True),
    ],
)
def test_sliders_are_found_by_number_range_and_name(name, text, found):
    assert matches(name, text) is found


def test_the_search_shows_what_it_finds_and_enter_goes_there(known, qtbot):
    find = known.panel.arrangement.find_field
    qtbot.keyClick(known, Qt.Key.Key_Slash)
    assert find.hasFocus()
    qtbot.keyClicks(find, "1-2")
    assert sorted(known.panel.sliders.order) == [1, 2]
    qtbot.keyClick(find, Qt.Key.Key_Return)
    assert known.panel.sliders.current in (1, 2)
    find.setFocus()
    qtbot.keyClick(find, Qt.Key.Key_Escape)
    assert len(known.panel.sliders.order) == 4


def test_the_order_can_be_that_of_the_measured_change(known, context, qtbot):
    context.inference.requests.clear()
    known._moved_at = 0.0
    qtbot.waitUntil(lambda: bool(known.tick() or context.inference.of("explore.change")))
    while known.watch.stats.change is None:
        known.watch._change._next_at = 0.0
        known.tick()
        context.inference.answer("explore.change")
    request = context.inference.of("explore.change")[0]
    np.testing.assert_allclose(request.z[0] - request.z[1], [-2, 0, 0, 0])
    assert known.watch.stats.change.shape == (4,)
    assert (known.watch.stats.change > 0).all()
    known.panel.order.setCurrentText("By change")
    assert known.panel.sliders.order == known.watch.stats.order("change").tolist()
    assert "RMS" in known.panel.sliders.slider(0).toolTip()


def test_class_means_are_places_to_start_from(known):
    more = known.panel.more
    texts = [action.text() for action in more.mean.menu().actions()]
    assert texts == ["Mean of all images", "Mean of 0", "Mean of 1", "Mean of 2"]
    more.mean.menu().actions()[3].trigger()
    np.testing.assert_allclose(known.state.point.z, known.panel.data.class_means[2], atol=1e-6)
    assert known.state.point.source == "mean of 2"
    assert "mean of 0" in known.scene().choices


def test_the_frame_of_the_video_page_is_a_place_to_start_from(known, context):
    more = known.panel.more
    more.frame.click()
    assert "no frame yet" in context.messages[-1]
    slot: LatestSlot = LatestSlot()
    slot.put(SimpleNamespace(index=41, original=np.full((8, 8, 3), 90, np.uint8)))
    context.video = SimpleNamespace(frame=slot)
    more.frame.click()
    request = context.inference.of("explore")[-1]
    assert isinstance(request, ReconstructRequest)
    assert request.images.shape == (1, 8, 8, 1)
    assert request.images[0, 0, 0, 0] == 90
    context.inference.answer()
    assert known.state.point.source == "frame 41"


def test_the_next_set_comes_with_a_key(known, qtbot):
    qtbot.keyClick(known, Qt.Key.Key_S)
    assert known.panel.arrangement.kind == "principal"
    assert known.panel.sliders.axes.names[0] == "PC 1"
