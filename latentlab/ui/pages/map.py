"""The Map page: the whole data set in latent space, to look around in while it is being learnt."""

from __future__ import annotations

import time
from typing import ClassVar

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from latentlab.core.latent_map import MapLayout, Plane
from latentlab.core.messages import Images
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.page import Page
from latentlab.ui.pages.map_colours import colour_points
from latentlab.ui.pages.map_controls import KINDS, MapControls, SurveyBar, survey_text
from latentlab.ui.pages.map_groups import MapGroups
from latentlab.ui.pages.map_inspector import MapInspector
from latentlab.ui.pages.map_lattice import Lattice, lattice_of
from latentlab.ui.pages.map_pointer import MapPointer
from latentlab.ui.pages.map_subject import MapTalk
from latentlab.ui.pages.map_view import ZOOM_STEP, MapView
from latentlab.ui.widgets.empty_state import EmptyState
from latentlab.ui.widgets.shortcuts import on_key
from latentlab.ui.widgets.splitters import restore_sizes
from latentlab.ui.widgets.weights_follow import FollowBar

FOLLOW_EVERY_S = 0.5
TEXT_EVERY_S = 0.2
WAITING = "Nothing to map yet. Train a model with an encoder, or open a run: its whole data set appears here."
PREPARING = "The training is getting ready. Its data set is encoded as soon as there are weights."
NO_ENCODER = "This model has no encoder, so its data set has no place in latent space. A VAE or VAE-GAN has one."
UNASKED = "The data set of this run has not been encoded."


