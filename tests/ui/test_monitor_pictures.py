from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from monitor_bench import AE, fill, preview, recipe, settle
from PySide6.QtGui import QImage

from latentlab.core.messages import Preview
from latentlab.runtime.training_session import TrainingSession
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.pages.monitor import MonitorPage
from latentlab.ui.pages.monitor_pictures import fitting, psnr

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture
def session() -> TrainingSession:
    return TrainingSession()


@pytest.fixture
def make(qtbot, qapp, session):
    style.apply_theme(qapp, "dark")

    def make_page(size: tuple[int, int] = (1280, 800)) -> MonitorPage:
        page = MonitorPage(AppContext(session, None, None, None, Path()))
        qtbot.addWidget(page)
        page.resize(*size)
        page.show()
        return page

    return make_page


def test_originals_lie_over_their_reconstructions(make, session):
    session.recipe = recipe("vae")
    fill(session, AE)
    page = make()
    sent = preview()
    session.previews.put(sent)
    settle(page)
    view = page.pictures.pairs
    assert view.shown >= 4
    across = view.columns
    for pair in range(view.shown):
        row, column = divmod(pair, across)
        top, bottom = (2 * row) * across + column, (2 * row + 1) * across + column
        assert _same(view.picture(top), sent.originals[pair])
        assert _same(view.picture(bottom), sent.reconstructions[pair])
        assert view.cell_rect(bottom).top() > view.cell_rect(top).bottom()
        assert view.cell_rect(bottom).left() == view.cell_rect(top).left()
        assert "MSE" in view._tips[bottom]
    assert _same(page.pictures.samples.picture(1), sent.samples[1])
    assert page.pictures._pairs_section.remark.text() == "step 1,990 · 18.2 dB · MSE 0.0150"
    assert page.status_text() == "pictures of step 1,990"


def _same(image: QImage, picture: np.ndarray) -> bool:
    height, width, _ = picture.shape
    return all(image.pixelColor(x, y).getRgb()[:3] == tuple(picture[y, x]) for y in range(height) for x in range(width))


def test_models_without_a_prior_show_no_samples(make, session):
    session.recipe = recipe("ae")
    fill(session, AE)
    page = make()
    sent = preview()
    session.previews.put(Preview(sent.step, sent.originals, sent.reconstructions))
    settle(page)
    assert not page.pictures.samples.isVisible()


def test_only_new_pictures_are_drawn(make, session, monkeypatch):
    session.recipe = recipe("vae")
    fill(session, AE)
    page = make()
    session.previews.put(preview())
    settle(page)
    seen = []
    monkeypatch.setattr(page.pictures, "show_preview", lambda p: seen.append(p.step))
    for _ in range(5):
        page.tick()
    session.previews.put(preview(step=2100))
    page.tick()
    assert seen == [2100]


def test_as_many_pictures_as_are_large_enough():
    columns, rows = fitting(24, (56, 32), (280, 250), layers=2)
    assert 4 <= columns * rows < 24
    assert fitting(8, (32, 32), (1000, 1000), layers=1)[0] * fitting(8, (32, 32), (1000, 1000), layers=1)[1] == 8
    tight = fitting(16, (64, 64), (90, 60), layers=2)
    assert 1 <= tight[0] * tight[1] <= 4


def test_psnr_is_that_of_its_definition():
    assert psnr(0.01) == pytest.approx(20.0)
    assert psnr(1.0) == 0.0
    assert psnr(0.0) == float("inf")


def test_facts_that_do_not_fit_are_left_out_whole(make, session):
    session.recipe = recipe("vae")
    fill(session, AE)
    page = make()
    session.previews.put(preview())
    settle(page)
    remark = page.pictures._pairs_section.remark
    room = remark.fontMetrics().horizontalAdvance
    for text in ("step 1,990 · 18.2 dB · MSE 0.0150", "step 1,990 · 18.2 dB", "step 1,990"):
        remark.resize(room(text) + 1, remark.height())
        assert remark.shown_text() == text
    assert remark.toolTip() == "step 1,990 · 18.2 dB · MSE 0.0150"
