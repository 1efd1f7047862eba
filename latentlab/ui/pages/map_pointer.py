"""Pointing on the map: the image or place under the pointer, and the one that was pinned."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Slot

from latentlab.core.latent_map import MapLayout
from latentlab.core.messages import Images
from latentlab.runtime.latent_survey import NearestImages
from latentlab.ui.context import AppContext
from latentlab.ui.formatting import format_value
from latentlab.ui.pages.map_inspector import MapInspector
from latentlab.ui.pages.map_subject import NEIGHBOURS, MapTalk, Subject, image_subject
from latentlab.ui.pages.map_view import MapView
from latentlab.ui.views.picture import to_qimage


class MapPointer(QObject):
    """Keeps view, inspector and questions together. Thread: GUI.

    Attributes
    ----------
    pinned
        What was clicked; shown again when the pointer leaves the map.
    label
        Class that empty places are decoded with: that of the image pinned last.
    """

    def __init__(
        self, context: AppContext, view: MapView, inspector: MapInspector, talk: MapTalk, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.layout_shown: MapLayout | None = None
        self.pinned: Subject | None = None
        self.label = 0
        self._context, self._view, self._inspector, self._talk = context, view, inspector, talk
        self._nearest: NearestImages | None = None
        view.hovered.connect(self._on_hover)
        view.place_hovered.connect(self._on_place_hover)
        view.picked.connect(self.pin_dot)
        view.place_picked.connect(self.pin_place)
        view.opened.connect(self.open_in_explore)
        inspector.explore_wanted.connect(self.open_in_explore)
        inspector.neighbour_picked.connect(self._on_neighbour)
        talk.thumbnail.connect(self._on_thumbnail)
        talk.pictures.connect(self._on_pictures)
        talk.nearest.connect(self._on_nearest)

    def set_layout(self, layout: MapLayout) -> None:
        """Find the pinned image or place on another map."""
        self.layout_shown = layout
        pinned = self.pinned
        if pinned is None:
            return
        if pinned.index < 0:
            fits = len(pinned.z) == layout.survey.dim
            placed = layout.place(pinned.z[None]) if fits else None
            self._view.set_pinned(-1, None if placed is None else (float(placed[0, 0]), float(placed[0, 1])))
            return
        index = int(np.searchsorted(layout.survey.rows, pinned.row))
        there = index < len(layout.survey) and int(layout.survey.rows[index]) == pinned.row
        if there and pinned.survey is not layout.survey:
            self.pinned = image_subject(layout.survey, index)
            self._look_at(self.pinned)
        self._view.set_pinned(_number_of(layout, index) if there else -1)

    def forget(self) -> None:
        """Forget the run."""
        self.layout_shown = self.pinned = self._nearest = None
        self.label = 0
        self._view.set_pinned(-1)
        self._inspector.clear()

    @Slot(int)
    def pin_dot(self, number: int) -> None:
        """Pin an image of the map, and set the sliders to its mean."""
        if self.layout_shown is not None:
            self._pin(image_subject(self.layout_shown.survey, int(self.layout_shown.index[number])), number)

    @Slot(float, float)
    def pin_place(self, x: float, y: float) -> None:
        """Pin an empty place, and set the sliders to its z; where there is no way back, say so."""
        layout = self.layout_shown
        if layout is None:
            return
        if not layout.has_inverse:
            self._say_no_way_back()
            return
        self._pin(Subject(layout.survey, layout.lift(np.array([[x, y]]))[0], -1, self.label), -1, (x, y))

    def _pin(self, subject: Subject, number: int, place: tuple[float, float] | None = None) -> None:
        self.pinned, self.label = subject, subject.label
        self._view.set_pinned(number, place)
        self._look_at(subject)
        self._context.place_point(subject.z.copy(), subject.label)

    @Slot()
    def open_in_explore(self) -> None:
        """Show the pinned point on the Explore page."""
        if self.pinned is not None:
            self._context.explore_point(self.pinned.z.copy(), self.pinned.label)

    @Slot(int)
    def _on_hover(self, number: int) -> None:
        layout = self.layout_shown
        if layout is not None and number >= 0:
            self._look_at(image_subject(layout.survey, int(layout.index[number])))
        elif self.pinned is not None:
            self._look_at(self.pinned)

    @Slot(float, float)
    def _on_place_hover(self, x: float, y: float) -> None:
        layout = self.layout_shown
        if layout is None:
            return
        if layout.has_inverse:
            self._look_at(Subject(layout.survey, layout.lift(np.array([[x, y]]))[0], -1, self.label))
        elif self.pinned is None:
            self._say_no_way_back()

    def _say_no_way_back(self) -> None:
        self._talk.forget_subject()
        self._inspector.clear()
        self._inspector.show_subject(
            "Empty place", "t-SNE places images, not points of latent space: there is no way back from here.", None,
            pinned=False,
        )  # fmt: skip

    def _look_at(self, subject: Subject) -> None:
        pinned = self.pinned
        if subject.index >= 0 or pinned is subject:
            self._view.set_thumbnail(-1, None, "")
        length = float(np.linalg.norm(subject.z))
        self._inspector.show_subject(subject.title, subject.facts(), length, pinned=pinned is not None)
        self._talk.look_at(subject)

    @Slot(object, object)
    def _on_thumbnail(self, subject: Subject, picture: Images) -> None:
        layout = self.layout_shown
        if layout is not None and subject.survey is layout.survey:
            self._view.set_thumbnail(_number_of(layout, subject.index), to_qimage(picture), subject.short)

    @Slot(object, object, object)
    def _on_pictures(self, _subject: Subject, images: Images, captions: tuple[str, ...]) -> None:
        self._inspector.show_pictures(images, captions)

    @Slot(object)
    def _on_nearest(self, answer: NearestImages) -> None:
        subject = self._talk.subject
        assert answer.images is not None
        assert answer.index is not None
        assert answer.rows is not None
        assert answer.distance is not None
        self._inspector.show_density(answer.density)
        others = answer.rows != (subject.row if subject is not None else -1)
        kept = np.flatnonzero(others)[:NEIGHBOURS]
        self._nearest = NearestImages(answer.generation, answer.z, answer.step, answer.index[kept], answer.rows[kept])
        captions = [format_value(float(distance)) for distance in answer.distance[kept]]
        tips = [f"Image {row:,}, {far} σ away" for row, far in zip(answer.rows[kept].tolist(), captions, strict=True)]
        self._inspector.show_neighbours(answer.images[kept], captions, tips)

    @Slot(int)
    def _on_neighbour(self, place: int) -> None:
        layout, nearest = self.layout_shown, self._nearest
        if layout is None or nearest is None or nearest.rows is None or not 0 <= place < len(nearest.rows):
            return
        index = int(np.searchsorted(layout.survey.rows, nearest.rows[place]))
        if index < len(layout.survey) and layout.survey.rows[index] == nearest.rows[place]:
            self._pin(image_subject(layout.survey, index), _number_of(layout, index))


def _number_of(layout: MapLayout, index: int) -> int:
    """Return which dot of a layout an image of its survey is, or -1 where it is left out."""
    number = int(np.searchsorted(layout.index, index))
    return number if number < len(layout.index) and int(layout.index[number]) == index else -1
