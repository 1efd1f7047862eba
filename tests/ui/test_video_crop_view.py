from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from latentlab.ui import style
from latentlab.ui.views.picture import to_qimage
from latentlab.ui.widgets.crop_drag import MOVE, NEW, CropDrag, nudged, part_at
from latentlab.ui.widgets.crop_view import CropView

FRAME = (200, 100)
CROP = (40, 20, 60, 30)


def drag(part, origin, to, *, crop=CROP, aspect=None, reach=0.0):
    return CropDrag(part, origin, crop, FRAME, aspect, reach).to(*to)


def test_the_inside_moves_the_region_and_keeps_its_size():
    assert drag(MOVE, (50, 30), (57, 25)) == (47, 15, 60, 30)
    assert drag(MOVE, (50, 30), (-900, 900)) == (0, 70, 60, 30)


@pytest.mark.parametrize(
    ("part", "origin", "to", "expected"),
    [
        ("se", (100, 50), (120, 60), (40, 20, 80, 40)),
        ("nw", (40, 20), (30, 10), (30, 10, 70, 40)),
        ("n", (70, 20), (90, 5), (40, 5, 60, 45)),
        ("e", (100, 35), (150, 90), (40, 20, 110, 30)),
        ("sw", (40, 50), (20, 80), (20, 20, 80, 60)),
        ("se", (100, 50), (900, 900), (40, 20, 160, 80)),
        ("w", (40, 35), (99, 35), (96, 20, 4, 30)),
    ],
)
def test_edges_and_corners_resize_towards_the_pointer(part, origin, to, expected):
    assert drag(part, origin, to) == expected


def test_a_drag_elsewhere_spans_a_new_region():
    assert drag(NEW, (10, 10), (60, 40)) == (10, 10, 50, 30)
    assert drag(NEW, (60, 40), (10, 10)) == (10, 10, 50, 30)


def test_it_snaps_to_the_models_shape_only_when_close_to_it():
    assert drag("se", (100, 50), (121, 60), aspect=2.0, reach=5)[2:] == (80, 40)
    assert drag("se", (100, 50), (150, 60), aspect=2.0, reach=5)[2:] == (110, 40)
    assert drag("s", (70, 50), (70, 48), aspect=2.0, reach=5) == CROP
    assert drag("e", (100, 35), (103, 35), aspect=2.0, reach=5)[2:] == (60, 30)


def test_it_snaps_to_the_edges_of_the_frame():
    assert drag(MOVE, (50, 30), (13, 30), reach=5)[0] == 0
    assert drag(MOVE, (50, 30), (13, 30))[0] == 3
    assert drag("e", (100, 35), (197, 35), reach=5) == (40, 20, 160, 30)


def test_parts_are_found_within_reach():
    assert part_at(CROP, 41, 21, 3) == "nw"
    assert part_at(CROP, 70, 49, 3) == "s"
    assert part_at(CROP, 101, 35, 3) == "e"
    assert part_at(CROP, 70, 35, 3) == MOVE
    assert part_at(CROP, 120, 35, 3) == NEW
    assert part_at(None, 5, 5, 3) == NEW
    assert part_at((10, 10, 6, 6), 13, 13, 10) == MOVE


def test_nudges_stay_in_the_frame():
    assert nudged(CROP, FRAME, -100, 1, resize=False) == (0, 21, 60, 30)
    assert nudged(CROP, FRAME, 500, -29, resize=True) == (40, 20, 160, 1)


@pytest.fixture
def view(qtbot):
    style.apply_theme(QApplication.instance(), "dark")
    made = CropView()
    qtbot.addWidget(made)
    made.resize(400, 200)
    made.set_image(to_qimage(np.full((100, 200, 3), 90, np.uint8)))
    made.set_crop(CROP)
    made.show()
    made.chosen, made.dragged, made.resets = [], [], []
    made.crop_chosen.connect(made.chosen.append)
    made.crop_dragged.connect(made.dragged.append)
    made.reset_wanted.connect(lambda: made.resets.append(1))
    return made


def pull(view, start, end, *, release=True):
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(view, left, pos=QPoint(*start))
    QTest.mouseMove(view, QPoint(*end))
    if release:
        QTest.mouseRelease(view, left, pos=QPoint(*end))


def test_the_mouse_moves_the_region_and_tells_once_at_the_end(view):
    pull(view, (140, 70), (160, 90))
    assert view.crop == (50, 30, 60, 30)
    assert view.dragged == [view.crop]
    assert view.chosen == [view.crop]


def test_a_click_changes_nothing(view):
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(140, 70))
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(390, 190))
    assert view.crop == CROP
    assert not view.chosen


def test_escape_takes_back_a_drag_and_then_the_change_before(view):
    pull(view, (140, 70), (160, 90))
    pull(view, (160, 90), (220, 90), release=False)
    assert view.crop[0] > 60
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.crop == (50, 30, 60, 30)
    assert not view.dragging
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.crop == CROP
    assert view.chosen[-1] == CROP
    assert not view.undo()


def test_a_region_given_meanwhile_does_not_disturb_a_drag(view):
    pull(view, (140, 70), (160, 90), release=False)
    view.set_crop((0, 0, 10, 10))
    assert view.crop == (50, 30, 60, 30)


def test_arrow_keys_move_and_resize_and_delete_resets(view):
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert view.crop == (41, 30, 59, 30)
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert view.resets == [1]


def test_what_is_left_out_is_dark_and_the_region_is_not(view):
    image = view.grab().toImage()
    inside, outside = image.pixelColor(140, 70).red(), image.pixelColor(390, 190).red()
    assert inside == 90
    assert outside < 60
