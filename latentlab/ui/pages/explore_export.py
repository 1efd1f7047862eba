"""Grids of the Explore page as picture files: their own pixels, and in their text what brings the page back to them."""

from __future__ import annotations

from latentlab.core.errors import InputError
from latentlab.ui.context import AppContext
from latentlab.ui.screenshots import magnified, picture_path
from latentlab.ui.views.picture import PictureView

SCALES = (1, 2, 4)
NO_GRID = "There is no grid to save yet."


def save_grid(context: AppContext, view: PictureView, scale: int, name: str) -> None:
    """Save a grid among the screenshots, every pixel ``scale`` times as large; the window says where."""
    image = view.image()
    if image is None:
        context.show_message(NO_GRID)
        return
    try:
        path = picture_path(f"explore-{name}")
    except InputError as error:
        context.errors.report(error)
        return
    context.save_picture(magnified(image, scale), path)


def copy_grid(context: AppContext, view: PictureView) -> None:
    """Put a grid on the clipboard."""
    image = view.image()
    if image is None:
        context.show_message(NO_GRID)
        return
    context.copy_picture(image)
    context.show_message("The grid is on the clipboard.")
