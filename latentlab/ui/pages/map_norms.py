"""How long z is: the lengths of the codes and of draws against the chi distribution of the prior."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.core.latent_map import NormHistogram
from latentlab.ui import style

HEIGHT = 128
FOOT = 16


class NormView(QWidget):
    """Bars: ‖z‖ of draws z ~ q(z|x). Thin line: of the means. Thick line: the prior's. Thread: GUI."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mapNorms")
        self.setAccessibleName("Lengths of z against the prior")
        self.setToolTip(
            "Length ‖z‖ of z drawn from q(z|x) of every image (bars) and of its mean (thin line),\n"
            "against what the prior N(0, 1) says: the chi distribution (thick line).\n"
            "Where bars and thick line part, samples from the prior lie where no image does."
        )
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFont(style.figure_font(self.font(), points=max(7.0, self.font().pointSizeF() - 2)))
        self._norms: NormHistogram | None = None
        self._has_prior = True
        self._mark: float | None = None
        style.theme_events().changed.connect(self.update)

    def set_norms(self, norms: NormHistogram | None, *, has_prior: bool = True) -> None:
        """Show the lengths of another survey."""
        self._norms, self._has_prior = norms, has_prior
        self.update()

    def set_mark(self, length: float | None) -> None:
        """Mark the length of the z that is looked at."""
        if length != self._mark:
            self._mark = length
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw bars, lines, mark and scale."""
        norms = self._norms
        if norms is None:
            return
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        curves = [norms.draws, norms.means] + ([norms.chi] if self._has_prior else [])
        top = max(float(curve.max()) for curve in curves) * 1.08 or 1.0
        ground = QRectF(0, 4, self.width(), self.height() - FOOT - 4)
        bar = ground.width() / len(norms.draws)
        fill = style.colour("pixel")
        fill.setAlpha(150)
        for number, value in enumerate(norms.draws.tolist()):
            tall = value / top * ground.height()
            painter.fillRect(QRectF(number * bar, ground.bottom() - tall, max(bar - 1, 1), tall), fill)
        self._draw_line(painter, norms.means / top, ground, QPen(style.colour("muted"), 1))
        if self._has_prior:
            self._draw_line(painter, norms.chi / top, ground, QPen(style.colour("beta"), 2))
        self._draw_scale(painter, ground, float(norms.edges[-1]))
        painter.end()

    def _draw_line(self, painter: QPainter, shares: npt.NDArray[np.float64], ground: QRectF, pen: QPen) -> None:
        step = ground.width() / len(shares)
        places = [
            QPointF((number + 0.5) * step, ground.bottom() - share * ground.height())
            for number, share in enumerate(shares.tolist())
        ]
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(places))

    def _draw_scale(self, painter: QPainter, ground: QRectF, last: float) -> None:
        painter.setPen(style.colour("axis"))
        foot = QRectF(0, ground.bottom() + 1, ground.width(), FOOT)
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, "0")
        painter.drawText(foot, Qt.AlignmentFlag.AlignHCenter, "‖z‖")
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight, f"{last:.1f}")
        if self._mark is not None:
            place = min(self._mark / last, 1.0) * ground.width()
            painter.setPen(QPen(style.colour("accent"), 2))
            painter.drawLine(QPointF(place, ground.top()), QPointF(place, ground.bottom()))