class MapPage(Page):
    """A map of the latent survey, and an inspector of what is looked at."""

    object_name: ClassVar[str] = "mapPage"
    title: ClassVar[str] = "Map"
    icon: ClassVar[str] = "map"
    tooltip: ClassVar[str] = "See the whole data set in latent space"

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.survey_service, self.maps = context.survey, context.maps
        self.layout_shown: MapLayout | None = None
        self._seen: dict[str, int] = {}
        self._again = False
        self._lattice: Lattice | None = None
        self._told_at = self._decoded_at = 0.0
        self._weights: object = None
        self.controls = MapControls()
        self.map = MapView()
        self.bar = SurveyBar()
        self.follow_bar = FollowBar(context)
        self.inspector = MapInspector()
        self.talk = MapTalk(context, self)
        self.pointer = MapPointer(context, self.map, self.inspector, self.talk, self)
        self.groups = MapGroups(context, self.map, self.inspector, self.talk, self)
        self.empty = EmptyState(WAITING, "Choose a recipe", self._on_empty_button, "map")
        self._build()
        self._connect()

    def _build(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.controls)
        column.addWidget(self.map, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("mapSplitter")
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.inspector)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes([760, 320])
        content = QWidget()
        whole = QVBoxLayout(content)
        whole.setContentsMargins(style.SPACING, style.SPACING, style.SPACING, style.SPACING)
        whole.addWidget(self.splitter, 1)
        foot = QHBoxLayout()
        foot.setSpacing(2 * style.SPACING)
        foot.addWidget(self.bar, 3)
        foot.addWidget(self.follow_bar, 2)
        whole.addLayout(foot)
        self.stack = QStackedLayout(self)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(content)

    def _connect(self) -> None:
        self.controls.plane_chosen.connect(self._on_plane)
        self.controls.colour_chosen.connect(self._recolour)
        self.controls.lasso.toggled.connect(self.map.set_lasso)
        self.controls.prior.toggled.connect(self._on_prior)
        self.controls.lattice.toggled.connect(self._ask_lattice)
        self.controls.fit.clicked.connect(self.map.fit)
        self.bar.survey_wanted.connect(self.survey_again)
        self.bar.cancel_wanted.connect(self.cancel)
        self.map.moved.connect(self._ask_lattice)
        self.groups.changed.connect(self._recolour)
        self.talk.lattice.connect(self._on_lattice)
        self.talk.told.connect(self.follow_bar.set_weights)
        self.talk.failed.connect(self.context.errors.report)
        if self.maps is not None:
            self.maps.failed.connect(self.context.errors.report)
        for keys, act in (("+", self._zoom_in), ("-", self._zoom_out), ("V", self.groups.choose_visible)):
            on_key(self, keys, act)
        on_key(self, "X", self.groups.clear)
        on_key(self, "E", self.groups.ask_file)

    # The window's hooks

    def tick(self) -> None:
        """Take what the services have that is new."""
        weights, snapshot = self.follow_bar.follow.newest()
        service, maps = self.survey_service, self.maps
        if snapshot is None or service is None or maps is None:
            self._show_empty(PREPARING if self.context.training.state.active else WAITING, "Choose a recipe")
            return
        if not snapshot.info.has_encoder:
            self._show_empty(NO_ENCODER, "Choose a recipe")
            return
        if self._moved("survey", service.surveys.version):
            self._on_survey()
        if self._moved("layout", maps.layouts.version):
            self._on_layout(maps.layouts.get()[1])
        if self._moved("norms", maps.norms.version):
            norms = maps.norms.get()[1]
            self.inspector.norms.set_norms(norms, has_prior=snapshot.info.kind != "ae")
        if self._moved("group", maps.groups.version):
            self.groups.show(maps.groups.get()[1])
        now = time.monotonic()
        if now - self._told_at >= TEXT_EVERY_S:
            self._told_at = now
            self._tell()
        if weights != self._weights and now - self._decoded_at >= FOLLOW_EVERY_S and not self.talk.busy:
            self._weights, self._decoded_at = weights, now
            self._decode_again()
        self.follow_bar.tick()

    def _moved(self, what: str, version: int) -> bool:
        moved = self._seen.get(what) != version
        self._seen[what] = version
        return moved

    def _tell(self) -> None:
        """Say how far everything is."""
        service, maps = self.survey_service, self.maps
        assert service is not None
        assert maps is not None
        progress = service.progress.get()[1] or maps.progress.get()[1]
        layout = self.layout_shown
        if layout is None:
            problem = service.problem.get()[1]
            if progress is not None:
                share = f": {progress.done / progress.total:.0%}" if progress.total else "…"
                self._show_empty(f"{progress.what}{share}", "Cancel")
            elif problem is not None:
                self._show_empty(f"{problem.what} {problem.hint}".strip(), "Try again")
            elif service.surveys.get()[1] is None:
                self._show_empty(UNASKED, "Encode the data set")
            return
        self.stack.setCurrentIndex(1)
        in_use = self.follow_bar.follow.newest()[1]
        step = in_use.step if in_use is not None else layout.survey.step
        text = survey_text(layout.survey, layout, step, progress)
        problem = service.problem.get()[1]
        if problem is not None:
            text = f"{text} · {problem.what}"
        self.bar.show_state(text, progress, newer=step != layout.survey.step)

    def _show_empty(self, text: str, button: str) -> None:
        self.empty.set_text(text)
        self.empty.button.setText(button)
        self.empty.button.setToolTip(f"{button}: {text}")
        self.stack.setCurrentIndex(0)

    @Slot()
    def _on_empty_button(self) -> None:
        words = self.empty.button.text()
        if words == "Choose a recipe":
            self.context.choose_recipe()
        elif words == "Cancel":
            self.cancel()
        else:
            self.survey_again()

    def status_text(self) -> str:
        """Return the step that was surveyed."""
        return "" if self.layout_shown is None else f"survey of step {self.layout_shown.survey.step:,}"

    def key_rows(self) -> list[tuple[str, str]]:
        """Return the keys of the map itself."""
        return [
            ("Arrows", "Move over the map; with Shift, move the map"),
            ("Space", "Pin what is under the pointer"),
            ("Enter", "Open the pinned point in Explore"),
            ("+ -", "Zoom in and out"),
            ("V", "Make what is in sight a group"),
            ("X", "Give the group up"),
            ("E", "Export the group"),
        ]

    def restart(self) -> None:
        """Forget the previous run."""
        self.talk.forget()
        if self.maps is not None:
            self.maps.clear()
        self.follow_bar.clear()
        self._forget_map()
        self._show_empty(WAITING, "Choose a recipe")

    def save_state(self) -> dict[str, object]:
        """Return the splitter, the plane and the colours."""
        plane = self.controls.plane
        return {"splitter": self.splitter.sizes(), "plane": plane.kind, "colour": self.controls.colour.currentData()}

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring back what ``save_state`` returned; what is odd is left out."""
        restore_sizes(self.splitter, state.get("splitter"))
        kind = next((key for key, _ in KINDS if key == state.get("plane")), None)
        if kind is not None and kind != "tsne":  # Nobody asked this time for a minute of work.
            self.controls.set_plane(Plane(kind))

    def close_down(self) -> None:
        """Ask for nothing more."""
        self.talk.forget()

    def showEvent(self, event: QShowEvent) -> None:
        """Have the data set surveyed while somebody looks."""
        super().showEvent(event)
        if self.survey_service is not None:
            self.survey_service.watch(self.object_name, True)
        self.tick()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the machine to others."""
        super().hideEvent(event)
        if self.survey_service is not None:
            self.survey_service.watch(self.object_name, False)

    # Surveys and layouts

    @Slot()
    def survey_again(self) -> None:
        """Encode the data set with the newest weights."""
        if self.survey_service is not None:
            self._again = True
            self.survey_service.survey()

    @Slot()
    def cancel(self) -> None:
        """Give up the survey or t-SNE that is at work."""
        if self.survey_service is not None and self.survey_service.busy:
            self.survey_service.cancel()
        elif self.maps is not None:
            self.maps.cancel()

    def _on_survey(self) -> None:
        assert self.survey_service is not None
        survey = self.survey_service.surveys.get()[1]
        if survey is None:
            self._forget_map()
            return
        self.controls.set_survey(survey)
        shown, plane = self.layout_shown, self.controls.plane
        tsne_there = shown is not None and shown.plane.kind == plane.kind == "tsne"
        if plane.kind == "tsne" and (not survey.complete or (tsne_there and not self._again)):
            return  # A minute of work is done once, and again when asked for.
        self._again = False
        self._show_plane(plane)

    @Slot(object)
    def _on_plane(self, plane: Plane) -> None:
        self._show_plane(plane)

    def _show_plane(self, plane: Plane) -> None:
        if self.survey_service is not None and self.maps is not None:
            survey = self.survey_service.surveys.get()[1]
            if survey is not None:
                self.maps.show(survey, plane)

    def _forget_map(self) -> None:
        self.layout_shown = self._lattice = None
        self.map.set_layout(None)
        self.map.set_lattice([])
        self.pointer.forget()
        self.groups.forget()
        self.inspector.norms.set_norms(None)

    def _on_layout(self, layout: MapLayout | None) -> None:
        if layout is None:
            return
        before, self.layout_shown = self.layout_shown, layout
        same = before is not None and before.plane == layout.plane
        self.groups.set_layout(layout)
        self.controls.set_layout(layout)
        self.map.set_layout(layout, keep_view=same and self.map.touched)
        self._recolour()
        self.pointer.set_layout(layout)
        self._ask_lattice()
        self._tell()

    @Slot()
    def _recolour(self) -> None:
        if self.layout_shown is not None:
            key = str(self.controls.colour.currentData())
            self.map.set_colours(colour_points(self.layout_shown, key), self.groups.chosen)

    def apply_theme(self) -> None:
        """Colour the dots for another ground."""
        self._recolour()

    @Slot(bool)
    def _on_prior(self, on: bool) -> None:
        self.map.show_prior = on
        self.map.update()

    @Slot()
    def _zoom_in(self) -> None:
        self.map.zoom(ZOOM_STEP)

    @Slot()
    def _zoom_out(self) -> None:
        self.map.zoom(1 / ZOOM_STEP)

    # Pictures by newer weights

    def _decode_again(self) -> None:
        """Decode what is on screen with newer weights."""
        self.talk.decode()
        self.groups.decode()
        self._ask_lattice()

    @Slot()
    def _ask_lattice(self) -> None:
        """Decode the plane on a grid, where that is wanted and can be."""
        layout = self.layout_shown
        if layout is None or not layout.has_inverse or not self.controls.lattice.isChecked():
            self._lattice = None
            self.map.set_lattice([])
            return
        if not self.isVisible():
            return
        height, width, _ = layout.survey.info.image_shape
        self._lattice = lattice = lattice_of(layout, self.map.view, height / width)
        labels = np.full(len(lattice.z), self.pointer.label) if layout.survey.info.conditional else None
        self.talk.ask_lattice(lattice, lattice.z, labels)

    @Slot(object, object)
    def _on_lattice(self, lattice: Lattice, pictures: Images) -> None:
        if lattice is self._lattice and len(pictures) == len(lattice.areas):
            self.map.set_lattice(lattice.cells(pictures))
