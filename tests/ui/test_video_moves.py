from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QValidator
from PySide6.QtWidgets import QApplication

from latentlab.core.run_folder import CHECKPOINTS, MODEL, RECIPE
from latentlab.core.video_messages import CompareModel, VideoInfo
from latentlab.ui import style
from latentlab.ui.pages import video_playback
from latentlab.ui.pages.video_compare import CompareButton
from latentlab.ui.pages.video_difference import DifferenceButton
from latentlab.ui.pages.video_frame_box import FrameBox, seconds_of
from latentlab.ui.pages.video_keys import BINDINGS, binding_for, key_rows
from latentlab.ui.pages.video_moves import Moves
from latentlab.ui.pages.video_playback import Playback
from latentlab.ui.pages.video_transport import VideoTransport
from latentlab.ui.widgets.timeline import Timeline
from latentlab.ui.widgets.timeline_items import TimelineMark

NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


@pytest.fixture
def clock(qapp, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(video_playback.time, "perf_counter", lambda: now[0])
    return now


@pytest.fixture
def playback(clock):
    made = Playback()
    made.seen = []
    made.due.connect(made.seen.append)
    made.set_video(np.arange(100) / 10, 10.0)
    return made


def run_to(playback, clock, *moments):
    for moment in moments:
        clock[0] = 100.0 + moment
        playback._on_tick()


def test_backwards_every_frame_stands_as_long_as_forwards(playback, clock):
    playback.moved_to(50)
    playback.play(-1)
    run_to(playback, clock, 0.05, 0.15, 0.25, 0.55)
    assert playback.seen == [49, 48, 45]
    playback.pause()


def test_backwards_through_uneven_times(clock):
    playback = Playback()
    seen = []
    playback.due.connect(seen.append)
    playback.set_video(np.array([5.0, 5.1, 6.0, 6.1]), 10.0)
    playback.moved_to(3)
    playback.play(-1)
    run_to(playback, clock, 0.05, 0.15, 0.25, 1.05, 1.15, 1.25)
    assert seen == [2, 1, 0, 0]  # 0.1 s, 0.9 s, 0.1 s; then the beginning is reached
    assert not playback.playing


def test_a_range_is_played_and_begins_again_in_both_directions(playback, clock):
    playback.set_range(20, 29)
    playback.loop = True
    playback.moved_to(25)
    playback.play()
    run_to(playback, clock, 0.45, 0.55)
    assert playback.seen == [29, 20]
    clock[0] = 100.0
    playback.play(-1)
    run_to(playback, clock, 0.15)
    assert playback.seen[-1] == 28
    playback.pause()


def test_from_outside_of_a_range_playing_begins_in_it(playback, clock):
    playback.set_range(20, 29)
    playback.moved_to(70)
    playback.play()
    run_to(playback, clock, 0.15)
    assert playback.seen == [21]
    playback.pause()


def test_slow_motion_shows_a_frame_ten_times_as_long(playback, clock):
    playback.set_speed(0.1)
    playback.play()
    run_to(playback, clock, 0.9, 1.1, 1.9, 2.1)
    assert playback.seen == [1, 2]
    playback.pause()


@pytest.fixture
def moves(qtbot):
    style.apply_theme(QApplication.instance(), "dark")
    timeline, transport = Timeline(), VideoTransport()
    qtbot.addWidget(timeline)
    qtbot.addWidget(transport)
    made = Moves(timeline, transport)
    made.set_clip(VideoInfo(Path("a.mp4"), 300, 25.0, 96, 64, "h264", 0, 7.0 + np.arange(300) / 25))
    yield made
    made.playback.pause()


def test_j_k_l(moves):
    moves.forwards()
    assert moves.playback.playing
    assert (moves.playback.direction, moves.playback.speed) == (1, 1.0)
    moves.forwards()
    moves.forwards()
    assert moves.playback.speed == 4.0
    moves.go_to(100)
    moves.backwards()
    assert (moves.playback.direction, moves.playback.speed) == (-1, 1.0)
    for _ in range(6):
        moves.backwards()
    assert moves.playback.speed == 8.0
    assert moves.transport.speed.currentText() == "8×"
    moves.playback.pause()
    assert not moves.playback.playing


def test_a_range_is_marked_gone_to_and_forgotten(moves):
    seen = []
    moves.range_changed.connect(lambda first, last: seen.append((first, last)))
    moves.go_to(50)
    moves.mark_in()
    moves.go_to(90)
    moves.mark_out()
    assert moves.range == (50, 90)
    moves.go_to(120)
    moves.mark_in()
    assert moves.range == (120, 120)
    moves.set_range(80, 60)
    moves.go_to_in()
    assert moves.frame == 60
    moves.go_to_out()
    assert moves.frame == 80
    moves.show_range()
    assert moves.timeline.scale.zoomed
    moves.clear_range()
    assert moves.range == (0, 299)
    assert seen[0] == (50, 299)
    assert seen[-1] == (0, 299)
    moves.show_range()
    assert not moves.timeline.scale.zoomed


def test_marks_and_scenes_are_gone_along_and_round(moves):
    moves.next_worst()
    assert moves.frame == 0
    moves.timeline.set_marks("worst", [TimelineMark(200), TimelineMark(30)])
    moves.timeline.set_scenes(np.array([100, 150]))
    visited = []
    for act in (moves.next_worst, moves.next_worst, moves.next_worst, moves.previous_worst):
        act()
        visited.append(moves.frame)
    assert visited == [30, 200, 30, 200]
    visited.clear()
    for act in (moves.previous_scene, moves.previous_scene, moves.previous_scene, moves.next_scene):
        act()
        visited.append(moves.frame)
    assert visited == [150, 100, 0, 100]


def press(key, modifiers=NONE, text=""):
    return binding_for(QKeyEvent(QEvent.Type.KeyPress, key, modifiers, text))


@pytest.mark.parametrize(
    ("key", "modifiers", "words"),
    [
        (Qt.Key.Key_J, NONE, "Play backwards; again: faster"),
        (Qt.Key.Key_Right, CTRL, "On 100 frames"),
        (Qt.Key.Key_Left, SHIFT, "Back 10 frames"),
        (Qt.Key.Key_I, SHIFT, "Go to the beginning of the range"),
        (Qt.Key.Key_G, CTRL, "Go to a frame: type a number or a time such as 1:05.5"),
        (Qt.Key.Key_0, NONE, "Fit the pictures"),
    ],
)
def test_keys_mean_what_the_list_says(key, modifiers, words):
    assert press(key, modifiers).words == words


def test_plus_is_plus_on_every_keyboard_and_unknown_keys_are_left_alone():
    assert press(Qt.Key.Key_Plus, SHIFT, "+").words == "Zoom in"
    assert press(Qt.Key.Key_Q) is None
    assert press(Qt.Key.Key_O, CTRL) is None  # the window's: open


def test_no_key_means_two_things_and_all_are_listed():
    keys = [binding.keys for binding in BINDINGS]
    assert len(set(keys)) == len(keys)
    assert len(key_rows()) == sum(binding.listed for binding in BINDINGS)
    assert all(words for _, words in key_rows())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0:10", 10),
        ("1:05.5", 65.5),
        ("1:00:01", 3601),
        ("2.5", 2.5),
        ("2,5 s", 2.5),
        ("7s", 7),
        ("42", None),
        ("x", None),
    ],
)
def test_times_are_read(text, seconds):
    assert seconds_of(text) == seconds


