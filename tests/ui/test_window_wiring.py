"""What the real window connects between pages that do not know each other."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def window(real_window):
    return real_window


def test_a_cell_of_the_condition_page_opens_on_the_explore_page(window, monkeypatch):
    seen = []
    explore = window.area.page("explorePage")
    monkeypatch.setattr(explore, "set_point", lambda z, label: seen.append((z, label)))
    z = np.ones(4, np.float32)
    window.area.page("conditionPage").context.explore_point(z, 3)
    assert window.area.shown == "explorePage"
    assert seen == [(z, 3)]


def test_pages_are_guarded_against_their_own_bugs(window):
    assert all(
        hasattr(type(page).showEvent, "guarded")
        for page in window.area.pages.values()
        if "showEvent" in vars(type(page))
    )
    assert hasattr(type(window.area.page("explorePage")).dropEvent, "guarded")
