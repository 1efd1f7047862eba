"""The pixel error of every frame on the timeline, and its worst frames as marks, where no panel shows other errors."""

from __future__ import annotations

import numpy as np

from latentlab.core.video_curves import worst_frames
from latentlab.core.video_messages import ErrorCurve, psnr_db
from latentlab.ui import style
from latentlab.ui.pages.video_moves import WORST, Moves
from latentlab.ui.widgets.timeline_items import TimelineMark, TimelineSeries

LISTED = 12
APART_S = 1.0


class PixelErrors:
    """Draws an error curve and finds its worst frames. Thread: GUI."""

    def __init__(self, moves: Moves) -> None:
        self._moves = moves
        self._last = -1
        self.curve: ErrorCurve | None = None

    @property
    def known(self) -> bool:
        """Whether any frame was measured."""
        return any(not np.isnan(series.values).all() for series in self._moves.timeline.content.series[:1])

    def worst(self) -> list[int]:
        """Return the worst frames of the first curve on the timeline, worst first, a second apart."""
        clip, series = self._moves.clip, self._moves.timeline.content.series
        if not series or clip is None:
            return []
        return worst_frames(series[0].values, LISTED, max(1, round(clip.fps * APART_S)))

    def go_to_worst(self) -> None:
        """Go to the worst frame; again: to the next worst that is not its neighbour."""
        worst = self.worst()
        if worst:
            again = self._last in worst and self._moves.frame == self._last
            self._last = worst[(worst.index(self._last) + 1) % len(worst)] if again else worst[0]
            self._moves.go_to(self._last)

    def draw(self) -> None:
        """Put the curve, and once it is complete its worst frames, on the timeline."""
        curve, timeline = self.curve, self._moves.timeline
        if curve is None:
            timeline.set_series(())
            timeline.set_marks(WORST, ())
            return
        note = ""
        if curve.done:
            value = float(np.nanmax(curve.pixel))
            note = f"worst {style.format_value(value)} ({psnr_db(value):.1f} dB)"
        share = "" if curve.complete else f"{curve.done / len(curve.pixel):.0%} measured"
        timeline.set_series([TimelineSeries("pixel", "pixel error", "", "pixel", curve.pixel, share)], note)
        marks = [TimelineMark(frame, "one of the worst frames") for frame in self.worst()] if curve.complete else []
        timeline.set_marks(WORST, marks)
