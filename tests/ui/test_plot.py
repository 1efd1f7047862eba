from __future__ import annotations

import time

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QGuiApplication, QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from latentlab.core.buffers import MetricHistory
from latentlab.core.errors import InputError
from latentlab.ui import style
from latentlab.ui.views import plot_menu
from latentlab.ui.views.plot import MetricPlot
from latentlab.ui.views.plot_group import PlotGroup
from latentlab.ui.views.plot_spec import CurveSpec, PlotSpec, train_and_test

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.

LINE = PlotSpec("pixel", "Pixel loss", "MSE", (CurveSpec("pixel", "train", "pixel"),), floor=None)


class Bench:
    """A window with linked plots over one history."""

    def __init__(self, qtbot, specs: list[PlotSpec]) -> None:
        self.history = MetricHistory()
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.group = PlotGroup(self.history, self.window)
        row = QHBoxLayout(self.window)
        self.plots = [MetricPlot(spec, self.group) for spec in specs]
        for plot in self.plots:
            row.addWidget(plot)
        self.window.resize(520 * len(specs), 320)
        self.window.show()
        QApplication.processEvents()

    def draw(self) -> None:
        self.group.draw_all()
        QApplication.processEvents()

    def image(self, index: int = 0) -> QImage:
        return self.plots[index].grab().toImage()


@pytest.fixture
def bench(qtbot, qapp):
    style.apply_theme(qapp, "dark")
    return lambda *specs: Bench(qtbot, list(specs) or [LINE])


def near(image: QImage, spot: QPointF, colour: QColor, reach: int = 2) -> bool:
    """Whether ``colour`` is found within ``reach`` pixels of ``spot``."""
    x0, y0 = round(spot.x()), round(spot.y())
    around = [(x0 + dx, y0 + dy) for dx in range(-reach, reach + 1) for dy in range(-reach, reach + 1)]
    return any(image.valid(x, y) and image.pixelColor(x, y) == colour for x, y in around)


def ramp(history: MetricHistory, name: str = "pixel", n: int = 101) -> None:
    history.extend(name, np.arange(n, dtype=float) * 10, np.linspace(0.1, 0.5, n))


def test_the_curve_is_drawn_where_its_values_are_and_nowhere_else(bench):
    scene = bench()
    ramp(scene.history)
    scene.draw()
    plot, image = scene.plots[0], scene.image()
    for step, value in ((100, 0.14), (500, 0.3), (900, 0.46)):
        assert near(image, plot.place_of(step, value), style.colour("pixel"))
        assert not near(image, plot.place_of(step, value + 0.08), style.colour("pixel"))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_curves_take_the_colours_of_the_theme(bench, qapp, theme):
    scene = bench()
    ramp(scene.history)
    style.apply_theme(qapp, theme)
    scene.plots[0].apply_theme()
    scene.draw()
    assert near(scene.image(), scene.plots[0].place_of(500, 0.3), style.colour("pixel"))
    style.apply_theme(qapp, "dark")


def test_test_values_are_dashed_and_never_smoothed(bench):
    scene = bench(train_and_test("kld_per_dim"))
    scene.history.extend("test_kld_per_dim", [0.0, 1000.0], [0.5, 0.5])
    scene.group.set_smoothing(0.9)
    scene.draw()
    plot, image = scene.plots[0], scene.image()
    spots = [plot.place_of(step, 0.5) for step in range(100, 900, 4)]
    below = QPointF(0, 1)
    hits = [any(near(image, at, style.colour("kld"), 0) for at in (spot, spot + below)) for spot in spots]
    assert 0.4 < np.mean(hits) < 0.8
    assert len(plot.curves[1].smooth.getData()[0]) == 0


