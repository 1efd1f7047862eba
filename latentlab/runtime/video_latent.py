"""What a film looks like to the model, as the window sees it: poll the newest curves and path, ask for pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, Slot

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ErrorReport, Images, WeightSnapshot
from latentlab.core.video_curves import ClipPath, FrameCurves, PathView
from latentlab.runtime.video_latent_pictures import BetweenRequest, PictureMaker, write_film
from latentlab.runtime.video_latent_thread import CallThread
from latentlab.runtime.video_latent_worker import AnalysisSlots, ClipAnalyst, Following, FrameSource

BACKGROUND = 2
"""How many times the analysis steps aside: below the trainer, which does so once."""


class VideoLatentService(QObject):
    """Measures all frames of the open film in the background, and makes pictures from its latents.

    Two threads of its own, started when first needed: one of low priority measures, the other makes
    pictures that somebody waits for, newest wish first. Neither is the thread that answers a scrub.

    Thread: GUI, except the slots, which any thread may read.

    Parameters
    ----------
    source
        Returns the frames at the model's size, None while there are none; any thread may call it.
    """

    failed = Signal(object)  # ErrorReport, once for each thing that is wrong
    saved = Signal(str)  # what was written, for people

    def __init__(self, source: Callable[[], FrameSource | None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.curves: LatestSlot[FrameCurves] = LatestSlot()
        self.path: LatestSlot[ClipPath] = LatestSlot()
        self._analyst = ClipAnalyst(AnalysisSlots(self.curves, self.path), source)
        self._maker = PictureMaker(source)
        self.thumbnail, self.between = self._maker.thumbnail, self._maker.between
        self._analysis = CallThread(
            "video-analysis",
            self,
            quiet=self._analyst.work,
            background=BACKGROUND,
            release=self._analyst.release,
        )
        self._pictures = CallThread("video-pictures", self, release=self._maker.release)
        self._analysis.failed.connect(self._on_failed)
        self._pictures.failed.connect(self._on_failed)
        self._told: set[str] = set()
        self._over = False

    def bind(self, weights: LatestSlot[WeightSnapshot]) -> None:
        """Measure with weights of this slot."""
        self._analyst.weights = self._maker.weights = weights

    def set_active(self, active: bool) -> None:
        """Say whether anybody looks: nothing is measured for nobody."""
        self._analysis.active = active
        if active:
            self._wake()

    def moved(self) -> None:
        """Say that somebody is moving through the film, who goes first."""
        self._analysis.moved_at = time.monotonic()

    @property
    def following(self) -> Following:
        """When newer weights are taken."""
        return self._analyst.following

    def set_following(self, auto: bool, every_s: float) -> None:
        """Measure again with newer weights by itself, at most every ``every_s`` seconds; or only when asked."""
        self._analyst.following = replace(self._analyst.following, auto=auto, every_s=every_s)

    def update(self) -> None:
        """Measure again with the newest weights now."""
        self._analyst.following = replace(self._analyst.following, asked=self._analyst.following.asked + 1)
        self._told.clear()
        self._wake()

    def set_view(self, view: PathView) -> None:
        """Choose what of the latents is drawn."""
        if view != self._analyst.view:
            self._analyst.view = view
            self._wake()

    def want_thumbnail(self, frame: int) -> None:
        """Ask for a frame at the model's size in ``thumbnail``."""
        self._ask("thumbnail", f"showing frame {frame}", lambda: self._maker.make_thumbnail(frame))

    def interpolate(self, first: int, last: int, count: int, kind: str) -> None:
        """Ask for ``count`` pictures on the way between two frames, ``lerp`` or ``slerp``, in ``between``."""
        request = BetweenRequest(first, last, count, kind)
        self._ask("between", "interpolating", lambda: self._maker.make_between(request))

    def save_film(self, path: Path, images: Images, fps: float) -> None:
        """Write pictures as a film; ``saved`` or ``failed`` follows."""

        def call() -> None:
            write_film(path, images, fps)
            self.saved.emit(f"Film of {len(images)} pictures saved to {path}")

        self._ask("film", f"writing {path.name}", call)

    def save_csv(self, path: Path, times_s: npt.NDArray[np.float64]) -> None:
        """Write what was measured of every frame; ``saved`` or ``failed`` follows."""
        curves, drawn = self.curves.get()[1], self.path.get()[1]
        if curves is None:
            return

        def call() -> None:
            from latentlab.explore.video_latent_csv import write_curves

            write_curves(path, times_s, curves, drawn.jitter if drawn is not None and drawn.stride == 1 else None)
            self.saved.emit(f"Errors of {curves.done:,} of {curves.frames:,} frames saved to {path}")

        self._ask("csv", f"writing {path.name}", call)

    def clear(self) -> None:
        """Forget the pictures of the film before, those asked for too."""
        self._told.clear()
        for key in ("between", "thumbnail"):
            self._pictures.drop(key)
        self.between.clear()
        self.thumbnail.clear()

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """End both threads after what they have in hand; return whether they have ended."""
        self._over = True
        self._analysis.close()
        self._pictures.close()
        began = time.monotonic()
        ended = self._analysis.wait(timeout_ms)
        left = max(0, timeout_ms - round((time.monotonic() - began) * 1000))
        return self._pictures.wait(left) and ended

    def _ask(self, key: str, what: str, call: Callable[[], object]) -> None:
        if not self._over:
            self._pictures.post(key, what, call)

    def _wake(self) -> None:
        if not self._over:
            self._analysis.post("wake", "measuring the film", lambda: None)

    @Slot(object)
    def _on_failed(self, report: ErrorReport) -> None:
        if not self._over and report.what not in self._told:
            self._told.add(report.what)
            self.failed.emit(report)
