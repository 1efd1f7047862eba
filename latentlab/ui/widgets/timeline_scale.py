"""Which part of a film a timeline shows, and which frame lies where: pure arithmetic, no Qt."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_FRAMES = 8
"""No zooming in further than this many frames across the width."""


@dataclass(frozen=True, slots=True)
class TimelineScale:
    """Frames ``first`` to ``last`` (fractions allowed while zooming) over ``width`` pixels from ``left``.

    ``count`` is the number of frames of the film.
    """

    count: int
    first: float
    last: float
    left: int
    width: int

    @classmethod
    def whole(cls, count: int, left: int, width: int) -> TimelineScale:
        """Show all of a film."""
        return cls(count, 0.0, float(max(1, count - 1)), left, max(1, width))

    @property
    def span(self) -> float:
        """Frames across the width."""
        return self.last - self.first

    @property
    def zoomed(self) -> bool:
        """Whether a part of the film is out of sight."""
        return self.span < max(1, self.count - 1) - 1e-9

    def x_of(self, frame: float) -> float:
        """Return the horizontal place of a frame."""
        return self.left + (frame - self.first) / self.span * self.width

    def frame_at(self, x: float) -> int:
        """Return the frame nearest to a horizontal place, kept within the film."""
        return min(self.count - 1, max(0, round(self.first + (x - self.left) / self.width * self.span)))

    def sees(self, frame: float) -> bool:
        """Whether a frame is in sight."""
        return self.first - 1e-9 <= frame <= self.last + 1e-9

    def resized(self, left: int, width: int) -> TimelineScale:
        """Return the same part over another width."""
        return TimelineScale(self.count, self.first, self.last, left, max(1, width))

    def zoomed_at(self, x: float, factor: float) -> TimelineScale:
        """Show ``factor`` times as few frames, the one under ``x`` staying where it is."""
        most = float(max(1, self.count - 1))
        span = min(most, max(min(most, LEAST_FRAMES), self.span / factor))
        share = min(1.0, max(0.0, (x - self.left) / self.width))
        anchor = self.first + share * self.span
        return self._from(anchor - share * span, span)

    def moved(self, frames: float) -> TimelineScale:
        """Show a part ``frames`` later, as far as the film goes."""
        return self._from(self.first + frames, self.span)

    def showing(self, first: float, last: float) -> TimelineScale:
        """Show frames ``first`` to ``last`` and a little around them."""
        most = float(max(1, self.count - 1))
        span = min(most, max(min(most, LEAST_FRAMES), (last - first) * 1.1))
        return self._from((first + last - span) / 2, span)

    def following(self, frame: float) -> TimelineScale:
        """Bring a frame into sight: turn the page when it left at an edge, centre it when it jumped."""
        if self.sees(frame):
            return self
        if self.last < frame <= self.last + self.span / 2:
            return self._from(frame - 0.05 * self.span, self.span)
        if self.first - self.span / 2 <= frame < self.first:
            return self._from(frame - 0.95 * self.span, self.span)
        return self._from(frame - self.span / 2, self.span)

    def _from(self, first: float, span: float) -> TimelineScale:
        first = min(max(0.0, first), max(1, self.count - 1) - span)
        return TimelineScale(self.count, first, first + span, self.left, self.width)
