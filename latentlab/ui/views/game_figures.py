"""Figures of the adversarial game: how real the discriminator holds real images, reconstructions and samples to be."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from latentlab.core.buffers import MetricHistory
from latentlab.core.vectors import PROBABILITY_BINS, VectorHistory
from latentlab.ui import style
from latentlab.ui.formatting import format_steps
from latentlab.ui.views.latent_figures import VectorFigure

KINDS = {"real": ("real", "discriminator"), "recon": ("reconstructed", "pixel"), "fake": ("sampled", "generator")}


class Verdicts(VectorFigure):
    """Histograms of D(x) for the three kinds of images, one over the other."""

    title, x_name, key = "Verdicts", "D: probability of being real", "verdicts"
    story = (
        "How many of the test images, their reconstructions and samples of the prior the discriminator holds to be "
        "real with which probability. Apart at both ends: it has won. All in one place: it guesses."
    )

    def __init__(self) -> None:
        super().__init__()
        self._bars: dict[str, np.ndarray] = {}
        self._edges = np.linspace(0.0, 1.0, PROBABILITY_BINS + 1)
        self.message = "Comes with the first measurement on test images, where single images are judged."

    @property
    def empty(self) -> bool:
        """Whether nothing was measured."""
        return not self._bars

    def take(self, vectors: VectorHistory, history: MetricHistory, step: float | None) -> None:
        """Read the histograms of a step."""
        found = {kind: vectors.at(f"d_{kind}_hist", step) for kind in KINDS}
        known = {kind: row for kind, row in found.items() if row is not None}
        self._bars = {kind: row[1] for kind, row in known.items()}
        if known:
            self.y_range = (0.0, 1.08 * max(float(bars.max()) for bars in self._bars.values()))
            self.remark = f"share of images · step {format_steps(next(iter(known.values()))[0])}"
        self.update()

    def paint_content(self, painter: QPainter, room: QRectF) -> None:
        """Draw a stepped line for each kind, filled faintly, and its name at the top."""
        left = room.left() + 6.0
        for kind, bars in self._bars.items():
            name, key = KINDS[kind]
            colour = style.colour(key)
            fill = style.colour(key)
            fill.setAlphaF(0.3)
            self.bars(painter, self._edges, bars, fill)
            self.line(painter, np.repeat(self._edges, 2)[1:-1], np.repeat(bars, 2), colour)
            painter.setPen(colour)
            painter.drawText(QPointF(left, room.top() + painter.fontMetrics().ascent() + 2), name)
            left += painter.fontMetrics().horizontalAdvance(name + "   ")

    def tell(self, x: float, y: float) -> str:
        """Say the shares of a bin."""
        place = min(int(x * PROBABILITY_BINS), PROBABILITY_BINS - 1)
        shares = ", ".join(f"{bars[place]:.0%} of {KINDS[kind][0]}" for kind, bars in self._bars.items())
        return f"D from {self._edges[place]:.2f} to {self._edges[place + 1]:.2f}: {shares}"

    def csv(self) -> str:
        """Return the shares of each bin."""
        rows = zip(self._edges[:-1], *self._bars.values(), strict=True)
        text = "".join(",".join(f"{value:.5g}" for value in row) + "\n" for row in rows)
        return f"from,{','.join(self._bars)}\n{text}"
