"""Curves of several runs on the same plots, over steps, time or images."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.buffers import MetricHistory
from latentlab.core.metrics import METRICS, TEST_PREFIX, describe
from latentlab.core.run_listing import XAxis
from latentlab.ui import style
from latentlab.ui.pages.monitor_grid import PlotGrid
from latentlab.ui.pages.runs_table import RUN_COLOURS, run_colour, shade_of
from latentlab.ui.views.plot_config import Dash
from latentlab.ui.views.plot_group import PlotGroup
from latentlab.ui.views.plot_smoothing import MAX_SMOOTHING
from latentlab.ui.views.plot_spec import CurveSpec, PlotSpec

if TYPE_CHECKING:
    from latentlab.ui.views.plot import MetricPlot

Array = npt.NDArray[np.float64]
DEFAULT_METRICS = ("pixel", "kld_per_dim", "beta", "feature_matching", "loss", "active_units")
MAX_DEFAULT = 4
LABEL_LENGTH = 22
AXES: tuple[tuple[XAxis, str, str], ...] = (
    ("step", "Step", "Draw against the step"),
    ("time", "Time", "Draw against the time trained (m:ss), pauses excluded"),
    ("images", "Images", "Draw against the number of training images seen: step times batch size"),
)


class OverlayGroup(PlotGroup):
    """A group whose history holds places on the x axis already: each run has a clock of its own."""

    @property
    def knows_time(self) -> bool:
        """Whether steps can be placed in time: they are."""
        return True

    def to_x(self, steps: Array) -> Array:
        """Return the places as they are."""
        return steps

    def to_step(self, x: float) -> float:
        """Return the place as it is."""
        return x


class OverlayGrid(PlotGrid):
    """Plots that are thrown away when others take their place: every choice of runs has its own."""

    labels: tuple[str, ...] = ()
    axis_name: str = "step"

    def _plot(self, spec: PlotSpec) -> MetricPlot:
        from latentlab.ui.pages.runs_plot import OverlayPlot  # imports pyqtgraph: see plot_config

        if spec.key not in self._made:
            plot = self._made[spec.key] = OverlayPlot(spec, self._group, self)
            plot.set_log(spec.log and self._log)
        made = self._made[spec.key]
        assert isinstance(made, OverlayPlot)
        made.labels, made.axis_name = self.labels, self.axis_name
        return made

    def set_plots(self, specs: Sequence[PlotSpec]) -> None:
        """Show these plots and drop the others."""
        super().set_plots(specs)
        wanted = {spec.key for spec in specs}
        for key in [key for key in self._made if key not in wanted]:
            plot = self._made.pop(key)
            self._group.remove(plot)
            plot.deleteLater()


class RunCurves(QWidget):
    """Plots with a curve per run, and the controls over them.

    Signals
    -------
    axis_changed
        The x axis wanted: step, time or images.

    Thread: GUI.
    """

    axis_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.axis: XAxis = "step"
        self.labels: list[str] = []
        self.chosen: list[str] = []
        self.group = OverlayGroup(MetricHistory(), self)
        self.grid = OverlayGrid(self.group)
        self._names: tuple[str, ...] = ()
        self._shown: object = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, style.SPACING, 0, 0)
        column.addLayout(self._make_strip())
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        column.addWidget(self.legend)
        self._entries: tuple[int, ...] = ()
        column.addWidget(self.grid, 1)

    def _make_strip(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(style.SPACING)
        self._axes = QButtonGroup(self)
        self.axis_chips: dict[XAxis, QToolButton] = {}
        for axis, words, tip in AXES:
            chip = self._chip(words, tip, checked=axis == "step")
            self._axes.addButton(chip)
            self.axis_chips[axis] = chip
            row.addWidget(chip)
        self._axes.buttonClicked.connect(self._on_axis)
        row.addSpacing(2 * style.SPACING)
        self.test = self._chip(
            "Test", "Draw test values where a metric has them, instead of training values (T)", key="T"
        )
        self.log = self._chip("Log y", "Logarithmic y axis where a metric is best read so (L)", key="L", checked=True)
        self.test.toggled.connect(self._rebuild)
        self.log.toggled.connect(self.grid.set_log)
        self.metrics = QToolButton()
        self.metrics.setText("Metrics")
        self.metrics.setToolTip("Choose which metrics are drawn")
        self.metrics.setAccessibleName("Metrics drawn")
        self.metrics.setProperty("kind", "menu")
        self.metrics.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.metrics_menu = QMenu(self.metrics)
        self.metrics_menu.aboutToShow.connect(self._fill_menu)
        self.metrics.setMenu(self.metrics_menu)
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setRange(0, round(100 * MAX_SMOOTHING))
        self.smoothing.setMaximumWidth(140)
        self.smoothing.setAccessibleName("Smoothing")
        self.smoothing.setToolTip("Smoothing: share of the past kept per logged value, 0 to 0.99")
        self.smoothing.valueChanged.connect(self._on_smoothing)
        self.smoothing.setValue(80)
        label = QLabel("Smoothing")
        label.setProperty("role", "muted")
        label.setBuddy(self.smoothing)
        for widget in (self.test, self.log, self.metrics, label, self.smoothing):
            row.addWidget(widget)
        row.addStretch(1)
        return row

    def _chip(self, text: str, tip: str, *, key: str = "", checked: bool = False) -> QToolButton:
        chip = QToolButton()
        chip.setText(text)
        chip.setCheckable(True)
        chip.setChecked(checked)
        chip.setProperty("kind", "chip")
        chip.setToolTip(tip)
        chip.setAccessibleName(text)
        if key:
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(chip.toggle)
        return chip

    def minimumSizeHint(self) -> QSize:
        """Return a size that a small window has room for."""
        return QSize(200, 120)

    # -- what is shown ----------------------------------------------------------------------------

    def show_runs(self, labels: Sequence[str], history: MetricHistory) -> None:
        """Draw these runs; their curves arrive in ``history``."""
        self.labels = [_shortened(label) for label in labels]
        self.grid.labels, self.grid.axis_name = tuple(self.labels), self.axis
        self._show_legend()
        self._names = ()
        self._shown = None
        self.group.x_axis = "time" if self.axis == "time" else "step"
        self.group.restart(history, None)
        self._rebuild()

    def tick(self) -> None:
        """Draw what is new."""
        names = tuple(self.group.history.names())
        if names != self._names:
            self._names = names
            self._rebuild()
        self.group.tick()
        entries = tuple(len(plot.header.entries()) for plot in self.grid.plots)
        if entries != self._entries:
            self._entries = entries
            self.grid.fit_headers()

    def _show_legend(self) -> None:
        parts = [
            f'<span style="color:{run_colour(place).name()}">▬</span> {escape(label)}'
            for place, label in enumerate(self.labels)
        ]
        self.legend.setText("&nbsp;&nbsp;&nbsp; ".join(parts))
        self.legend.setToolTip("\n".join(self.labels))

    def known(self) -> list[str]:
        """Return the metrics that any of the runs has, training names, the common ones first."""
        found = {name.partition("/")[2].removeprefix(TEST_PREFIX) for name in self._names}
        order = {name: place for place, name in enumerate(METRICS)}
        return sorted(found, key=lambda name: (order.get(name, len(order)), name))

    def drawn(self) -> list[str]:
        """Return the metrics that are drawn."""
        known = self.known()
        chosen = [name for name in self.chosen if name in known]
        return chosen or [name for name in DEFAULT_METRICS if name in known][:MAX_DEFAULT]

    @Slot()
    def _rebuild(self) -> None:
        wanted = (tuple(self.labels), tuple(self.drawn()), self.test.isChecked(), frozenset(self._names))
        if wanted == self._shown:
            return
        self._shown = wanted
        self.grid.set_plots([self._spec(metric, self._names) for metric in self.drawn()])
        self.grid.set_log(self.log.isChecked())

    def _spec(self, metric: str, names: Collection[str]) -> PlotSpec:
        about = describe(metric)
        curves = []
        for place, label in enumerate(self.labels):
            train, test = f"{place}/{metric}", f"{place}/{TEST_PREFIX}{metric}"
            use_test = test in names and (self.test.isChecked() or train not in names)
            dash: Dash = "test" if use_test else "solid"
            colour = RUN_COLOURS[place % len(RUN_COLOURS)]
            curves.append(CurveSpec(test if use_test else train, label, colour, dash=dash, shade=shade_of(place)))
        key = f"{metric} {self.test.isChecked()} {self.labels} {[curve.metric for curve in curves]}"
        return PlotSpec(key, about.label, about.unit, tuple(curves), about.log, tooltip=about.definition)

    # -- reactions --------------------------------------------------------------------------------

    @Slot(QToolButton)
    def _on_axis(self, chip: QToolButton) -> None:
        axis = next(axis for axis, button in self.axis_chips.items() if button is chip)
        if axis != self.axis:
            self.axis = axis
            self.axis_changed.emit(axis)

    @Slot(int)
    def _on_smoothing(self, percent: int) -> None:
        self.group.set_smoothing(percent / 100)

    @Slot()
    def _fill_menu(self) -> None:
        self.metrics_menu.clear()
        drawn = self.drawn()
        for name in self.known():
            action = QAction(describe(name).label, self.metrics_menu)
            action.setCheckable(True)
            action.setChecked(name in drawn)
            action.setToolTip(describe(name).definition)
            action.triggered.connect(lambda checked, name=name: self.choose(name, checked))
            self.metrics_menu.addAction(action)

    def choose(self, name: str, drawn: bool) -> None:
        """Draw a metric, or do not."""
        chosen = self.drawn()
        self.chosen = (
            [*chosen, name] if drawn and name not in chosen else [one for one in chosen if one != name or drawn]
        )
        self._rebuild()

    def apply_theme(self) -> None:
        """Recolour plots and legend."""
        self._show_legend()
        self.grid.apply_theme()


def _shortened(label: str) -> str:
    return label if len(label) <= LABEL_LENGTH else f"{label[: LABEL_LENGTH - 1]}…"
