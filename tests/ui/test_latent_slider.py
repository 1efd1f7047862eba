from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QSlider

from latentlab.core.latent_state import LatentState
from latentlab.core.latent_stats import dimension_stats
from latentlab.ui.widgets.latent_slider_list import LatentSliderList
from latentlab.ui.widgets.latent_slider_paint import format_latent, mark_values, parse_latent, track_rect

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def rows(qtbot):
    sliders = LatentSliderList()
    qtbot.addWidget(sliders)
    sliders.resize(360, 400)
    sliders.set_point(LatentState(8).point)
    sliders.show()
    qtbot.waitExposed(sliders)
    return sliders


@pytest.fixture
def moves(rows):
    seen = []
    rows.moved.connect(lambda dimension, value: seen.append((dimension, value)))
    return seen


def x_of(slider, value):
    track = track_rect(slider.width(), slider.height())
    return QPoint(round(track.left() + (value / slider.limit + 1) / 2 * track.width()), slider.height() // 2)


def wheel(slider, notches, modifiers=Qt.KeyboardModifier.NoModifier):
    at = QPointF(100, 12)
    turn = QPoint(0, 120 * notches)
    event = QWheelEvent(
        at,
        slider.mapToGlobal(at),
        QPoint(),
        turn,
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(slider, event)
    if not event.isAccepted():  # Qt hands only real events on to the parent.
        QApplication.sendEvent(slider.parentWidget(), event)


def test_rows_are_sliders_with_names_tooltips_and_accessible_names(rows):
    slider = rows.findChild(QSlider, "latentSlider3")
    assert slider is not None
    assert slider.accessibleName() == "Latent dimension 3"
    assert "standard deviation" in slider.toolTip().lower()


def test_a_press_jumps_and_a_drag_follows_the_pointer(rows, moves, qtbot):
    slider = rows.slider(2)
    qtbot.mousePress(slider, LEFT, pos=x_of(slider, 1.0))
    qtbot.mouseMove(slider, x_of(slider, -2.0))
    qtbot.mouseRelease(slider, LEFT, pos=x_of(slider, -2.0))
    assert [d for d, _ in moves] == [2, 2]
    assert moves[0][1] == pytest.approx(1.0, abs=0.03)
    assert moves[1][1] == pytest.approx(-2.0, abs=0.03)
    assert rows.current == 2


def test_a_drag_ends_in_one_gesture(rows, qtbot):
    slider = rows.slider(0)
    with qtbot.waitSignal(rows.gesture_ended, timeout=3000):
        qtbot.mousePress(slider, LEFT, pos=x_of(slider, 1.0))
        qtbot.mouseRelease(slider, LEFT, pos=x_of(slider, 1.0))


def test_shift_drag_is_ten_times_finer(rows, moves, qtbot):
    slider = rows.slider(0)
    shift = Qt.KeyboardModifier.ShiftModifier
    from PySide6.QtGui import QMouseEvent

    qtbot.mousePress(slider, LEFT, shift, pos=x_of(slider, 0.0))
    target = QPointF(x_of(slider, 2.0))
    event = QMouseEvent(
        QMouseEvent.Type.MouseMove, target, slider.mapToGlobal(target), Qt.MouseButton.NoButton, LEFT, shift
    )
    QApplication.sendEvent(slider, event)
    assert moves[-1][1] == pytest.approx(0.2, abs=0.02)


def test_double_click_resets(rows, moves, qtbot):
    slider = rows.slider(1)
    slider.assign(2.0)
    qtbot.mouseDClick(slider, LEFT, pos=x_of(slider, 2.0))
    assert moves[-1] == (1, 0.0)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Qt.Key.Key_Right, 0.6),
        (Qt.Key.Key_Left, 0.4),
        (Qt.Key.Key_PageUp, 1.5),
        (Qt.Key.Key_PageDown, -0.5),
        (Qt.Key.Key_Home, -3.0),
        (Qt.Key.Key_End, 3.0),
        (Qt.Key.Key_Delete, 0.0),
    ],
)
def test_keys_move_the_value(rows, moves, qtbot, key, expected):
    slider = rows.slider(4)
    slider.set_latent(0.5)
    qtbot.keyClick(slider, key)
    assert moves == [(4, pytest.approx(expected))]


def test_arrow_keys_keep_inside_the_range(rows, moves, qtbot):
    slider = rows.slider(4)
    slider.set_latent(2.95)
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert moves[-1][1] == 3.0


def test_up_and_down_walk_through_the_list_in_its_order(rows, qtbot):
    rows.set_order([5, 1, 0, 2, 3, 4, 6, 7])
    rows.focus_dimension(1)
    qtbot.keyClick(rows.slider(1), Qt.Key.Key_Down)
    assert rows.current == 0
    qtbot.keyClick(rows.slider(0), Qt.Key.Key_Up)
    qtbot.keyClick(rows.slider(1), Qt.Key.Key_Up)
    assert rows.current == 5
    qtbot.keyClick(rows.slider(5), Qt.Key.Key_Up)
    assert rows.current == 5


