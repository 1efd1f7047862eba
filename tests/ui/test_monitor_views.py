"""The views behind the curves: figures and plots with content, nothing drawn while hidden, the doctor's button."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from monitor_bench import GAN, colours, fill, preview, recipe, settle
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from latentlab.core.events import RunEvent
from latentlab.core.messages import TrainingState
from latentlab.runtime.training_session import TrainingSession
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.pages.monitor import MonitorPage
from latentlab.ui.pages.monitor_doctor import DoctorWatch

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.

DIM = 6
SHARES = ("share_encoder_pixel", "share_encoder_feature", "share_encoder_kld")
LATENT = [
    *(f"z_mean_{end}" for end in ("min", "q02", "q16", "q50", "q84", "q98", "max")),
    *("test_kld_nats", "test_mutual_information", "test_pixel", "test_prior_gap"),
]


@pytest.fixture
def session() -> TrainingSession:
    session = TrainingSession()
    session.recipe = recipe("vaegan")
    fill(session, GAN)
    fill(session, LATENT, rows=40)
    steps = np.arange(1, 41) * 10.0
    for name, share in zip(SHARES, (0.5, 0.2, 0.3), strict=True):
        session.history.extend(name, steps, np.full(40, share))
    for step in range(10, 410, 10):
        rng = np.random.default_rng(step)
        session.vectors.append(
            step,
            {
                "kld_dim": np.linspace(2.0, 0.0, DIM, dtype=np.float32) * step / 400,
                "variance_dim": np.linspace(1.0, 0.0, DIM, dtype=np.float32),
                "mean_dim": np.zeros(DIM, dtype=np.float32),
                "std_dim": np.ones(DIM, dtype=np.float32),
                "z_hist": rng.random(DIM * 32, dtype=np.float32) / 32,
                "z_norm_hist": np.full(48, 1 / 48, dtype=np.float32),
                "d_real_hist": np.eye(32, dtype=np.float32)[28],
                "d_recon_hist": np.eye(32, dtype=np.float32)[3],
                "d_fake_hist": np.eye(32, dtype=np.float32)[5],
            },
        )
    return session


@pytest.fixture
def page(qtbot, qapp, session):
    style.apply_theme(qapp, "dark")
    page = MonitorPage(AppContext(session, None, None, None, Path()))
    qtbot.addWidget(page)
    page.resize(1280, 800)
    page.show()
    settle(page)
    yield page
    page.close_down()


def show(page: MonitorPage, name: str) -> None:
    page.tabs.chips[name].setChecked(True)
    QApplication.processEvents()
    settle(page)


def test_curves_come_first_and_the_other_views_are_made_when_wanted(page):
    assert page.tabs.current == "curves"
    assert page.views.made == {}
    for name in ("latents", "pulls", "game"):
        show(page, name)
        assert page.views.currentWidget() is page.views.made[name]
    show(page, "curves")
    assert page.views.currentWidget() is page.grid


@pytest.mark.parametrize("name", ["latents", "game"])
def test_figures_draw_what_was_measured_and_tell_it(page, name, tmp_path):
    show(page, name)
    figures = page.views.made[name].figures
    for figure in figures:
        assert not figure.empty, figure.title
        room = figure.room().toRect()
        image = figure.grab().toImage()
        seen = {
            image.pixelColor(x, y).name()
            for x in range(room.left(), room.right(), 2)
            for y in range(room.top(), room.bottom(), 2)
        }
        assert len(seen) > 2, figure.title
        (x0, x1), (y0, y1) = figure.x_range, figure.y_range
        assert figure.tell(0.4 * (x0 + x1), 0.4 * (y0 + y1))
        assert figure.csv().count("\n") > 3
        assert len(figure.story) > 60
        figure.save(tmp_path / f"{figure.key}.svg")
        figure.save(tmp_path / f"{figure.key}.png")
        text = (tmp_path / f"{figure.key}.svg").read_text()
        assert "<svg" in text
        assert "<path" in text or "<polyline" in text or "<image" in text
        assert (tmp_path / f"{figure.key}.png").stat().st_size > 1000


def test_sorted_bars_know_the_dead_dimensions(page):
    show(page, "latents")
    bars = page.views.made["latents"].figures[1]
    assert "5 of 6 active" in bars.remark
    assert bars.tell(0.5, 0.1) == "z0, rank 1: 2.00 nats, active"
    assert bars.tell(5.5, 0.0).endswith("dead")


def test_the_cursor_of_the_plots_takes_the_figures_back_in_time(page):
    show(page, "latents")
    view = page.views.made["latents"]
    page.group.set_cursor(200.0)
    view._at = 0.0
    view.refresh(page._session)
    assert view.figures[1].tell(0.5, 0.1) == "z0, rank 1: 1.00 nats, active"


def test_stacked_shares_fill_the_plot_from_bottom_to_top(page):
    show(page, "pulls")
    plots = page.views.made["pulls"].grid.plots
    assert [plot.spec.key for plot in plots] == ["pull_encoder"]
    plot = plots[0]
    page.group.draw_all()
    QApplication.processEvents()
    image = plot.grab().toImage()
    ground = style.colour("plot").name()
    column = [image.pixelColor(plot.place_of(200, y).toPoint()).name() for y in (0.1, 0.4, 0.6, 0.75, 0.9)]
    assert ground not in column
    assert len({column[0], column[2], column[4]}) == 3
    assert column[0] == column[1]
    assert plot.area.viewRange()[1][0] <= 0.0
    assert plot.area.viewRange()[1][1] >= 1.0
    page.tabs.chips["curves"].setChecked(True)


def test_bands_are_drawn_under_the_median(page):
    show(page, "latents")
    plot = next(plot for plot in page.views.made["latents"].grid.plots if plot.spec.key == "band_z_mean")
    page.group.draw_all()
    QApplication.processEvents()
    image = plot.grab().toImage()
    between = image.pixelColor(plot.place_of(200, 3.7).toPoint()).name()
    outside = image.pixelColor(plot.place_of(200, 1.0).toPoint()).name()
    assert between != style.colour("plot").name()
    assert between != outside


def test_hidden_views_cost_nothing(page, monkeypatch):
    show(page, "latents")
    show(page, "curves")
    view = page.views.made["latents"]
    taken = []
    for figure in view.figures:
        monkeypatch.setattr(figure, "take", lambda *a: taken.append(1))
    drawn = [plot.drawn_at for plot in view.grid.plots]
    page._session.history.append(2010, {"pixel": 0.5, "z_mean_q50": 0.1})
    page._session.vectors.append(2010, {"kld_dim": np.ones(DIM, dtype=np.float32)})
    for _ in range(12):
        settle(page)
    assert taken == []
    assert [plot.drawn_at for plot in view.grid.plots] == drawn


def test_views_that_make_no_sense_are_not_offered(page, session):
    session.recipe = recipe("ae")
    show(page, "game")
    page.restart()
    settle(page)
    assert not page.tabs.chips["game"].isVisible()
    assert not page.tabs.chips["latents"].isVisible()
    assert page.tabs.current == "curves"


def test_the_doctor_counts_its_findings_and_its_button_changes_the_setting(page, session, qtbot):
    changed = []
    page.context.change_setting = lambda key, value: changed.append((key, value))
    session.recipe = session.recipe.model_copy(deep=True)
    session.recipe.objective.pixel_weight = 800.0
    session.history.extend("share_decoder_pixel", np.array([410.0, 420.0, 430.0]), np.full(3, 0.99))
    session.history.extend("share_decoder_feature", np.array([410.0, 420.0, 430.0]), np.full(3, 0.01))
    page.watch._at, page.watch._past = 0.0, []
    settle(page)
    assert page.tabs.chips["doctor"].text() == f"Doctor · {len(page.watch.findings)}"
    show(page, "doctor")
    card = next(card for card in page.doctor.cards if card.finding.rule == "weight-out-of-scale")
    assert not page.controls.isVisible()
    qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    assert changed == [("objective.pixel_weight", 8.1)]
    session.state = TrainingState.STOPPED
    session.status.put(session.status.get()[1])
    settle(page)
    assert not any(card.button.isEnabled() for card in page.doctor.cards if card.button is not None)
    assert style.colour("warning").name() in colours(page.doctor.grab().toImage())


def test_the_doctor_remembers_what_passed():
    watch, session = DoctorWatch(), TrainingSession()
    settings = recipe("vaegan", pixel_weight=800.0)
    steps = np.array([10.0, 20.0, 30.0])
    for name, share in (("pixel", 0.99), ("feature", 0.01)):
        session.history.extend(f"share_decoder_{name}", steps, np.full(3, share))
    assert watch.look(session.history, settings)
    assert watch.since == {"weight-out-of-scale": 30}
    while watch._past:
        watch.look(session.history, settings)
    for name, share in (("pixel", 0.5), ("feature", 0.5)):
        session.history.extend(f"share_decoder_{name}", steps + 30, np.full(3, share))
    watch._at = 0.0
    assert watch.look(session.history, settings)
    assert watch.findings == []
    assert list(watch.passed) == ["weight-out-of-scale"]
    watch.restart()
    assert watch.passed == {}


def test_a_run_that_is_opened_is_examined_from_its_first_step_on():
    watch, session = DoctorWatch(), TrainingSession()
    settings = recipe("vaegan", pixel_weight=800.0)
    steps = np.arange(1.0, 41.0) * 10
    for name, share in (("pixel", 0.99), ("feature", 0.01)):
        values = np.where(steps < 200, share, 0.5)
        session.history.extend(f"share_decoder_{name}", steps, values)
    watch.look(session.history, settings)
    assert watch.findings == []
    while watch._past:
        watch.look(session.history, settings)
    assert watch.passed["weight-out-of-scale"].step == 190


def test_changes_and_checkpoints_are_marked_and_said(page, session):
    session.events.add(RunEvent(500, "change", "objective.beta_step 0.1 → 0.3"), RunEvent(800, "checkpoint", ""))
    settle(page)
    page.group.draw_all()
    QApplication.processEvents()
    plot = next(plot for plot in page.grid.plots if plot.spec.key == "pixel")
    image = plot.grab().toImage()
    spot = plot.place_of(500, 0.25).toPoint()
    area = plot.plot_rect().toRect()
    strip = {image.pixelColor(spot.x() + dx, y).name() for dx in (-1, 0, 1) for y in range(area.top(), area.bottom())}
    assert style.colour("accent").name() in strip
    from latentlab.ui.views.plot_marks import events_near, story

    near = events_near(page.group, 503.0, 1.0)
    assert story(near) == "step 500: objective.beta_step 0.1 → 0.3"
    assert events_near(page.group, 600.0, 1.0) == []
    page.group.show_events(False)
    assert events_near(page.group, 503.0, 1.0) == []


def test_a_range_selected_shows_its_statistics_everywhere(page, session):
    page.group.select(100.0, 300.0)
    settle(page)
    plot = next(plot for plot in page.grid.plots if plot.spec.key == "pixel")
    found = session.history.statistics("pixel", 100, 300)
    assert found.count == 21
    entry = plot.header.entries()[0]
    assert entry.value.startswith("⌀ ")
    assert "standard deviation" in entry.tip
    assert page.table.title() == "means, steps 100 to 300"
    page.group.select(0.0, 0.0)
    settle(page)
    assert page.group.selection is None
    assert not page.table.title().startswith("means")


def test_figures_say_what_is_under_the_pointer(page, monkeypatch):
    show(page, "latents")
    figure = page.views.made["latents"].figures[0]
    told = []
    monkeypatch.setattr("latentlab.ui.views.figure.QToolTip.showText", lambda *a: told.append(a[1]))
    for place in (figure.room().center(), QPointF(20, 4)):
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            place,
            figure.mapToGlobal(place),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
        )
        figure.mouseMoveEvent(event)
    assert "nats" in told[0]
    assert told[1] == figure.story


def test_the_view_chosen_comes_back(page):
    show(page, "pulls")
    state = page.save_state()
    show(page, "curves")
    page.restore_state(state)
    assert page.tabs.current == "pulls"
    page.restore_state({"view": "nonsense", "explore_share": "much"})
    assert page.tabs.current == "pulls"
    assert preview().step == 1990
