"""What is looked at on the map, an image or a place, and the questions about it to the services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.messages import DecodeRequest, Floats, Images, InferenceResult, ReconstructRequest
from latentlab.runtime.latent_survey import NearestImages, SurveyPictures
from latentlab.ui.formatting import format_duration, format_steps, format_value
from latentlab.ui.widgets.class_picker import class_names
from latentlab.ui.widgets.pane_requests import PaneRequests

if TYPE_CHECKING:
    from latentlab.ui.context import AppContext

PANE = "map"
NEIGHBOURS = 8
NEIGHBOUR_SIDE = 64


@dataclass(frozen=True, eq=False)
class Subject:
    """An image of the survey (``index`` is its place there) or a place of the plane (``index`` -1)."""

    survey: LatentSurvey
    z: Floats
    index: int = -1
    label: int = 0

    @property
    def row(self) -> int:
        """Row of the data set, or -1."""
        return int(self.survey.rows[self.index]) if self.index >= 0 else -1

    @property
    def title(self) -> str:
        """What it is called."""
        return f"Image {format_steps(self.row)}" if self.index >= 0 else "Empty place"

    def facts(self) -> str:
        """Return what is known about it, in a few short parts."""
        survey, i = self.survey, self.index
        length = f"‖z‖ {format_value(float(np.linalg.norm(self.z)))}"
        if i < 0:
            told = f" · decoded as class {self.class_name}" if survey.info.conditional else ""
            others = " · all other directions at the mean of the codes" if len(self.z) > 2 else ""
            return f"{length}{told}{others}"
        parts = []
        if survey.labels is not None:
            parts.append(f"class {self.class_name}" if survey.labels[i] >= 0 else "class unknown")
        if survey.test is not None:
            parts.append("held out" if survey.test[i] else "trained on")
        if survey.pixel is not None:
            parts.append(f"error {format_value(float(survey.pixel[i]))} (MSE)")
        if survey.film is not None and survey.time is not None:
            parts.append(f"{survey.film_names[survey.film[i]]} at {format_duration(float(survey.time[i]))}")
        return " · ".join([*parts, length])

    @property
    def class_name(self) -> str:
        """Name of its class, or of the one to decode with."""
        return class_names(self.survey.class_names, max(self.label + 1, 1))[self.label]

    @property
    def short(self) -> str:
        """A few letters for under a thumbnail."""
        known = self.survey.labels is not None and self.survey.labels[self.index] >= 0
        return self.class_name if known else f"{self.row:,}"


def image_subject(survey: LatentSurvey, index: int) -> Subject:
    """Return an image of a survey as a subject."""
    label = max(0, int(survey.labels[index])) if survey.labels is not None else 0
    return Subject(survey, survey.mu[index].copy(), index, label)


class MapTalk(QObject):
    """Asks for pictures of the newest subject and tells when they are there; answers about older ones are dropped.

    Thread: GUI.

    Signals
    -------
    thumbnail
        (Subject, (H, W, C)): the image itself.
    pictures
        (Subject, NHWC, captions): the image and its reconstruction, or what was decoded.
    nearest
        ``NearestImages`` of the subject.
    group_pictures
        NHWC of the group's request.
    lattice
        (request key, NHWC).
    told
        (step, taken_at) of the weights that decoded.
    failed
        ``ErrorReport``.
    """

    thumbnail = Signal(object, object)
    pictures = Signal(object, object, object)
    nearest = Signal(object)
    group_pictures = Signal(object)
    lattice = Signal(object, object)
    told = Signal(int, float)
    failed = Signal(object)

    def __init__(self, context: AppContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.subject: Subject | None = None
        self._image: Images | None = None
        self._decode = PaneRequests(context.inference, "map.decode", self)
        self._group = PaneRequests(context.inference, "map.group", self)
        self._lattice = PaneRequests(context.inference, "map.lattice", self)
        self._lattice_key: object = None
        self._decode.answered.connect(self._on_decoded)
        self._group.answered.connect(self._on_group)
        self._lattice.answered.connect(self._on_lattice)
        if context.survey is not None:
            context.survey.pictures_ready.connect(self._on_pictures)
            context.survey.nearest_ready.connect(self._on_nearest)

    @property
    def busy(self) -> bool:
        """Whether a decoded picture is on its way."""
        return self._decode.busy or self._lattice.busy or self._group.busy

    def look_at(self, subject: Subject) -> None:
        """Ask for everything about a subject."""
        self.subject, self._image = subject, None
        service = self._context.survey
        if service is not None:
            if subject.index >= 0:  # First: what is under the pointer is waited for.
                service.ask_pictures(PANE, np.array([subject.row]))
            service.ask_nearest(PANE, subject.z, NEIGHBOURS + (subject.index >= 0), NEIGHBOUR_SIDE)
        if subject.index < 0:
            self.decode()

    def decode(self) -> None:
        """Ask for the subject decoded by the newest weights."""
        subject = self.subject
        if subject is None:
            return
        labels = np.array([subject.label]) if subject.survey.info.conditional else None
        if subject.index < 0:
            self._decode.ask(DecodeRequest(subject.z[None].copy(), labels))
        elif self._image is not None:
            known = subject.survey.labels is None or subject.survey.labels[subject.index] >= 0
            told = labels if known or subject.survey.info.needs_labels else None
            self._decode.ask(ReconstructRequest(self._image.copy(), told, tag=subject.index))

    def ask_group(self, z: Floats, labels: np.ndarray | None) -> None:
        """Ask for the group's pictures."""
        self._group.ask(DecodeRequest(z, labels))

    def ask_lattice(self, key: object, z: Floats, labels: np.ndarray | None) -> None:
        """Ask for a grid of decoded pictures; ``key`` comes back with them."""
        self._lattice_key = key
        self._lattice.ask(DecodeRequest(z, labels))

    def forget_subject(self) -> None:
        """Want nothing about the subject any more."""
        self.subject = self._image = None
        self._decode.cancel()

    def forget(self) -> None:
        """Ask for nothing more."""
        self.subject = self._image = None
        for requests in (self._decode, self._group, self._lattice):
            requests.cancel()

    @Slot(str, object)
    def _on_pictures(self, pane: str, answer: SurveyPictures) -> None:
        subject = self.subject
        if pane != PANE or subject is None or subject.index < 0 or int(answer.rows[0]) != subject.row:
            return
        if answer.images is None:
            self.failed.emit(answer.error)
            return
        self._image = answer.images
        self.thumbnail.emit(subject, answer.images[0])
        self.pictures.emit(subject, answer.images, ("image",))
        self.decode()

    @Slot(str, object)
    def _on_nearest(self, pane: str, answer: NearestImages) -> None:
        if pane != PANE or self.subject is None or not np.array_equal(answer.z, self.subject.z):
            return
        if answer.error is not None:
            self.failed.emit(answer.error)
        elif answer.images is not None:
            self.nearest.emit(answer)

    @Slot(object)
    def _on_decoded(self, result: InferenceResult) -> None:
        subject, request = self.subject, result.request
        if result.error is not None:
            self.failed.emit(result.error)
            return
        if subject is None or result.images is None:
            return
        if isinstance(request, ReconstructRequest):
            if request.tag != subject.index or self._image is None or self._image.shape != result.images.shape:
                return
            error = "" if result.pixel is None else f" · {format_value(float(result.pixel[0]))}"
            captions = ("image", f"decoded{error}")
            self.pictures.emit(subject, np.concatenate([self._image, result.images]), captions)
        elif isinstance(request, DecodeRequest) and np.array_equal(request.z[0], subject.z):
            self.pictures.emit(subject, result.images, ("decoded",))
        else:
            return
        self.told.emit(result.step, result.taken_at)

    @Slot(object)
    def _on_group(self, result: InferenceResult) -> None:
        if result.error is not None:
            self.failed.emit(result.error)
        elif result.images is not None:
            self.group_pictures.emit(result.images)

    @Slot(object)
    def _on_lattice(self, result: InferenceResult) -> None:
        if result.error is not None:
            self.failed.emit(result.error)
        elif result.images is not None:
            self.lattice.emit(self._lattice_key, result.images)
            self.told.emit(result.step, result.taken_at)
