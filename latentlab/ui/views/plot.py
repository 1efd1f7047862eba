"""A live plot of metrics: persistent curves, drawn from a summary that costs the same at any length of run."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QCursor, QPaintEvent
from PySide6.QtWidgets import QGraphicsGridLayout, QToolTip, QVBoxLayout, QWidget

from latentlab.core.buffers import Statistics
from latentlab.ui import style
from latentlab.ui.formatting import format_steps, format_value
from latentlab.ui.views import plot_menu
from latentlab.ui.views.plot_axis import TOP_MARGIN, GridAxis
from latentlab.ui.views.plot_config import configure_pyqtgraph, line_pen
from latentlab.ui.views.plot_curve import Curve, place
from latentlab.ui.views.plot_dots import NewestDots
from latentlab.ui.views.plot_fill import Fills
from latentlab.ui.views.plot_group import PlotGroup
from latentlab.ui.views.plot_header import Entry, PlotHeader
from latentlab.ui.views.plot_marks import Marks, events_near, story
from latentlab.ui.views.plot_scaling import Range, data_range, padded, settled
from latentlab.ui.views.plot_spec import PlotSpec
from latentlab.ui.views.plot_view import PlotArea

Array = npt.NDArray[np.float64]
MAX_POINTS = 1000


class _Canvas(pg.GraphicsView):
    """The drawing surface: an area with two axes; tells what its painting costs.

    Not pyqtgraph's PlotWidget, which builds a hidden settings form for each plot: that takes longer
    than everything else here together.
    """

    painted = Signal(float)  # seconds

    def __init__(self, area: PlotArea, axes: dict[str, GridAxis]) -> None:
        super().__init__(background=None)
        central = pg.GraphicsWidget()
        grid = QGraphicsGridLayout()
        grid.setContentsMargins(0, TOP_MARGIN, 6, 0)
        grid.setSpacing(0)
        grid.addItem(axes["left"], 0, 0)
        grid.addItem(area, 0, 1)
        grid.addItem(axes["bottom"], 1, 1)
        central.setLayout(grid)
        for axis in axes.values():
            axis.linkToView(area)
            axis.setZValue(area.zValue() - 1)  # the grid lies under the curves
        self.setCentralItem(central)
        self.setFrameShape(self.Shape.NoFrame)
        self.setMinimumSize(0, 0)
        for part in (self, self.viewport()):
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Nothing in it answers to keys: Tab passes by.
        # Every value moves every curve: finding out what to paint again takes longer than painting it all.
        self.setViewportUpdateMode(self.ViewportUpdateMode.FullViewportUpdate)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint, and tell how long it took."""
        start = time.perf_counter()
        super().paintEvent(event)
        self.painted.emit(time.perf_counter() - start)


