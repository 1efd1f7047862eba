"""The picture shown while the wanted frame is being decoded: the nearest to be had at once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Images

if TYPE_CHECKING:
    from latentlab.data.video_frames import FrameReader


class Keyframes:
    """Keyframes of one film, read beside the reader that decodes towards the wanted frame. Thread: video."""

    def __init__(self) -> None:
        self._glances: FrameReader | None = None

    @property
    def worth_a_look(self) -> bool:
        """Whether the film's pictures are so large that the first one after a jump takes its time."""
        return self._glances is not None

    @staticmethod
    def nearest(reader: FrameReader, index: int, prepared: int | None) -> int:
        """Return which picture to show before frame ``index``; ``index`` itself where there is no other.

        Those decoded lately, one ``prepared`` in the proxy, and the keyframe that decoding begins at.
        """
        at_hand = [*reader.recent(), *(() if prepared is None else (prepared,))]
        entry = int(np.searchsorted(reader.index.entries, index, side="right")) - 1
        if entry >= 0 and reader.index.seekable:
            at_hand.append(int(reader.index.entries[entry]))
        return min(at_hand, key=lambda place: abs(place - index), default=index)

    def open(self, reader: FrameReader) -> None:
        """Open the film of ``reader`` once more where its pictures are so large that this pays."""
        from latentlab.data.video import SMALL_PIXELS
        from latentlab.data.video_frames import open_frames

        width, height = reader.size
        if width * height > SMALL_PIXELS:
            with suppress(InputError):  # The reader itself then serves, and tells what is wrong.
                self._glances = open_frames(reader.path, reader.index, glances=True)

    def read(self, reader: FrameReader, index: int) -> Images:
        """Return frame ``index`` (H, W, 3) uint8."""
        if self._glances is not None and index not in reader.recent():
            with suppress(InputError, IndexError):
                return self._glances.read(index)
        return reader.read(index)

    def close(self) -> None:
        """Release the film."""
        if self._glances is not None:
            self._glances.close()
        self._glances = None
