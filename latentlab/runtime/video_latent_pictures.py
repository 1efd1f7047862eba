"""Pictures around the latents of a film that somebody waits for: thumbnails, and the way between two frames.

Thread: pictures, for everything here. Imports of torch happen in calls, not with the module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import Images, WeightSnapshot
from latentlab.core.video_curves import BetweenFrames
from latentlab.core.video_messages import FilmFrame
from latentlab.runtime.threads import prepare_torch
from latentlab.runtime.video_latent_worker import FrameSource

if TYPE_CHECKING:
    from latentlab.explore.video_latent_measure import FrameMeasurer

NOT_READY = "That frame is not prepared yet"


@dataclass(frozen=True, slots=True)
class BetweenRequest:
    """Decode ``count`` points on the way (``lerp`` or ``slerp``) from frame ``first`` to frame ``last``."""

    first: int
    last: int
    count: int
    kind: str


class PictureMaker:
    """Makes pictures with a replica of its own, of the newest weights at the time of each.

    What is ready when another film is open is left out: it would be taken for the other's.
    """

    def __init__(self, source: Callable[[], FrameSource | None]) -> None:
        self.weights: LatestSlot[WeightSnapshot] | None = None
        self.thumbnail: LatestSlot[FilmFrame] = LatestSlot()
        self.between: LatestSlot[BetweenFrames] = LatestSlot()
        self._source = source
        self._measurer: FrameMeasurer | None = None
        self._seen: tuple[object, int] | None = None

    def make_thumbnail(self, frame: int) -> None:
        """Leave a frame in the slot, if it is prepared."""
        clip = self._source()
        if clip is not None and frame < clip.frames and clip.present[frame]:
            picture = FilmFrame(frame, clip.read_many(np.array([frame]))[0])
            if self._source() is clip:
                self.thumbnail.put(picture)

    def make_between(self, request: BetweenRequest) -> None:
        """Leave the way between two frames in the slot.

        Raises
        ------
        InputError
            If there is no model, or a frame is not prepared.
        """
        clip = self._source()
        originals = self._frames(clip, request.first, request.last)
        measurer = self._replica()
        from latentlab.core.interpolate import between

        z_2D = measurer.encode(originals)
        way = between(z_2D[0], z_2D[1], request.count, "lerp" if request.kind == "lerp" else "slerp")
        images, step = measurer.decode(way), measurer.session.step
        if self._source() is clip:
            difference = z_2D[1] - z_2D[0]
            self.between.put(
                BetweenFrames(request.first, request.last, images, originals, difference, step, request.kind)
            )

    def release(self) -> None:
        """Free the replica in the thread that made it."""
        self._measurer = None

    def _frames(self, clip: FrameSource | None, *numbers: int) -> Images:
        if clip is None:
            raise InputError(NOT_READY, hint="Open a film and a model.")
        missing = [number for number in numbers if number >= clip.frames or not clip.present[number]]
        if missing:
            raise InputError(f"{NOT_READY}: {missing[0]}", hint="Wait until the film is prepared, or choose another.")
        return clip.read_many(np.array(numbers))

    def _replica(self) -> FrameMeasurer:
        """Return the replica with the newest weights."""
        version, snapshot = self.weights.get() if self.weights is not None else (0, None)
        if snapshot is None:
            raise InputError("There is no model yet", hint="Train one, or open a run.")
        if self._measurer is None:
            prepare_torch()
            from latentlab.explore.video_latent_measure import FrameMeasurer

            self._measurer = FrameMeasurer(judged=False)
        if self._seen != (self.weights, version):
            self._measurer.load(snapshot)
            self._seen = (self.weights, version)
        return self._measurer


def write_film(path: Path, images: Images, fps: float) -> None:
    """Write pictures (N, H, W, C) as a film of a whole number of frames per second.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    from latentlab.explore.video_latent_film import write_pictures

    write_pictures(path, images, fps)
