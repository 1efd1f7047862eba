"""How the Video page comes by its panels on errors, latents and edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentlab.ui.pages.video_latent import FilmStudy
from latentlab.ui.pages.video_latent_edit import EditPanel
from latentlab.ui.pages.video_latent_errors import ErrorsPanel
from latentlab.ui.pages.video_latent_path import LatentPathPanel

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage


def install_latent_panels(page: VideoPage) -> FilmStudy:
    """Add the three panels to ``page`` and return what they share."""
    study = FilmStudy(page)
    for panel in (ErrorsPanel(page, study), LatentPathPanel(page, study), EditPanel(page, study)):
        page.add_panel(panel)
    return study
