"""Changes of scene, found piece by piece from the frames that are prepared anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import Ints

if TYPE_CHECKING:
    from latentlab.data.proxy import Proxy

PIECE = 64
PUBLISH_EVERY = 32
"""Pieces between two answers: finding cuts anew costs more than looking at frames."""


class SceneKeeper:
    """Looks at the frames of one proxy, once each. Thread: video."""

    def __init__(self, proxy: Proxy, slot: LatestSlot[Ints]) -> None:
        self._proxy, self._slot = proxy, slot
        self._change = np.full(proxy.frames, np.nan, dtype=np.float32)
        self._change[0] = 0.0
        self._seen = np.zeros(-(-proxy.frames // (PIECE * proxy.stride)), dtype=bool)
        self._pieces = 0

    @property
    def complete(self) -> bool:
        """Whether every frame was looked at."""
        return bool(self._seen.all())

    def belongs_to(self, proxy: Proxy | None) -> bool:
        """Whether this is the keeper for a proxy."""
        return self._proxy is proxy and proxy is not None and len(self._change) == proxy.frames

    def step(self) -> bool:
        """Look at one more piece whose frames are all there; return whether there was one."""
        proxy = self._proxy
        there = proxy.present[:: proxy.stride]
        # One frame of the piece before is needed for the difference at the seam.
        seam = np.concatenate([[True], there[PIECE - 1 : -1 : PIECE]])
        whole = np.pad(there, (0, -len(there) % PIECE), constant_values=True).reshape(-1, PIECE).all(axis=1)
        ready = np.flatnonzero(whole & seam & ~self._seen)
        if not len(ready):
            return False
        piece, span = int(ready[0]), PIECE * proxy.stride
        begin, end = max(0, piece * span - proxy.stride), min(proxy.frames, (piece + 1) * span)
        self._look_at(piece, np.arange(begin, end, proxy.stride))
        return True

    def _look_at(self, piece: int, numbers: Ints) -> None:
        from latentlab.explore.video_scenes import changes, find_scenes, thumbnails

        if len(numbers) > 1:
            self._change[numbers[1:]] = changes(thumbnails(self._proxy.read_many(numbers)))
        self._seen[piece] = True
        self._pieces += 1
        if self.complete or self._pieces % PUBLISH_EVERY == 0:
            self._slot.put(find_scenes(self._change))
