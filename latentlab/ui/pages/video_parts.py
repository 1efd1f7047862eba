"""What the Video page is made of beside its pictures and its timeline: panels and commands, in order of their tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage


def install_parts(page: VideoPage) -> None:
    """Give the page its panels (``page.add_panel``) and its commands (``page.add_command``)."""
