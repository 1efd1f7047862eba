"""Fixtures of the window tests: a whole window whose pages need no torch."""

from __future__ import annotations

import gc

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget
from window_fakes import FAKE_PAGES, finish_real, open_window

from latentlab.app import create_window
from latentlab.ui import page_area, style


@pytest.fixture
def few_pages(monkeypatch):
    monkeypatch.setattr(page_area, "PAGES", FAKE_PAGES)
    style.apply_theme(QApplication.instance() or QApplication([]), "dark")


@pytest.fixture
def built(few_pages, qtbot, tmp_path):
    with open_window(qtbot, tmp_path / "runs") as made:
        yield made


@pytest.fixture
def real_window(qapp, qtbot, tmp_path):
    """The window as users get it, over an empty folder of runs."""
    window = create_window(runs_root=tmp_path)
    yield window
    finish_real(qtbot, window)


@pytest.fixture(autouse=True)
def no_window_is_left(qapp):
    """Really delete what the test closed, and fail when a window of its own stays behind.

    Without this the windows of all tests live until a full garbage collection, and every change of theme
    styles all of them again: the later a test, the slower.
    """
    before = windows()
    yield
    QApplication.clipboard().clear()  # A QMimeData made in Python crashes the process if Qt deletes it after Python.
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    if windows() - before:
        gc.collect()  # Windows that nobody holds but their own parts.
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [f"{type(window).__name__} {window.objectName()}".strip() for window in windows() - before]
    assert not left, f"windows left: {left}"


def windows() -> set[QWidget]:
    """Return the windows there are, popups of their controls left out."""
    return {widget for widget in QApplication.topLevelWidgets() if widget.parent() is None}


@pytest.fixture(scope="module")
def studied_film(tmp_path_factory):
    from video_study import write_film

    return write_film(tmp_path_factory.mktemp("film"))


@pytest.fixture
def measured(qtbot, tmp_path, studied_film):
    """A Video page whose film is measured, with the panel on latents in front."""
    from video_study import measure, open_page

    with open_page(qtbot, tmp_path) as page:
        measure(qtbot, page, studied_film)
        yield page