def test_the_frame_field_takes_numbers_and_times(qtbot):
    box = FrameBox()
    qtbot.addWidget(box)
    box.set_times(3.0 + np.arange(100) / 10)
    assert box.valueFromText("42") == 42
    assert box.valueFromText("0:04.2") == 42
    assert box.valueFromText("9:00") == 99
    assert box.valueFromText("500") == 99
    states = QValidator.State
    assert [box.validate(text, 0)[0] for text in ("12", "1:", "1:2", "a")] == [
        states.Acceptable,
        states.Intermediate,
        states.Acceptable,
        states.Invalid,
    ]


def test_the_difference_button_tells_kind_and_gain(qtbot):
    button = DifferenceButton()
    qtbot.addWidget(button)
    told = []
    button.chosen.connect(lambda kind, gain: told.append((kind, gain)))
    actions = {action.text(): action for action in button.menu().actions()}
    actions["Signed"].trigger()
    actions["×10"].trigger()
    assert told == [("signed", 3.0), ("signed", 10.0)]
    assert button.text() == "Signed ×10"


def make_run(path: Path, *names: str) -> Path:
    for name in names:
        (path / CHECKPOINTS / name).mkdir(parents=True)
    (path / RECIPE).write_text("")
    (path / MODEL).write_text("{}")
    return path


def test_checkpoints_of_this_run_and_of_others_are_offered(qtbot, tmp_path):
    run = make_run(tmp_path / "runs" / "mine", "last", "best", "step_00000500", "step_00001000", ".part")
    other = make_run(tmp_path / "runs" / "other", "last")
    far = make_run(tmp_path / "elsewhere", "best")
    button = CompareButton()
    qtbot.addWidget(button)
    button.runs_root, button.run = tmp_path / "runs", run
    told, refused = [], []
    button.models_chosen.connect(told.append)
    button.refused.connect(refused.append)
    button.fill()
    texts = [action.text() for action in button.menu().actions()]
    assert texts[1:5] == ["last", "best", "step 1,000", "step 500"]
    assert "other" in texts
    next(action for action in button.menu().actions() if action.text() == "step 500").trigger()
    assert told == [(CompareModel(run, "step_00000500"),)]
    button.add_run(far)
    button.toggle_model(CompareModel(other, "last"))
    button.toggle_model(CompareModel(run, "best"))
    assert len(button.models) == 3
    assert "No more than 3" in refused[-1]
    button.add_run(tmp_path)
    assert "not a run" in refused[-1]
    button.fill()
    assert "elsewhere" in [action.text() for action in button.menu().actions()]
    next(action for action in button.menu().actions() if action.text() == "Compare with none").trigger()
    assert button.models == ()
    assert button.text() == "Compare"


def test_every_binding_acts_on_the_page(moves):
    """No binding names something that the page does not have."""
    called = []

    class Anything(SimpleNamespace):
        def __getattr__(self, name):
            return Anything() if name not in ("__call__",) else called.append(name)

        def __call__(self, *arguments):
            called.append(arguments)

    for binding in BINDINGS:
        before = len(called)
        binding.act(Anything())
        assert len(called) == before + 1, binding.keys