def test_the_target_is_always_in_view_and_dashed_in_the_metrics_colour(bench):
    scene = bench(train_and_test("kld_per_dim"))
    scene.history.extend("kld_per_dim", np.arange(100.0), np.full(100, 2.0))
    scene.plots[0].set_target("kld_per_dim", 0.1)
    scene.draw()
    plot, image = scene.plots[0], scene.image()
    hits = [near(image, plot.place_of(x, 0.1), style.colour("kld"), 1) for x in np.linspace(5, 90, 60)]
    assert 0.4 < np.mean(hits) < 0.95
    assert [entry.label for entry in plot.header.entries()] == ["train", "target"]
    plot.set_target("kld_per_dim", None)
    scene.draw()
    assert [entry.label for entry in plot.header.entries()] == ["train"]


def test_smoothing_draws_over_the_faded_raw_curve(bench):
    scene = bench()
    values = 0.3 + 0.1 * (-1.0) ** np.arange(60)
    scene.history.extend("pixel", np.arange(60.0), values)
    scene.group.set_smoothing(0.9)
    scene.draw()
    image, plot = scene.image(), scene.plots[0]
    drawn = plot.curves[0].smooth.getData()[1]
    assert near(image, plot.place_of(50, float(drawn[50])), style.colour("pixel"))
    assert not near(image, plot.place_of(50, 0.4), style.colour("pixel"))
    raw = plot.curves[0].raw.opts["pen"].color()
    assert raw != style.colour("pixel")
    assert near(image, plot.place_of(50, 0.39), raw)


def test_a_zoomed_view_is_smoothed_from_what_came_before_it(bench):
    scene = bench()
    values = np.random.default_rng(0).normal(1, 0.2, 900)
    scene.history.extend("pixel", np.arange(900.0), values)
    scene.group.set_smoothing(0.95)
    scene.group.show_range(600, 700)
    x, y = scene.plots[0].curves[0].smooth.getData()
    inside = (x >= 600) & (x <= 700)
    weights = 0.95 ** np.arange(400)[::-1]
    expected = [np.average(values[step - 399 : step + 1], weights=weights) for step in range(600, 701)]
    np.testing.assert_allclose(y[inside], expected, atol=0.01)
    from_here = [np.average(values[600 : step + 1], weights=0.95 ** np.arange(step - 599)[::-1]) for step in (600, 605)]
    assert abs(from_here[0] - expected[0]) > 0.05, "starting at the edge would show"


def test_it_follows_until_the_user_zooms_and_goes_back_on_request(bench, qtbot):
    scene = bench(LINE, train_and_test("kld_per_dim"))
    ramp(scene.history)
    scene.draw()
    assert scene.group.following
    assert scene.group.x_range[1] >= 1000
    scene.history.append(5000, {"pixel": 0.4})
    scene.draw()
    assert scene.group.x_range[1] >= 5000
    with qtbot.waitSignal(scene.group.mode_changed):
        scene.group.show_range(100, 300)
    scene.history.append(9000, {"pixel": 0.4})
    scene.draw()
    for plot in scene.plots:
        assert plot.area.viewRange()[0] == [100, 300]
    scene.group.follow_newest()
    scene.draw()
    assert scene.group.following
    for plot in scene.plots:
        assert plot.area.viewRange()[0][1] >= 9000


def turn_wheel(plot: MetricPlot, notches: int, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    viewport = plot.canvas.viewport()
    at = QPointF(viewport.rect().center())
    event = QWheelEvent(
        at,
        QPointF(viewport.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)


def test_the_wheel_zooms_all_plots_around_the_pointer(bench):
    scene = bench(LINE, train_and_test("kld_per_dim"))
    ramp(scene.history)
    scene.draw()
    before = scene.plots[0].area.viewRange()
    turn_wheel(scene.plots[0], 1)
    (x0, x1), _ = scene.plots[0].area.viewRange()
    assert not scene.group.following
    assert x1 - x0 == pytest.approx((before[0][1] - before[0][0]) / 1.2, rel=1e-6)
    assert scene.plots[1].area.viewRange()[0] == [x0, x1]
    assert not scene.plots[0].area.y_by_hand


def test_shift_and_wheel_zoom_y_of_one_plot_until_it_is_fitted(bench, qtbot):
    scene = bench()
    ramp(scene.history)
    scene.draw()
    plot = scene.plots[0]
    low, high = plot.area.viewRange()[1]
    turn_wheel(plot, 1, Qt.KeyboardModifier.ShiftModifier)
    assert plot.area.y_by_hand
    assert plot.area.viewRange()[1][1] - plot.area.viewRange()[1][0] < high - low
    assert scene.group.following
    place = plot.header._fit_place().center()
    qtbot.mouseClick(plot.header, Qt.MouseButton.LeftButton, pos=place)
    assert not plot.area.y_by_hand
    assert plot.area.viewRange()[1] == pytest.approx([low, high])


def test_double_click_follows_again(bench, qtbot):
    scene = bench()
    ramp(scene.history)
    scene.draw()
    scene.group.show_range(10, 20)
    viewport = scene.plots[0].canvas.viewport()
    centre = viewport.rect().center()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=centre)
    qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=centre)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=centre)
    assert scene.group.following


