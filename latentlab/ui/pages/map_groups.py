"""Groups of images on the map: chosen by outline or by what is in sight, named, decoded and written to files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QFileDialog

from latentlab.core.directions import Direction, save_direction
from latentlab.core.errors import InputError
from latentlab.core.latent_map import Group, MapLayout
from latentlab.core.messages import ErrorReport, Images
from latentlab.ui.context import AppContext
from latentlab.ui.pages.map_inspector import MapInspector
from latentlab.ui.pages.map_subject import MapTalk
from latentlab.ui.pages.map_view import MapView

FILTER = "Codes for latentlab decode (*.npz);;Table (*.csv)"
CAPTIONS = ("− direction", "mean", "+ direction")


class MapGroups(QObject):
    """Keeps the chosen dots, their facts and the panel together. Thread: GUI.

    Signals
    -------
    changed
        Other dots are chosen: the map is to be coloured anew.
    """

    changed = Signal()

    def __init__(
        self, context: AppContext, view: MapView, inspector: MapInspector, talk: MapTalk, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.chosen: npt.NDArray[np.bool_] | None = None
        self.group: Group | None = None
        self._context, self._view, self._talk = context, view, talk
        self._inspector, self._panel = inspector, inspector.group
        panel = self._panel
        self._layout: MapLayout | None = None
        view.lassoed.connect(self.choose)
        panel.name_given.connect(self.save)
        panel.export_wanted.connect(self.ask_file)
        panel.explore_wanted.connect(self.explore_mean)
        panel.cleared.connect(self.clear)
        talk.group_pictures.connect(self._on_pictures)
        if context.maps is not None:
            context.maps.exported.connect(self._on_exported)

    def set_layout(self, layout: MapLayout) -> None:
        """Carry the group over to another map by the rows of the data set."""
        before, self._layout = self._layout, layout
        if self.chosen is None or before is None:
            return
        rows = before.survey.rows[before.index[self.chosen]]
        self.chosen = np.isin(layout.survey.rows[layout.index], rows)
        if layout.survey is not before.survey:
            self._gather()

    @Slot(object)
    def choose(self, chosen: npt.NDArray[np.bool_]) -> None:
        """Make the chosen dots (M,) of the map the group; none gives it up."""
        if not chosen.any():
            self.clear()
            return
        self.chosen = chosen
        self._gather()
        self.changed.emit()

    @Slot()
    def choose_visible(self) -> None:
        """Make what is in sight the group."""
        if self._layout is not None:
            self.choose(self._view.in_view())

    @Slot()
    def clear(self) -> None:
        """Give the group up."""
        self.group = None
        self._panel.show_group(None)
        if self.chosen is not None:
            self.chosen = None
            self.changed.emit()

    def forget(self) -> None:
        """Forget the run."""
        self._layout = None
        self.clear()

    def _gather(self) -> None:
        if self._context.maps is not None and self._layout is not None and self.chosen is not None:
            self._context.maps.gather(self._layout, self.chosen)

    def show(self, group: Group | None) -> None:
        """Show the facts about the group, and ask for its pictures."""
        if group is None or self.chosen is None or len(group) != int(self.chosen.sum()):
            return
        self.group = group
        self._inspector.show_group(group)
        self.decode()

    def decode(self) -> None:
        """Ask for the mean, and the mean less and plus the direction, by the newest weights."""
        group = self.group
        if group is None:
            return
        step = group.direction if np.isfinite(group.direction).all() else np.zeros_like(group.mean)
        z = np.stack([group.mean - step, group.mean, group.mean + step])
        labels = np.full(3, max(group.label, 0)) if group.survey.info.conditional else None
        self._talk.ask_group(z, labels)

    @Slot(object)
    def _on_pictures(self, images: Images) -> None:
        self._panel.picture.set_images(images, columns=3, captions=CAPTIONS)

    @Slot(str)
    def save(self, name: str) -> None:
        """Keep the group's direction with the run."""
        group = self.group
        if group is None or group.survey.info.run is None:
            return
        try:
            save_direction(group.survey.info.run, Direction(name, tuple(group.direction.tolist())))
        except InputError as error:
            self._context.errors.report(ErrorReport.of(error))
            return
        self._panel.name.clear()
        self._context.show_message(f"Direction “{name}” is kept with the run.")

    @Slot()
    def ask_file(self) -> None:
        """Ask where to write the group to."""
        if self.group is None:
            return
        start = str(Path.home() / f"group-of-{len(self.group)}.npz")
        name, chosen = QFileDialog.getSaveFileName(self._panel, "Export the group", start, FILTER)
        if name:
            path = Path(name)
            known = path.suffix.lower() in (".npz", ".csv")
            self.export(path if known else path.with_name(path.name + (".csv" if "csv" in chosen else ".npz")))

    def export(self, path: Path) -> None:
        """Write the group, in the background."""
        if self.group is not None and self._context.maps is not None:
            self._context.maps.export(path, self.group.survey, self.group.index)

    @Slot(object)
    def _on_exported(self, path: Path) -> None:
        self._context.show_message(f"The group is in {path}.")

    @Slot()
    def explore_mean(self) -> None:
        """Show the mean of the group on the Explore page."""
        if self.group is not None:
            self._context.explore_point(self.group.mean.copy(), max(self.group.label, 0))
