"""What an exported picture keeps of the Video page, and the way back to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from latentlab.core.errors import InputError
from latentlab.core.picture_origin import Origin
from latentlab.core.video_messages import Crop, VideoInfo
from latentlab.ui.page_state import PageState
from latentlab.ui.pages import video_state

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage


def picture_state(page: VideoPage) -> PageState:
    """Return the film, the frame on screen, the part chosen, the region, and how it is shown."""
    if page.clip is None:
        return PageState()
    view: dict[str, object] = {
        "film": str(page.clip.path.resolve()),
        "frame": page.shown.index if page.shown is not None else page.frame,
        "look": video_state.save_look(page),
    }
    if page.has_range:
        view["range"] = list(page.range)
    if page.view.own_crop:
        view["crop"] = list(page.view.crop or ())
    return PageState(view=view)


class FilmReturn(QObject):
    """Opens the film of an exported picture, and goes to its frame once the film is open. Thread: GUI."""

    def __init__(self, page: VideoPage) -> None:
        super().__init__(page)
        self._page = page
        self._wanted: Mapping[str, object] | None = None
        page.clip_changed.connect(self._on_clip)

    def begin(self, origin: Origin) -> None:
        """Show what the picture was made of; what is odd in it is left out."""
        told, page = origin.view, self._page
        self._wanted = None
        if not isinstance(told.get("film"), str):
            return
        film = Path(str(told["film"]))
        if page.clip is not None and page.clip.path.resolve() == film:
            self._arrive(told)
        elif film.exists() or set(film.name) & set("*?%"):  # A pattern of numbered pictures has no file of its name.
            self._wanted = told
            page.open_video(film)
        else:
            what = f"{film.name}, which the picture shows, is not there any more"
            page.context.errors.report(InputError(what, where=str(film), hint="Open it from where it is now."))

    @Slot(object)
    def _on_clip(self, info: VideoInfo | None) -> None:
        told, self._wanted = self._wanted, None
        if told is not None and info is not None and info.path.resolve() == Path(str(told["film"])):
            self._arrive(told)

    def _arrive(self, told: Mapping[str, object]) -> None:
        page, look, part, frame = self._page, told.get("look"), told.get("range"), told.get("frame")
        own, crop = _crop(told.get("crop"))
        page.tools.take_view(replace(page.tools.view, own_crop=own, crop=crop))
        if isinstance(look, dict):
            video_state.restore_look(page, look)
        page.clear_range()
        if isinstance(part, list) and len(part) == 2 and all(isinstance(end, int) for end in part):
            page.set_range(*part)
        if isinstance(frame, int):
            page.go_to(frame)


def _crop(told: object) -> tuple[bool, Crop | None]:
    """Return whether a region of its own was in use, and that; an empty list is the whole frame."""
    if not isinstance(told, list) or not all(isinstance(number, int) for number in told) or len(told) not in (0, 4):
        return False, None
    return True, (told[0], told[1], told[2], told[3]) if told else None
