"""The user's own choice of plots: any metric, several per plot, saved by name, back at the next start."""

from __future__ import annotations

from pathlib import Path

import pytest
from monitor_bench import GAN, fill, recipe, settle
from PySide6.QtWidgets import QMenu

from latentlab.runtime.training_session import TrainingSession
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.pages.monitor import MonitorPage
from latentlab.ui.pages.monitor_layout import Chosen
from latentlab.ui.views import plot_menu

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture
def make(qtbot, qapp):
    style.apply_theme(qapp, "dark")
    pages = []

    def make_page() -> MonitorPage:
        session = TrainingSession()
        session.recipe = recipe("vaegan")
        fill(session, [*GAN, "z_var", "d_accuracy"])
        page = MonitorPage(AppContext(session, None, None, None, Path()))
        qtbot.addWidget(page)
        page.resize(1280, 800)
        page.show()
        settle(page)
        pages.append(page)
        return page

    yield make_page
    for page in pages:
        page.close_down()


def keys(page: MonitorPage) -> list[str]:
    return [plot.spec.key for plot in page.grid.plots]


def entry(menu: QMenu, *path: str):
    """Find an action by the words on the way to it."""
    for word in path[:-1]:
        # Not by QAction.menu(): PySide lets the menu go with the action's wrapper.
        menu = next(sub for sub in menu.findChildren(QMenu) if sub.title() == word)
    return next(action for action in menu.actions() if action.text() == path[-1])


def test_plots_are_switched_off_and_on_and_any_metric_gets_its_own(make):
    page = make()
    standard, menu = keys(page), page.controls.plots.menu()
    menu.aboutToShow.emit()
    assert entry(menu, "Pixel loss").isChecked()
    assert not entry(menu, "Standard plots").isEnabled()
    entry(menu, "Pixel loss").trigger()
    assert keys(page) == [key for key in standard if key != "pixel"]
    menu.aboutToShow.emit()
    entry(menu, "Any metric", "z variance").trigger()
    assert keys(page)[-1] == "z_var"
    settle(page)
    assert page.grid.plots[-1].curves[0].has_data
    menu.aboutToShow.emit()
    entry(menu, "More plots", "D accuracy").trigger()
    assert keys(page)[-1] in ("d_accuracy", "accuracy")
    menu.aboutToShow.emit()
    entry(menu, "Standard plots").trigger()
    assert keys(page) == standard


def test_a_plot_takes_other_curves_in_and_keeps_its_axis(make):
    page = make()
    plot = page.grid.plots[0]
    menu = plot_menu.build(plot)
    entry(menu, "Add a curve", "z_var").trigger()
    settle(page)
    assert keys(page)[0] == "kld_per_dim+z_var"
    assert page.grid.plots[0].curves[-1].has_data
    menu = plot_menu.build(page.grid.plots[0])
    entry(menu, "Take added curves away").trigger()
    assert keys(page)[0] == "kld_per_dim"
    beta = page.grid.plots[1]
    beta.set_log(False)
    entry(plot_menu.build(beta), "Keep this y axis").trigger()
    assert page.views.plot_layout.chosen[1] == Chosen("beta", (), False)
    entry(plot_menu.build(page.grid.plots[0]), "Hide this plot").trigger()
    assert "kld_per_dim" not in keys(page)


def test_layouts_are_saved_by_name_and_come_back_at_the_next_start(make):
    page = make()
    layout = page.views.plot_layout
    layout.choose([Chosen("pixel", ("z_var",)), Chosen("d_accuracy", (), True)])
    layout.save("two")
    layout.choose(None)
    menu = page.controls.plots.menu()
    menu.aboutToShow.emit()
    entry(menu, "two").trigger()
    assert keys(page) == ["pixel+z_var", "d_accuracy"]
    other = make()
    other.restore_state(page.save_state())
    assert keys(other) == ["pixel+z_var", "d_accuracy"]
    assert list(other.views.plot_layout.saved) == ["two"]
    other.controls.plots.menu().aboutToShow.emit()
    entry(other.controls.plots.menu(), "Forget layout", "two").trigger()
    assert other.views.plot_layout.saved == {}
    other.restore_state({"plots": [1, ["pixel"]], "layouts": {"odd": "no"}})
    assert keys(other) == ["pixel+z_var", "d_accuracy"]


def test_the_last_plot_stays(make):
    page = make()
    page.views.plot_layout.choose([Chosen("pixel")])
    page.views.plot_layout.toggle("pixel")
    assert keys(page) == ["pixel"]
