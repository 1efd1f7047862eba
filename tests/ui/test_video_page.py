from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import video_clips
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QFontMetrics, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QSlider, QSpinBox

from latentlab.core.messages import ModelInfo, TrainingState, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.core.video_messages import ErrorCurve
from latentlab.data.video import VideoReader
from latentlab.runtime.priority import FollowedWeights
from latentlab.runtime.video import VideoService
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.pages.video import EMPTY, VideoPage
from latentlab.ui.pages.video_pane_paint import fitting_note
from latentlab.ui.views.picture import to_qimage

FRAMES = 600


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    return video_clips.write_clip(folder / "a.mp4", frames=FRAMES, options={"g": "60", "preset": "ultrafast"})


@pytest.fixture(scope="module")
def snapshot():
    from latentlab.models.registry import build_model

    recipe = Recipe.model_validate(
        {
            "data": {"spec": "video:x", "size": (64, 88), "crop": (0, 0, 88, 64)},
            "model": {"kind": "ae", "network": "mlp", "latent_dim": 4, "width": 4},
        }
    )
    info = ModelInfo(recipe, (64, 88, 3))
    return WeightSnapshot(1234, info, build_model(info, 1).inference_state())


@pytest.fixture
def page(qtbot):
    style.apply_theme(QApplication.instance(), "dark")
    errors = SimpleNamespace(reports=[])
    errors.report = lambda report, doing="": errors.reports.append(report)
    training = SimpleNamespace(weights=FollowedWeights(), state=TrainingState.STOPPED, info=None)
    context = AppContext(training, None, VideoService(), errors, Path("runs"))
    context.chosen = 0
    context.choose_recipe = lambda: setattr(context, "chosen", context.chosen + 1)
    made = VideoPage(context)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    yield made
    made.close_down()
    assert context.video.shutdown(20_000)


def open_clip(qtbot, page, path):
    with qtbot.waitSignal(page.service.opened, timeout=20_000):
        page.open_video(path)
    wait_for_frame(qtbot, page, 0)


def wait_for_frame(qtbot, page, number):
    def shown():
        page.tick()
        return page._shown is not None and page._shown.index == number

    qtbot.waitUntil(shown, timeout=20_000)


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def test_before_a_video_it_says_what_to_do(page):
    assert page.empty.isVisible()
    assert page.empty.label.text() == EMPTY
    assert page.empty.button.isVisible()
    assert page.status_text() == ""
    page.tick()


def test_scrubbing_with_the_mouse_shows_the_pixels_of_that_frame(qtbot, page, clip):
    open_clip(qtbot, page, clip)
    slider = page.findChild(QSlider, "videoSlider")
    middle = slider.height() // 2
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(60, middle))
    QTest.mouseMove(slider, QPoint(round(slider.x_of(500)), middle))
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(500)), middle))
    slider.setValue(500)
    wait_for_frame(qtbot, page, 500)
    with VideoReader(clip) as reader:
        assert np.array_equal(pixels(page.panes.picture("original")), reader.read(500))
    assert abs(slider.frame_at(slider.x_of(500)) - 500) == 0
    assert page.transport.number.value() == 500
    assert page.transport.time.text() == "0:16.67"


def test_what_is_painted_is_the_frame(qtbot, page, clip):
    open_clip(qtbot, page, clip)
    page.go_to(341)  # bits 0, 2, 4, 6 and 8
    wait_for_frame(qtbot, page, 341)
    rect = page.panes.pane_rect("original")
    grab = pixels(page.panes.grab(rect).toImage())
    scale = grab.shape[1] / 96
    bits = [grab[round(16 * scale), round((bit * 8 + 4) * scale)].mean() > 130 for bit in range(10)]
    assert sum(1 << bit for bit, bright in enumerate(bits) if bright) == 341


def test_without_a_model_it_says_that_one_is_needed(qtbot, page, clip):
    open_clip(qtbot, page, clip)
    assert page.content.banner.isVisible()
    assert page.panes.shown() == ["original"]
    page.content.choose.click()
    assert page.context.chosen == 1


def test_with_a_model_four_panes_of_equal_size(qtbot, page, clip, snapshot):
    page.context.training.weights.put(snapshot)
    open_clip(qtbot, page, clip)
    page.go_to(77)
    wait_for_frame(qtbot, page, 77)
    assert not page.content.banner.isVisible()
    assert page.panes.shown() == ["original", "reconstruction", "difference", "film"]
    rects = [page.panes.pane_rect(name) for name in page.panes.shown()]
    assert len({(rect.width(), rect.height()) for rect in rects}) == 1
    assert all(page.panes.rect().contains(rect) for rect in rects)
    assert not any(a.intersects(b) for a in rects for b in rects if a is not b)
    assert page.panes.picture("reconstruction").size() == page.panes.picture("original").size()
    assert page.transport.psnr.text().endswith(" dB")
    assert page.status_text() == "weights of step 1,234"
    page.context.training.state = TrainingState.RUNNING  # Only while a training runs is their age news.
    assert "old, step 1,234" in page.status_text()
    qtbot.waitUntil(lambda: (page.tick(), page.panes.picture("film") is not None)[1], timeout=20_000)
    assert video_clips.number_in(pixels(page.panes.picture("film"))) == 77


