"""The pages with a model that has no encoder: what cannot be done says why, and the rest works."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from explore_fakes import make_context, model_info, put_gallery, put_weights
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QDragEnterEvent, QGuiApplication, QImage

from latentlab.core.messages import EncodeRequest, Preview
from latentlab.ui.pages.condition import ConditionPage
from latentlab.ui.pages.explore import ExplorePage
from latentlab.ui.pages.monitor_pictures import PicturesPane, whole_rows
from latentlab.ui.views.plot_spec import plots_for
from latentlab.ui.widgets.start_from import NO_ENCODER, StartFrom

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.
PAGES = {"explore": ExplorePage, "condition": ConditionPage}


@pytest.fixture(params=PAGES)
def page(request, qtbot):
    context = make_context()
    context.messages = []
    context.show_message = lambda text, *more: context.messages.append(text)
    page = PAGES[request.param](context)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    put_gallery(context)
    put_weights(context, model_info("cgan"))
    page.tick()
    return page


def picture_drop() -> QMimeData:
    mime = QMimeData()
    mime.setImageData(QImage(8, 8, QImage.Format.Format_RGB32))
    return mime


def welcomes(page, mime) -> bool:
    event = QDragEnterEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0)
    )
    event.ignore()
    page.dragEnterEvent(event)
    return event.isAccepted()


def test_pictures_are_not_taken_and_the_buttons_say_why(page, qtbot):
    start = page.panel.start
    for button in (start.data, start.file, start.paste):
        assert not button.isEnabled()
        assert NO_ENCODER in button.toolTip()
    assert not welcomes(page, picture_drop())
    QGuiApplication.clipboard().setMimeData(picture_drop())
    qtbot.keyClick(page, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert not start.take_mime(picture_drop())
    assert page.context.messages == [NO_ENCODER]


def test_nothing_is_encoded_and_everything_else_is_decoded(page):
    for _ in range(3):
        page.tick()
    requests = [request for _, request in page.context.inference.requests]
    assert requests
    assert not any(isinstance(request, EncodeRequest) for request in requests)
    pane = "explore" if isinstance(page, ExplorePage) else "condition"
    page.context.inference.answer(pane)
    picture = page.stage.picture if isinstance(page, ExplorePage) else page.grid
    assert picture.image() is not None
    assert page.context.errors.reports == []


def test_a_model_with_an_encoder_takes_pictures_again(page):
    put_weights(page.context, model_info("cvae"), step=11)
    page.tick()
    start = page.panel.start
    assert start.data.isEnabled()
    assert NO_ENCODER not in start.data.toolTip()
    assert "dropped" in start.data.toolTip()
    assert welcomes(page, picture_drop())


def test_order_and_folding_need_an_encoder(page):
    if not isinstance(page, ExplorePage):
        return
    panel = page.panel
    assert not panel.order.isEnabled()
    assert not panel.fold.isEnabled()
    assert "no encoder" in panel.order.toolTip()
    put_weights(page.context, model_info("cvae"), step=11)
    page.tick()
    assert panel.order.isEnabled()
    assert "no encoder" not in panel.order.toolTip()


def test_before_a_model_the_buttons_say_what_they_do(qtbot):
    start = StartFrom(SimpleNamespace())
    qtbot.addWidget(start)
    assert start.data.isEnabled()
    assert "Encode a picture of the data set" in start.data.toolTip()


def samples(count: int) -> np.ndarray:
    return np.repeat(np.arange(count, dtype=np.uint8), 16 * 16).reshape(count, 16, 16, 1)


@pytest.fixture
def pane(qtbot):
    pane = PicturesPane()
    qtbot.addWidget(pane)
    pane.resize(700, 600)
    pane.show()
    return pane


def test_samples_stand_alone_in_the_columns_of_their_classes(pane, qtbot):
    pane.show_preview(Preview(40, None, None, samples(30), sample_columns=10))
    assert not pane.pairs.isVisible()
    assert pane.samples.isVisible()
    qtbot.waitUntil(lambda: pane.samples.shown == 30)  # The splitter gives them all its room.
    assert pane.samples.columns == 10
    assert pane.samples._tips[13] == "Style 2 in class 3: the same z at every step"
    assert "columns are classes" in pane._samples_section.remark.text()


def test_reconstructions_come_back_with_a_model_that_has_them(pane):
    pane.show_preview(Preview(40, None, None, samples(30), sample_columns=10))
    pane.clear()
    assert pane.pairs.isVisible()
    assert not pane.samples.isVisible()
    pane.show_preview(Preview(40, samples(8), samples(8), samples(8)))
    assert pane.pairs.isVisible()
    assert pane.samples.isVisible()
    assert pane.samples._tips[3] == "Sample 4: the same z at every step"


@pytest.mark.parametrize(
    ("area", "expected"),
    [((1000, 1000), 6), ((1000, 330), 6), ((1000, 110), 2), ((1000, 20), 1), ((300, 1000), 6), ((300, 60), 2)],
)
def test_whole_rows_are_left_out_before_pictures_become_small(area: tuple[int, int], expected: int):
    assert whole_rows(60, 10, (28, 28), area) == expected


def test_the_plots_of_a_cgan():
    logged = {"d_real", "d_fake", "g_fake", "d_accuracy", "test_sample_diversity", "test_energy_distance", "lr"}
    keys = [plot.key for plot in plots_for("cgan", logged)]
    assert keys == ["adversarial", "sample_diversity", "energy_distance", "d_accuracy"]
