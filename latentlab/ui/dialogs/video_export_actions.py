"""Puts exporting and making a data set into the Video page's menu."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction

from latentlab.core.messages import WeightSnapshot
from latentlab.core.video_edit import EditedFilm
from latentlab.runtime.dataset_preview import DatasetPreviewService
from latentlab.runtime.video_export import ExportService
from latentlab.ui.dialogs.dataset_dialog import DatasetDialog
from latentlab.ui.dialogs.video_export_dialog import ExportDialog
from latentlab.ui.dialogs.video_export_form import ExportSubject

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage


def install_export(page: VideoPage) -> None:
    """Add the commands to a page; its context gets an export service where it has none."""
    if page.context.exports is None:
        page.context.exports = ExportService()
    if page.context.datasets is None:
        page.context.datasets = DatasetPreviewService()
    film = QAction("Export film…", page)
    film.setObjectName("actionExportFilm")
    film.setShortcut("Ctrl+E")
    film.setToolTip("Write side-by-side, reconstruction, difference or edited film of the clip or a part of it")
    film.triggered.connect(lambda: open_export(page))
    page.add_command(film, menu="export")
    data = QAction("Make a data set…", page)
    data.setObjectName("actionMakeDataset")
    data.setShortcut("Ctrl+D")
    data.setProperty("always", True)
    data.setToolTip("Choose films, region, size and frames, and train on them")
    data.triggered.connect(lambda: open_dataset(page))
    page.add_command(data, menu="export")
    page.films_dropped.connect(lambda films: open_dataset(page, films))


def open_export(page: VideoPage) -> ExportDialog | None:
    """Show the export window for the film that is open; say why where there is nothing to export."""
    weights = _weights(page)
    if page.clip is None or page.context.exports is None:
        return None
    if weights is None or not weights.info.has_encoder:
        page.context.show_message("There is no model to reconstruct with yet: train one or open a run.")
        return None
    first, last = page.range
    run = weights.info.run.name if weights.info.run is not None else "model"
    subject = ExportSubject(
        page.clip,
        weights.info.image_shape,
        first,
        last,
        page.view,
        _edit(page),
        f"{page.clip.path.stem}_{run}_step{weights.step}",
    )
    dialog = ExportDialog(page.context.exports, subject, lambda: _weights(page), page.window())
    dialog.show()
    return dialog


def open_dataset(page: VideoPage, films: Sequence[Path] = ()) -> DatasetDialog:
    """Show the window that makes a data set, beginning with these films or the one that is open."""
    crop = page.crop if page.clip is not None and not films else None
    open_film = [page.clip.path] if page.clip is not None else []
    dialog = DatasetDialog(page.context, films or open_film, crop, page.window())
    dialog.show()
    return dialog


def _weights(page: VideoPage) -> WeightSnapshot | None:
    return page.context.video.snapshot  # That of a pinned step, where one is.


def _edit(page: VideoPage) -> EditedFilm | None:
    """Return the edit of the panel that has one."""
    edits = [getattr(panel, "edit", None) for panel in page.side.panels.values()]
    return next((edit for edit in edits if isinstance(edit, EditedFilm) and edit.active), None)
