from __future__ import annotations

import json

import numpy as np
import pytest
from explore_fakes import make_context, model_info, put_gallery, put_weights
from PySide6.QtCore import QPoint, Qt

from latentlab.core.latent_state import sample_z
from latentlab.core.picture_origin import Origin
from latentlab.core.saved_points import read_points
from latentlab.ui.pages.explore import ExplorePage

LEFT = Qt.MouseButton.LeftButton
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture
def context(tmp_path):
    context = make_context()
    context.messages = []
    context.show_message = context.messages.append
    run = tmp_path / "run"
    run.mkdir()
    put_weights(context, model_info(run=run))
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
def lower(page):
    return page.stage.lower_area


def bring(page, qtbot, name):
    """Bring a pane to the front and answer its request; return (pane, request)."""
    context, pane = page.context, f"explore.{name}"
    count = len(context.inference.of(pane))
    page.stage.lower_area.show_pane(name)
    qtbot.waitUntil(lambda: len(context.inference.of(pane)) > count)
    context.inference.answer(pane)
    return page.stage.lower_area.pane, context.inference.of(pane)[-1]


def test_traversals_follow_the_order_of_the_sliders(page, qtbot):
    page.panel.sliders.set_order([2, 0, 3, 1])
    page.stage.lower_area.traversals.rows.setValue(2)
    pane, request = bring(page, qtbot, "traversals")
    assert pane.grid.rows == ("z2", "z0")
    assert request.z.shape == (18, 4)
    np.testing.assert_allclose(request.z[:9, 2], np.linspace(-3, 3, 9))
    before = page.state.point
    qtbot.mouseClick(pane.view, LEFT, pos=pane.view.cell_rect(17).center())
    assert page.state.point.z[0] == 3.0
    assert page.state.point.source == before.source  # A cell of a traversal is a move from where z was.
    page.panel.undo.click()
    assert page.state.point.same(before)


def test_only_the_pane_in_front_asks(page, context, qtbot):
    bring(page, qtbot, "corners")
    counts = {name: len(context.inference.of(f"explore.{name}")) for name in ("strip", "traversals", "walk")}
    page.moves.draw(9, 1.0)
    qtbot.waitUntil(lambda: len(context.inference.of("explore.corners")) > 1)
    assert counts == {name: len(context.inference.of(f"explore.{name}")) for name in counts}


def test_the_plane_follows_the_mouse_and_a_drag_is_one_step_back(page, context, qtbot):
    pane, request = bring(page, qtbot, "plane")
    assert request.z.shape == (49, 4)
    view, before = pane.view, page.state.point
    qtbot.mouseMove(view, view.cell_rect(6).center())  # upper right
    assert context.inference.of("explore")[-1].z[0].tolist() == pytest.approx([3, 3, *before.z[2:]], abs=0.1)
    assert page.state.point.same(before)  # Pointing is only looking.
    context.inference.answer()
    view.leaveEvent(None)
    assert context.inference.of("explore")[-1].z[0].tolist() == before.z.tolist()
    context.inference.answer()
    qtbot.mousePress(view, LEFT, pos=view.cell_rect(42).center())
    qtbot.mouseMove(view, view.cell_rect(24).center())
    qtbot.mouseRelease(view, LEFT, pos=view.cell_rect(24).center())
    np.testing.assert_allclose(page.state.point.z, [0, 0, *before.z[2:]], atol=0.1)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    page.panel.undo.click()
    page.panel.undo.click()
    assert page.state.point.same(before)


def test_moving_in_the_plane_leaves_the_plane_as_it_is(page, context, qtbot):
    bring(page, qtbot, "plane")
    page.panel.sliders.slider(0).assign(1.0)
    assert not page.stage.lower_area.requests["plane"]._rest.isActive()
    page.panel.sliders.slider(2).assign(1.0)
    assert page.stage.lower_area.requests["plane"]._rest.isActive()


