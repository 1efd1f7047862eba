from __future__ import annotations

import time

import numpy as np
import pytest
from explore_fakes import FakeInference, make_context, model_info, put_gallery
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QToolButton

from latentlab.core.errors import InputError
from latentlab.core.messages import DecodeRequest, TrainingState
from latentlab.ui.widgets.class_picker import ClassPicker, class_names
from latentlab.ui.widgets.gallery_popup import COLUMNS, PAGE, GalleryPopup
from latentlab.ui.widgets.image_input import LARGEST_SIDE, has_image, image_of, read_image, to_array
from latentlab.ui.widgets.pane_requests import PaneRequests
from latentlab.ui.widgets.weights_follow import age_text, weights_text

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


def stripes(width, height):
    """Return a picture whose column number is its red, row number its green, and 9 its blue."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    for y in range(height):
        for x in range(width):
            image.setPixelColor(x, y, QColor(x, y, 9))
    return image


def test_a_picture_becomes_an_array_of_its_middle_in_the_models_aspect(qtbot):
    array = to_array(stripes(50, 30), (16, 16, 3))
    assert array.shape == (1, 30, 30, 3)
    assert array.dtype == np.uint8
    assert array.flags.c_contiguous
    assert array[0, 0, 0].tolist() == [10, 0, 9]
    assert array[0, 29, 29].tolist() == [39, 29, 9]
    assert to_array(stripes(30, 50), (10, 20, 3)).shape == (1, 15, 30, 3)


def test_odd_widths_are_not_sheared(qtbot):
    array = to_array(stripes(37, 37), (37, 37, 1))
    grey = array[0, :, :, 0].astype(int)
    assert np.abs(np.diff(grey[:, 0])).max() <= 1
    assert array.shape == (1, 37, 37, 1)


def test_what_is_transparent_becomes_white_and_what_is_huge_is_scaled(qtbot):
    clear = QImage(8, 8, QImage.Format.Format_ARGB32)
    clear.fill(QColor(0, 0, 0, 0))
    assert to_array(clear, (8, 8, 3)).min() == 255
    huge = QImage(3000, 1500, QImage.Format.Format_Grayscale8)
    huge.fill(7)
    assert to_array(huge, (32, 64, 1)).shape == (1, LARGEST_SIDE // 2, LARGEST_SIDE, 1)


def test_the_array_outlives_the_picture(qtbot):
    image = stripes(8, 8)
    array = to_array(image, (8, 8, 3))
    copy = array.copy()
    image.fill(0)
    del image
    np.testing.assert_array_equal(array, copy)


def test_files_and_drops_are_read_or_refused_with_a_sentence(qtbot, tmp_path):
    path = tmp_path / "a picture.png"
    assert stripes(4, 4).save(str(path))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "notes.txt")), QUrl.fromLocalFile(str(path))])
    assert has_image(mime)
    image, name = image_of(mime)
    assert (image.width(), name) == (4, "a picture.png")
    with pytest.raises(InputError, match=r"no file gone\.png"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(InputError, match="no picture"):
        image_of(QMimeData())
    text = QMimeData()
    text.setText("hello")
    assert not has_image(text)


def test_requests_of_a_pane_are_sent_one_at_a_time_newest_last(qtbot):
    service = FakeInference()
    pane = PaneRequests(service, "p")
    shown = []
    pane.answered.connect(lambda result: shown.append(float(result.request.z[0, 0])))
    for value in range(5):
        pane.ask(DecodeRequest(np.full((1, 2), value, np.float32)))
    service.answer("p")
    service.answer("p")
    assert shown == [0.0, 4.0]
    assert not pane.busy
    service.result_ready.emit("other", service.answer("p"))
    assert shown == [0.0, 4.0]


def test_a_silent_service_is_asked_again_after_a_while(qtbot, monkeypatch):
    service = FakeInference()
    pane = PaneRequests(service, "p")
    pane.ask(DecodeRequest(np.zeros((1, 2), np.float32)))
    assert pane.busy
    now = time.monotonic()
    monkeypatch.setattr("latentlab.ui.widgets.pane_requests.time.monotonic", lambda: now + 6)
    pane.ask(DecodeRequest(np.ones((1, 2), np.float32)))
    assert len(service.of("p")) == 2


def test_weights_are_told_with_age_while_training_and_step_otherwise():
    running = weights_text(12_396, 10.0, state=TrainingState.RUNNING, following=True, now=10.4)
    assert running == "weights 0.4 s old, step 12,396"
    assert weights_text(5, 0, state=TrainingState.FINISHED, following=True, now=9) == "weights of step 5"
    assert weights_text(5, 0, state=TrainingState.RUNNING, following=False, now=9) == "weights held at step 5"
    assert [age_text(s) for s in (0.04, 9.94, 9.96, 99.4, 100)] == ["0.0 s", "9.9 s", "10 s", "99 s", "1:40"]


def test_few_classes_are_chips_and_many_a_list(qtbot):
    picker = ClassPicker()
    qtbot.addWidget(picker)
    picker.set_classes(class_names(("shirt",), 3))
    assert [b.text() for b in picker.findChildren(QToolButton)] == ["shirt", "1", "2"]
    chosen = []
    picker.chosen.connect(chosen.append)
    picker.set_label(1)
    assert chosen == []
    picker.step(1)
    picker.step(1)
    assert chosen == [2, 0]
    picker.set_classes([f"class number {i}" for i in range(40)])
    assert picker.findChildren(QToolButton, options=Qt.FindChildOption.FindDirectChildrenOnly) == []
    assert picker._stack.currentWidget() is picker._combo


def test_the_gallery_is_walked_by_keys_and_pages(qtbot):
    context = make_context()
    put_gallery(context, count=100)
    popup = GalleryPopup()
    qtbot.addWidget(popup)
    popup.open_at(QPoint(0, 0), context.training.gallery.get()[1])
    chosen = []
    popup.chosen.connect(chosen.append)
    qtbot.keyClick(popup, Qt.Key.Key_Right)
    qtbot.keyClick(popup, Qt.Key.Key_Down)
    qtbot.keyClick(popup, Qt.Key.Key_PageDown)
    assert popup.label.text().startswith(f"Pictures {PAGE + 1}–{2 * PAGE} of 100")
    qtbot.keyClick(popup, Qt.Key.Key_Return)
    assert chosen == [1 + COLUMNS + PAGE]
    assert not popup.isVisible()
    popup.open_at(QPoint(0, 0), context.training.gallery.get()[1])
    qtbot.mouseClick(popup.view, Qt.MouseButton.LeftButton, pos=popup.view.cell_rect(0).center())
    assert chosen[-1] == PAGE


def test_an_absent_gallery_costs_a_message(qtbot):
    from latentlab.ui.widgets.start_from import StartFrom

    context, told = make_context(), []
    context.show_message = told.append
    bar = StartFrom(context)
    qtbot.addWidget(bar)
    bar.set_model(model_info())
    bar.open_gallery()
    assert "not there yet" in told[0]
