"""Splitter sizes that are remembered."""

from __future__ import annotations

from PySide6.QtWidgets import QSplitter


def restore_sizes(splitter: QSplitter, sizes: object) -> None:
    """Give a splitter remembered sizes; anything that does not fit it is left out."""
    if not isinstance(sizes, list) or len(sizes) != splitter.count():
        return
    if all(type(size) is int and size >= 0 for size in sizes) and sum(sizes) > 0:
        splitter.setSizes(sizes)
