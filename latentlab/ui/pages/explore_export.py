"""Grids of the Explore page as picture files."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

from latentlab.core.errors import InputError
from latentlab.core.messages import Images
from latentlab.ui.context import AppContext
from latentlab.ui.screenshots import PictureFacts, copy_picture, picture_path, save_picture
from latentlab.ui.views.picture import to_qimage
from latentlab.ui.widgets.weights_follow import WeightsFollow

SCALES = (1, 2, 4)
GAP, GROUND = 2, 128


def sheet(images: Images, columns: int, scale: int) -> QImage:
    """Return pictures (N, H, W, C) as one, row by row with narrow gaps, every pixel ``scale`` times as large."""
    count, height, width, channels = images.shape
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    whole = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, channels), GROUND, dtype=np.uint8)
    for i, picture in enumerate(images):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        whole[top : top + height, left : left + width] = picture
    return to_qimage(whole.repeat(scale, axis=0).repeat(scale, axis=1))


def facts_of(context: AppContext) -> PictureFacts:
    """Return where a picture of this page comes from: run, step and recipe of the weights in force."""
    snapshot = WeightsFollow.of(context).newest()[1]
    if snapshot is None:
        return PictureFacts()
    return PictureFacts(snapshot.info.run, snapshot.step, snapshot.info.recipe)


def save_sheet(context: AppContext, images: Images, columns: int, scale: int, name: str) -> None:
    """Save a grid among the screenshots, and say where."""
    try:
        path = save_picture(sheet(images, columns, scale), picture_path(f"explore-{name}"), facts_of(context))
    except InputError as error:
        context.errors.report(error)
        return
    context.show_message(f"Saved {path}")


def copy_sheet(context: AppContext, images: Images, columns: int) -> None:
    """Put a grid on the clipboard, at 1x."""
    copy_picture(sheet(images, columns, 1))
    context.show_message("The grid is in the clipboard.")
