"""The user's acts on the Explore page, as changes of the point in latent space."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from latentlab.core.latent_axes import Axes
from latentlab.core.latent_state import LatentPoint, LatentState
from latentlab.core.messages import Floats
from latentlab.ui.pages.explore_drag import DragButton


class Moves(QObject):
    """Owns the state and carries out what controls ask for. Thread: GUI.

    Signals
    -------
    changed
        The point changed; whether its picture did.
    """

    changed = Signal(bool)

    def __init__(self, drag: DragButton, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = LatentState(1, seed=0)
        self._drag = drag
        self._drag_start: LatentPoint | None = None

    @property
    def point(self) -> LatentPoint:
        """The current point."""
        return self.state.point

    def restart(self, dim: int) -> None:
        """Begin anew in ``dim`` dimensions, at the draw of seed 0."""
        self.state = LatentState(dim, seed=0)
        self._drag_start = None

    def move(self, axes: Axes, axis: int, value: float) -> None:
        """Set one coordinate as part of a gesture of its slider."""
        if axis < len(axes):
            self.move_to(axes.moved(self.point.z, axis, value, self.point.locks), f"{axes.kind} {axes.names[axis]}")

    def move_to(self, z: Floats, merge: str | None = None) -> None:
        """Go to z by hand; moves of the same ``merge`` name become one step of the history."""
        if self.state.move_to(z, merge):
            self.changed.emit(True)

    def step_to(self, z: Floats) -> None:
        """Go to z by hand in a step of its own."""
        self.state.end_gesture()
        self.move_to(z)

    def jump(self, dimension: int, value: float) -> None:
        """Set one dimension in a step of its own."""
        if self.state.set_value(dimension, value):
            self.changed.emit(True)

    def go_to(self, z: Floats, label: int, source: str) -> None:
        """Go to z as a whole, in a step of its own; a class below 0 leaves it as it is."""
        if self.state.set_z(z, source, label=None if label < 0 else label):
            self.changed.emit(True)

    def visit(self, point: LatentPoint) -> None:
        """Return to a kept point, with its class, seed and source."""
        if self.state.go_to(point):
            self.changed.emit(True)

    @Slot()
    def end_gesture(self) -> None:
        """Let the next move be a new step of the history."""
        self.state.end_gesture()
        self._drag_start = None

    @Slot(int, bool)
    def lock(self, dimension: int, locked: bool) -> None:
        """Lock or unlock a dimension."""
        if self.state.set_lock(dimension, locked):
            self.changed.emit(False)

    @Slot(int, float)
    def draw(self, seed: int, temperature: float) -> None:
        """Draw the unlocked dimensions from a seed."""
        if self.state.randomise(seed, temperature):
            self.changed.emit(True)

    @Slot(float)
    def rescale(self, temperature: float) -> None:
        """Draw a point again that is its seed's; one that was moved waits for the next draw."""
        point = self.point
        drawn = point.source.startswith("seed ") and not point.edited
        if drawn and self.state.randomise(point.seed, temperature, merge="temperature"):
            self.changed.emit(True)

    @Slot(int)
    def choose_class(self, label: int) -> None:
        """Change the class and keep z."""
        if self.state.set_label(label):
            self.changed.emit(True)

    @Slot()
    def reset(self) -> None:
        """Set the unlocked dimensions to 0."""
        if self.state.reset():
            self.changed.emit(True)

    @Slot()
    def undo(self) -> None:
        """Go a step back."""
        if self.state.undo():
            self.changed.emit(True)

    @Slot()
    def redo(self) -> None:
        """Go a step forward again."""
        if self.state.redo():
            self.changed.emit(True)

    @Slot()
    def begin_drag(self) -> None:
        """Remember where a drag on the picture started."""
        self._drag_start = self.point

    @Slot(float, float)
    def drag(self, dx: float, dy: float) -> None:
        """Move by a drag of ``dx`` picture widths and ``dy`` picture heights since it began."""
        if self._drag_start is not None:
            across, up = self._drag.directions(self.state.dim)
            if self.state.shift(dx * across + dy * up, self._drag_start, merge="drag"):
                self.changed.emit(True)
