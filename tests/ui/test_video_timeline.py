from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from latentlab.ui import style
from latentlab.ui.pages.video_playback import Playback
from latentlab.ui.widgets.timeline import Timeline, format_timecode
from latentlab.ui.widgets.timeline_curve import ceiling, columns, tick_seconds
from latentlab.ui.widgets.timeline_items import TimelineMark, TimelineSeries
from latentlab.ui.widgets.timeline_paint import CURVE_HEIGHT, CURVE_TOP
from latentlab.ui.widgets.timeline_scale import TimelineScale


@pytest.fixture
def timeline(qtbot):
    style.apply_theme(QApplication.instance(), "dark")
    made = Timeline()
    qtbot.addWidget(made)
    made.resize(616, made.sizeHint().height())
    made.set_video(np.arange(1000) / 25)
    made.show()
    return made


def coloured(widget, key, x):
    """How many pixels of the column at `x` have about the colour `key`."""
    image, colour = widget.grab().toImage(), style.colour(key)
    near = 0
    for y in range(CURVE_TOP, CURVE_TOP + CURVE_HEIGHT):
        found = image.pixelColor(x, y)
        near += abs(found.red() - colour.red()) + abs(found.blue() - colour.blue()) < 40
    return near


def test_places_and_frames_belong_together(timeline):
    for frame in (0, 1, 500, 999):
        assert abs(timeline.frame_at(timeline.x_of(frame)) - frame) == 0
    assert timeline.frame_at(-50) == 0
    assert timeline.frame_at(5000) == 999


def test_a_click_goes_there_and_dragging_follows(timeline):
    seen = []
    timeline.valueChanged.connect(seen.append)
    QTest.mousePress(timeline, Qt.MouseButton.LeftButton, pos=QPoint(308, 40))
    assert abs(timeline.value() - 500) <= 1
    QTest.mouseMove(timeline, QPoint(400, 40))
    QTest.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=QPoint(400, 40))
    assert timeline.value() == timeline.frame_at(400)
    assert not timeline.isSliderDown()
    assert len(seen) == 2


def turn_wheel(timeline, x, turn, modifiers=Qt.KeyboardModifier.NoModifier):
    place, button = QPointF(x, 40), Qt.MouseButton.NoButton
    phase = Qt.ScrollPhase.NoScrollPhase
    timeline.wheelEvent(QWheelEvent(place, place, QPoint(), QPoint(0, turn), button, modifiers, phase, False))


def test_the_wheel_zooms_at_the_pointer_and_shift_moves(timeline):
    frame = timeline.frame_at(200)
    for _ in range(8):
        turn_wheel(timeline, 200, 120)
    assert timeline.scale.span < 200
    assert abs(timeline.frame_at(200) - frame) <= 1
    first = timeline.scale.first
    turn_wheel(timeline, 200, -120, Qt.KeyboardModifier.ShiftModifier)
    assert timeline.scale.first > first
    for _ in range(20):
        turn_wheel(timeline, 200, -120)
    assert not timeline.scale.zoomed
    assert timeline.value() == 0


def test_the_frame_on_screen_stays_in_sight(timeline):
    timeline.setValue(500)
    timeline.zoom_by(20)
    for frame in (0, 999, 30, 520):
        timeline.setValue(frame)
        assert timeline.scale.sees(frame)
    assert timeline.scale.zoomed
    timeline.show_all()
    assert (timeline.scale.first, timeline.scale.last) == (0, 999)


def test_shift_and_drag_choose_a_range_and_its_ends_can_be_moved(timeline):
    seen = []
    timeline.range_chosen.connect(lambda first, last: seen.append((first, last)))
    timeline.range_chosen.connect(lambda first, last: timeline.set_chosen((first, last)))
    left, shift = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
    QTest.mousePress(timeline, left, shift, QPoint(308, 60))
    QTest.mouseMove(timeline, QPoint(200, 60))
    QTest.mouseRelease(timeline, left, shift, QPoint(200, 60))
    assert seen[-1] == (timeline.frame_at(200), timeline.frame_at(308))
    assert timeline.value() == 0
    QTest.mousePress(timeline, left, pos=QPoint(200, CURVE_TOP + CURVE_HEIGHT - 4))
    QTest.mouseMove(timeline, QPoint(100, 60))
    QTest.mouseRelease(timeline, left, pos=QPoint(100, 60))
    assert seen[-1] == (timeline.frame_at(100), timeline.frame_at(308))


def test_marks_and_scenes_are_drawn_where_they_are(timeline):
    plain = timeline.grab().toImage()
    timeline.set_marks("worst", [TimelineMark(800, "bad"), TimelineMark(300)])
    timeline.set_scenes(np.array([600]))
    marked = timeline.grab().toImage()
    y = CURVE_TOP + 3
    for frame, changed in ((800, True), (300, True), (500, False)):
        x = round(timeline.x_of(frame))
        assert (plain.pixelColor(x, y) != marked.pixelColor(x, y)) is changed
    x = round(timeline.x_of(600))
    assert any(plain.pixelColor(x, y) != marked.pixelColor(x, y) for y in range(CURVE_TOP + 8, CURVE_TOP + 40))
    assert [mark.frame for mark in timeline.marks("worst")] == [300, 800]
    assert "bad" in timeline.describe(801)


