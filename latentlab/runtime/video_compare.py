"""Other checkpoints beside the model: what each makes of the frame on screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal, Slot

from latentlab.core.errors import LatentLabError
from latentlab.core.mailbox import LatestSlot, Mailbox
from latentlab.core.messages import ErrorReport, Images
from latentlab.core.video_messages import CompareModel, Crop, OtherPicture
from latentlab.runtime.threads import prepare_torch

if TYPE_CHECKING:
    from latentlab.explore.video_inference import FrameReconstructor

MOST = 3
"""Columns beside the model's own."""
WORK = "frame"


@dataclass(frozen=True, slots=True, eq=False)
class CompareRequest:
    """Frame ``index``: the region given to the model at the model's size, and the whole frame once it is decoded."""

    index: int
    original: Images
    crop: Crop | None
    film: Images | None = None


class CompareThread(QThread):
    """Loads checkpoints and reconstructs with them, newest frame first. The object lives in the GUI thread."""

    failed = Signal(object)  # ErrorReport
    refused = Signal(object)  # CompareModel that cannot be used

    def __init__(self, slot: LatestSlot[tuple[OtherPicture, ...]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("video-compare")
        self.models: tuple[CompareModel, ...] = ()
        self.calls: Mailbox[CompareRequest] = Mailbox()
        self._slot = slot
        self._loaded: dict[CompareModel, FrameReconstructor | None] = {}

    def run(self) -> None:
        """Serve until closed. Thread: compare."""
        prepare_torch()
        while not self.calls.closed:
            taken = self.calls.take()
            if taken is not None:
                self._answer(taken[1])
        self._loaded.clear()

    def _answer(self, request: CompareRequest) -> None:
        """Publish column by column, so that a slow model does not hold up the others."""
        models = self.models
        for gone in self._loaded.keys() - set(models):
            del self._loaded[gone]
        pictures: list[OtherPicture] = []
        for model in models:
            picture = self._picture(model, request)
            if self.calls.waiting(WORK):
                return
            if picture is not None:
                pictures.append(picture)
                self._slot.put(tuple(pictures))

    def _picture(self, model: CompareModel, request: CompareRequest) -> OtherPicture | None:
        try:
            replica = self._load(model)
            if replica is None or replica.info is None:
                return None
            frame = at_size_of(request, replica.info.image_shape)
            if frame is None:
                return None
            result = replica.reconstruct(frame[None])
        except Exception as error:  # noqa: BLE001 - the thread lives on and the window is told.
            self._loaded[model] = None
            self.refused.emit(model)
            self.failed.emit(ErrorReport.of(error, f"comparing with {model.title}"))
            return None
        pixel = float(result.pixel[0])
        return OtherPicture(key_of(model), model.title, request.index, result.images[0], pixel, replica.step)

    def _load(self, model: CompareModel) -> FrameReconstructor | None:
        """Return a checkpoint ready to use; None for one that was refused before."""
        if model not in self._loaded:
            from latentlab.explore.video_inference import FrameReconstructor
            from latentlab.models.weights import read_snapshot

            snapshot = read_snapshot(model.run, model.which)
            if not snapshot.info.has_encoder:
                raise LatentLabError(f"{model.title} has no encoder and cannot reconstruct", where=str(model.run))
            replica = FrameReconstructor()
            replica.load(snapshot)
            self._loaded[model] = replica
        return self._loaded[model]


class CompareService(QObject):
    """Up to three checkpoints. Ask with ``show``; poll ``pictures``; the newest wish wins.

    Thread: GUI, except ``pictures``, which any thread may read.
    """

    failed = Signal(object)  # ErrorReport
    changed = Signal()  # which models are compared with

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.pictures: LatestSlot[tuple[OtherPicture, ...]] = LatestSlot()
        self.thread_in_use = CompareThread(self.pictures, self)
        self.thread_in_use.failed.connect(self.failed)
        self.thread_in_use.refused.connect(self._on_refused)
        self._request: CompareRequest | None = None

    @property
    def models(self) -> tuple[CompareModel, ...]:
        """The checkpoints, in the order of their columns."""
        return self.thread_in_use.models

    def set_models(self, models: tuple[CompareModel, ...]) -> None:
        """Compare with these checkpoints, three at most; the ones loaded before stay loaded."""
        self.thread_in_use.models = tuple(dict.fromkeys(models))[:MOST]
        self.pictures.clear()
        self.changed.emit()
        if self._request is not None:
            self.show(self._request)

    def show(self, request: CompareRequest) -> None:
        """Have every model reconstruct this frame."""
        self._request = request
        thread = self.thread_in_use
        if thread.models and not thread.calls.closed:
            thread.calls.post(WORK, request)
            if not thread.isRunning():
                thread.start()

    def forget(self) -> None:
        """Forget the frame: another film is opened."""
        self._request = None
        self.thread_in_use.calls.drop(WORK)
        self.pictures.clear()

    def close(self) -> None:
        """End after the picture in hand."""
        self.thread_in_use.calls.close()

    @Slot(object)
    def _on_refused(self, model: CompareModel) -> None:
        self.set_models(tuple(other for other in self.models if other != model))


def key_of(model: CompareModel) -> str:
    """Return the name of a model's column."""
    return f"{model.run}/{model.which}"


def at_size_of(request: CompareRequest, image_shape: tuple[int, int, int]) -> Images | None:
    """Return the frame as a model of ``image_shape`` is given it; None while that takes the whole frame."""
    from latentlab.data.video_shape import FrameShape

    if request.original.shape == image_shape:
        return request.original
    if request.film is None:
        return None
    height, width, channels = image_shape
    return FrameShape(request.crop, (height, width), channels).apply(request.film)
