"""PySide6 must not lose references to None: some releases do at every painter call and abort within minutes."""

from __future__ import annotations

import importlib.metadata
import sys

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter, QPen

REPAINTS = 10_000


def test_painting_keeps_the_reference_count_of_none(qapp):
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    pen = QPen(QColor("red"))
    before = sys.getrefcount(None)
    for _ in range(REPAINTS):
        painter = QPainter(image)
        painter.setPen(pen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawLine(QPointF(0, 0), QPointF(7, 7))
        painter.end()
    assert abs(sys.getrefcount(None) - before) < REPAINTS / 10


def test_there_is_only_the_headless_opencv():
    names = {d.metadata["Name"].lower() for d in importlib.metadata.distributions() if d.metadata["Name"]}
    assert "opencv-python-headless" in names
    assert "opencv-python" not in names, "opencv-python brings a second Qt that breaks the xcb platform"
