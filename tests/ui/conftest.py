"""Fixtures of the window tests: a whole window whose pages need no torch."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication
from window_fakes import FAKE_PAGES, open_window

from latentlab.ui import page_area, style


@pytest.fixture
def few_pages(monkeypatch):
    monkeypatch.setattr(page_area, "PAGES", FAKE_PAGES)
    style.apply_theme(QApplication.instance() or QApplication([]), "dark")


@pytest.fixture
def built(few_pages, qtbot, tmp_path):
    with open_window(qtbot, tmp_path / "runs") as made:
        yield made
