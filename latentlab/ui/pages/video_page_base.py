"""What panels and commands may ask of the Video page, and how they are added to it.

``video_parts.install_parts`` gives the page its parts. What is open and shown is read from ``clip``, ``frame``,
``shown``, ``range``, ``crop`` and ``view``, and told by ``clip_changed``, ``frame_changed``, ``frame_shown``,
``range_changed`` and ``crop_changed``; ``add_panel`` and ``add_command`` give a part its place; ``timeline`` takes
curves, marks and scenes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from latentlab.core.video_messages import Crop, VideoFrame, VideoInfo, VideoView
from latentlab.ui.context import AppContext
from latentlab.ui.page import Page
from latentlab.ui.pages.video_moves import Moves
from latentlab.ui.pages.video_panel import SidePanels, VideoPanel
from latentlab.ui.pages.video_panes import VideoPanes
from latentlab.ui.pages.video_tools import VideoTools
from latentlab.ui.pages.video_transport import VideoTransport
from latentlab.ui.pages.video_worst import PixelErrors

if TYPE_CHECKING:
    from latentlab.ui.widgets.timeline import Timeline


class FilmPage(Page):
    """A page with a film open, for those who add to it. Thread: GUI.

    Attributes
    ----------
    own_series
        Set by a panel that puts curves and marks on the timeline itself.
    """

    frame_changed = Signal(int)  # the frame wanted
    frame_shown = Signal(object)  # VideoFrame, drawn
    clip_changed = Signal(object)  # VideoInfo or None
    range_changed = Signal(int, int)  # first and last frame, both included
    crop_changed = Signal(object)  # Crop in use, or None
    films_dropped = Signal(list)  # several Path at once

    moves: Moves
    errors: PixelErrors
    tools: VideoTools
    panes: VideoPanes
    side: SidePanels
    timeline: Timeline
    transport: VideoTransport

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.own_series = False
        self._shown: VideoFrame | None = None
        self._crop: Crop | None = None

    @property
    def clip(self) -> VideoInfo | None:
        """The film that is open."""
        return self.moves.clip

    @property
    def frame(self) -> int:
        """The frame wanted; ``shown`` is the one on screen."""
        return self.moves.frame

    @property
    def shown(self) -> VideoFrame | None:
        """What is on screen."""
        return self._shown

    @property
    def has_range(self) -> bool:
        """Whether a part of the film was chosen."""
        return self.moves.chosen is not None

    @property
    def range(self) -> tuple[int, int]:
        """First and last frame of the chosen part, both included; the whole film when none was chosen."""
        return self.moves.range

    @property
    def crop(self) -> Crop | None:
        """The region given to the model; None is the whole frame."""
        return self._crop

    @property
    def view(self) -> VideoView:
        """How frames are shown."""
        return self.tools.view

    def add_panel(self, panel: VideoPanel) -> None:
        """Add a tab beside the pictures."""
        self.side.add(panel)
        self.tools.panels.show()

    def add_command(self, action: QAction, menu: str = "more") -> None:
        """Add a command to the menu ``export`` or ``more`` over the pictures."""
        self.tools.add_command(action, menu)

    def go_to(self, frame: int) -> None:
        """Show a frame and stand there."""
        self.moves.go_to(frame)

    def step(self, frames: int) -> None:
        """Move by some frames and stand there."""
        self.moves.step(frames)

    def set_range(self, first: int, last: int) -> None:
        """Choose the part of the film from ``first`` to ``last``, both included and in any order."""
        self.moves.set_range(first, last)

    def clear_range(self) -> None:
        """Choose the whole film again."""
        self.moves.clear_range()
