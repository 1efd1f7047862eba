"""The arena: latentlab's own data, a top-down ink battle, deterministic by seed, with every cause known.

``stages`` lays out the floors, ``battle`` plays, ``render`` paints one moment at any size,
``source`` gives images and ``film`` a video.
"""

from __future__ import annotations

from typing import Any

__all__ = ["write_arena_video"]


def __getattr__(name: str) -> Any:
    """Import the film maker when it is asked for: images need no video encoder."""
    if name == "write_arena_video":
        from latentlab.data.arena.film import write_arena_video

        return write_arena_video
    raise AttributeError(name)