def test_a_model_that_arrives_later_is_followed(qtbot, page, clip, snapshot):
    open_clip(qtbot, page, clip)
    assert page.panes.picture("reconstruction") is None
    page.context.training.weights.put(snapshot)
    qtbot.waitUntil(lambda: (page.tick(), page.panes.picture("reconstruction") is not None)[1], timeout=20_000)


def test_keys_step_jump_and_play(qtbot, page, clip):
    open_clip(qtbot, page, clip)
    keys, shift, ctrl = Qt.Key, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
    none = Qt.KeyboardModifier.NoModifier
    for key, modifier, expected in (
        (keys.Key_Right, none, 1),
        (keys.Key_Right, shift, 11),
        (keys.Key_Right, ctrl, 111),
        (keys.Key_Left, none, 110),
        (keys.Key_End, none, FRAMES - 1),
        (keys.Key_Right, none, FRAMES - 1),
        (keys.Key_Home, none, 0),
        (keys.Key_Left, ctrl, 0),
    ):
        QTest.keyClick(page.timeline, key, modifier)
        assert page.timeline.value() == expected
    QTest.keyClick(page.timeline, keys.Key_Space)
    assert page.playback.playing
    qtbot.waitUntil(lambda: page.timeline.value() > 3, timeout=10_000)
    QTest.keyClick(page.timeline, keys.Key_Space)
    assert not page.playback.playing
    stood = page.timeline.value()
    wait_for_frame(qtbot, page, stood)
    assert page.timeline.value() == stood


def test_buttons_do_what_the_keys_do(qtbot, page, clip):
    open_clip(qtbot, page, clip)
    transport = page.transport
    transport.last.click()
    assert page.timeline.value() == FRAMES - 1
    transport.back.click()
    assert page.timeline.value() == FRAMES - 2
    transport.first.click()
    transport.forward.click()
    assert page.timeline.value() == 1
    transport.number.setValue(321)
    wait_for_frame(qtbot, page, 321)
    transport.play.click()
    assert page.playback.playing
    page.hide()
    assert not page.playback.playing


def test_playing_ends_at_the_end_or_begins_again(qtbot, page, clip):
    open_clip(qtbot, page, clip)
    page.transport.speed.setCurrentIndex(page.transport.speed.findData(4.0))
    page.go_to(FRAMES - 5)
    page.moves.toggle_play()
    qtbot.waitUntil(lambda: not page.playback.playing, timeout=10_000)
    assert page.timeline.value() == FRAMES - 1
    page.transport.loop.setChecked(True)
    page.go_to(FRAMES - 5)
    page.moves.toggle_play()
    qtbot.waitUntil(lambda: page.timeline.value() < FRAMES - 5, timeout=10_000)
    assert page.playback.playing


def test_the_crop_can_be_changed_and_given_back(qtbot, page, clip, snapshot):
    page.context.training.weights.put(snapshot)
    open_clip(qtbot, page, clip)
    form = page.tools.form
    assert [box.value() for box in form.boxes] == [0, 0, 88, 64]
    form.boxes[2].setValue(40)
    qtbot.waitUntil(lambda: (page.tick(), page._shown.crop == (0, 0, 40, 64))[1], timeout=20_000)
    assert "40×64" in page.tools.crop.text()
    form.whole.click()
    qtbot.waitUntil(lambda: (page.tick(), page._shown.crop is None)[1], timeout=20_000)
    form.recipe.click()
    qtbot.waitUntil(lambda: (page.tick(), page._shown.crop == (0, 0, 88, 64))[1], timeout=20_000)
    form.boxes[0].setValue(90)
    assert form.boxes[2].maximum() == 6  # the region cannot leave the frame


def test_worst_goes_from_one_to_the_next(qtbot, page, clip):
    open_clip(qtbot, page, clip)
    page.own_series = False  # the page's own curve, without a panel that draws others
    pixel = np.full(FRAMES, 0.01, np.float32)
    pixel[[100, 101, 300]] = 0.5, 0.4, 0.3
    page.service.curve.put(ErrorCurve(pixel, FRAMES, 5))
    page.tick()
    page.transport.worst.click()
    assert page.timeline.value() == 100
    page.transport.worst.click()
    assert page.timeline.value() == 300


def test_a_bad_file_leaves_the_page_with_its_sentence(qtbot, page, tmp_path):
    bad = tmp_path / "letter.mp4"
    bad.write_text("no film" * 100)
    with qtbot.waitSignal(page.service.failed, timeout=20_000):
        page.open_video(bad)
    assert page.empty.isVisible()
    assert "letter.mp4 is not a video" in page.empty.label.text()
    assert len(page.context.errors.reports) == 1


