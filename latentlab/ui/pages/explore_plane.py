"""Two axes as a plane under the mouse: point at it and the picture follows, press and it stays."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QComboBox, QWidget

from latentlab.core.latent_axes import DIMENSIONS
from latentlab.core.latent_grids import Grid, plane, plane_point
from latentlab.core.latent_state import LatentPoint
from latentlab.core.messages import Images
from latentlab.ui import style
from latentlab.ui.pages.explore_pane import GridPane, Scene
from latentlab.ui.views.picture import PictureView

KEY_STEP = 0.1


class PlaneView(PictureView):
    """A grid of pictures whose every pixel stands for a point between their centres.

    Signals
    -------
    pointed
        (x, y) in shares of the way from the first to the last centre, y up; the pointer moves over the plane.
    left
        The pointer left.
    pressed, moved, released
        The left button: (x, y), (x, y), nothing.
    stepped
        (dx, dy) in steps: arrow keys.
    """

    pointed = Signal(float, float)
    left = Signal()
    pressed = Signal(float, float)
    moved = Signal(float, float)
    released = Signal()
    stepped = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(
            "Point: the picture above follows · press or drag: go there and stay\n"
            "Arrow keys move by 0.1 σ, with Shift by 1 σ"
        )
        self._cross: tuple[float, float] | None = None
        self._count = 1
        self._down = False

    def set_cross(self, place: tuple[float, float] | None, count: int) -> None:
        """Mark where z is in the plane, in shares; ``count`` pictures stand in a row."""
        self._cross, self._count = place, count
        self.update()

    def _ends(self) -> tuple[QPointF, QPointF]:
        """Return the centres of the lower left and the upper right picture."""
        last = self._count * self._count - 1
        low, high = self.cell_rect(self._count * (self._count - 1)), self.cell_rect(self._count - 1)
        return (QPointF(low.center()), QPointF(high.center())) if last > 0 else (QPointF(), QPointF(1, -1))

    def _share(self, position: QPointF) -> tuple[float, float]:
        low, high = self._ends()
        x = (position.x() - low.x()) / max(1.0, high.x() - low.x())
        y = (low.y() - position.y()) / max(1.0, low.y() - high.y())
        return max(0.0, min(1.0, x)), max(0.0, min(1.0, y))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the point under the mouse."""
        if event.button() == Qt.MouseButton.LeftButton and self._images is not None:
            self._down = True
            self.pressed.emit(*self._share(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse, or drag."""
        super().mouseMoveEvent(event)
        if self._images is not None:
            (self.moved if self._down else self.pointed).emit(*self._share(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag."""
        if self._down:
            self._down = False
            self.released.emit()

    def leaveEvent(self, event: QEvent) -> None:
        """Tell that nothing is pointed at any more."""
        super().leaveEvent(event)
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by arrow keys."""
        ways = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Down: (0, -1),
            Qt.Key.Key_Up: (0, 1),
        }
        way = ways.get(Qt.Key(event.key()))
        if way is None:
            super().keyPressEvent(event)
            return
        times = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        self.stepped.emit(way[0] * times, way[1] * times)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the pictures, and a cross where z is."""
        super().paintEvent(event)
        if self._cross is None or self._images is None:
            return
        low, high = self._ends()
        x = low.x() + self._cross[0] * (high.x() - low.x())
        y = low.y() - self._cross[1] * (low.y() - high.y())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((style.colour("ground"), 4.0), (style.colour("accent"), 2.0)):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(QPointF(x, y), 6, 6)
        painter.end()


class PlanePane(GridPane):
    """Two axes across and up.

    Signals
    -------
    pointed
        z (D,) under the mouse, or None when it has left.
    moved
        z (D,): go there, as part of a gesture.
    gesture_ended
        The drag is over.
    """

    title = "Plane"
    name = "plane"
    tooltip = "Two sliders at once: the first runs across, the second up"
    pointed = Signal(object)
    moved = Signal(object)
    gesture_ended = Signal()
    view_class = PlaneView

    def make_controls(self) -> None:
        """Place the two axes and the steps."""
        self.across = self.combo("Across", "Slider that runs across")
        self.up = self.combo("Up", "Slider that runs up")
        self.steps = self.spin("Steps", 3, 15, 7, " steps", "Pictures in a row and in a column")
        self._names: tuple[str, ...] = ()
        self._scene: Scene | None = None
        self._ranges = ((-3.0, 3.0), (-3.0, 3.0))
        self._base: LatentPoint | None = None
        view = self.view
        assert isinstance(view, PlaneView)
        view.pointed.connect(self._on_pointed)
        view.left.connect(self._on_left)
        view.pressed.connect(self._on_moved)
        view.moved.connect(self._on_moved)
        view.released.connect(self.gesture_ended)
        view.stepped.connect(self._on_stepped)

    def set_scene(self, scene: Scene) -> None:
        """Offer the sliders, first in their order; a new set starts with its first two."""
        self._scene = scene
        if scene.axes.names != self._names:
            self._names = scene.axes.names
            for combo, place in ((self.across, 0), (self.up, 1)):
                with QSignalBlocker(combo):
                    combo.clear()
                    for axis in scene.order:
                        combo.addItem(scene.axes.names[axis], int(axis))
                    combo.setCurrentIndex(min(place, combo.count() - 1))

    def put(self, combo: QComboBox, axis: int) -> None:
        """Put an axis across or up."""
        place = combo.findData(axis)
        if place >= 0:
            combo.setCurrentIndex(place)
            self.changed.emit()

    @property
    def pair(self) -> tuple[int, int] | None:
        """The two axes, or None where there are not two different ones."""
        x, y = self.across.currentData(), self.up.currentData()
        return None if x is None or y is None or x == y else (int(x), int(y))

    def key(self, scene: Scene) -> object:
        """Return z without the two axes: moving in the plane leaves it as it is."""
        pair = self.pair
        if pair is None:
            return None
        middle = plane_point(scene.point.z, scene.axes, pair, 0.0, 0.0)
        rest = middle.tobytes() if scene.axes.kind == DIMENSIONS else (np.round(middle, 3) + 0.0).tobytes()
        spans = (scene.spans[pair[0]], scene.spans[pair[1]])
        return rest, scene.axes.kind, pair, spans, scene.point.label, self.steps.value()

    def build(self, scene: Scene) -> Grid | None:
        """Return the square."""
        pair = self.pair
        if pair is None:
            self.clear("Choose two different sliders.")
            return None
        self._ranges = (scene.spans[pair[0]], scene.spans[pair[1]])
        self.label.setText("point: look · press: go there")
        return plane(scene.point, scene.axes, pair, self._ranges, self.steps.value())

    def show_grid(self, images: Images, grid: Grid) -> None:
        """Show the square."""
        super().show_grid(images, grid)
        if self._scene is not None:
            self.mark(self._scene)

    def mark(self, scene: Scene) -> None:
        """Put the cross where z is."""
        self._scene = scene
        pair, view = self.pair, self.view
        assert isinstance(view, PlaneView)
        if pair is None or self.grid is None or max(pair) >= len(scene.axes):
            view.set_cross(None, 1)
            return
        values = scene.axes.coordinates(scene.point.z)
        shares = [
            (float(values[axis]) - low) / max(high - low, 1e-9)
            for axis, (low, high) in zip(pair, self._ranges, strict=True)
        ]
        inside = all(-0.02 <= share <= 1.02 for share in shares)
        view.set_cross((shares[0], shares[1]) if inside else None, self.grid.columns)

    def _at(self, x: float, y: float) -> np.ndarray | None:
        scene, pair = self._scene, self.pair
        if scene is None or pair is None:
            return None
        (left, right), (low, high) = self._ranges
        value = (left + x * (right - left), low + y * (high - low))
        return plane_point(scene.point.z, scene.axes, pair, *value)

    def _on_pointed(self, x: float, y: float) -> None:
        self.pointed.emit(self._at(x, y))

    def _on_left(self) -> None:
        self.pointed.emit(None)

    def _on_moved(self, x: float, y: float) -> None:
        z = self._at(x, y)
        if z is not None:
            self.moved.emit(z)

    def _on_stepped(self, dx: int, dy: int) -> None:
        scene, pair = self._scene, self.pair
        if scene is None or pair is None:
            return
        values = scene.axes.coordinates(scene.point.z)
        x, y = float(values[pair[0]]) + dx * KEY_STEP, float(values[pair[1]]) + dy * KEY_STEP
        self.moved.emit(plane_point(scene.point.z, scene.axes, pair, x, y))
        self.gesture_ended.emit()
