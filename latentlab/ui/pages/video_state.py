"""What the Video page remembers between two starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from latentlab.ui.pages.video_difference import GAINS, KINDS
from latentlab.ui.pages.video_panes import BLINKS
from latentlab.ui.pages.video_playback import SPEEDS
from latentlab.ui.pages.video_tools import MODES
from latentlab.ui.widgets.splitters import restore_sizes

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage

T = TypeVar("T")


def save_look(page: VideoPage) -> dict[str, object]:
    """Return how frames are shown, as values that JSON can hold."""
    view = page.tools.view
    return {"difference": view.difference, "gain": view.gain, "film": view.film, "mode": page.panes.mode}


def save(page: VideoPage) -> dict[str, object]:
    """Return how frames are shown and played, as values that JSON can hold."""
    return {
        **save_look(page),
        "blink": page.content.blink_rate,
        "speed": page.playback.speed,
        "loop": page.playback.loop,
        "folder": page.folder,
        "splitter": page.content.splitter.sizes(),
        "side": page.side.save_state(),
    }


def restore_look(page: VideoPage, state: Mapping[str, object]) -> None:
    """Take over what ``save_look`` returned, as far as it still means something."""
    view = page.tools.view
    film = state.get("film")
    view = replace(
        view,
        difference=_one_of([kind for _, kind, _ in KINDS], state.get("difference")) or view.difference,
        gain=_one_of(GAINS, state.get("gain")) or view.gain,
        film=film if isinstance(film, bool) else view.film,
    )
    page.tools.take_view(view)
    if state.get("mode") in [mode for _, mode in MODES]:
        page.tools.mode.setCurrentIndex(page.tools.mode.findData(state["mode"]))


def restore(page: VideoPage, state: Mapping[str, object]) -> None:
    """Take over what ``save`` returned, as far as it still means something."""
    restore_look(page, state)
    blink, speed = _one_of(BLINKS, state.get("blink")), _one_of(SPEEDS, state.get("speed"))
    if blink is not None:
        page.content.set_blink_rate(blink)
    if speed is not None:
        page.transport.show_speed(speed)
    page.transport.loop.setChecked(state.get("loop") is True)
    if isinstance(state.get("folder"), str):
        page.folder = str(state["folder"])
    restore_sizes(page.content.splitter, state.get("splitter"))
    page.side.restore_state(state.get("side"))


def _one_of(choices: Iterable[T], value: object) -> T | None:
    return next((choice for choice in choices if choice == value), None)