def test_one_picture_of_many_opens_them_all(qtbot, page, tmp_path):
    for number in range(5):
        pixels_of = to_qimage(video_clips.picture(number))
        assert pixels_of.save(str(tmp_path / f"img_{number}.png"))
    with qtbot.waitSignal(page.service.opened, timeout=20_000):
        page.open_video(tmp_path / "img_3.png")
    wait_for_frame(qtbot, page, 0)
    page.go_to(4)
    wait_for_frame(qtbot, page, 4)
    assert video_clips.number_in(pixels(page.panes.picture("original"))) == 4
    assert page.clip.frames == 5


def test_keys_of_the_page_are_in_the_list_of_shortcuts(page):
    from latentlab.ui.dialogs.shortcuts_dialog import page_rows

    rows = {keys: words for where, keys, words in page_rows([page]) if where == "Video"}
    assert rows["J"].startswith("Play backwards")
    assert rows["Ctrl+Left"] == "Back 100 frames"


def test_the_mouse_moves_the_crop_and_escape_takes_it_back(qtbot, page, clip, snapshot):
    page.context.training.weights.put(snapshot)
    open_clip(qtbot, page, clip)
    film = page.panes.film
    qtbot.waitUntil(lambda: (page.tick(), film.image() is not None and film.crop is not None)[1], timeout=20_000)
    before, corner = film.crop, film.region_rect().center().toPoint()
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(film, left, pos=corner)
    QTest.mouseMove(film, corner + QPoint(round(4 * film._factor()), 0))
    qtbot.waitUntil(lambda: (page.tick(), page._shown.crop == film.crop)[1], timeout=20_000)
    assert film.crop != before
    prepared = page.service.proxy
    assert prepared.shape.crop == before  # nothing is prepared for a region that still moves
    QTest.mouseRelease(film, left, pos=corner)
    qtbot.waitUntil(lambda: (page.tick(), page.service.proxy is not prepared)[1], timeout=20_000)
    qtbot.waitUntil(lambda: (page.tick(), page.crop == film.crop)[1], timeout=20_000)
    QTest.keyClick(film, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: (page.tick(), page.crop == before)[1], timeout=20_000)


def test_a_range_bounds_what_is_played_and_is_told(qtbot, page, clip):
    open_clip(qtbot, page, clip)
    told = []
    page.range_changed.connect(lambda first, last: told.append((first, last)))
    page.go_to(10)
    QTest.keyClick(page.timeline, Qt.Key.Key_I)
    page.go_to(14)
    QTest.keyClick(page.timeline, Qt.Key.Key_O)
    assert page.range == (10, 14)
    assert page.has_range
    assert told == [(10, FRAMES - 1), (10, 14)]
    page.go_to(10)
    QTest.keyClick(page.timeline, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: not page.playback.playing, timeout=10_000)
    assert page.frame == 14
    QTest.keyClick(page.timeline, Qt.Key.Key_X)
    assert not page.has_range


def test_a_file_can_be_dropped(qtbot, page, clip):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(clip))])
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    with qtbot.waitSignal(page.service.opened, timeout=20_000):
        page.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, modifiers))


def test_choices_are_remembered_and_nonsense_is_survived(page):
    page.restore_state({"difference": "signed", "gain": 5.0, "film": False, "speed": 2.0, "loop": True})
    state = page.save_state()
    assert (state["difference"], state["gain"], state["film"]) == ("signed", 5.0, False)
    assert (state["speed"], state["loop"]) == (2.0, True)
    page.restore_state({"difference": 7, "gain": "much", "film": None, "speed": [], "folder": 3, "loop": "no"})
    assert page.save_state()["difference"] == "signed"


def test_every_control_explains_itself(qtbot, page, clip):
    open_clip(qtbot, page, clip)
    for kind in (QAbstractButton, QComboBox, QSpinBox, QSlider):
        for control in page.findChildren(kind):
            if control.objectName().startswith("qt_"):
                continue
            assert control.toolTip(), control
            assert control.accessibleName() or getattr(control, "text", str)(), control


def test_it_fits_into_a_small_window(qtbot, page, clip, snapshot):
    page.context.training.weights.put(snapshot)
    open_clip(qtbot, page, clip)
    page.resize(640, 520)
    assert page.width() <= 660
    for theme in ("light", "dark"):
        style.apply_theme(QApplication.instance(), theme)
        ground = pixels(page.grab().toImage())[300, 4]
        assert bool(ground.mean() > 128) is (theme == "light")


def test_over_a_narrow_picture_the_last_facts_give_way_to_the_name(qapp):
    metrics = QFontMetrics(qapp.font())
    note = "10.07 dB · step 60"
    assert fitting_note(metrics, note, metrics.horizontalAdvance(note)) == note
    assert fitting_note(metrics, note, metrics.horizontalAdvance(note) - 1) == "10.07 dB"
    assert fitting_note(metrics, note, 3) == ""
