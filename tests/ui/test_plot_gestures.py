from __future__ import annotations

import numpy as np
import pyqtgraph as pg
import pytest
from plot_bench import LINE, Bench, near, ramp
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from latentlab.core.errors import InputError
from latentlab.ui import style
from latentlab.ui.views import plot_menu
from latentlab.ui.views.plot import MetricPlot
from latentlab.ui.views.plot_spec import train_and_test

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture
def bench(qtbot, qapp):
    style.apply_theme(qapp, "dark")
    return lambda *specs: Bench(qtbot, list(specs) or [LINE])


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
