"""What an exported picture keeps of its page, and how the page comes back to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from PySide6.QtCore import SignalInstance

from latentlab.core.latent_state import LatentState
from latentlab.core.messages import Floats, Ints
from latentlab.core.picture_origin import Origin
from latentlab.ui.page import Page


@dataclass(frozen=True, eq=False)
class PageState:
    """Points (N, D), their classes (N,) and the seed behind a page's pictures; ``view``: the rest, JSON-able."""

    z: Floats | None = None
    labels: Ints | None = None
    seed: int | None = None
    view: dict[str, Any] = field(default_factory=dict)


@runtime_checkable
class ComesBack(Protocol):
    """A page that says itself what brings it back."""

    def picture_state(self) -> PageState:
        """Return what is on screen."""

    def bring_back(self, origin: Origin) -> None:
        """Show what an exported picture was made of."""


class HasMoves(Protocol):
    """What moves a page's point, and tells its controls."""

    state: LatentState
    changed: SignalInstance


@runtime_checkable
class HasPoint(Protocol):
    """A page that shows one point of latent space."""

    moves: HasMoves


def state_of(page: Page | None) -> PageState:
    """Return what brings ``page`` back; of a page with a point in latent space, that point."""
    if isinstance(page, ComesBack):
        return page.picture_state()
    if not isinstance(page, HasPoint):
        return PageState()
    point = page.moves.state.point
    view = {"source": point.source, "edited": point.edited, "locks": np.flatnonzero(point.locks).tolist()}
    return PageState(point.z[None], np.array([point.label]), point.seed, view)


def bring_back(page: Page, origin: Origin) -> None:
    """Show what an exported picture of ``page`` was made of."""
    if isinstance(page, ComesBack):
        page.bring_back(origin)
        return
    if not origin.z:
        return
    page.set_point(origin.points()[0], origin.labels[0] if origin.labels else None)
    if isinstance(page, HasPoint):
        moves, told = page.moves, origin.view
        seed = moves.state.point.seed if origin.seed is None else origin.seed
        source = f"seed {seed}" if origin.seed is not None else "a picture"
        moves.state.point = replace(
            moves.state.point, source=str(told.get("source", source)), edited=told.get("edited") is True, seed=seed
        )
        moves.changed.emit(True)