def test_values_without_a_logarithm_leave_gaps_and_a_remark(bench):
    scene = bench()
    values = np.array([1.0, 0.1, 0.0, -3.0, 0.1, 1.0, np.nan, 10.0])
    scene.history.extend("pixel", np.arange(8.0), values)
    scene.plots[0].set_log(True)
    scene.draw()
    plot, image = scene.plots[0], scene.image()
    y = plot.curves[0].raw.getData()[1]
    np.testing.assert_array_equal(np.isnan(y), [False, False, True, True, False, False, True, False])
    assert near(image, plot.place_of(0.5, 10**-0.5), style.colour("pixel"))
    assert "not shown" in plot.header._unit
    low, high = plot.area.viewRange()[1]
    assert -1.5 < low < -1
    assert 1 < high < 1.5


def test_a_log_axis_without_any_positive_value_draws_nothing_and_does_not_fail(bench):
    scene = bench()
    scene.history.extend("pixel", np.arange(5.0), np.zeros(5))
    scene.plots[0].set_log(True)
    scene.draw()
    assert np.isfinite(scene.plots[0].area.viewRange()).all()


@pytest.mark.parametrize("values", [[], [1.0], [np.nan, np.nan], [np.inf, 1.0, -np.inf], [1e-300, 1e300]])
def test_odd_histories_are_drawn_without_a_warning(bench, values):
    scene = bench()
    scene.history.extend("pixel", np.arange(len(values), dtype=float), values)
    for log in (False, True):
        scene.plots[0].set_log(log)
        for smoothing in (0.0, 0.9):
            scene.group.set_smoothing(smoothing)
            scene.draw()
    assert np.isfinite(scene.plots[0].area.viewRange()).all()


def test_a_million_rows_cost_what_ten_thousand_do(bench):
    costs = {}
    for rows in (10_000, 1_000_000):
        scene = bench()
        scene.history.extend("pixel", np.arange(rows) * 10.0, np.random.default_rng(0).normal(1, 0.1, rows))
        scene.group.set_smoothing(0.6)
        scene.draw()
        assert len(scene.plots[0].curves[0].raw.getData()[0]) <= 2 * 1002
        times = []
        for _ in range(9):
            start = time.perf_counter()
            scene.plots[0].redraw()
            scene.plots[0].canvas.viewport().repaint()
            times.append(time.perf_counter() - start)
        costs[rows] = min(times)
    assert costs[1_000_000] < 4 * costs[10_000]


def test_a_tick_draws_only_what_moved_one_plot_at_a_time(bench, monkeypatch):
    scene = bench(LINE, train_and_test("kld_per_dim"), train_and_test("active_units"))
    ramp(scene.history)
    scene.draw()
    drawn: list[str] = []
    for plot in scene.plots:
        original = plot.redraw
        monkeypatch.setattr(plot, "redraw", lambda p=plot, o=original: (drawn.append(p.spec.key), o()))
    scene.group.tick()
    assert drawn == []
    for plot in scene.plots:
        plot.drawn_at -= 60
    scene.history.append(1000, {"pixel": 0.2})
    scene.group.tick()
    assert len(drawn) == 1
    scene.group.tick()
    scene.group.tick()
    assert sorted(drawn) == ["active_units", "kld_per_dim", "pixel"]
    scene.history.append(1001, {"pixel": 0.2})
    scene.group.tick()
    assert len(drawn) == 3, "a plot just drawn waits"
    scene.group.set_smoothing(0.3)
    scene.group.tick()
    assert len(drawn) == 6, "what the user changed does not wait"


