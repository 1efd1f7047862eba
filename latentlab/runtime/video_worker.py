"""What the video thread does, apart from waiting: open a file, show a frame, measure the others.

Thread: video, for everything here. Imports of torch and PyAV happen in calls, not with the module.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ModelInfo, WeightSnapshot
from latentlab.core.video_messages import Crop, ErrorCurve, FilmFrame, VideoFrame, VideoInfo, VideoView
from latentlab.runtime.priority import FollowedWeights
from latentlab.runtime.threads import prepare_torch
from latentlab.runtime.video_curve import CurveKeeper

if TYPE_CHECKING:
    from latentlab.data.proxy import Proxy
    from latentlab.data.video import VideoReader
    from latentlab.data.video_shape import FrameShape
    from latentlab.explore.video_inference import FrameReconstructor


TRAINING_S = 3.0
"""Weights that moved within this time are taken for those of a running training."""


@dataclass
class VideoSlots:
    """What the thread leaves for the window to poll."""

    frame: LatestSlot[VideoFrame]
    film: LatestSlot[FilmFrame]
    curve: LatestSlot[ErrorCurve]


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """Show frame ``index`` as ``view`` says."""

    index: int
    generation: int
    view: VideoView


class VideoWorker:
    """One open video, the model's replica, the proxy in use, and the error curve."""

    def __init__(self, slots: VideoSlots, build_proxy: Callable[[Proxy | None], None]) -> None:
        self.slots = slots
        self.weights: LatestSlot[WeightSnapshot] | None = None
        self.reader: VideoReader | None = None
        self.proxy: Proxy | None = None
        self.curve: CurveKeeper | None = None
        self._build_proxy = build_proxy
        self._view = self._asked_view = VideoView()
        self._replica: FrameReconstructor | None = None
        self._seen: tuple[object, int] | None = None
        self._film_wanted: int | None = None
        self._moved_at = -TRAINING_S

    def open(self, path: Path) -> VideoInfo:
        """Open a file in place of the one before.

        Raises
        ------
        InputError
            If it is missing, empty, no video or not decodable; nothing is open then.
        """
        from latentlab.data.video import VideoReader

        self.close()
        # A region chosen for another film means nothing in this one.
        self._view = self._asked_view = replace(self._view, own_crop=False, crop=None)
        self.reader = VideoReader(path)
        self._adopt_shape()
        return self.reader.info

    def close(self) -> None:
        """Release the file and everything made for it."""
        self._drop_proxy()
        if self.reader is not None:
            self.reader.close()
        self.reader = self.curve = None
        self._film_wanted = None

    def release(self) -> None:
        """Free everything, the replica too, in the thread that made it."""
        self.close()
        self._replica = None

    def show(self, request: FrameRequest) -> None:
        """Leave frame ``request.index``, with its reconstruction, in the slot.

        Raises
        ------
        InputError
            If the frame cannot be decoded; or, after it was shown without them, if the weights are
            damaged or the view's crop reaches beyond the frame.
        """
        reader = self.reader
        if reader is None:
            return
        began = time.perf_counter()
        problem = self._try_weights() or self._adopt_view(request.view)
        self._take_corrected_index()
        index = min(max(0, request.index), reader.frames - 1)
        with self._right_of_way():
            frame = self._make_frame(reader, VideoFrame(index, request.generation, np.empty(0, np.uint8), self.crop()))
        self.slots.frame.put(replace(frame, took_ms=(time.perf_counter() - began) * 1000))
        self._film_wanted = index if self._view.film else None
        if problem is not None:
            raise problem

    def show_film(self) -> bool:
        """Leave the whole frame of the last request, if still owed; return whether it was."""
        if self._film_wanted is None or self.reader is None:
            return False
        index, self._film_wanted = self._film_wanted, None
        self.slots.film.put(FilmFrame(index, self.reader.read(index)))
        return True

    def crop(self) -> Crop | None:
        """Return the region in use: the user's own, or the recipe's where it fits the frames."""
        if self._view.own_crop:
            return self._view.crop
        info = self._replica.info if self._replica is not None else None
        if info is None or self.reader is None:
            return None
        from latentlab.data.video_shape import crop_fits

        crop = info.recipe.data.crop
        return crop if crop_fits(crop, self.reader.size) else None

    def measure(self) -> bool:
        """Measure some more frames for the curve; return whether there was anything to do."""
        if self.curve is None or self.proxy is None or self._replica is None:
            return False
        if self.curve.is_stale(self._newest_step()):
            self.curve.restart()
        numbers = self.curve.next_numbers(self.proxy.present.copy())
        if not len(numbers):
            return False
        self._refresh_weights()
        if self.curve is None or self.proxy is None:  # The new weights were of another shape.
            return True
        result = self._replica.reconstruct(self.proxy.read_many(numbers))
        self.curve.add(numbers, result.pixel, self._replica.step)
        return True

    def restart_curve(self) -> None:
        """Measure all frames again with the newest weights, keeping the old values until then."""
        if self.curve is not None:
            self.curve.restart()

    @property
    def training(self) -> bool:
        """Whether the weights are on the move, so that a trainer needs the machine."""
        return time.monotonic() - self._moved_at < TRAINING_S

    @property
    def settled(self) -> bool:
        """Whether nothing is left to measure for now."""
        return self.curve is None or self.curve.complete

    def give_up_background(self) -> None:
        """Stop measuring after a failure, so that it is told once and not ten times a second."""
        self.curve = None
        self._film_wanted = None

    def _adopt_view(self, view: VideoView) -> InputError | None:
        """Take over crop and difference; return what is wrong with them, the view staying as it was."""
        if view == self._asked_view or self.reader is None:
            return None
        self._asked_view = view
        if view.own_crop:
            from latentlab.data.video_shape import check_crop

            try:
                check_crop(view.crop, self.reader.size, self.reader.path.name)
            except InputError as error:
                return error
        self._view = view
        self._adopt_shape()
        return None

    def _make_frame(self, reader: VideoReader, frame: VideoFrame) -> VideoFrame:
        """Fill in the pictures of ``frame.index``."""
        original = self.proxy.read(frame.index) if self.proxy is not None else None
        if original is None:
            original = self._shape().apply(reader.read(frame.index))
        replica = self._replica
        if replica is None or replica.info is None:
            return replace(frame, original=original)
        from latentlab.explore.video_difference import difference_image

        result = replica.reconstruct(original[None])
        return replace(
            frame,
            original=original,
            reconstruction=result.images[0],
            difference=difference_image(original, result.images[0], self._view.difference, self._view.gain),
            pixel=float(result.pixel[0]),
            step=replica.step,
            taken_at=replica.taken_at,
        )

    def _newest_step(self) -> int:
        """Return the step of the newest weights without making the trainer copy more of them."""
        weights = self.weights
        snapshot = weights.peek()[1] if isinstance(weights, FollowedWeights) else weights.get()[1] if weights else None
        return snapshot.step if snapshot is not None else -1

    def _right_of_way(self) -> AbstractContextManager[None]:
        """Ask the trainer to let this picture go first, where the weights come with that right."""
        return self.weights.priority.busy() if isinstance(self.weights, FollowedWeights) else nullcontext()

    def _try_weights(self) -> LatentLabError | None:
        """Load the newest weights; return what is wrong with them, there being no model then."""
        try:
            self._refresh_weights()
        except LatentLabError as error:
            self._forget_model()
            return error
        return None

    def _refresh_weights(self) -> None:
        """Load the newest weights, if they are newer than those in use."""
        if self.weights is None:
            return
        version, snapshot = self.weights.get()
        if self._seen == (self.weights, version):
            return
        self._seen = (self.weights, version)
        if snapshot is None:  # Another run begins: the model of the one before must not pass for its own.
            self._forget_model()
            return
        self._moved_at = time.monotonic()
        if self._replica is None:
            prepare_torch()
            from latentlab.explore.video_inference import FrameReconstructor

            self._replica = FrameReconstructor()
        before, info_before = self._shape(), self._replica.info
        self._replica.load(snapshot)
        if self._shape() != before or self.proxy is None:
            self._adopt_shape()
        elif self.curve is not None and not _same_run(info_before, snapshot.info):
            self.curve.restart()

    def _forget_model(self) -> None:
        if self._replica is not None:
            self._drop_proxy()
            self._replica = self.curve = None
            self.slots.curve.clear()

    def _shape(self) -> FrameShape:
        from latentlab.data.video_shape import FrameShape

        info = self._replica.info if self._replica is not None else None
        if info is None:
            return FrameShape(self.crop(), None)
        height, width, channels = info.image_shape
        return FrameShape(self.crop(), (height, width), channels)

    def _adopt_shape(self) -> None:
        """Begin the proxy and the curve of the shape now wanted, unless it is the one in use."""
        shape = self._shape()
        if self.reader is None or shape.size is None or (self.proxy is not None and self.proxy.shape == shape):
            return
        from latentlab.data.proxy import Proxy

        self._drop_proxy()
        self.proxy = Proxy(self.reader.path, self.reader.index, shape)
        self.curve = CurveKeeper(self.reader.frames, self.slots.curve)
        self._build_proxy(self.proxy)

    def _drop_proxy(self) -> None:
        """Stop building; what a builder still writes goes to a file that nobody reads."""
        self._build_proxy(None)
        if self.proxy is not None:
            self.proxy.close()
        self.proxy = None

    def _take_corrected_index(self) -> None:
        """Follow the builder when it found that the file holds fewer frames than its packets promise."""
        if self.proxy is not None and self.reader is not None and len(self.proxy.index.pts) != self.reader.frames:
            self.reader.index = self.proxy.index
            self.curve = CurveKeeper(self.reader.frames, self.slots.curve)


def _same_run(before: ModelInfo | None, after: ModelInfo) -> bool:
    return before is None or before.run == after.run
