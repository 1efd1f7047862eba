from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from monitor_bench import AE, GAN, colours, fill, preview, recipe, settle
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from latentlab.core.messages import Progress, TrainingState, TrainingStatus
from latentlab.runtime.training_session import TrainingSession
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.formatting import format_duration
from latentlab.ui.pages.monitor import MonitorPage
from latentlab.ui.pages.monitor_grid import best_columns

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


def test_without_a_training_it_says_what_to_do_and_the_button_does_it(make, qtbot):
    page = make()
    settle(page)
    assert page.empty.isVisible()
    assert not page.grid.isVisible()
    asked = []
    page.context.choose_recipe = lambda: asked.append(1)
    qtbot.mouseClick(page.empty.button, Qt.MouseButton.LeftButton)
    assert asked == [1]


def test_while_preparing_it_shows_how_far_the_work_has_come(make, session):
    page = make()
    session.state = TrainingState.PREPARING
    session.progress.put(Progress("Decoding frames", 1200, 8000))
    settle(page)
    assert page.empty.label.text() == "Decoding frames: 1,200 of 8,000"
    assert not page.empty.button.isVisible()
    session.progress.clear()
    session.state = TrainingState.FAILED
    settle(page)
    assert page.empty.button.isVisible()


def test_a_vaegan_gets_six_plots_that_fill_the_room(make, session):
    session.recipe = recipe("vaegan", beta="adaptive", target_kld=0.3)
    fill(session, GAN)
    page = make()
    settle(page)
    keys = [plot.spec.key for plot in page.grid.plots]
    assert keys == ["kld_per_dim", "beta", "pixel", "feature_matching", "adversarial", "active_units"]
    assert page.grid.columns == 2
    lefts = {plot.x() for plot in page.grid.plots}
    assert len(lefts) == 2
    assert max(plot.geometry().bottom() for plot in page.grid.plots) >= page.grid.height() - 2
    for plot in page.grid.plots:
        image = plot.grab().toImage()
        assert plot.curves[0].colour.name() in colours(image), plot.spec.key


def test_the_areas_of_plots_in_a_row_are_aligned(make, session):
    session.recipe = recipe("vaegan", beta="adaptive")
    fill(session, [*GAN, "test_kld_per_dim", "test_pixel"])
    page = make((1000, 700))
    settle(page)
    settle(page)
    for first in range(0, 6, 2):
        left, right = page.grid.plots[first], page.grid.plots[first + 1]
        assert left.plot_rect().top() == right.plot_rect().top()
        assert left.plot_rect().bottom() == right.plot_rect().bottom()
    assert len({plot.plot_rect().left() for plot in page.grid.plots}) == 1


def test_an_autoencoder_has_no_kld(make, session):
    session.recipe = recipe("ae")
    fill(session, AE)
    page = make()
    settle(page)
    assert [plot.spec.key for plot in page.grid.plots] == ["pixel", "reconstruction", "loss"]
    assert all(plot.isVisible() for plot in page.grid.plots)


def test_plots_appear_when_their_metrics_do_and_survive(make, session):
    session.recipe = recipe("vae")
    fill(session, ["pixel"])
    page = make()
    settle(page)
    first = page.grid.plots[0]
    session.history.append(3000, {"kld_per_dim": 0.1, "pixel": 0.2})
    settle(page)
    assert [plot.spec.key for plot in page.grid.plots] == ["kld_per_dim", "pixel"]
    assert page.grid.plots[1] is first


def test_the_target_follows_the_recipe_live(make, session):
    session.recipe = recipe("vaegan", beta="adaptive", target_kld=0.3)
    fill(session, GAN)
    page = make()
    settle(page)
    kld = page.grid.plots[0]
    assert kld._targets == {"kld_per_dim": 0.3}
    session.recipe.objective.target_kld = 0.45
    settle(page)
    assert kld._targets == {"kld_per_dim": 0.45}
    assert kld.axes["left"].inner_text(0.5) == "8.0 nats"
    session.recipe.objective.beta = "fixed"
    settle(page)
    assert kld._targets == {}


def test_the_numbers_are_those_of_the_session(make, session):
    session.recipe = recipe("vae")
    fill(session, AE)
    page = make()
    settle(page)
    shown = {caption: value for caption, value, _ in page.numbers._numbers}
    assert shown == {
        "step": "2,000 / 5,000",
        "images/s": "803",
        "elapsed": "3:12",
        "left": "4:48",
        "device": "CPU, bf16",
        "memory": "812 MB",
    }
    session.state = TrainingState.PAUSED
    session.status.put(TrainingStatus(2000, 5000, 0.0, 192.0, "CPU, bf16", 812.0))
    settle(page)
    assert ("images/s", "paused") in [number[:2] for number in page.numbers._numbers]
    session.state = TrainingState.STOPPED  # No newer status comes: the state alone must be noticed.
    settle(page)
    shown = {caption: value for caption, value, _ in page.numbers._numbers}
    assert (shown["images/s"], shown["left"]) == ("stopped", format_duration(None))


def test_the_table_holds_every_metric_at_the_newest_step_or_under_the_cursor(make, session):
    session.recipe = recipe("vaegan")
    fill(session, [*GAN, "test_pixel", "elapsed_s"])
    page = make()
    settle(page)
    rows = {row.metric: row for row in page.table.rows()}
    assert set(rows) == set(GAN)
    assert rows["pixel"].train == f"{session.history.last('pixel')[1]:.4f}"
    assert rows["pixel"].test
    assert page.table.title() == "newest, step 2,000"
    page.group.set_cursor(500.0)
    assert page.table.title() == "at step 500"
    at = session.history.at("pixel", 500.0)[1]
    assert {row.metric: row.train for row in page.table.rows()}["pixel"] == f"{at:.4f}"


