"""What the Video page is made of beside its pictures and its timeline: panels and commands, in order of their tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage


def install_parts(page: VideoPage) -> None:
    """Give the page its panels (``page.add_panel``) and its commands (``page.add_command``)."""
    from latentlab.ui.pages.video_latent_parts import install_latent_panels

    install_latent_panels(page)

    from latentlab.ui.dialogs.video_export_actions import install_export

    install_export(page)
