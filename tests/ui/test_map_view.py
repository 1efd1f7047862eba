from __future__ import annotations

import numpy as np
import pytest
from explore_fakes import model_info
from map_fakes import click, drag, make_survey, mouse
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from latentlab.core.latent_map import Plane, flat_layout
from latentlab.core.latent_pca import pca
from latentlab.ui import style
from latentlab.ui.pages import map_colours, map_paint, map_view
from latentlab.ui.pages.map_colours import choices, colour_points
from latentlab.ui.pages.map_paint import ticks
from latentlab.ui.pages.map_view import MapView

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def layout():
    survey = make_survey(model_info("cvae", 4, 4))
    return flat_layout(survey, Plane("dims", (0, 1)), pca(survey.mu))


@pytest.fixture
def view(qtbot, layout):
    style.apply_theme(QApplication.instance(), "dark")
    view = MapView()
    qtbot.addWidget(view)
    view.resize(500, 400)
    view.show()
    view.set_layout(layout)
    view.set_colours(colour_points(layout, "class"))
    return view


def colour_at(view, place):
    return QColor(view.raster().pixel(place.toPoint()))


def test_dots_lie_at_their_places_in_the_colour_of_their_class(view, layout):
    for number in (0, 1, 2, 3):
        found = {colour_at(view, view.place_of(i)).name() for i in range(number, 400, 4)}
        assert found == {map_colours.kind_colour(number).name()}


def test_all_of_the_map_is_in_sight_at_first_and_after_fit(view):
    assert view.in_view().mean() > 0.99
    view.zoom(20)
    assert view.in_view().mean() < 0.5
    view.fit()
    assert view.in_view().mean() > 0.99
    view.resize(300, 500)
    assert view.in_view().mean() > 0.99


def test_dragging_moves_the_map_with_the_pointer(view):
    before = view.place_of(0)
    with_moves = []
    view.moved.connect(lambda: with_moves.append(1))
    drag(view, [QPointF(100, 100), QPointF(130, 80), QPointF(160, 90)])
    after = view.place_of(0)
    assert (after - before).x() == pytest.approx(60, abs=1)
    assert (after - before).y() == pytest.approx(-10, abs=1)


def test_the_wheel_magnifies_around_the_pointer(view):
    place = view.place_of(7)
    scale = view.view.scale
    event = QWheelEvent(place, view.mapToGlobal(place), QPointF(0, 0).toPoint(), QPointF(0, 240).toPoint(),
                        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
                        False)  # fmt: skip
    QApplication.sendEvent(view, event)
    assert view.view.scale > 1.5 * scale
    assert (view.place_of(7) - place).manhattanLength() < 1


def test_pointing_tells_the_dot_or_the_place(view, qtbot):
    place = view.place_of(11)
    with qtbot.waitSignal(view.hovered) as caught:
        mouse(view, QEvent.Type.MouseMove, place, held=False)
    near = view.place_of(caught.args[0]) - place
    assert near.manhattanLength() < 2
    with qtbot.waitSignal(view.place_hovered) as caught:
        mouse(view, QEvent.Type.MouseMove, QPointF(250, 200), held=False)
    assert caught.args == pytest.approx(list(view.view.to_plane(250, 200)))
    assert view.hover == -1


def test_a_click_picks_and_a_drag_does_not(view, qtbot):
    picked = []
    view.picked.connect(picked.append)
    drag(view, [view.place_of(3), view.place_of(3) + QPointF(60, 0)])
    assert picked == []
    click(view, view.place_of(3))
    assert len(picked) == 1
    with qtbot.waitSignal(view.place_picked):
        click(view, QPointF(3, 3))


@pytest.mark.parametrize("way", ["shift", "tool"])
def test_an_outline_chooses_what_is_inside(view, layout, qtbot, way):
    view.set_lasso(way == "tool")
    middle = np.array([view.place_of(i).toTuple() for i in range(1, 400, 4)]).mean(axis=0)
    corners = [(-70, -70), (70, -70), (70, 70), (-70, 70), (-70, -70), (-70, -69), (-70, -68), (-70, -67)]
    with qtbot.waitSignal(view.lassoed) as caught:
        drag(view, [QPointF(middle[0] + x, middle[1] + y) for x, y in corners], shift=way == "shift")
    np.testing.assert_array_equal(np.flatnonzero(caught.args[0]), np.arange(1, 400, 4))


