"""What an exported picture keeps of its page, and how the page comes back to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from latentlab.core.messages import Floats, Ints, WeightSnapshot
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


@runtime_checkable
class ShowsWeights(Protocol):
    """A page whose picture may be of other weights than those in force."""

    def weights_shown(self) -> WeightSnapshot | None:
        """Return the weights that made what is on screen, where they are still at hand."""


def state_of(page: Page | None) -> PageState:
    """Return what brings ``page`` back."""
    return page.picture_state() if isinstance(page, ComesBack) else PageState()


def bring_back(page: Page, origin: Origin) -> None:
    """Show what an exported picture of ``page`` was made of."""
    if isinstance(page, ComesBack):
        page.bring_back(origin)
