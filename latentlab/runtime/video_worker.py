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

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import Ints, ModelInfo, WeightSnapshot
from latentlab.core.video_messages import Crop, ErrorCurve, FilmFrame, VideoFrame, VideoInfo, VideoView
from latentlab.runtime.threads import prepare_torch

if TYPE_CHECKING:
    from latentlab.data.proxy import Proxy
    from latentlab.data.video import VideoReader
    from latentlab.data.video_shape import FrameShape
    from latentlab.explore.video_inference import FrameReconstructor

CURVE_BATCH = 16
STRIDES = (64, 16, 4, 1)
"""The curve is measured coarsely first, so that its shape is there long before all of it."""
PUBLISH_S = 0.2


@dataclass
class VideoSlots:
    """What the thread leaves for the window to poll."""

    frame: LatestSlot[VideoFrame]
    film: LatestSlot[FilmFrame]
    curve: LatestSlot[ErrorCurve]


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """Show frame ``index``."""

    index: int
    generation: int


class VideoWorker:
    """One open video, the model's replica, the proxy in use, and the error curve."""

    def __init__(self, slots: VideoSlots, build_proxy: Callable[[Proxy | None], None]) -> None:
        self.slots = slots
        self.weights: LatestSlot[WeightSnapshot] | None = None
        self.reader: VideoReader | None = None
        self.proxy: Proxy | None = None
        self.curve: CurveKeeper | None = None
        self._build_proxy = build_proxy
        self._view = VideoView()
        self._replica: FrameReconstructor | None = None
        self._seen: tuple[object, int] | None = None
        self._film_wanted: int | None = None

    def open(self, path: Path) -> VideoInfo:
        """Open a file in place of the one before.

        Raises
        ------
        InputError
            If it is missing, empty, no video or not decodable; nothing is open then.
        """
        from latentlab.data.video import VideoReader

        self.close()
        self.reader = VideoReader(path)
        self._adopt_shape()
        return self.reader.info

    def close(self) -> None:
        """Release the file and everything made for it."""
        self._build_proxy(None)
        if self.reader is not None:
            self.reader.close()
        self.reader = self.proxy = self.curve = None
        self._film_wanted = None

    def release(self) -> None:
        """Free everything, the replica too, in the thread that made it."""
        self.close()
        self._replica = None

    def set_view(self, view: VideoView) -> None:
        """Take over crop and difference.

        Raises
        ------
        InputError
            If the crop reaches beyond the frame; the view stays as it was.
        """
        if view.own_crop and self.reader is not None:
            from latentlab.data.video_shape import check_crop

            check_crop(view.crop, self.reader.size, self.reader.path.name)
        self._view = view
        self._adopt_shape()

    def show(self, request: FrameRequest) -> None:
        """Leave frame ``request.index``, with its reconstruction, in the slot."""
        reader = self.reader
        if reader is None:
            return
        began = time.perf_counter()
        self._take_corrected_index()
        index = min(max(0, request.index), reader.frames - 1)
        self._refresh_weights()
        with self._right_of_way():
            frame = self._make_frame(reader, VideoFrame(index, request.generation, np.empty(0, np.uint8), self.crop()))
        self.slots.frame.put(replace(frame, took_ms=(time.perf_counter() - began) * 1000))
        self._film_wanted = index if self._view.film else None

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
        numbers = self.curve.next_numbers(self.proxy.available)
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

    def _right_of_way(self) -> AbstractContextManager[None]:
        """Ask the trainer to let this picture go first, where the weights come with that right."""
        from latentlab.runtime.priority import FollowedWeights

        return self.weights.priority.busy() if isinstance(self.weights, FollowedWeights) else nullcontext()

    def _refresh_weights(self) -> None:
        """Load the newest weights, if they are newer than those in use."""
        if self.weights is None:
            return
        version, snapshot = self.weights.get()
        if snapshot is None or self._seen == (self.weights, version):
            return
        self._seen = (self.weights, version)
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

        self.proxy = Proxy(self.reader.path, self.reader.index, shape)
        self.curve = CurveKeeper(self.reader.frames, self.slots.curve)
        self._build_proxy(self.proxy)

    def _take_corrected_index(self) -> None:
        """Follow the builder when it found that the file holds fewer frames than its packets promise."""
        if self.proxy is not None and self.reader is not None and len(self.proxy.index.pts) != self.reader.frames:
            self.reader.index = self.proxy.index
            self.curve = CurveKeeper(self.reader.frames, self.slots.curve)


class CurveKeeper:
    """The error of every frame as it becomes known, and which frames to measure next."""

    def __init__(self, frames: int, slot: LatestSlot[ErrorCurve]) -> None:
        self._slot = slot
        self._pixel = np.full(frames, np.nan, dtype=np.float32)
        self._fresh = np.zeros(frames, dtype=bool)
        self._done = 0
        self._step = -1
        self._stride = 0
        self._due = 0.0
        self._publish()

    @property
    def complete(self) -> bool:
        """Whether every frame is measured."""
        return self._done >= len(self._pixel)

    @property
    def step(self) -> int:
        """Step of the oldest weights among the fresh values, -1 before any."""
        return self._step

    def restart(self) -> None:
        """Hold every value for old."""
        self._fresh[:] = False
        self._done, self._stride, self._step = 0, 0, -1
        self._publish()

    def next_numbers(self, available: int) -> Ints:
        """Return up to ``CURVE_BATCH`` frames below ``available`` still to be measured, coarse before fine."""
        for level, stride in enumerate(STRIDES):
            missing = np.flatnonzero(~self._fresh[:available:stride])[:CURVE_BATCH]
            if len(missing):
                self._stride = level
                return (missing * stride).astype(np.int64)
        return np.empty(0, dtype=np.int64)

    def add(self, numbers: Ints, pixel: np.ndarray[tuple[int], np.dtype[np.float32]], step: int) -> None:
        """Take in measured errors and tell the window a few times a second."""
        self._pixel[numbers] = pixel
        self._fresh[numbers] = True
        self._done += len(numbers)
        self._step = step if self._step < 0 else min(self._step, step)
        if self.complete or time.monotonic() >= self._due:
            self._publish()

    def _publish(self) -> None:
        self._due = time.monotonic() + PUBLISH_S
        self._slot.put(ErrorCurve(self._pixel.copy(), self._done, self._step))


def _same_run(before: ModelInfo | None, after: ModelInfo) -> bool:
    return before is None or before.run == after.run
