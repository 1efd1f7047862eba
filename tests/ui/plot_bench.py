"""A window with linked plots, and eyes for its pixels: shared by the tests of plots."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from latentlab.core.buffers import MetricHistory
from latentlab.ui.views.plot import MetricPlot
from latentlab.ui.views.plot_group import PlotGroup
from latentlab.ui.views.plot_spec import CurveSpec, PlotSpec

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


def near(image: QImage, spot: QPointF, colour: QColor, reach: int = 2) -> bool:
    """Whether ``colour`` is found within ``reach`` pixels of ``spot``."""
    x0, y0 = round(spot.x()), round(spot.y())
    around = [(x0 + dx, y0 + dy) for dx in range(-reach, reach + 1) for dy in range(-reach, reach + 1)]
    return any(image.valid(x, y) and image.pixelColor(x, y) == colour for x, y in around)


def ramp(history: MetricHistory, name: str = "pixel", n: int = 101) -> None:
    history.extend(name, np.arange(n, dtype=float) * 10, np.linspace(0.1, 0.5, n))