def test_hidden_plots_are_not_drawn(bench):
    scene = bench(LINE, train_and_test("kld_per_dim"))
    ramp(scene.history)
    scene.plots[1].hide()
    before = scene.plots[1].drawn_at
    scene.draw()
    assert scene.plots[1].drawn_at == before


def test_the_cursor_reads_every_plot_at_one_step(bench):
    scene = bench(LINE, train_and_test("kld_per_dim"))
    ramp(scene.history)
    scene.history.extend("kld_per_dim", np.arange(0, 1001, 100.0), np.arange(11.0))
    scene.draw()
    assert scene.plots[0].header.entries()[0].value == "0.500"
    spot = scene.plots[0].canvas.mapFromScene(scene.plots[0].area.mapViewToScene(QPointF(301, 0.3)))
    scene.plots[0].canvas.sceneObj.sigMouseMoved.emit(scene.plots[0].canvas.mapToScene(spot))
    scene.group.tick()
    assert scene.group.cursor_step == pytest.approx(301, abs=5)
    assert scene.plots[0].header.entries()[0].value == "0.220"
    assert scene.plots[1].header.entries()[0].value == "3.00"
    image = scene.image(1)
    assert near(image, scene.plots[1].place_of(scene.group.cursor_step, 8.0), style.colour("muted"))
    scene.group.set_cursor(None)
    assert scene.plots[1].header.entries()[0].value == "10.0"


def test_a_click_on_the_legend_hides_the_curve(bench, qtbot):
    scene = bench()
    ramp(scene.history)
    scene.draw()
    plot = scene.plots[0]
    spot = plot.header._places()[0].center()
    qtbot.mouseClick(plot.header, Qt.MouseButton.LeftButton, pos=spot)
    scene.draw()
    assert not near(scene.image(), plot.place_of(500, 0.3), style.colour("pixel"))
    qtbot.mouseClick(plot.header, Qt.MouseButton.LeftButton, pos=spot)
    scene.draw()
    assert near(scene.image(), plot.place_of(500, 0.3), style.colour("pixel"))


def test_the_time_axis_places_steps_at_their_seconds(bench):
    scene = bench()
    ramp(scene.history)
    assert not scene.group.knows_time
    for step in range(0, 1001, 10):
        scene.group.note_time(step, step * 0.5)
    scene.history.append(1010, {"pixel": 0.5})
    assert scene.group.knows_time
    scene.group.set_x_axis("time")
    scene.draw()
    plot = scene.plots[0]
    assert near(scene.image(), plot.place_of(250.0, 0.3), style.colour("pixel"))
    assert scene.group.to_step(250.0) == pytest.approx(500.0)
    assert plot.axes["bottom"].name == "time"


def test_logged_times_are_preferred(bench):
    scene = bench()
    scene.history.extend("elapsed_s", [0.0, 100.0], [0.0, 20.0])
    assert scene.group.knows_time
    scene.group.set_x_axis("time")
    np.testing.assert_allclose(scene.group.to_x(np.array([50.0])), [10.0])


def test_the_axis_can_reach_the_recipes_end(bench):
    scene = bench()
    ramp(scene.history)
    scene.group.last_step = 20_000.0
    scene.group.set_to_end(True)
    scene.draw()
    assert scene.plots[0].area.viewRange()[0] == [0, 20_000]


def test_copied_values_are_those_in_view(bench):
    scene = bench(train_and_test("pixel"))
    scene.history.extend("pixel", [0.0, 10.0, 20.0, 30.0], [0.1, 0.25, 1 / 3, 4.0])
    scene.history.extend("test_pixel", [20.0], [0.5])
    scene.draw()
    scene.group.show_range(5, 25)
    plot_menu.copy_csv(scene.plots[0])
    text = QGuiApplication.clipboard().text()
    assert text == f"step,pixel,test_pixel\n10,0.25,\n20,{1 / 3!r},0.5\n"


