from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from latentlab.core.video_messages import FilmFrame, OtherPicture, VideoFrame
from latentlab.ui import style
from latentlab.ui.pages.video_panes import VideoPanes
from latentlab.ui.pages.video_viewport import Viewport, arrange_panes

PANE = QRectF(100, 50, 400, 200)


def test_the_point_under_the_pointer_stays_where_it_is():
    view, point = Viewport(), QPointF(180, 90)
    before = view.target(PANE)
    share = (point.x() - before.left()) / before.width()
    for _ in range(6):
        view = view.zoomed_at(PANE, point, 1.25, 50)
    after = view.target(PANE)
    assert view.zoom == pytest.approx(1.25**6)
    assert (point.x() - after.left()) / after.width() == pytest.approx(share)


def test_nothing_beyond_the_picture_is_shown():
    view = Viewport(4.0).moved(PANE, 1e6, -1e6)
    target = view.target(PANE)
    assert target.left() == pytest.approx(PANE.left())
    assert target.bottom() == pytest.approx(PANE.bottom())
    assert Viewport(0.5, 0.1, 0.9).kept_inside() == Viewport(0.5)


def test_close_to_fitting_is_fitting():
    assert Viewport(1.3).zoomed_at(PANE, PANE.center(), 1 / 1.29, 50).fits


def test_panes_are_as_large_as_they_can_be():
    def grid(count, width, height):
        return arrange_panes(QSize(121, 64), count, QSize(width, height), 1.0, gap=12, caption=22, margin=8)

    assert grid(4, 1000, 560).columns == 2
    assert grid(4, 2000, 250).columns == 4
    assert grid(3, 300, 900).columns == 1
    whole = grid(1, 990, 560)
    assert whole.rect(0).width() == 968  # eight times exactly


def frame(value=100, *, index=5, wanted=5):
    picture = np.full((32, 64, 3), value, np.uint8)
    return VideoFrame(index, 1, picture, None, picture + 50, picture + 100, 0.01, 3, wanted=wanted)


@pytest.fixture
def panes(qtbot):
    style.apply_theme(QApplication.instance(), "dark")
    made = VideoPanes()
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show()
    made.set_film_wanted(False)
    made.show_frame(frame())
    return made


def colour_at(panes, name, share_x=0.5, share_y=0.5):
    rect = panes.pane_rect(name)
    point = QPoint(rect.left() + int(share_x * rect.width()), rect.top() + int(share_y * rect.height()))
    return panes.grab().toImage().pixelColor(point).red()


def test_wipe_shows_the_original_left_of_the_divider(panes):
    panes.set_mode("wipe")
    assert panes.shown() == ["both"]
    assert (colour_at(panes, "both", 0.25, 0.2), colour_at(panes, "both", 0.75, 0.2)) == (100, 150)
    rect = panes.pane_rect("both")
    QTest.mousePress(panes, Qt.MouseButton.LeftButton, pos=rect.center())
    QTest.mouseMove(panes, QPoint(rect.left() + round(0.9 * rect.width()), rect.center().y()))
    QTest.mouseRelease(panes, Qt.MouseButton.LeftButton, pos=rect.center())
    assert panes.divider == pytest.approx(0.9, abs=0.01)
    assert colour_at(panes, "both", 0.75, 0.2) == 100


def test_blink_shows_one_after_the_other(qtbot, panes):
    panes.set_blink_rate(50)
    panes.set_mode("blink")
    seen = set()

    def both():
        seen.add(colour_at(panes, "both"))
        return seen == {100, 150}

    qtbot.waitUntil(both, timeout=10_000)
    panes.set_mode("panes")
    assert panes.shown() == ["original", "reconstruction", "difference"]


def test_the_wheel_zooms_all_panes_at_once_and_dragging_moves_them(panes):
    picture = np.zeros((32, 64, 3), np.uint8)
    picture[:16, :32] = 200
    panes.show_frame(VideoFrame(0, 2, picture, None, picture.copy(), picture.copy(), 0.0, 1))
    rect = panes.pane_rect("original")
    place, none = QPointF(rect.topLeft() + QPoint(2, 2)), Qt.MouseButton.NoButton
    phase, keys = Qt.ScrollPhase.NoScrollPhase, Qt.KeyboardModifier.NoModifier
    for _ in range(8):
        panes.wheelEvent(QWheelEvent(place, place, QPoint(), QPoint(0, 120), none, keys, phase, False))
    assert panes.magnification > 15
    for name in ("original", "reconstruction", "difference"):
        assert colour_at(panes, name, 0.9, 0.9) > 150
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(panes, left, pos=rect.center())
    for _ in range(3):
        QTest.mouseMove(panes, rect.center() - QPoint(100, 80))
        QTest.mouseMove(panes, rect.center() - QPoint(900, 800))
    QTest.mouseRelease(panes, left, pos=rect.center())
    assert colour_at(panes, "reconstruction", 0.9, 0.9) < 50
    QTest.mouseDClick(panes, left, pos=rect.center())
    assert panes.viewport.fits


def test_actual_size_is_one_pixel_to_one(panes):
    panes.actual_size()
    assert panes.magnification == pytest.approx(1.0)
    rect = panes.pane_rect("original")
    image = panes.grab(rect).toImage()
    row = [image.pixelColor(x, rect.height() // 2).red() == 100 for x in range(rect.width())]
    assert sum(row) == pytest.approx(64, abs=1)


def test_a_strong_magnification_shows_the_grid(panes):
    panes.zoom_by(4.0)
    rect = panes.pane_rect("original")
    image = panes.grab(rect).toImage()
    row = [image.pixelColor(x, rect.height() // 2 + 5).red() for x in range(rect.width())]
    assert row.count(100) > len(row) / 2
    assert len(set(row)) > 1


def test_a_nearest_picture_says_which_frame_it_is(panes):
    panes.show_frame(frame(index=250, wanted=300))
    assert panes._panes["original"].note == "nearest, frame 250"
    assert panes._panes["original"].warns
    panes.show_frame(frame(index=300, wanted=300))
    assert not panes._panes["original"].warns


def test_other_models_stand_beside_the_reconstruction(panes):
    picture = np.full((32, 64, 3), 30, np.uint8)
    panes.show_others([OtherPicture("a", "run · last", 5, picture, 0.01, 7), OtherPicture("e", "edited", 5, picture)])
    assert panes.shown() == ["original", "reconstruction", "a", "e", "difference"]
    assert panes._panes["a"].note == "20.00 dB · step 7"
    assert colour_at(panes, "a") == 30
    panes.show_others([])
    assert "a" not in panes.shown()


def test_the_film_stands_in_its_own_pane(panes):
    panes.set_film_wanted(True)
    panes.show_film(FilmFrame(5, np.full((40, 90, 3), 220, np.uint8)))
    panes.set_crop((0, 0, 45, 40))
    assert panes.film.isVisible()
    assert panes.film.geometry() == panes.pane_rect("film")
    assert panes.film.aspect == 2.0
    panes.set_mode("wipe")
    assert not panes.film.isVisible()
