"""The area below the picture: one of several grids through latent space, chosen by tabs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from latentlab.core.latent_grids import Grid
from latentlab.core.messages import Images
from latentlab.ui import icons
from latentlab.ui.context import AppContext
from latentlab.ui.pages.explore_between import ArithmeticPane, CornersPane, WalkPane
from latentlab.ui.pages.explore_export import SCALES, copy_grid, save_grid
from latentlab.ui.pages.explore_pane import GridPane, Scene
from latentlab.ui.pages.explore_plane import PlanePane
from latentlab.ui.pages.explore_points import PointsPane, PointStore
from latentlab.ui.pages.explore_side import GridRequests
from latentlab.ui.pages.explore_traversals import StripPane, TraversalPane
from latentlab.ui.widgets.segments import Segments
from latentlab.ui.widgets.shortcuts import on_key


class LowerArea(QWidget):
    """Tabs, the controls of the pane in front, and its grid. Only that pane asks for pictures.

    Signals
    -------
    chosen
        (z (D,), class, source): a cell was clicked; source is empty where that is a move from where z is.
    pane_changed
        Name of the pane that came to the front.
    """

    chosen = Signal(object, int, str)
    pane_changed = Signal(str)

    def __init__(self, context: AppContext, store: PointStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.strip, self.plane, self.points = StripPane(), PlanePane(), PointsPane(store)
        self.traversals, self.walk = TraversalPane(), WalkPane()
        self.corners, self.arithmetic = CornersPane(), ArithmeticPane()
        self.panes: list[GridPane] = [
            self.strip,
            self.traversals,
            self.plane,
            self.walk,
            self.corners,
            self.arithmetic,
            self.points,
        ]
        self.requests = {pane.name: GridRequests(context, f"explore.{pane.name}", self) for pane in self.panes}
        self._scene: Callable[[], Scene | None] = lambda: None
        self._conditional = False
        self._build()

    def _build(self) -> None:
        named = [(pane.title, pane.tooltip, f"{pane.name}Tab") for pane in self.panes]
        self.tabs = Segments("Grid below the picture", named)
        self.stack = QStackedWidget()
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.tabs, 1)
        row.addWidget(self._export_button())
        for pane in self.panes:
            self.stack.addWidget(pane)
            pane.changed.connect(self.refresh)
            pane.chosen.connect(self._on_chosen)
            self.requests[pane.name].ready.connect(self._on_ready)
        self.tabs.chosen.connect(self.show_place)
        on_key(self, "B", self.points.keep.click)  # Also while another pane is in front.
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.stack, 1)

    def _export_button(self) -> QToolButton:
        self.export = QToolButton()
        self.export.setObjectName("gridExport")
        self.export.setToolTip("Save this grid as a picture, or copy it (Ctrl+E saves at 1×)")
        self.export.setAccessibleName("Save this grid")
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.export.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        icons.set_icon(self.export, "save")
        menu = QMenu(self.export)
        for scale in SCALES:
            action = menu.addAction(f"Save the grid at {scale}×", partial(self.save, scale))
            if scale == 1:
                action.setShortcut("Ctrl+E")
                action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
                self.addAction(action)
        menu.addAction("Copy the grid", self.copy)
        self.export.setMenu(menu)
        return self.export

    # What the page calls

    @property
    def pane(self) -> GridPane:
        """The pane in front."""
        return self.panes[self.stack.currentIndex()]

    def look_through(self, scene: Callable[[], Scene | None]) -> None:
        """Take the scene from ``scene`` whenever a grid is to be made."""
        self._scene = scene

    def set_conditional(self, conditional: bool) -> None:
        """Tell whether the decoder is told a class; every grid is forgotten."""
        self._conditional = conditional
        self.cancel()
        for pane in self.panes:
            pane.clear()
        self.points.choose("")

    @Slot()
    def refresh(self) -> None:
        """Mark the present point, and wish for the grid of the pane in front where it is another one by now."""
        scene = self._scene()
        if scene is None or not self.isVisible():
            return
        pane = self.pane
        pane.set_scene(scene)
        pane.mark(scene)
        self.requests[pane.name].set(pane.key(scene), self._make, self._conditional)

    def _make(self) -> Grid | None:
        scene = self._scene()
        return None if scene is None else self.pane.build(scene)

    def follow(self, weights: object) -> None:
        """Decode the grid in front anew by newer weights, now and then."""
        self.requests[self.pane.name].follow(weights)

    def cancel(self) -> None:
        """Ask for nothing more."""
        for requests in self.requests.values():
            requests.cancel()

    @Slot(int)
    def show_place(self, place: int) -> None:
        """Bring a pane to the front."""
        if place == self.stack.currentIndex():
            return
        self.requests[self.pane.name].cancel()
        self.stack.setCurrentIndex(place)
        self.tabs.set_current(place)
        self.pane_changed.emit(self.pane.name)
        self.refresh()

    def show_pane(self, name: str) -> None:
        """Bring a pane to the front by its name."""
        names = [pane.name for pane in self.panes]
        if name in names:
            self.show_place(names.index(name))

    def save(self, scale: int) -> None:
        """Save the grid in front as a picture."""
        save_grid(self._context, self.pane.view, scale, self.pane.name)

    def copy(self) -> None:
        """Copy the grid in front."""
        copy_grid(self._context, self.pane.view)

    def save_state(self) -> dict[str, object]:
        """Return which pane is in front and how all are set."""
        return {"pane": self.pane.name} | {pane.name: pane.save_state() for pane in self.panes}

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring back what ``save_state`` returned; what is odd is left out."""
        for pane in self.panes:
            kept = state.get(pane.name)
            if isinstance(kept, dict):
                pane.restore_state(kept)
        name = state.get("pane")
        if isinstance(name, str):
            self.show_pane(name)

    @Slot(object, object)
    def _on_ready(self, images: Images, grid: Grid) -> None:
        pane = next((pane for pane in self.panes if self.requests[pane.name] is self.sender()), None)
        if pane is None:
            return
        pane.show_grid(images, grid)
        scene = self._scene()
        if scene is not None:
            pane.mark(scene)

    @Slot(object, int, str)
    def _on_chosen(self, z: object, label: int, source: str) -> None:
        moved = self.pane in (self.strip, self.traversals, self.plane)
        self.chosen.emit(z, label, "" if moved else source)
