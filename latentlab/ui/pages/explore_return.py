"""What an exported picture keeps of the Explore page, and the way back to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from latentlab.core.picture_origin import Origin
from latentlab.ui.page_state import PageState

if TYPE_CHECKING:
    from latentlab.ui.pages.explore import ExplorePage


def picture_state(page: ExplorePage) -> PageState:
    """Return the point, and which sliders and which grid are in front."""
    point = page.state.point
    view = {
        "source": point.source,
        "edited": point.edited,
        "locks": np.flatnonzero(point.locks).tolist(),
        "sliders": page.panel.arrangement.kind,
        "axis": page.panel.sliders.current,
        "lower": page.stage.lower_area.save_state(),
    }
    return PageState(point.z[None], np.array([point.label]), point.seed, view)


def bring_back(page: ExplorePage, origin: Origin) -> None:
    """Show what an exported picture was made of; what is odd in it is left out."""
    if not origin.z:
        return
    page.set_point(origin.points()[0], origin.labels[0] if origin.labels else None)
    state, told = page.moves.state, origin.view
    if len(origin.z[0]) != state.dim:
        return
    seed = state.point.seed if origin.seed is None else origin.seed
    source = str(told.get("source", f"seed {seed}" if origin.seed is not None else "a picture"))
    locks = np.zeros(state.dim, dtype=np.bool_)
    places = told.get("locks", [])
    if isinstance(places, list):
        locks[[d for d in places if isinstance(d, int) and 0 <= d < state.dim]] = True
    locks.flags.writeable = False
    edited = told.get("edited") is True
    state.point = replace(state.point, source=source, edited=edited, seed=seed, locks=locks)
    lower, sliders, axis = told.get("lower"), told.get("sliders"), told.get("axis")
    if isinstance(sliders, str):
        page.panel.arrangement.choose_set(sliders)
    if isinstance(axis, int) and 0 <= axis < len(page.panel.sliders.axes):
        page.panel.sliders.set_current(axis)
    if isinstance(lower, dict):
        page.stage.lower_area.restore_state(lower)
    page.moves.changed.emit(True)