def test_a_new_run_starts_with_a_clean_page(make, session):
    session.recipe = recipe("vaegan")
    fill(session, GAN)
    session.previews.put(preview())
    page = make()
    settle(page)
    page.group.show_range(10, 20)
    session.slots.clear()
    session.recipe = recipe("ae")
    session.state = TrainingState.RUNNING
    page.restart()
    settle(page)
    assert page.group.following
    assert page.table.rows() == ()
    assert page.pictures.step is None
    assert [plot.spec.key for plot in page.grid.plots] == ["pixel", "reconstruction", "loss"]
    fill(session, AE, rows=3)
    settle(page)
    assert page.group.x_range[1] < 100


def test_zooming_shows_in_the_chip_which_brings_back_following(make, session, qtbot):
    session.recipe = recipe("vae")
    fill(session, AE)
    page = make((1600, 900))
    settle(page)
    chip = page.controls.follow
    assert chip.isChecked()
    words = chip.text()
    page.group.show_range(100, 1500)
    assert not chip.isChecked()
    assert chip.text() != words
    assert page.controls.range_text.text() == "100 to 1,500"
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert page.group.following
    assert chip.isChecked()
    assert page.controls.range_text.text() == ""


def test_controls_act_on_all_plots(make, session):
    session.recipe = recipe("vae")
    fill(session, AE)
    page = make()
    settle(page)
    pixel = page.grid.plots[0]
    assert pixel.log
    page.controls.log.click()
    assert not pixel.log
    page.controls.smoothing.setValue(90)
    assert page.group.smoothing == pytest.approx(0.9)
    assert page.controls.smoothing_text.text() == "0.90"
    page.controls.to_end.click()
    settle(page)
    assert page.group.x_range == (0.0, 5000.0)


def test_every_control_says_what_it_does(make):
    controls = make().controls
    for widget in (controls.smoothing, controls.log, controls.time, controls.to_end, controls.follow):
        assert widget.toolTip()
        assert widget.accessibleName()


def test_the_layout_is_remembered_and_rubbish_ignored(make, session):
    session.recipe = recipe("vae")
    fill(session, AE)
    page = make()
    settle(page)
    page.splitter.setSizes([400, 800])
    page.splitter.splitterMoved.emit(400, 1)
    page.controls.smoothing.setValue(25)
    page.controls.log.setChecked(False)
    saved = page.save_state()
    other = make()
    other.restore_state(saved)
    settle(other)
    assert other.controls.smoothing.value() == 25
    assert not other.controls.log.isChecked()
    assert abs(other.splitter.sizes()[0] - page.splitter.sizes()[0]) < 20
    for rubbish in ({"columns": "wide", "smoothing": "x", "log": 3}, {"columns": [1, 2, 3], "right": None}, {}):
        other.restore_state(rubbish)
    assert other.controls.smoothing.value() == 25


def test_a_theme_change_recolours_the_curves(make, session, qapp):
    session.recipe = recipe("ae")
    fill(session, AE)
    page = make()
    settle(page)
    dark = style.colour("pixel").name()
    style.apply_theme(qapp, "light")
    page.apply_theme()
    settle(page)
    light = style.colour("pixel").name()
    seen = colours(page.grid.plots[0].canvas.grab().toImage())
    assert light in seen
    assert dark not in seen
    style.apply_theme(qapp, "dark")


def test_a_quiet_page_paints_nothing(make, session, monkeypatch):
    session.recipe = recipe("vaegan")
    fill(session, GAN)
    page = make()
    settle(page)
    settle(page)
    redrawn = []
    for plot in page.grid.plots:
        monkeypatch.setattr(plot, "redraw", lambda key=plot.spec.key: redrawn.append(key))
    for _ in range(20):
        page.tick()
        QApplication.processEvents()
    assert redrawn == []


@pytest.mark.parametrize(
    ("count", "width", "height", "columns"), [(6, 620, 620, 2), (3, 980, 880, 1), (6, 1400, 500, 3), (1, 500, 500, 1)]
)
def test_columns_for_the_shape_of_the_room(count, width, height, columns):
    assert best_columns(count, width, height) == columns


def test_a_small_page_still_fits(make, session):
    session.recipe = recipe("vaegan")
    fill(session, GAN)
    session.previews.put(preview())
    page = make((820, 560))
    settle(page)
    assert page.minimumSizeHint().width() <= 820
    assert page.width() == 820


def test_plots_are_loaded_only_once_the_page_is_on_screen(make):
    code = "import sys, latentlab.ui.pages.monitor as m; sys.exit('pyqtgraph' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
    page = make()
    QApplication.processEvents()
    assert page._preloading is not None
    page.close_down()
    assert "pyqtgraph" in sys.modules


def test_columns_keep_their_shares_until_they_are_moved_by_hand(make, session):
    session.recipe = recipe("vaegan")
    fill(session, GAN)
    session.previews.put(preview())
    page = make((1500, 900))
    settle(page)
    for width in (840, 1500, 900):
        page.resize(width, 700)
        settle(page)
        assert abs(page.splitter.sizes()[0] / sum(page.splitter.sizes()) - 0.63) < 0.04
    assert page.save_state()["columns"] == []


def test_the_table_shows_whole_rows(make, session):
    session.recipe = recipe("vaegan")
    fill(session, GAN)
    page = make((1100, 700))
    settle(page)
    settle(page)
    height = page.right.sizes()[1]
    assert page.table.sizeHint().height() > height > 0  # There are more rows than room ...
    assert height % page.table._line() == 0  # ... and none of them is cut in two.
