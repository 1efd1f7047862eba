"""What the Video page remembers between two starts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from latentlab.ui.pages.video_difference import GAINS, KINDS
from latentlab.ui.pages.video_panes import BLINKS
from latentlab.ui.pages.video_playback import SPEEDS
from latentlab.ui.pages.video_tools import MODES
from latentlab.ui.widgets.splitters import restore_sizes

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage


def save(page: VideoPage) -> dict[str, object]:
    """Return how frames are shown and played, as values that JSON can hold."""
    view = page.tools.view
    return {
        "difference": view.difference,
        "gain": view.gain,
        "film": view.film,
        "mode": page.panes.mode,
        "blink": page.content.blink_rate,
        "speed": page.playback.speed,
        "loop": page.playback.loop,
        "folder": page.folder,
        "splitter": page.content.splitter.sizes(),
        "side": page.side.save_state(),
    }


def restore(page: VideoPage, state: dict[str, object]) -> None:
    """Take over what ``save`` returned, as far as it still means something."""
    view = page.tools.view
    if state.get("difference") in [kind for _, kind, _ in KINDS]:
        view = replace(view, difference=state["difference"])  # type: ignore[arg-type]
    if state.get("gain") in GAINS:
        view = replace(view, gain=state["gain"])  # type: ignore[arg-type]
    if isinstance(state.get("film"), bool):
        view = replace(view, film=state["film"])  # type: ignore[arg-type]
    page.tools.take_view(view)
    if state.get("mode") in [mode for _, mode in MODES]:
        page.tools.mode.setCurrentIndex(page.tools.mode.findData(state["mode"]))
    if state.get("blink") in BLINKS:
        page.content.set_blink_rate(float(state["blink"]))  # type: ignore[arg-type]
    if state.get("speed") in SPEEDS:
        page.transport.show_speed(float(state["speed"]))  # type: ignore[arg-type]
    page.transport.loop.setChecked(state.get("loop") is True)
    if isinstance(state.get("folder"), str):
        page.folder = str(state["folder"])
    restore_sizes(page.content.splitter, state.get("splitter"))
    page.side.restore_state(state.get("side"))
