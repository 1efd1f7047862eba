"""A dot at the newest value of every curve."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGraphicsEllipseItem, QGraphicsItem

from latentlab.ui.views.plot_view import PlotArea

DOT = 5.0
OVER_THE_CURVES = 20.0


class NewestDots:
    """Dots of one size on screen at places of the axes, kept and moved.

    Plain ellipses: Qt paints them by itself, where a scatter item sorts and renders its symbols in Python at
    every value that arrives.
    """

    def __init__(self, area: PlotArea) -> None:
        self._area = area
        self._dots: list[QGraphicsEllipseItem] = []

    def show(self, dots: Sequence[tuple[tuple[float, float], QColor]]) -> None:
        """Show dots at ``((x, y), colour)``, and no others."""
        while len(self._dots) < len(dots):
            dot = QGraphicsEllipseItem(QRectF(-DOT / 2, -DOT / 2, DOT, DOT))
            dot.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
            dot.setPen(Qt.PenStyle.NoPen)
            dot.setZValue(OVER_THE_CURVES)
            self._area.addItem(dot, ignoreBounds=True)
            self._dots.append(dot)
        for dot in self._dots[len(dots) :]:
            dot.setVisible(False)
        for dot, (place, colour) in zip(self._dots, dots, strict=False):
            dot.setPos(*place)
            dot.setBrush(colour)
            dot.setVisible(True)
