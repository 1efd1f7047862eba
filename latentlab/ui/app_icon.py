"""The app's icon, drawn: a cloud of latent points under a bell curve."""

from __future__ import annotations

import math
import random

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPen, QPixmap, QPolygonF

SIZES = (16, 32, 48, 128, 256)
GROUND, POINTS, CURVE = "#1b2233", ("#2ec4b6", "#56b4e9", "#f0a81c", "#e487bd"), "#ffffff"


def app_icon() -> QIcon:
    """Return the icon in the sizes that window managers ask for."""
    icon = QIcon()
    for size in SIZES:
        icon.addPixmap(QPixmap.fromImage(_draw(size)))
    return icon


def _draw(size: int) -> QImage:
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / 64, size / 64)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(GROUND))
    painter.drawRoundedRect(QRectF(2, 2, 60, 60), 14, 14)
    numbers = random.Random(11)
    for i in range(16 if size > 32 else 7):
        painter.setBrush(QColor(POINTS[i % len(POINTS)]))
        centre = QPointF(32 + max(-20, min(20, numbers.gauss(0, 10))), 44 + max(-10, min(10, numbers.gauss(0, 5))))
        painter.drawEllipse(centre, 3.2, 3.2)
    painter.setPen(QPen(QColor(CURVE), 3.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    bell = [QPointF(8 + x, 34 - 22 * math.exp(-(((x - 24) / 11) ** 2))) for x in range(49)]
    painter.drawPolyline(QPolygonF(bell))
    painter.end()
    return image
