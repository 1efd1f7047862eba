"""What the video thread does, apart from waiting: open a film, show a frame, measure the others.

Thread: video, for everything here. Imports of torch and PyAV happen in calls, not with the module.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from latentlab.core.errors import Cancelled, InputError, LatentLabError
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import Images, Ints, ModelInfo
from latentlab.core.video_messages import Crop, ErrorCurve, FilmFrame, OtherPicture, VideoFrame, VideoInfo, VideoView
from latentlab.runtime.video_curve import CurveKeeper
from latentlab.runtime.video_nearest import Keyframes
from latentlab.runtime.video_replica import Replica
from latentlab.runtime.video_scenes import SceneKeeper
from latentlab.runtime.video_watch import FileWatch

if TYPE_CHECKING:
    from latentlab.data.proxy import Proxy
    from latentlab.data.video_frames import FrameReader
    from latentlab.data.video_shape import FrameShape
    from latentlab.explore.video_inference import FrameReconstructor

QUICK_MS = 60.0
"""A frame that takes longer to decode is shown after a picture near by."""
EDITED = "edited"


class FrameEditor(Protocol):
    """Makes another picture of every frame shown; immutable, a new one for every change. Thread: video."""

    @property
    def title(self) -> str:
        """What the edit is called over its picture."""

    def edit(self, model: FrameReconstructor, index: int, original: Images) -> Images:
        """Return the edited picture, (H, W, C) uint8, of frame ``index``."""


def never() -> bool:
    """Return False: nothing newer is wanted."""
    return False


@dataclass
class VideoSlots:
    """What the thread leaves for the window to poll."""

    frame: LatestSlot[VideoFrame] = field(default_factory=LatestSlot)
    film: LatestSlot[FilmFrame] = field(default_factory=LatestSlot)
    curve: LatestSlot[ErrorCurve] = field(default_factory=LatestSlot)
    scenes: LatestSlot[Ints] = field(default_factory=LatestSlot)


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """Show frame ``index`` as ``view`` says."""

    index: int
    generation: int
    view: VideoView


class VideoWorker:
    """One open film, the model's replica, the proxy in use, and the error curve.

    ``newer`` says whether another frame is wanted by now, so that decoding towards this one can end.
    """

    def __init__(self, slots: VideoSlots, build_proxy: Callable[[Proxy | None], None]) -> None:
        self.slots = slots
        self.replica = Replica()
        self.reader: FrameReader | None = None
        self.proxy: Proxy | None = None
        self.curve: CurveKeeper | None = None
        self.scenes: SceneKeeper | None = None
        self.editor: FrameEditor | None = None
        self.newer: Callable[[], bool] = never
        self.keyframes = Keyframes()
        self._build_proxy = build_proxy
        self._view = self._asked_view = VideoView()
        self._film_wanted: int | None = None
        self._ms_per_frame = 1.0
        self._told_frames = 0
        self._watch: FileWatch | None = None
        self._edit_problem: LatentLabError | None = None

    def open(self, path: Path) -> VideoInfo:
        """Open a film in place of the one before.

        Raises
        ------
        InputError
            If it is missing, empty, no video or not decodable; nothing is open then.
        """
        from latentlab.data.video_frames import open_frames

        self.close()
        # A region chosen for another film means nothing in this one.
        self._view = self._asked_view = replace(self._view, own_crop=False, crop=None)
        self.reader = open_frames(path)
        width, height = self.reader.size
        self._ms_per_frame = 0.2 + width * height / 1e6
        self._told_frames = self.reader.frames
        self._watch = FileWatch(path)
        self._adopt_shape()
        self.keyframes.open(self.reader)
        return self.reader.info

    def close(self) -> None:
        """Release the file and everything made for it."""
        self._drop_proxy()
        self.keyframes.close()
        if self.reader is not None:
            self.reader.close()
        self.reader = self.curve = None
        self._film_wanted = None

    def release(self) -> None:
        """Free everything, the replica too, in the thread that made it."""
        self.close()
        self.replica.release()

    def show(self, request: FrameRequest) -> None:
        """Leave frame ``request.index``, with its reconstruction, in the slot.

        Where it takes long to decode, the nearest frame at hand is left there first.

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
        index = min(max(0, request.index), reader.frames - 1)
        blank = VideoFrame(index, request.generation, np.empty(0, np.uint8), self.crop(), wanted=index)
        if self.proxy is not None:
            self.proxy.focus = index
        try:
            original = self._original(reader, blank, began)
        except Cancelled:
            return
        self._publish(blank, original, began)
        self._film_wanted = index if self._view.film else None
        problem = problem or self._edit_problem or (self._watch.problem() if self._watch is not None else None)
        if problem is not None:
            raise problem

    def show_film(self) -> bool:
        """Leave the whole frame of the last request, if still owed; return whether it was."""
        if self._film_wanted is None or self.reader is None:
            return False
        index, self._film_wanted = self._film_wanted, None
        try:
            self.slots.film.put(FilmFrame(index, self._decode(self.reader, index)))
        except Cancelled:
            self._film_wanted = index
        return True

    def crop(self) -> Crop | None:
        """Return the region in use: the user's own, or the recipe's where it fits the frames."""
        if self._view.own_crop:
            return self._view.crop
        info = self.replica.info
        if info is None or self.reader is None:
            return None
        from latentlab.data.video_shape import crop_fits

        crop = info.recipe.data.crop
        return crop if crop_fits(crop, self.reader.size) else None

    def measure(self) -> bool:
        """Measure some more frames for the curve; return whether there was anything to do."""
        if self.curve is None or self.proxy is None or not self._can_reconstruct():
            return False
        if self.curve.is_stale(self.replica.newest_step()):
            self.curve.restart()
        numbers = self.curve.next_numbers(self.proxy.present.copy())
        if not len(numbers):
            return False
        self._refresh_weights()
        if self.curve is None or self.proxy is None or self.replica.model is None:  # Weights of another shape.
            return True
        result = self.replica.model.reconstruct(self.proxy.read_many(numbers))
        self.curve.add(numbers, result.pixel, self.replica.model.step)
        return True

    def find_scenes(self) -> bool:
        """Look for changes of scene in some more frames; return whether there was anything to do."""
        if self.proxy is None:
            return False
        if self.scenes is None or not self.scenes.belongs_to(self.proxy):
            self.scenes = SceneKeeper(self.proxy, self.slots.scenes)
        return self.scenes.step()

    def restart_curve(self) -> None:
        """Measure all frames again with the newest weights, keeping the old values until then."""
        if self.curve is not None:
            self.curve.restart()

    @property
    def settled(self) -> bool:
        """Whether nothing is left to measure for now."""
        return self.curve is None or self.curve.complete

    def give_up_background(self) -> None:
        """Stop measuring after a failure, so that it is told once and not ten times a second."""
        self.curve = None
        self._film_wanted = None

    def corrected(self) -> VideoInfo | None:
        """Return the facts again if the file turned out to hold fewer frames than its packets promised."""
        if self.reader is None:
            return None
        proxy, reader = self.proxy, self.reader
        if proxy is not None and proxy.frames < reader.frames:
            reader.index = proxy.index
        if reader.frames == self._told_frames:
            return None
        self._told_frames = reader.frames
        if self.curve is not None:
            self.curve = CurveKeeper(reader.frames, self.slots.curve)
        return reader.info

    def _original(self, reader: FrameReader, frame: VideoFrame, began: float) -> Images:
        """Return the frame as the model is given it: copied from the proxy, or decoded."""
        original = self._prepared(frame.index)
        if original is not None:
            return original
        jumps = self.keyframes.worth_a_look and reader.jumps(frame.index)
        if jumps or reader.cost(frame.index) * self._ms_per_frame > QUICK_MS:
            self._show_nearest(reader, frame, began)
            if self.newer():
                raise Cancelled
        return self._shape().apply(self._decode(reader, frame.index))

    def _prepared(self, index: int) -> Images | None:
        """Return a frame from the proxy, where it is there and in the shape now wanted."""
        if self.proxy is None or self.proxy.shape != self._shape():
            return None
        return self.proxy.read(index)

    def _show_nearest(self, reader: FrameReader, frame: VideoFrame, began: float) -> None:
        """Leave the nearest picture to be had at once: prepared, decoded lately, or the keyframe before."""
        ready = self.proxy.nearest(frame.index) if self.proxy is not None and not self._view.draft else None
        nearest = self.keyframes.nearest(reader, frame.index, ready)
        if nearest == frame.index:
            return
        original = self._prepared(nearest)
        if original is None:
            with self._before_proxy():
                original = self._shape().apply(self.keyframes.read(reader, nearest))
        self._publish(replace(frame, index=nearest), original, began)

    def _before_proxy(self) -> AbstractContextManager[None]:
        """Hold up the proxy's builder, which decodes the same film on the same cores."""
        return nullcontext() if self.proxy is None else self.proxy.right_of_way()

    def _decode(self, reader: FrameReader, index: int) -> Images:
        """Decode a frame before the proxy's builder goes on; keep a measure of how long frames take."""
        cost, began = reader.cost(index), time.perf_counter()
        with self._before_proxy():
            picture = reader.read(index, self.newer)
        if cost > 2:
            self._ms_per_frame += 0.3 * ((time.perf_counter() - began) * 1000 / cost - self._ms_per_frame)
        return picture

    def _publish(self, frame: VideoFrame, original: Images, began: float) -> None:
        """Add what the model makes of ``original``, and leave the frame in the slot."""
        with self.replica.right_of_way():
            frame = self._reconstructed(replace(frame, original=original))
        self.slots.frame.put(replace(frame, took_ms=(time.perf_counter() - began) * 1000))

    def _reconstructed(self, frame: VideoFrame) -> VideoFrame:
        model = self.replica.model
        if model is None or not self._can_reconstruct():
            return frame
        from latentlab.explore.video_difference import difference_image

        original = frame.original
        result = model.reconstruct(original[None])
        return replace(
            frame,
            reconstruction=result.images[0],
            difference=difference_image(original, result.images[0], self._view.difference, self._view.gain),
            pixel=float(result.pixel[0]),
            step=model.step,
            taken_at=model.taken_at,
            edited=self._edited(model, frame),
        )

    def _edited(self, model: FrameReconstructor, frame: VideoFrame) -> OtherPicture | None:
        """Return what the editor makes of a frame; what is wrong with it is told after the frame was shown."""
        editor, self._edit_problem = self.editor, None
        if editor is None:
            return None
        try:
            picture = editor.edit(model, frame.index, frame.original)
        except LatentLabError as error:
            self._edit_problem = error
            return None
        return OtherPicture(EDITED, editor.title, frame.index, picture, step=model.step)

    def _can_reconstruct(self) -> bool:
        info = self.replica.info
        return info is not None and info.has_encoder

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
        if not view.draft:
            self._adopt_shape()
        return None

    def _try_weights(self) -> LatentLabError | None:
        """Load the newest weights; return what is wrong with them, there being no model then."""
        try:
            self._refresh_weights()
        except LatentLabError as error:
            self._forget_model()
            return error
        return None

    def _refresh_weights(self) -> None:
        """Load the newest weights, if they are newer than those in use, and follow their shape."""
        before, info_before = self._shape(), self.replica.info
        if not self.replica.refresh():
            return
        info = self.replica.info
        if info is None:
            self._forget_model()
        elif self._shape() != before or self.proxy is None:
            self._adopt_shape()
        elif self.curve is not None and not _same_run(info_before, info):
            self.curve.restart()

    def _forget_model(self) -> None:
        self._drop_proxy()
        self.replica.release()
        self.curve = None
        self.slots.curve.clear()

    def _shape(self) -> FrameShape:
        from latentlab.data.video_shape import FrameShape

        info = self.replica.info
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
        try:
            self.proxy = Proxy(self.reader.path, self.reader.index, shape)
        except FileNotFoundError:  # What is open can still be decoded; only nothing can be prepared of it any more.
            return
        self.curve = CurveKeeper(self.reader.frames, self.slots.curve)
        self._build_proxy(self.proxy)

    def _drop_proxy(self) -> None:
        """Stop building; what a builder still writes goes to a file that nobody reads."""
        self._build_proxy(None)
        if self.proxy is not None:
            self.proxy.close()
        self.proxy = None


def _same_run(before: ModelInfo | None, after: ModelInfo) -> bool:
    return before is None or before.run == after.run
