"""Points that a person kept: a strip of them with letters and notes, saved beside the run."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QLineEdit

from latentlab.core.errors import InputError
from latentlab.core.latent_grids import Grid
from latentlab.core.latent_state import LatentPoint
from latentlab.core.messages import ModelInfo
from latentlab.core.saved_points import MAX_NOTE, SavedPoint, next_name, noted, read_points, write_points
from latentlab.ui.context import AppContext
from latentlab.ui.pages.explore_pane import GridPane, Scene
from latentlab.ui.views.picture import GAP, PictureView

NONE_YET = "No points are kept yet. “Keep this point” (B) puts the present one here, with a letter and your note."


class PointStore(QObject):
    """The kept points of a run; of a model without a run folder they live as long as the window. Thread: GUI.

    Signals
    -------
    changed
        The points, or a note.
    """

    changed = Signal()

    def __init__(self, context: AppContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._info: ModelInfo | None = None
        self.points: list[SavedPoint] = []

    def open(self, info: ModelInfo) -> None:
        """Read the points of a model's run."""
        self._info, self.points = info, []
        if info.run is not None:
            try:
                self.points = read_points(info.run, info.latent_dim)
            except InputError as error:
                self._context.errors.report(error)
        self.changed.emit()

    def keep(self, point: LatentPoint, step: int) -> SavedPoint:
        """Keep a point under the next letter."""
        saved = SavedPoint(next_name([kept.name for kept in self.points]), point, "", step)
        self._write([*self.points, saved])
        return saved

    def note(self, name: str, text: str) -> None:
        """Change the note of a point."""
        new = [noted(saved, text) if saved.name == name else saved for saved in self.points]
        if [saved.note for saved in new] != [saved.note for saved in self.points]:
            self._write(new)

    def drop(self, name: str) -> None:
        """Forget a point."""
        self._write([saved for saved in self.points if saved.name != name])

    def of(self, name: str) -> SavedPoint | None:
        """Return a point by its letter."""
        return next((saved for saved in self.points if saved.name == name), None)

    def _write(self, points: list[SavedPoint]) -> None:
        self.points = points
        if self._info is not None and self._info.run is not None and self._info.run.is_dir():
            try:
                write_points(self._info.run, points)
            except InputError as error:
                self._context.errors.report(error)
        self.changed.emit()


class PointsView(PictureView):
    """Every kept point has its letter under it, whatever room there is for the note."""

    def caption_places(self) -> list[tuple[int, int]]:
        """Return all captions, cut to the width of their pictures."""
        count = len(self._captions) if self._images is not None else 0
        return [(index, self.cell_rect(index).width() + GAP) for index in range(count)]


class PointsPane(GridPane):
    """The kept points, decoded by the weights in force.

    Signals
    -------
    keep_wanted
        Keep the present point.
    visited
        A ``SavedPoint``: go there.
    """

    title = "Points"
    name = "points"
    tooltip = "Points that you kept, with their notes\nClick one to go there and to change its note"
    keep_wanted = Signal()
    visited = Signal(object)
    view_class = PointsView

    def __init__(self, store: PointStore) -> None:
        super().__init__()
        self.store = store
        self.current = ""
        store.changed.connect(self._on_stored)
        self._show_current()

    def make_controls(self) -> None:
        """Place keeping, the note, and forgetting."""
        self.keep = self.button("bookmark", "Keep this point", "Keep the present point, with its class and seed (B)")
        self.keep.clicked.connect(self.keep_wanted)
        self.note = QLineEdit()
        self.note.setObjectName("pointNote")
        self.note.setMaxLength(MAX_NOTE)
        self.note.setAccessibleName("Note on the chosen point")
        self.note.setToolTip("Note on the chosen point; kept with the run. Enter takes it")
        self.note.editingFinished.connect(self._on_note)
        self.controls.addWidget(self.note, 2)
        self.remove = self.button("trash", "", "Forget the chosen point")
        self.remove.clicked.connect(self._on_remove)

    def choose(self, name: str) -> None:
        """Make a point the one whose note can be changed."""
        self.current = name
        self._show_current()
        names = [saved.name for saved in self.store.points]
        self.view.set_highlight(names.index(name) if name in names else None)

    def _show_current(self) -> None:
        saved = self.store.of(self.current)
        for widget in (self.note, self.remove):
            widget.setEnabled(saved is not None)
        self.note.setPlaceholderText("Note" if saved is None else f"Note on {saved.name}")
        if saved is None or not self.note.hasFocus():
            self.note.setText("" if saved is None else saved.note)
        count = len(self.store.points)
        self.label.setText(f"{count} kept" if count else "")
        if not count:
            self.clear(NONE_YET)

    @Slot()
    def _on_stored(self) -> None:
        if self.store.of(self.current) is None:
            self.current = ""
        self._show_current()
        self.changed.emit()

    @Slot()
    def _on_note(self) -> None:
        if self.current:
            self.store.note(self.current, self.note.text())

    @Slot()
    def _on_remove(self) -> None:
        if self.current:
            self.store.drop(self.current)

    def _on_clicked(self, index: int) -> None:
        if 0 <= index < len(self.store.points):
            saved = self.store.points[index]
            self.choose(saved.name)
            self.visited.emit(saved)

    def key(self, scene: Scene) -> object:
        """Return the points and their notes."""
        return tuple(
            (saved.name, saved.note, saved.point.z.tobytes(), saved.point.label) for saved in self.store.points
        )

    def build(self, scene: Scene) -> Grid | None:
        """Return a cell for each point."""
        points = [saved for saved in self.store.points if len(saved.point.z) == len(scene.point.z)]
        if not points:
            return None
        z = np.stack([saved.point.z for saved in points])
        labels = np.array([saved.point.label for saved in points], dtype=np.int64)
        captions = tuple(f"{saved.name}  {saved.note}".strip() for saved in points)
        names = [saved.name for saved in points]
        marked = names.index(self.current) if self.current in names else None
        columns = len(points) if len(points) <= 10 else -(-len(points) // -(-len(points) // 10))
        return Grid(z, labels, columns, "saved point", captions=captions, marked=marked)