def test_the_keyboard_points_picks_opens_and_moves(view, qtbot):
    view.setFocus()
    with qtbot.waitSignal(view.place_hovered):
        QTest.keyClick(view, Qt.Key.Key_Right)
    with qtbot.waitSignal(view.place_picked) as caught:
        QTest.keyClick(view, Qt.Key.Key_Space)
    assert caught.args == pytest.approx(list(view.view.to_plane(258, 200)))
    with qtbot.waitSignal(view.opened):
        QTest.keyClick(view, Qt.Key.Key_Return)
    before = view.place_of(0)
    QTest.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert (view.place_of(0) - before).x() == pytest.approx(60)


def test_a_group_stays_bright_and_lies_on_top(view, layout):
    kept = np.zeros(400, dtype=bool)
    kept[2::4] = True
    view.set_colours(colour_points(layout, "class"), kept)
    bright = map_colours.kind_colour(2).name()
    assert {colour_at(view, view.place_of(i)).name() for i in range(2, 400, 4)} == {bright}
    assert colour_at(view, view.place_of(0)).lightness() < map_colours.kind_colour(0).lightness() - 50


def test_while_it_moves_a_large_map_is_drawn_as_a_sample(view, layout, monkeypatch, qtbot):
    monkeypatch.setattr(map_view, "MOVING_POINTS", 40)
    drawn = []
    draw = map_paint.draw_points

    def remember(pixels, *rest):
        drawn.append(len(pixels))
        return draw(pixels, *rest)

    monkeypatch.setattr(map_paint, "draw_points", remember)
    with qtbot.waitSignal(view.moved):
        view.zoom(1.1)
        view.raster()
    view.raster()
    assert drawn[0] == 40
    assert drawn[-1] == 400


def test_it_draws_everything_it_can_show(view, layout):
    view.set_pinned(5)
    view.hover = 6
    view.set_thumbnail(6, view.raster().copy(0, 0, 20, 20), "six")
    picture = view.grab().toImage()
    view.show_prior = False
    assert picture != view.grab().toImage()
    view.set_layout(None)
    view.message = "nothing"
    view.grab()


def test_every_colouring_has_a_colour_for_every_dot_and_says_what_it_means():
    facts = {
        "time": np.r_[np.nan, np.linspace(0, 90, 399)].astype(np.float32),
        "film": np.arange(400) % 2,
        "film_names": ("a.mp4", "b.mp4"),
        "attributes": (np.arange(800).reshape(400, 2) % 3 - 1).astype(np.int8),
        "factors": {"hue_a": np.linspace(0, 1, 400, dtype=np.float32)},
    }
    info = model_info("cvae", 4, 4)
    object.__setattr__(info, "attribute_names", ("Smiling", "Glasses"))
    survey = make_survey(info, **facts)
    survey.labels[0] = -1
    layout = flat_layout(survey, Plane("pca"), pca(survey.mu))
    keys = [key for key, _ in choices(survey)]
    assert keys == ["class", "film", "time", "error", "split", "attribute Smiling", "attribute Glasses",
                    "factor hue_a", "density", "none"]  # fmt: skip
    for key in [*keys, "factor gone", "attribute gone"]:
        found = colour_points(layout, key)
        assert found.pixels.shape == (400,)
        assert (found.pixels >> 24 == 255).all()
    assert colour_points(layout, "class").legend.entries[-1][0] == "unknown"
    assert colour_points(layout, "time").legend.high == "1:29"
    assert len({map_colours.kind_colour(number).name() for number in range(40)}) == 40


def test_ticks_are_round_and_few():
    assert ticks(-1.0, 1.0, 440) == pytest.approx([-1, -0.5, 0, 0.5, 1])
    assert ticks(2.0, 2.0, 100) == []
    assert len(ticks(-123.4, 1e5, 800)) < 12