class MetricPlot(QWidget):
    """Several metrics against the step (or the time), with targets, smoothing and a linked cursor.

    Draws only when told to: ``PlotGroup.tick`` calls ``redraw`` when something moved.
    Thread: GUI.
    """

    def __init__(self, spec: PlotSpec, group: PlotGroup, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        configure_pyqtgraph()
        self.spec, self.group = spec, group
        self.log = spec.log
        self.drawn_at = 0.0
        self._drawn: tuple[int, int] = (-1, -1)
        self._targets: dict[str, float] = {}
        self._y_range: Range | None = None
        self._hidden_values = 0
        self._told = ""
        self._inner_unit: tuple[float | None, str] = (None, "")
        self.header = PlotHeader(spec.title, "", spec.tooltip)
        self.header.entry_clicked.connect(self._toggle_curve)
        self.header.fit_clicked.connect(self._fit_and_draw)
        self.area = PlotArea()
        self.axes = {"left": GridAxis("left"), "bottom": GridAxis("bottom")}
        self.canvas = _Canvas(self.area, self.axes)
        self._unpainted: set[QWidget] = set()
        for part in (self.header, self.canvas):
            part.painted.connect(partial(self._on_painted, part))
        self._build_canvas()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.header)
        layout.addWidget(self.canvas, 1)
        self.setMinimumSize(160, 90)
        self.setAccessibleName(f"Plot of {spec.title}")
        group.add(self)
        self.apply_theme()

    def _build_canvas(self) -> None:
        self.curves = [Curve(spec, self.area) for spec in self.spec.curves]
        self.fills = Fills(self.spec, self.area, self.curves)
        self.marks = Marks(self.area)
        self._dots = NewestDots(self.area)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.setVisible(False)
        self.area.addItem(self._cursor, ignoreBounds=True)
        self.area.x_wanted.connect(self.group.show_range)
        self.area.range_selected.connect(self.group.select)
        self.area.y_wanted.connect(self._take_y)
        self.area.reset_wanted.connect(self.group.follow_newest)
        self.canvas.scene().sigMouseMoved.connect(self._on_mouse_moved)
        self.canvas.viewport().installEventFilter(self)

    # -- what is shown ----------------------------------------------------------------------------

    def set_target(self, metric: str, value: float | None) -> None:
        """Draw ``value`` as a dashed line in the metric's colour; None removes it."""
        if self._targets.get(metric) == value:
            return
        if value is None:
            self._targets.pop(metric, None)
        else:
            self._targets[metric] = value
        self._drawn = (-1, -1)

    def set_inner_unit(self, factor: float | None, unit: str) -> None:
        """Write, at the right end of the grid lines, their values times ``factor`` in ``unit`` (None: nothing)."""
        if self._inner_unit == (factor, unit):
            return
        self._inner_unit = (factor, unit)
        left = self.axes["left"]

        def text(value: float) -> str:
            plain = 10.0**value if self.log else value
            return f"{format_value(plain * factor, 2)} {unit}" if factor is not None else ""

        left.inner_text = None if factor is None else text
        left.update()

    def set_log(self, log: bool) -> None:
        """Choose a logarithmic or a linear y axis; values that are not positive have no place on the former."""
        if log != self.log:
            self.log = log
            self.fit_y()
            self._drawn = (-1, -1)

    def fit_y(self) -> None:
        """Let y be scaled by itself again."""
        self.area.y_by_hand = False
        self._y_range = None
        self._drawn = (-1, -1)
        self.header.set_fit_offered(False)

    @Slot(float, float)
    def _take_y(self, low: float, high: float) -> None:
        if not high > low:
            return
        self.area.y_by_hand = True
        self._y_range = (low, high)
        self.header.set_fit_offered(True)
        self.redraw()

    @Slot()
    def _fit_and_draw(self) -> None:
        self.fit_y()
        self.redraw()

    @Slot(int)
    def _toggle_curve(self, index: int) -> None:
        shown = [curve for curve in self.curves if curve.has_data or curve.hidden]
        if index < len(shown):
            shown[index].set_hidden(not shown[index].hidden)
            self._fit_and_draw()

    @Slot()
    def apply_theme(self) -> None:
        """Take the colours in force."""
        for curve in self.curves:
            curve.apply_theme()
        self.fills.apply_theme()
        self.marks.apply_theme()
        self._cursor.setPen(line_pen(style.colour("muted")))
        self._drawn = (-1, -1)
        self.header.update()
        self.canvas.viewport().update()

    # -- drawing ----------------------------------------------------------------------------------

    def needs_drawing(self) -> bool:
        """Whether anything moved since the last ``redraw``."""
        return self._drawn != (self.group.history.version, self.group.settings_version)

    def stale_settings(self) -> bool:
        """Whether the user changed something since the last ``redraw``, which must not wait."""
        return self._drawn[1] != self.group.settings_version

    def redraw_live(self) -> None:
        """Draw what training brought; the painting that follows is counted against the group's share of time."""
        self._unpainted = {self.header, self.canvas}
        self.redraw()

    def _on_painted(self, part: QWidget, seconds: float) -> None:
        if part in self._unpainted:
            self._unpainted.discard(part)
            self.group.note_paint(seconds)

    def redraw(self) -> None:
        """Read the visible part of the history and hand it to the curves."""
        group = self.group
        self._drawn = (group.history.version, group.settings_version)
        self.drawn_at = time.perf_counter()
        x0, x1 = group.x_range
        points = min(MAX_POINTS, max(100, int(self.area.width())))
        for curve in self.curves:
            curve.draw(group, (x0, x1), points, log=self.log, target=self._targets.get(curve.spec.metric))
        self.fills.draw(group, (x0, x1), points, log=self.log)
        self._mark_newest()
        self._hidden_values = sum(curve.without_place for curve in self.curves)
        self.area.setXRange(x0, x1, padding=0)
        self._scale_y()
        self.marks.draw(group, self._y_range or (0.0, 1.0))
        bottom, left = self.axes["bottom"], self.axes["left"]
        bottom.kind = "time" if group.x_axis == "time" else "linear"
        bottom.name = "time" if group.x_axis == "time" else "step"
        left.kind = "log" if self.log else "linear"
        self.show_cursor()
        self.canvas.scene().prepareForPaint()  # Left to the painting, it would ask for a second one.

    def _mark_newest(self) -> None:
        shown = [(curve.newest, curve.colour) for curve in self.curves if curve.newest and not curve.hidden]
        self._dots.show([] if self.spec.stacked else shown)

    def _scale_y(self) -> None:
        if not self.area.y_by_hand:
            visible = [curve for curve in self.curves if not curve.hidden]
            empty = np.empty(0)
            drawn = [] if self.spec.stacked else [curve.band(self.group.x_range) for curve in visible]
            values = np.concatenate([empty, *drawn, self.fills.reach])
            musts = np.concatenate([empty, *(curve.must_show() for curve in visible)])
            data = data_range(values, musts)
            if data is not None:
                floor = None if self.log else self.spec.floor
                self._y_range = settled(self._y_range, padded(data, log=self.log, floor=floor), data)
        low, high = self._y_range or ((-1.0, 0.0) if self.log else (0.0, 1.0))
        self.area.setYRange(low, high, padding=0)

    def show_cursor(self) -> None:
        """Place the cursor and write the values under it, or the newest ones, into the header."""
        step = self.group.cursor_step
        self._cursor.setVisible(step is not None)
        if step is not None:
            self._cursor.setValue(float(self.group.to_x(np.array([step]))[0]))
        self.header.set_entries(self._entries(step))
        self.header.set_unit(self._unit_text())

    def _entries(self, step: float | None) -> list[Entry]:
        """Return the header's values: one per curve with data, then the targets."""
        shown = [curve for curve in self.curves if curve.has_data or curve.hidden]
        entries = [self._entry(curve, step) for curve in shown]
        for curve in shown:
            target = self._targets.get(curve.spec.metric)
            if target is not None:
                tip = f"What {curve.spec.metric} is held to; drawn as a dashed line."
                entries.append(Entry("target", format_value(target), curve.colour, "target", tip=tip))
        return entries

    def _unit_text(self) -> str:
        parts = [self.spec.unit, "log" if self.log else ""]
        if self.log and self._hidden_values:
            parts.append("values ≤ 0 not shown")
        return " · ".join(part for part in parts if part)

    def _entry(self, curve: Curve, step: float | None) -> Entry:
        history, metric, chosen = self.group.history, curve.spec.metric, self.group.selection
        if chosen is not None:
            return self._chosen_entry(curve, history.statistics(metric, *chosen))
        found = history.last(metric) if step is None else history.at(metric, step)
        tip = f"{metric} at step {format_steps(found[0])}" if found else metric
        tip += "\nClick to show or hide the curve."
        value = format_value(found[1] if found else None)
        return Entry(curve.spec.label, value, curve.colour, curve.spec.dash, curve.hidden, tip, curve.spec.group)

    def _chosen_entry(self, curve: Curve, found: Statistics | None) -> Entry:
        """Return what is said of a curve while a range is selected: its mean there; the tooltip has the rest."""
        tip = f"{curve.spec.metric}: nothing was logged in the range selected"
        if found is not None:
            tip = f"{curve.spec.metric}, {found.count:,} values of the range selected:\nmean {format_value(found.mean)}"
            tip += f" ± {format_value(found.deviation)} (standard deviation)\nfrom {format_value(found.low)}"
            tip += f" to {format_value(found.high)}\nslope {format_value(1000.0 * found.slope)} per 1,000 steps"
        value = "–" if found is None else f"⌀ {format_value(found.mean)}"
        return Entry(curve.spec.label, value, curve.colour, curve.spec.dash, curve.hidden, tip, curve.spec.group)

    # -- mouse ------------------------------------------------------------------------------------

    @Slot(object)
    def _on_mouse_moved(self, position: QPointF) -> None:
        if not self.area.sceneBoundingRect().contains(position):
            self.group.want_cursor(None)
            return
        x = self.area.mapSceneToView(position).x()
        self.group.want_cursor(self.group.to_step(x))
        text = story(events_near(self.group, x, self.area.viewPixelSize()[0]))
        if text != self._told:
            self._told = text
            QToolTip.showText(QCursor.pos(), text, self.canvas)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hide the cursor when the pointer leaves."""
        if event.type() == QEvent.Type.Leave:
            self.group.want_cursor(None)
        return super().eventFilter(watched, event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with this plot."""
        plot_menu.build(self).exec(event.globalPos())

    # -- for tests and exports ------------------------------------------------------------------------

    def place_of(self, x: float, y: float) -> QPointF:
        """Return where a value (``y`` as logged, ``x`` in units of the x axis) is drawn, in this widget's pixels."""
        scene = self.area.mapViewToScene(QPointF(x, float(place(np.array([y]), self.log)[0])))
        return QPointF(self.canvas.mapTo(self, self.canvas.mapFromScene(scene)))

    def visible_steps(self) -> tuple[float, float]:
        """Return the first and last step of the range shown."""
        return self.group.to_step(self.group.x_range[0]), self.group.to_step(self.group.x_range[1])

    def plot_rect(self) -> QRectF:
        """Return where the curves are drawn, in this widget's pixels."""
        rect = self.canvas.mapFromScene(self.area.sceneBoundingRect()).boundingRect()
        return QRectF(rect.translated(self.canvas.pos()))