def test_typing_a_value_takes_any_number_and_escape_none(rows, moves, qtbot):
    slider = rows.slider(0)
    qtbot.keyClick(slider, Qt.Key.Key_Return)
    field = slider.findChild(QLineEdit)
    qtbot.keyClicks(field, "-4.25")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert moves == [(0, -4.25)]
    assert slider.value() == slider.minimum()  # the handle waits at the end of the track
    qtbot.keyClick(slider, Qt.Key.Key_Return)
    field = slider.findChildren(QLineEdit)[-1]
    qtbot.keyClicks(field, "1")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert len(moves) == 1
    assert slider.latent == -4.25


def test_clicking_the_number_types_and_clicking_the_lock_locks(rows, qtbot):
    slider = rows.slider(0)
    with qtbot.waitSignal(rows.lock_toggled) as blocker:
        qtbot.mouseClick(slider, LEFT, pos=slider.lock_rect().center())
    assert blocker.args == [0, True]
    qtbot.mouseClick(slider, LEFT, pos=slider.value_rect().center())
    assert slider.findChild(QLineEdit).hasFocus() or slider.findChild(QLineEdit).isVisible()


def test_the_wheel_moves_a_row_when_the_list_does_not_scroll(rows, moves):
    wheel(rows.slider(1), 2)
    assert moves[-1] == (1, pytest.approx(0.2))
    wheel(rows.slider(1), -1, Qt.KeyboardModifier.ShiftModifier)
    assert moves[-1] == (1, pytest.approx(0.19))


def test_the_wheel_scrolls_a_long_list_unless_the_row_is_focused(rows, moves):
    rows.set_point(LatentState(100).point)
    wheel(rows.slider(1), -1)
    assert not moves
    assert rows.verticalScrollBar().value() > 0


def test_showing_a_point_tells_nobody(rows, moves):
    state = LatentState(8, seed=3)
    rows.set_point(state.point)
    assert not moves
    assert rows.slider(0).latent == pytest.approx(float(state.point.z[0]))


def test_setting_the_slider_from_outside_is_a_move(rows, moves):
    rows.findChild(QSlider, "latentSlider0").setValue(1500)
    assert moves == [(0, 1.5)]


def test_many_dimensions_open_at_once_and_are_made_when_seen(qtbot):
    sliders = LatentSliderList()
    qtbot.addWidget(sliders)
    sliders.resize(360, 700)
    point = LatentState(4096, seed=0).point
    sliders.show()
    began = time.perf_counter()
    sliders.set_point(point)
    QApplication.processEvents()
    assert time.perf_counter() - began < 0.5
    assert len(sliders.sliders()) < 100
    sliders.focus_dimension(4095)
    last = sliders.findChild(QSlider, "latentSlider4095")
    assert last.isVisible()
    assert last.latent == pytest.approx(float(point.z[4095]))
    assert not sliders.slider(0).isVisible()


def test_fewer_dimensions_leave_no_rows_behind(rows):
    rows.set_point(LatentState(3).point)
    assert sorted(rows.sliders()) == [0, 1, 2]
    assert rows.order == [0, 1, 2]


def test_dead_dimensions_are_dimmed_and_told(rows):
    before = rows.slider(7).grab().toImage()
    mu = np.zeros((4, 8), np.float32)
    mu[:, :7] = np.array([-1, 1, -1, 1])[:, None]
    rows.set_stats(dimension_stats(mu, None))
    assert "Dead" in rows.slider(7).toolTip()
    assert "Dead" not in rows.slider(6).toolTip()
    assert rows.slider(7).grab().toImage() != before


def test_a_value_moves_pixels(rows):
    before = rows.slider(0).grab().toImage()
    rows.slider(0).set_latent(2.0)
    assert rows.slider(0).grab().toImage() != before


@pytest.mark.parametrize(
    ("limit", "marks"), [(3, [-3, -2, -1, 0, 1, 2, 3]), (0.5, [0]), (10, [-10, -8, -6, -4, -2, 0, 2, 4, 6, 8, 10])]
)
def test_marks_are_whole_sigmas(limit, marks):
    assert mark_values(limit) == marks


def test_numbers_are_written_and_read_with_a_true_minus():
    assert format_latent(-1.234) == "−1.23"
    assert format_latent(-0.001) == "0.00"
    assert parse_latent("−1,5") == -1.5
    assert parse_latent("1e9") == 100
    assert parse_latent("nan") is None
    assert parse_latent("two") is None
