"""Moving through a film: steps, playing, the chosen range, marks and scenes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, QSignalBlocker, Signal, Slot

from latentlab.core.video_messages import VideoInfo
from latentlab.ui.pages.video_playback import SPEEDS, Playback
from latentlab.ui.pages.video_transport import VideoTransport
from latentlab.ui.widgets.timeline import Timeline

WORST = "worst"


class Moves(QObject):
    """Keeps timeline, transport and playback together: whoever moves, all three show it.

    Thread: GUI.
    """

    frame_changed = Signal(int)
    range_changed = Signal(int, int)

    def __init__(self, timeline: Timeline, transport: VideoTransport, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.timeline, self.transport = timeline, transport
        self.playback = Playback(self)
        self.clip: VideoInfo | None = None
        self.chosen: tuple[int, int] | None = None
        timeline.valueChanged.connect(self._on_frame)
        timeline.sliderPressed.connect(self.playback.pause)
        timeline.range_chosen.connect(self.set_range)
        transport.play_wanted.connect(self.toggle_play)
        transport.step_wanted.connect(self.step)
        transport.frame_wanted.connect(self.go_to)
        transport.speed_wanted.connect(self.playback.set_speed)
        transport.loop_wanted.connect(self.set_loop)
        self.playback.due.connect(timeline.setValue)
        self.playback.changed.connect(transport.set_playing)

    def set_clip(self, info: VideoInfo | None) -> None:
        """Move through another film from its first frame, or through none."""
        self.playback.pause()
        self.clip, self.chosen = info, None
        if info is None:
            return
        with QSignalBlocker(self.timeline):
            self.timeline.set_video(info.times_s)
            self.timeline.setValue(0)
        self.playback.set_video(info.times_s, info.fps)
        self.transport.set_video(info)

    # -- where ----------------------------------------------------------------------------------

    @property
    def frame(self) -> int:
        """The frame wanted."""
        return self.timeline.value()

    @property
    def last(self) -> int:
        """The last frame of the film."""
        return self.timeline.maximum()

    @Slot(int)
    def go_to(self, frame: int) -> None:
        """Show a frame and stand there."""
        self.playback.pause()
        self.timeline.setValue(frame)

    @Slot(int)
    def step(self, frames: int) -> None:
        """Move by some frames and stand there."""
        self.go_to(self.frame + frames)

    def go_to_first(self) -> None:
        """Go to the first frame."""
        self.go_to(0)

    def go_to_last(self) -> None:
        """Go to the last frame."""
        self.go_to(self.last)

    # -- playing --------------------------------------------------------------------------------

    @Slot()
    def toggle_play(self) -> None:
        """Play, or stand still."""
        if self.playback.playing:
            self.playback.pause()
        elif self.clip is not None:
            self.playback.moved_to(self.frame)
            self.playback.play()

    def shuttle(self, direction: int) -> None:
        """Play forwards (1) or backwards (-1); again: faster, up to the highest speed."""
        playback = self.playback
        if playback.playing and playback.direction == direction:
            faster = [speed for speed in SPEEDS if speed > playback.speed]
            self.transport.show_speed(faster[0] if faster else SPEEDS[-1])
            return
        self.transport.show_speed(1.0)
        playback.moved_to(self.frame)
        playback.play(direction)

    def forwards(self) -> None:
        """Play forwards, or faster."""
        self.shuttle(1)

    def backwards(self) -> None:
        """Play backwards, or faster."""
        self.shuttle(-1)

    @Slot(bool)
    def set_loop(self, loop: bool) -> None:
        """Begin again at the end, or stand still there."""
        self.playback.loop = loop

    # -- the range ------------------------------------------------------------------------------

    @property
    def range(self) -> tuple[int, int]:
        """First and last frame of the chosen part, both included; the whole film when none was chosen."""
        return self.chosen or (0, self.last)

    @Slot(int, int)
    def set_range(self, first: int, last: int) -> None:
        """Choose the part of the film from ``first`` to ``last``, both included and in any order."""
        first, last = sorted(min(max(0, frame), self.last) for frame in (first, last))
        self._choose((first, last))

    def clear_range(self) -> None:
        """Choose the whole film again."""
        self._choose(None)

    def mark_in(self) -> None:
        """Let the range begin at this frame."""
        self.set_range(self.frame, max(self.frame, self.range[1]))

    def mark_out(self) -> None:
        """Let the range end at this frame."""
        self.set_range(min(self.frame, self.range[0]), self.frame)

    def go_to_in(self) -> None:
        """Go to where the range begins."""
        self.go_to(self.range[0])

    def go_to_out(self) -> None:
        """Go to where the range ends."""
        self.go_to(self.range[1])

    def show_range(self) -> None:
        """Zoom the timeline to the range; when it shows no more than that, or there is none, to the whole film."""
        whole = self.chosen is None or self.timeline.scale.span <= 1.2 * (self.chosen[1] - self.chosen[0])
        if whole or self.chosen is None:
            self.timeline.show_all()
        else:
            self.timeline.show_part(*self.chosen)

    def _choose(self, chosen: tuple[int, int] | None) -> None:
        if self.clip is not None and chosen != self.chosen:
            self.chosen = chosen
            self.playback.set_range(*self.range)
            self.timeline.set_chosen(chosen)
            self.range_changed.emit(*self.range)

    # -- marks and scenes -----------------------------------------------------------------------

    def next_worst(self) -> None:
        """Go to the next mark of a bad frame."""
        self._go_along([mark.frame for mark in self.timeline.marks(WORST)], 1)

    def previous_worst(self) -> None:
        """Go to the mark of a bad frame before this one."""
        self._go_along([mark.frame for mark in self.timeline.marks(WORST)], -1)

    def next_scene(self) -> None:
        """Go to where the next scene begins."""
        self._go_along(self.timeline.content.scenes.tolist(), 1)

    def previous_scene(self) -> None:
        """Go to where this scene, or the one before, begins."""
        self._go_along([0, *self.timeline.content.scenes.tolist()], -1)

    def _go_along(self, frames: Sequence[int], direction: int) -> None:
        """Go to the next of ascending frames in a direction; at the end, to the first one again."""
        if not frames:
            return
        place = np.searchsorted(frames, self.frame, side="right" if direction > 0 else "left")
        self.go_to(frames[(int(place) if direction > 0 else int(place) - 1) % len(frames)])

    @Slot(int)
    def _on_frame(self, frame: int) -> None:
        if self.clip is None:
            return
        self.playback.moved_to(frame)
        times = self.clip.times_s
        self.transport.set_frame(frame, float(times[frame] - times[0]))
        self.frame_changed.emit(frame)