def test_pictures_of_a_plot_are_saved_as_pixels_and_as_vectors(bench, tmp_path):
    scene = bench()
    ramp(scene.history)
    scene.draw()
    plot = scene.plots[0]
    plot_menu.save(plot, tmp_path / "plot.png")
    image = QImage(str(tmp_path / "plot.png"))
    assert image.width() == 2 * plot.width()
    assert near(image, plot.place_of(500, 0.3) * 2, style.colour("pixel"), reach=4)
    plot_menu.save(plot, tmp_path / "plot.svg")
    assert "polyline" in (tmp_path / "plot.svg").read_text() or "path" in (tmp_path / "plot.svg").read_text()
    with pytest.raises(InputError, match="could not be written"):
        plot_menu.save(plot, tmp_path / "no" / "such" / "folder" / "plot.png")


def test_the_menu_offers_what_it_says(bench):
    scene = bench()
    ramp(scene.history)
    scene.draw()
    menu = plot_menu.build(scene.plots[0])
    texts = [action.text() for action in menu.actions() if action.text()]
    assert any("CSV" in text for text in texts)
    log = next(action for action in menu.actions() if action.isCheckable())
    log.setChecked(True)
    assert scene.plots[0].log
    menu.deleteLater()


def test_both_units_of_the_kld_are_on_the_axis(bench):
    scene = bench(train_and_test("kld_per_dim"))
    scene.history.extend("kld_per_dim", np.arange(10.0), np.linspace(0, 1, 10))
    plot = scene.plots[0]
    plot.set_inner_unit(16.0, "nats")
    scene.draw()
    assert plot.axes["left"].inner_text(0.5) == "8.0 nats"
    right = plot.plot_rect().right()
    image = scene.image()
    written = [
        image.pixelColor(int(x), y) for x in np.arange(right - 40, right - 4) for y in range(60, image.height() - 40)
    ]
    assert any(QColor(c).lightness() > 100 for c in written)


def test_values_that_change_do_not_move_the_header(bench):
    scene = bench(train_and_test("pixel"))
    scene.history.append(1, {"pixel": 0.12345, "test_pixel": 2.5})
    scene.draw()
    header = scene.plots[0].header
    before = header._places()
    for value in (0.1, 1.0, 12.0, 0.5):
        scene.history.append(2, {"pixel": value})
        scene.draw()
        assert header._places() == before


def test_a_right_click_in_the_plot_opens_its_menu(bench, monkeypatch):
    scene = bench()
    opened = []

    class Menu:
        def exec(self, position: QPoint) -> None:
            opened.append(position)

    monkeypatch.setattr(plot_menu, "build", lambda plot: Menu())
    viewport = scene.plots[0].canvas.viewport()
    centre = viewport.rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, centre, viewport.mapToGlobal(centre))
    QApplication.sendEvent(viewport, event)
    assert opened == [viewport.mapToGlobal(centre)]


def test_dragging_moves_all_plots_along_x(bench, qtbot, monkeypatch):
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", 0)
    scene = bench(LINE, train_and_test("kld_per_dim"))
    ramp(scene.history)
    scene.draw()
    plot = scene.plots[0]
    before = plot.area.viewRange()
    viewport = plot.canvas.viewport()
    start = viewport.rect().center()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for shift in range(0, 61, 10):
        move = QMouseEvent(
            QMouseEvent.Type.MouseMove,
            QPointF(start - QPoint(shift, 0)),
            QPointF(viewport.mapToGlobal(start - QPoint(shift, 0))),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(viewport, move)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=start - QPoint(60, 0))
    (x0, x1), y = plot.area.viewRange()
    assert x0 > before[0][0]
    assert x1 - x0 == pytest.approx(before[0][1] - before[0][0])
    assert scene.plots[1].area.viewRange()[0] == [x0, x1]
    assert not scene.group.following
    assert not plot.area.y_by_hand
    assert y[0] != y[1]
