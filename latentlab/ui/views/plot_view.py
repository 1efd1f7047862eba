"""The area of a plot that reacts to the mouse: it asks for ranges, its owner sets them."""

from __future__ import annotations

import pyqtgraph as pg
from pyqtgraph.GraphicsScene.mouseEvents import MouseClickEvent, MouseDragEvent
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtWidgets import QGraphicsSceneWheelEvent

_ZOOM_PER_NOTCH = 1.2
_NOTCH = 120.0


class PlotArea(pg.ViewBox):
    """A view box with the gestures of a time line.

    Wheel: zoom along x at the pointer (Shift or over the left axis: along y). Drag: move along x,
    and along y once y is set by hand. Shift and drag: zoom to a rectangle. Ctrl and drag: select a range.
    Double click: follow again.
    """

    x_wanted = Signal(float, float)
    y_wanted = Signal(float, float)
    range_selected = Signal(float, float)
    reset_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False, defaultPadding=0.0)
        self.setMouseEnabled(True, True)
        self.disableAutoRange()
        self.y_by_hand = False

    def wheelEvent(self, event: QGraphicsSceneWheelEvent, axis: int | None = None) -> None:
        """Zoom along one axis, around the pointer."""
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        along_y = axis == 1 or (axis is None and shift)
        factor = _ZOOM_PER_NOTCH ** (-event.delta() / _NOTCH)
        centre = self.mapToView(event.pos())
        (x0, x1), (y0, y1) = self.viewRange()
        if along_y:
            self.y_wanted.emit(centre.y() + (y0 - centre.y()) * factor, centre.y() + (y1 - centre.y()) * factor)
        else:
            self.x_wanted.emit(centre.x() + (x0 - centre.x()) * factor, centre.x() + (x1 - centre.x()) * factor)
        event.accept()

    def mouseDragEvent(self, event: MouseDragEvent, axis: int | None = None) -> None:
        """Move the view, or zoom to a rectangle."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        event.accept()
        if axis is None and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._drag_rectangle(event)
            return
        if axis is None and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.range_selected.emit(self.mapToView(event.buttonDownPos()).x(), self.mapToView(event.pos()).x())
            return
        moved = self.mapToView(event.lastPos()) - self.mapToView(event.pos())
        (x0, x1), (y0, y1) = self.viewRange()
        if axis in (None, 0) and moved.x():
            self.x_wanted.emit(x0 + moved.x(), x1 + moved.x())
        if (axis == 1 or (axis is None and self.y_by_hand)) and moved.y():
            self.y_wanted.emit(y0 + moved.y(), y1 + moved.y())

    def _drag_rectangle(self, event: MouseDragEvent) -> None:
        if not event.isFinish():
            self.updateScaleBox(event.buttonDownPos(), event.pos())
            return
        self.rbScaleBox.hide()
        corners = QRectF(QPointF(event.buttonDownPos()), QPointF(event.pos())).normalized()
        area = self.childGroup.mapRectFromParent(corners)
        if area.width() > 0 and area.height() > 0:
            self.x_wanted.emit(area.left(), area.right())
            self.y_wanted.emit(area.top(), area.bottom())

    def mouseClickEvent(self, event: MouseClickEvent) -> None:
        """Follow again after a double click."""
        if event.button() == Qt.MouseButton.LeftButton and event.double():
            event.accept()
            self.reset_wanted.emit()
        elif event.button() == Qt.MouseButton.LeftButton and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.accept()
            self.range_selected.emit(0.0, 0.0)
