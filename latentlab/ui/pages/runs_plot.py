"""One plot of several runs: a ``MetricPlot`` whose values are told by run. Imports pyqtgraph."""

from __future__ import annotations

from dataclasses import replace

from latentlab.ui.views.plot import MetricPlot
from latentlab.ui.views.plot_curve import Curve
from latentlab.ui.views.plot_header import Entry


class OverlayPlot(MetricPlot):
    """``labels``: what each run is called; the header has room for their values only. ``axis_name``: of the x axis."""

    labels: tuple[str, ...] = ()
    axis_name: str = "step"

    def redraw(self) -> None:
        """Draw, and name the x axis."""
        super().redraw()
        self.axes["bottom"].name = self.axis_name

    def _entry(self, curve: Curve, step: float | None) -> Entry:
        entry = super()._entry(curve, step)
        place, _, metric = curve.spec.metric.partition("/")
        label = self.labels[int(place)] if int(place) < len(self.labels) else ""
        tip = entry.tip.replace(curve.spec.metric, f"{label}: {metric}").replace("at step", f"at {self.axis_name}")
        return replace(entry, label="", tip=tip)
