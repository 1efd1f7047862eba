from __future__ import annotations

import time

import numpy as np
import pytest
from plot_bench import LINE, Bench, near, ramp
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor

from latentlab.ui import style
from latentlab.ui.views.plot_spec import CurveSpec, PlotSpec, train_and_test

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture
def bench(qtbot, qapp):
    style.apply_theme(qapp, "dark")
    return lambda *specs: Bench(qtbot, list(specs) or [LINE])


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


def test_what_was_set_is_not_smoothed(bench):
    scene = bench(PlotSpec("beta", "β", "weight", (CurveSpec("beta", "β", "beta"),)))
    scene.history.extend("beta", np.arange(100.0), np.linspace(10, 1, 100))
    scene.group.set_smoothing(0.9)
    scene.draw()
    (curve,) = scene.plots[0].curves
    assert len(curve.smooth.getData()[0]) == 0
    assert curve.raw.getData()[1][-1] == pytest.approx(1.0)


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


def test_a_step_back_begins_the_clock_anew(bench):
    scene = bench()
    ramp(scene.history)
    scene.group.note_time(1395, 90.0)  # The last word of the previous run must not silence this one's.
    for step in (10, 20, 30):
        scene.group.note_time(step, step * 0.1)
    assert scene.group.knows_time
    np.testing.assert_allclose(scene.group._times()[0], [10, 20, 30])


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


def test_both_units_of_the_kld_are_on_the_axis(bench):
    scene = bench(train_and_test("kld_per_dim"))
    scene.history.extend("kld_per_dim", np.arange(10.0), np.linspace(0, 1, 10))
    plot = scene.plots[0]
    plot.set_inner_unit(16.0, "nats")
    scene.draw()
    assert plot.axes["left"].inner_text(0.5) == "8.0 nats"
    right = plot.plot_rect().right()
    image = scene.image()
    top = plot.plot_rect().top()

    def written(x, y):
        colours = [image.pixelColor(int(x + i), int(y + j)) for i in range(36) for j in range(20)]
        return any(QColor(c).lightness() > 100 for c in colours)

    assert written(right - 40, top)  # Over the highest line with room, where curves rarely end up.
    assert not written(right - 40, top + plot.plot_rect().height() / 2)


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
