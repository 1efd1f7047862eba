"""Writing an animated GIF: 256 colours chosen anew for every frame."""

from __future__ import annotations

import contextlib
import shutil
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import av
import numpy as np
from av.filter import Graph

from latentlab.core.errors import cannot_write
from latentlab.core.messages import Images
from latentlab.core.video_export import MAX_GIF_RATE
from latentlab.explore.video_export_timing import Timing
from latentlab.explore.video_write import WRITE_ERRORS, part_name, remove, size_of

HUNDREDTH = Fraction(1, 100)
PALETTE = "stats_mode=single"
USE = "new=1:dither=sierra2_4a"
COMMENT_BLOCK = 255


class GifWriter:
    """Encodes frames to a GIF that appears under its name only when it is whole; it loops for ever.

    Times are rounded to hundredths of a second, which is what the format has.

    Parameters
    ----------
    path
        Ends in ``.gif``.
    timing
        When each frame is shown.
    comment
        Text for the file's comment.
    """

    sound: Literal["none"] = "none"

    def __init__(self, path: Path, timing: Timing, comment: str = "") -> None:
        self.path, self.timing = path, timing
        self.size = (0, 0)
        self._comment = comment
        self._part = part_name(path)
        self._written = 0
        self._output: Any = None
        self._stream: Any = None
        self._graph: Any = None

    @property
    def bytes_written(self) -> int:
        """How large the file is so far."""
        return size_of(self._part)

    def write(self, frame: Images) -> None:
        """Encode the next frame, (H, W, 3) or (H, W, 1) uint8."""
        frame = np.repeat(frame, 3, axis=2) if frame.shape[2] == 1 else frame
        try:
            if self._output is None:
                self._open(frame.shape[1], frame.shape[0])
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            picture.pts = round(self.timing.seconds(self._written) / HUNDREDTH)
            picture.time_base = HUNDREDTH
            self._graph.push(picture)
            self._encode_what_is_there()
        except WRITE_ERRORS as error:
            raise cannot_write(self.path, error) from None
        self._written += 1

    def __enter__(self) -> GifWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._output is not None:
                self._finish()
        finally:
            self._close()
            remove(self._part)

    def _open(self, width: int, height: int) -> None:
        self.size = (width, height)
        self._output = av.open(str(self._part), "w", format="gif")
        self._stream = self._output.add_stream("gif", rate=Fraction(min(float(self.timing.rate), MAX_GIF_RATE)))
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "pal8"
        self._stream.codec_context.time_base = HUNDREDTH
        graph = Graph()
        source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("rgb24"), time_base=HUNDREDTH)
        split, palette = graph.add("split"), graph.add("palettegen", PALETTE)
        use, sink = graph.add("paletteuse", USE), graph.add("buffersink")
        source.link_to(split)
        split.link_to(use, 0, 0)
        split.link_to(palette, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        self._graph = graph

    def _encode_what_is_there(self) -> None:
        while True:
            try:
                picture = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            self._output.mux(self._stream.encode(picture))

    def _finish(self) -> None:
        try:
            self._graph.push(None)
            self._encode_what_is_there()
            self._output.mux(self._stream.encode(None))
            self._output.close()
            self._output = None
            if self._comment:
                add_comment(self._part, self._comment)
            self._part.replace(self.path)
        except WRITE_ERRORS as error:
            raise cannot_write(self.path, error) from None

    def _close(self) -> None:
        if self._output is not None:
            with contextlib.suppress(*WRITE_ERRORS):  # A full disk fails here again; the first failure was told.
                self._output.close()
        self._output = None


def add_comment(path: Path, text: str) -> None:
    """Put a comment into a GIF: extension 0xFE of GIF89a, before the first picture, where readers look for it.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    data = text.encode("utf-8")
    blocks = (data[start : start + COMMENT_BLOCK] for start in range(0, len(data), COMMENT_BLOCK))
    extension = b"\x21\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\x00"
    longer = path.with_suffix(".longer")
    try:
        with path.open("rb") as source, longer.open("wb") as target:
            screen = source.read(13)
            colours = 3 * 2 ** ((screen[10] & 7) + 1) if screen[10] & 0x80 else 0
            target.write(screen + source.read(colours) + extension)
            shutil.copyfileobj(source, target)
        longer.replace(path)
    finally:
        remove(longer)
