"""What a hand on the grids below the picture does."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from latentlab.core.messages import Floats
from latentlab.core.saved_points import SavedPoint
from latentlab.ui.context import AppContext
from latentlab.ui.pages.explore_compare import Subject
from latentlab.ui.pages.explore_lower import LowerArea


class GridActs(QObject):
    """Carries out clicks on cells, the plane under the mouse, and kept points. Thread: GUI.

    Signals
    -------
    preview_changed
        Another picture is pointed at, or none any more.
    """

    preview_changed = Signal()

    def __init__(self, lower: LowerArea, subject: Subject, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._lower, self._subject, self._context = lower, subject, context
        lower.chosen.connect(self._on_cell)
        lower.plane.pointed.connect(self._on_pointed)
        lower.plane.moved.connect(self._on_plane)
        lower.plane.gesture_ended.connect(subject.moves.end_gesture)
        lower.points.keep_wanted.connect(self._on_keep)
        lower.points.visited.connect(self._on_visit)

    @Slot(object, int, str)
    def _on_cell(self, z: Floats, label: int, source: str) -> None:
        """Go to a cell of a grid."""
        if source:
            self._subject.moves.go_to(z, label, source)
        else:
            self._subject.moves.step_to(z)

    @Slot(object)
    def _on_pointed(self, z: Floats | None) -> None:
        """Show the picture of what is pointed at, without going there."""
        if self._subject.decoder.point_at(z):
            self.preview_changed.emit()

    @Slot(object)
    def _on_plane(self, z: Floats) -> None:
        self._subject.decoder.point_at(None)
        self._subject.moves.move_to(z, "plane")

    @Slot()
    def _on_keep(self) -> None:
        saved = self._subject.points.keep(self._subject.moves.point, self._context.inference.weights_step)
        self._lower.points.choose(saved.name)
        self._context.show_message(f"Kept as point {saved.name}.")

    @Slot(object)
    def _on_visit(self, saved: SavedPoint) -> None:
        self._subject.moves.visit(saved.point)