def test_a_walk_goes_from_here_to_a_seed_and_back(page, qtbot):
    pane, request = bring(page, qtbot, "walk")
    np.testing.assert_allclose(request.z[0], page.state.point.z, atol=1e-5)
    np.testing.assert_allclose(request.z[-1], sample_z(1, 4), atol=1e-5)
    assert "apart" in pane.label.text()
    pane._swap()
    assert pane.points[0].combo.currentText() == "seed 1"
    qtbot.mouseClick(pane.view, LEFT, pos=pane.view.cell_rect(4).center())
    assert page.state.point.source == "here to seed 1"
    assert not page.state.point.edited


def test_arithmetic_has_c_in_its_middle(page, qtbot):
    _, request = bring(page, qtbot, "arithmetic")
    np.testing.assert_allclose(request.z[4], page.state.point.z)
    np.testing.assert_allclose(request.z[8] - request.z[4], sample_z(1, 4) - sample_z(2, 4), atol=1e-5)


def test_kept_points_have_notes_and_stay_with_the_run(page, context, qtbot, lower):
    qtbot.keyClick(page, Qt.Key.Key_B)
    first = page.state.point
    page.moves.draw(5, 1.0)
    qtbot.keyClick(page, Qt.Key.Key_B)
    pane, request = bring(page, qtbot, "points")
    assert [saved.name for saved in page.points.points] == ["A", "B"]
    np.testing.assert_array_equal(request.z, np.stack([first.z, page.state.point.z]))
    qtbot.mouseClick(pane.view, LEFT, pos=pane.view.cell_rect(0).center())
    assert page.state.point.same(first)
    pane.note.setFocus()
    qtbot.keyClicks(pane.note, "a thin one")
    qtbot.keyClick(pane.note, Qt.Key.Key_Return)
    run = page.info.run
    assert [(saved.name, saved.note) for saved in read_points(run)] == [("A", "a thin one"), ("B", "")]
    assert "point A" in page.scene().choices
    pane.choose("B")
    pane.remove.click()
    assert [saved.name for saved in read_points(run)] == ["A"]
    again = ExplorePage(context)
    qtbot.addWidget(again)
    again.show()
    again.tick()
    assert again.points.points[0].note == "a thin one"
    again.close_down()


def test_the_wipe_puts_the_original_or_a_point_under_the_picture(page, context, qtbot):
    put_gallery(context)
    wipe, picture = page.stage.wipe, page.stage.picture
    page.panel.start.choose_from_gallery(5)
    context.inference.answer()
    wipe.set_target("the original")
    context.inference.answer()
    assert picture.wiping
    assert picture.names[0] == "original"
    assert picture.picture(1) is None  # The original is under the picture, not beside it.
    x = round(picture.line_x())
    at = QPoint(x, picture.wiped_rect().center().y())
    before = page.state.point
    qtbot.mousePress(picture, LEFT, pos=at)
    qtbot.mouseMove(picture, QPoint(picture.wiped_rect().left() + 3, at.y()))
    qtbot.mouseRelease(picture, LEFT, pos=QPoint(picture.wiped_rect().left() + 3, at.y()))
    assert picture.share < 0.1
    assert page.state.point.same(before)  # The line was dragged, not z.
    page.stage.lower_area.points.keep.click()
    wipe.set_target("A")
    context.inference.answer("explore.before")
    assert picture.names[0] == "A"
    qtbot.keyClick(page, Qt.Key.Key_W)
    assert not picture.wiping
    page.points.drop("A")
    assert "A" not in [action.data() for action in wipe._group.actions()]


