"""Small drawings that say at a glance what kind of data a recipe trains on. Drawn, not loaded: nothing to wait for."""

from __future__ import annotations

import math
import random

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from latentlab.ui.style import colour

SIDE = 72
RADIUS = 8
GROUND = "#101114"


def thumbnail(spec: str, ratio: float = 1.0, name: str = "") -> QPixmap:
    """Return a drawing for a data spec, ``SIDE`` logical pixels square, for a screen of this pixel ratio.

    Recipes on the same data get different drawings of it, each always the same for its ``name``.
    """
    image = QImage(QSize(round(SIDE * ratio), round(SIDE * ratio)), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(GROUND))
    painter.drawRoundedRect(QRectF(0, 0, SIDE, SIDE), RADIUS, RADIUS)
    outline = QPainterPath()
    outline.addRoundedRect(QRectF(0, 0, SIDE, SIDE), RADIUS, RADIUS)
    painter.setClipPath(outline)
    draw = {"arena": _arena, "video": _film, "digits": _digits}.get(_family(spec), _mosaic)
    draw(painter, random.Random(name))
    painter.end()
    return QPixmap.fromImage(image)


def _family(spec: str) -> str:
    name = spec.partition(":")[0]
    return "digits" if name in ("digits", "mnist", "kmnist") else name


def _digits(painter: QPainter, numbers: random.Random) -> None:
    font = QFont(painter.font())
    font.setPixelSize(20)
    font.setBold(True)
    painter.setFont(font)
    bright = numbers.sample(range(9), 3)
    for i, digit in enumerate(numbers.sample("0123456789", 9)):
        painter.setPen(QColor(236, 238, 241, 255 if i in bright else 150))
        cell = QRectF(6 + 20 * (i % 3), 6 + 20 * (i // 3), 20, 20)
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, digit)


def _arena(painter: QPainter, numbers: random.Random) -> None:
    keys = numbers.choice((("feature", "generator"), ("pixel", "active"), ("kld", "beta")))
    share = numbers.uniform(0.4, 0.65)
    for key, x0 in zip(keys, (24, 50), strict=True):
        painter.setBrush(colour(key))
        for _ in range(9):
            centre = QPointF(x0 + numbers.uniform(-16, 14), 40 + numbers.uniform(-20, 24))
            radius = numbers.uniform(3, 10)
            painter.drawEllipse(centre, radius, radius * numbers.uniform(0.7, 1.0))
    painter.setBrush(QColor(GROUND))
    painter.drawRect(QRectF(0, 0, SIDE, 12))
    split = 8 + 56 * share
    for key, left, right in ((keys[0], 8.0, split - 1), (keys[1], split + 1, 64.0)):
        painter.setBrush(colour(key))
        painter.drawRoundedRect(QRectF(left, 6, right - left, 3), 1.5, 1.5)


def _film(painter: QPainter, _numbers: random.Random) -> None:
    painter.setBrush(QColor(236, 238, 241, 170))
    for i in range(5):
        for y in (8, 58):
            painter.drawRoundedRect(QRectF(8 + 12 * i, y, 7, 6), 1.5, 1.5)
    painter.setBrush(colour("pixel"))
    painter.drawPolygon(QPolygonF([QPointF(29, 24), QPointF(49, 36), QPointF(29, 48)]))


def _mosaic(painter: QPainter, _numbers: random.Random) -> None:
    keys = ("pixel", "beta", "kld", "feature", "neutral", "active", "generator", "pixel", "beta")
    for i, key in enumerate(keys):
        cell = QRectF(8 + 19 * (i % 3), 8 + 19 * (i // 3), 17, 17)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(key).darker(170))
        painter.drawRoundedRect(cell, 3, 3)
        painter.setPen(QPen(colour(key), 1.4))
        phase = i * 0.7
        points = [QPointF(cell.left() + x, cell.center().y() + 4 * math.sin(x / 3 + phase)) for x in range(2, 16)]
        painter.drawPolyline(QPolygonF(points))
