"""The map itself: a hundred thousand images as dots, drawn as one picture, to move over with the mouse."""

from __future__ import annotations

from enum import Enum

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCursor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.core.latent_map import MapLayout
from latentlab.core.point_raster import Pixels, Viewport, inside_outline, nearest_point, visible_points
from latentlab.ui import style
from latentlab.ui.pages import map_paint
from latentlab.ui.pages.map_colours import Colouring, Legend, dimmed

REACH_PX = 10.0
CLICK_PX = 4.0
SETTLE_MS = 140
MOVING_POINTS = 60_000
"""While the map moves, at most so many dots are drawn: a fair sample, as their order is random."""
ZOOM_STEP = 1.25
LATTICE_OPACITY = 0.75
ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


TIP = (
    "Every image of the data set as a dot: drag to move, turn the wheel to magnify, point to see, click to pin,\n"
    "Shift and drag to draw around a group. Arrows, Space and Enter do the same from the keyboard."
)


class Drag(Enum):
    """What the button that is down does."""

    NONE = 0
    PAN = 1
    LASSO = 2


class MapView(QWidget):
    """Dots in a plane. Thread: GUI.

    Signals
    -------
    hovered
        Number of the dot under the pointer in the layout, or -1.
    place_hovered
        A place of the plane (x, y) with no dot near the pointer.
    picked, place_picked
        The same for a click; ``opened`` follows a double click or Enter.
    lassoed
        (M,) bool: the dots inside the outline.
    moved
        Another part of the plane is shown, and the map is at rest.
    """

    hovered = Signal(int)
    place_hovered = Signal(float, float)
    picked = Signal(int)
    place_picked = Signal(float, float)
    opened = Signal()
    lassoed = Signal(object)
    moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mapView")
        self.setAccessibleName("Map of the data set")
        self.setToolTip(TIP)
        self.setMinimumSize(240, 200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFont(style.figure_font(self.font(), points=max(7.0, self.font().pointSizeF() - 1)))
        self.view = Viewport(240, 200)
        self.layout_shown: MapLayout | None = None
        self.lasso_on = False
        self.show_prior = True
        self.hover = -1
        self.pinned = -1
        self.pinned_place: tuple[float, float] | None = None
        self.message = ""
        self._legend = Legend()
        self._order = np.empty(0, dtype=np.int64)
        self._points = np.empty((0, 2), dtype=np.float32)
        self._colours: Pixels = np.empty(0, dtype=np.uint32)
        self._shown: npt.NDArray[np.bool_] | None = None
        self._raster: QImage | None = None
        self.touched = False
        self._moving = False
        self._drag = Drag.NONE
        self._pressed_at, self._pointer = QPointF(), QPointF(-1, -1)  # Outside: the keyboard starts in the middle.
        self._outline: list[QPointF] = []
        self._thumbnail: tuple[int, QImage, str] | None = None
        self._lattice: list[tuple[QRectF, QImage]] = []
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._on_settled)
        style.theme_events().changed.connect(self.redraw)

    # What is shown

    def set_layout(self, layout: MapLayout | None, *, keep_view: bool = False) -> None:
        """Show another layout, with all of it in sight unless the view is to be kept."""
        self.layout_shown = layout
        self.hover, self._thumbnail = -1, None
        points = np.empty((0, 2), dtype=np.float32) if layout is None else layout.points
        # Rows are sorted by class or time; in a random order no group covers all others.
        self._order = np.random.default_rng(0).permutation(len(points))
        self._points = np.ascontiguousarray(points[self._order])
        self._colours = np.full(len(points), 0xFF888888, dtype=np.uint32)
        self._shown = None
        if not keep_view:
            self.touched = False
            self._fit()
        self.redraw()

    def set_colours(self, colouring: Colouring, kept: npt.NDArray[np.bool_] | None = None) -> None:
        """Colour the layout's dots; those not ``kept`` (M,) are faded."""
        pixels = colouring.pixels if kept is None else dimmed(colouring.pixels, kept)
        order = self._order
        if kept is not None:  # A group is drawn last, so that nothing hides it.
            order = np.concatenate([order[~kept[order]], order[kept[order]]])
            self._order = order
            assert self.layout_shown is not None
            self._points = np.ascontiguousarray(self.layout_shown.points[order])
        self._colours = pixels[order]
        self._legend = colouring.legend
        self.redraw()

    def set_lattice(self, cells: list[tuple[QRectF, QImage]]) -> None:
        """Show decoded pictures behind the dots, each over a rectangle of the plane (y upwards)."""
        self._lattice = cells
        self.update()

    def set_thumbnail(self, number: int, image: QImage | None, text: str) -> None:
        """Show the picture of a dot at the pointer, if the pointer is still on it."""
        self._thumbnail = None if image is None else (number, image, text)
        self.update()

    @property
    def thumbnail_number(self) -> int:
        """The dot whose picture is there, or -1."""
        return -1 if self._thumbnail is None else self._thumbnail[0]

    def set_pinned(self, number: int, place: tuple[float, float] | None = None) -> None:
        """Mark a dot (or -1) or a place."""
        self.pinned, self.pinned_place = number, place
        self.update()

    def set_lasso(self, on: bool) -> None:
        """Let the left button draw an outline instead of moving the map."""
        self.lasso_on = on
        self.setCursor(QCursor(Qt.CursorShape.CrossCursor if on else Qt.CursorShape.ArrowCursor))

    def in_view(self) -> npt.NDArray[np.bool_]:
        """Return which of the layout's dots are on screen, (M,) bool."""
        found = np.zeros(len(self._points), dtype=bool)
        found[self._order[visible_points(self.view.to_pixels(self._points), (self.height(), self.width()))]] = True
        return found

    def fit(self) -> None:
        """Show all of the map."""
        self.touched = False
        self._fit()
        self._note_move()

    def _fit(self) -> None:
        self.view = self.view.resized(self.width(), self.height())
        if len(self._points) and self.width() > 1:
            self.view = self.view.fitted(self._points)

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Magnify around a pixel, the middle by default."""
        at = QPointF(self.width() / 2, self.height() / 2) if at is None else at
        self.view, self.touched = self.view.zoomed(factor, at.x(), at.y()), True
        self._note_move()

    def pan(self, right: float, down: float) -> None:
        """Move the map by so many pixels."""
        self.view, self.touched = self.view.panned(right, down), True
        self._note_move()

    def _note_move(self) -> None:
        self._moving = True
        self._settle.start()
        self._raster = None
        self.update()

    @Slot()
    def _on_settled(self) -> None:
        self._moving = False
        self.redraw()
        self.moved.emit()

    @Slot()
    def redraw(self) -> None:
        """Draw the dots anew."""
        self._raster = None
        self.update()

    def raster(self) -> QImage:
        """Return the dots as a picture of the view's size in device pixels."""
        if self._raster is None:
            ratio = self.devicePixelRatioF()
            points, colours = self._points, self._colours
            if self._moving and len(points) > MOVING_POINTS:
                points, colours = points[-MOVING_POINTS:], colours[-MOVING_POINTS:]
            self._raster = map_paint.raster(points, colours, self.view, ratio)
        return self._raster

    def place_of(self, number: int) -> QPointF:
        """Return the pixel of a dot of the layout."""
        assert self.layout_shown is not None
        x, y = self.layout_shown.points[number].tolist()
        return map_paint.place_in(self.view, x, y)

    def dot_at(self, position: QPointF) -> int:
        """Return the number of the dot at a pixel, or -1."""
        found = nearest_point(self.view.to_pixels(self._points), position.x(), position.y(), REACH_PX)
        return -1 if found is None else int(self._order[found])

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw lattice, axes, dots, prior, marks, legend and what is under the pointer."""
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.fillRect(self.rect(), style.colour("ground"))
        layout = self.layout_shown
        if layout is None:
            painter.setPen(style.colour("muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.message)
            painter.end()
            return
        for area, picture in self._lattice:
            corner = map_paint.place_in(self.view, area.left(), area.bottom())
            size = area.width() * self.view.scale, area.height() * self.view.scale
            painter.drawImage(QRectF(corner.x() + 1, corner.y() + 1, size[0] - 2, size[1] - 2), picture)
        if not self._lattice:
            map_paint.paint_axes(painter, self.view, layout.axes, numbers=layout.has_inverse)
        painter.setOpacity(LATTICE_OPACITY if self._lattice else 1.0)
        painter.drawImage(QPointF(0, 0), self.raster())
        painter.setOpacity(1.0)
        if self.show_prior and layout.prior_centre is not None:
            map_paint.paint_prior(painter, self.view, layout.prior_centre)
        map_paint.paint_legend(painter, self.view, self._legend)
        self._paint_marks(painter)
        if self.hasFocus():
            painter.setPen(style.colour("accent"))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint_marks(self, painter: QPainter) -> None:
        if self._outline:
            map_paint.paint_outline(painter, self._outline)
        count = 0 if self.layout_shown is None else len(self.layout_shown.points)
        if 0 <= self.pinned < count:
            map_paint.paint_ring(painter, self.place_of(self.pinned), radius=7, colour=style.colour("accent"))
        elif self.pinned_place is not None:
            place = map_paint.place_in(self.view, *self.pinned_place)
            map_paint.paint_ring(painter, place, radius=5, colour=style.colour("accent"))
        if 0 <= self.hover < count:
            place = self.place_of(self.hover)
            map_paint.paint_ring(painter, place, radius=5, colour=style.colour("text"))
            if self._thumbnail is not None and self._thumbnail[0] == self.hover:
                map_paint.paint_thumbnail(painter, self.view, place, self._thumbnail[1], self._thumbnail[2])

    # The mouse and the keyboard

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to move the map, or to draw an outline (Shift, or with the lasso on)."""
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            return
        self._pressed_at = self._pointer = event.position()
        left = event.button() == Qt.MouseButton.LeftButton
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._drag = Drag.LASSO if left and (self.lasso_on != shift) else Drag.PAN
        self._outline = [event.position()] if self._drag is Drag.LASSO else []

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the map, go on with the outline, or look at what is under the pointer."""
        position = event.position()
        step = position - self._pointer
        far = (position - self._pressed_at).manhattanLength() > CLICK_PX
        if self._drag is Drag.PAN:
            if far or self._moving:
                self._pointer = position
                self.pan(step.x(), step.y())
            return
        self._pointer = position
        if self._drag is Drag.LASSO:
            self._outline.append(position)
            self.update()
            return
        self.look_at(position)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End what was begun; a button that hardly moved was a click."""
        drag, outline = self._drag, self._outline
        self._drag, self._outline = Drag.NONE, []
        if drag is Drag.NONE:
            return
        if (event.position() - self._pressed_at).manhattanLength() <= CLICK_PX and len(outline) < 8:
            if event.button() == Qt.MouseButton.LeftButton:
                self.pick(event.position())
        elif drag is Drag.LASSO and self.layout_shown is not None:
            corners = np.array([self.view.to_plane(point.x(), point.y()) for point in outline])
            self.lassoed.emit(inside_outline(self.layout_shown.points, corners))
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open what the first click picked."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Magnify around the pointer."""
        self.zoom(ZOOM_STEP ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Explain nothing over a dot: its picture is there."""
        if event.type() == QEvent.Type.ToolTip and self.hover >= 0:
            return True
        return super().event(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Forget what was under the pointer."""
        if self.hover >= 0:
            self.hover = -1
            self.hovered.emit(-1)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move a pointer of the keyboard's, with Shift the map; Space picks, Enter opens."""
        key = Qt.Key(event.key())
        if key in ARROWS:
            right, down = ARROWS[key]
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.pan(-60 * right, -60 * down)
                return
            inside = self.rect().contains(self._pointer.toPoint())
            start = self._pointer if inside else QPointF(self.width() / 2, self.height() / 2)
            self._pointer = start + QPointF(8 * right, 8 * down)
            self.look_at(self._pointer)
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if key == Qt.Key.Key_Space or (self.pinned < 0 and self.pinned_place is None):
                self.pick(self._pointer)
            if key != Qt.Key.Key_Space:
                self.opened.emit()
        else:
            super().keyPressEvent(event)

    def look_at(self, position: QPointF) -> None:
        """Tell what is at a pixel: a dot, or an empty place."""
        if self.layout_shown is None:
            return
        found = self.dot_at(position)
        if found != self.hover:
            self.hover = found
            self.hovered.emit(found)
            self.update()
        if found < 0:
            self.place_hovered.emit(*self.view.to_plane(position.x(), position.y()))

    def pick(self, position: QPointF) -> None:
        """Pick what is at a pixel."""
        if self.layout_shown is None:
            return
        found = self.dot_at(position)
        if found >= 0:
            self.picked.emit(found)
        else:
            self.place_picked.emit(*self.view.to_plane(position.x(), position.y()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the middle in the middle."""
        self.view = self.view.resized(self.width(), self.height())
        if not self.touched:
            self._fit()
        self._note_move()