def test_a_scale_keeps_to_the_film():
    scale = TimelineScale.whole(100, 8, 500)
    near = scale.zoomed_at(8, 1e9)
    assert (near.first, near.span) == (0, 8)
    assert near.moved(1e6).last == 99
    assert near.moved(-1e6).first == 0
    assert TimelineScale.whole(1, 8, 500).frame_at(400) == 0
    part = scale.showing(40, 60)
    assert part.sees(40)
    assert part.sees(60)
    assert part.span < 30


def test_the_playhead_is_drawn_at_the_frame(timeline):
    timeline.clearFocus()
    timeline.setValue(700)
    assert coloured(timeline, "accent", round(timeline.x_of(700))) > 40
    assert coloured(timeline, "accent", round(timeline.x_of(200))) < 5


def test_the_curve_stands_where_the_error_is(timeline):
    pixel = np.full(1000, 0.001, np.float32)
    pixel[600:650] = 0.05
    before = coloured(timeline, "pixel", round(timeline.x_of(605)))
    timeline.set_series([TimelineSeries("pixel", "pixel error", "", "pixel", pixel)])
    assert before == 0
    rising = max(coloured(timeline, "pixel", round(timeline.x_of(600)) + shift) for shift in range(-2, 3))
    assert rising > 10
    assert coloured(timeline, "pixel", round(timeline.x_of(300))) <= 2
    assert "13.0 dB" in timeline.describe(610)
    timeline.set_video(np.arange(10) / 25)
    assert "dB" not in timeline.describe(5)


def test_nothing_known_yet_is_nothing_drawn(timeline):
    before = timeline.grab().toImage()
    timeline.set_series([TimelineSeries("a", "", "", "pixel", np.full(1000, np.nan, np.float32))])
    after = timeline.grab().toImage()
    x = round(timeline.x_of(300))
    assert all(before.pixelColor(x, y) == after.pixelColor(x, y) for y in range(CURVE_TOP, CURVE_TOP + CURVE_HEIGHT))
    timeline.set_ready(0.5)
    timeline.grab()


def test_columns_hold_mean_and_maximum():
    values = np.arange(12, dtype=np.float32)
    mean, peak = columns(values, 4)
    assert mean.tolist() == [1, 4, 7, 10]
    assert peak.tolist() == [2, 5, 8, 11]


def test_columns_bridge_what_is_unknown_but_not_the_ends():
    values = np.full(100, np.nan, np.float32)
    values[[20, 60]] = 1, 3
    mean, peak = columns(values, 10)
    assert np.isnan(mean[:2]).all()
    assert np.isnan(mean[7:]).all()
    assert mean[2:7].tolist() == [1, 1.5, 2, 2.5, 3]
    assert peak[6] == 3
    assert np.isnan(columns(np.full(5, np.nan, np.float32), 3)[0]).all()


def test_columns_of_a_part_reach_its_edges():
    values = np.arange(100, dtype=np.float32)
    mean, peak = columns(values, 10, 50.0, 60.0)
    assert mean.tolist() == [50, 51, 52, 53, 54, 55, 56, 57, 58, 59.5]
    assert peak[-1] == 60
    mean, _ = columns(values, 101, 50.0, 51.0)
    assert mean[0] == 50
    assert 50.4 < mean[50] < 50.6


def test_more_columns_than_frames():
    mean, _ = columns(np.array([1, 3], np.float32), 5)
    assert mean[0] == 1
    assert mean[2] == 3
    assert mean[1] == 2


def test_the_top_is_robust_against_one_wild_frame():
    values = np.full(10_000, 0.01, np.float32)
    values[0] = 0.012
    assert ceiling(values) == pytest.approx(0.0108, rel=0.01)
    values[1] = 1.0
    assert 0.4 < ceiling(values) < 0.6
    assert ceiling(np.zeros(3, np.float32)) == 1.0


@pytest.mark.parametrize(
    ("duration", "width", "step"), [(10, 800, 1), (227, 900, 30), (7200, 900, 900), (0.5, 800, 0.1)]
)
def test_ticks_are_far_enough_apart(duration, width, step):
    assert tick_seconds(duration, width) == step


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.00"), (16.6667, "0:16.67"), (59.999, "1:00.00"), (3725, "1:02:05.00")]
)
def test_timecodes(seconds, text):
    assert format_timecode(seconds) == text


def test_playing_keeps_to_the_files_times_and_drops_late_frames(qtbot, monkeypatch):
    from latentlab.ui.pages import video_playback

    now = [100.0]
    monkeypatch.setattr(video_playback.time, "perf_counter", lambda: now[0])
    playback, seen = Playback(), []
    playback.due.connect(seen.append)
    playback.set_video(np.array([5.0, 5.1, 5.2, 6.0, 6.1]), 10.0)
    playback.play()
    for moment in (0.05, 0.15, 0.55, 0.95, 1.15):
        now[0] = 100.0 + moment
        playback._on_tick()
    assert seen == [1, 2, 4]
    now[0] += 1
    playback._on_tick()
    assert seen == [1, 2, 4, 4]
    assert not playback.playing


def test_a_change_of_speed_does_not_jump(monkeypatch):
    from latentlab.ui.pages import video_playback

    now = [0.0]
    monkeypatch.setattr(video_playback.time, "perf_counter", lambda: now[0])
    playback, seen = Playback(), []
    playback.due.connect(seen.append)
    playback.set_video(np.arange(100) / 10, 10.0)
    playback.play()
    now[0] = 1.01
    playback._on_tick()
    playback.set_speed(2.0)
    playback._on_tick()
    assert seen == [10]
    now[0] = 1.52
    playback._on_tick()
    assert seen == [10, 20]
    playback.pause()