def test_the_wipe_shows_both_pictures(page, context, qtbot):
    picture = page.stage.picture
    picture.set_images(np.full((1, 8, 8, 1), 250, np.uint8))
    picture.set_before(np.full((8, 8, 1), 10, np.uint8))
    rect, shot = picture.wiped_rect(), picture.grab().toImage()
    row = rect.center().y()
    assert shot.pixelColor(rect.left() + rect.width() // 4, row).red() == 10
    assert shot.pixelColor(rect.left() + 3 * rect.width() // 4, row).red() == 250


def test_a_grid_is_saved_at_its_scale_and_copied(page, context, qtbot, lower, tmp_path):
    saved, copied = [], []
    context.save_picture = lambda image, path: saved.append((image, path))
    context.copy_picture = copied.append
    lower.show_pane("walk")
    lower.save(1)
    assert "no grid" in context.messages[-1]
    bring(page, qtbot, "corners")
    lower.save(2)
    lower.copy()
    image, path = saved[0]
    assert image.width() == 7 * 8 * 2
    assert "explore-corners" in path.name
    assert copied[0].width() == 7 * 8


def test_an_exported_picture_brings_back_point_sliders_and_grid(page, context, qtbot, lower):
    page.moves.draw(12, 1.0)
    page.moves.lock(2, True)
    page.panel.sliders.slider(1).assign(0.75)
    page.panel.sliders.set_current(1)
    lower.show_pane("traversals")
    lower.traversals.rows.setValue(3)
    point, state = page.state.point, page.picture_state()
    labels = [int(label) for label in state.labels]
    view = json.loads(json.dumps(state.view))
    origin = Origin(z=state.z.astype("float64").tolist(), labels=labels, seed=state.seed, view=view)
    page.moves.draw(1, 1.0)
    page.moves.lock(2, False)
    lower.show_pane("strip")
    lower.traversals.rows.setValue(5)
    page.bring_back(origin)
    assert page.state.point.same(point)
    assert lower.pane.name == "traversals"
    assert lower.traversals.rows.value() == 3
    assert page.panel.sliders.current == 1
    page.bring_back(Origin(z=[[0.0] * 9]))  # Of another model.
    assert page.state.point.same(point)


def test_panes_come_back_as_they_were(page, qtbot, lower):
    lower.show_pane("corners")
    lower.corners.steps.setValue(5)
    state = page.save_state()
    other = ExplorePage(make_context())
    qtbot.addWidget(other)
    other.restore_state(state)
    assert other.stage.lower_area.pane.name == "corners"
    assert other.stage.lower_area.corners.steps.value() == 5
    other.restore_state({"lower": {"pane": 3, "corners": {"cornersSteps": "x"}}, "nearest": "?"})
    assert other.stage.lower_area.pane.name == "corners"
    other.close_down()


def test_the_room_that_a_hand_gave_the_grid_stays_and_comes_back(page, qtbot, lower):
    splitter = page.stage.splitter
    lower.show_pane("corners")
    splitter.setSizes([300, 500])
    splitter.splitterMoved.emit(300, 1)
    share = splitter.sizes()[1] / sum(splitter.sizes())
    lower.show_pane("strip")
    assert splitter.sizes()[1] / sum(splitter.sizes()) < share
    lower.show_pane("corners")
    assert splitter.sizes()[1] / sum(splitter.sizes()) == pytest.approx(share, abs=0.02)
    other = ExplorePage(make_context())
    qtbot.addWidget(other)
    other.restore_state(page.save_state())
    assert other.stage.save_shares() == page.stage.save_shares()
    other.restore_state({"stage": [300, 20]})
    other.restore_state({"stage": {"strip False": 7.0}})
    assert other.stage.save_shares() == page.stage.save_shares()
    other.close_down()


@pytest.mark.parametrize(("key", "name"), [("2", "traversals"), ("3", "plane"), ("7", "points"), ("1", "strip")])
def test_alt_and_a_digit_bring_a_pane_to_the_front(page, qtbot, lower, key, name):
    lower.show_pane("walk")
    qtbot.keyClick(page, Qt.Key(ord(key)), Qt.KeyboardModifier.AltModifier)
    assert lower.pane.name == name
