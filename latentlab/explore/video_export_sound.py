"""The sound of a film in the film made from it: the same packets where they fit, encoded anew where not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
from av.filter import Graph

from latentlab.data.video_index import open_container

PRIMING_S = 0.1
"""Sound this long before the first picture is kept: decoders of AAC and Opus need it to begin with."""
GAP_S = 0.06
AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
AAC_BITS_PER_S = 192_000
# Containers that state when sound begins in a list of edits; others would move the pictures instead.
STARTS_EARLIER = (".mp4", ".mov")


class SoundTrack:
    """The first sound track of ``path`` from ``start_s`` to ``end_s``, as a stream of ``output``.

    Make it after the picture's stream and before the first packet is written. ``how`` is ``"none"``
    where there is no sound, or none that can be decoded.

    Parameters
    ----------
    path
        The film the sound is taken from.
    output
        The container written to.
    suffix
        Of the file written, e.g. ``".mp4"``.
    start_s, end_s
        The piece on the film's own clock; ``end_s`` may be infinite.
    """

    def __init__(self, path: Path, output: Any, suffix: str, start_s: float, end_s: float = math.inf) -> None:
        self.how: Literal["copied", "encoded", "none"] = "none"
        self._output = output
        self._packets: Iterator[Any] = iter(())
        self._waiting: Any = None
        self._input = open_container(path)
        source = next((track for track in self._input.streams.audio if track.codec_context is not None), None)
        if source is None:
            return
        start = Fraction(start_s).limit_denominator(10**6)
        try:
            target = output.add_stream_from_template(source)
        except (av.FFmpegError, ValueError):  # This kind of sound does not go into this kind of file.
            self.how = "encoded"
            self._packets = _encoded(self._input, source, _aac_stream(output, source), start, end_s)
            return
        self.how = "copied"
        early = PRIMING_S if suffix in STARTS_EARLIER else 0.0
        self._packets = _copied(self._input, source, target, start, end_s - start_s, early)

    def copy_until(self, until_s: float) -> None:
        """Write the sound up to a time of the new film, so that both tracks lie side by side in the file."""
        if self._waiting is None:
            self._waiting = next(self._packets, None)
        while self._waiting is not None and float(self._waiting.dts * self._waiting.time_base) <= until_s:
            self._output.mux(self._waiting)
            self._waiting = next(self._packets, None)

    def close(self) -> None:
        """Release the source."""
        self._packets = iter(())
        self._input.close()


def _demuxed(container: Any, source: Any) -> Iterator[Any]:
    """Yield the packets there are; a cut file just ends."""
    try:
        yield from container.demux(source)
    except av.FFmpegError:
        return


def _copied(
    container: Any, source: Any, target: Any, start: Fraction, length_s: float, early_s: float
) -> Iterator[Any]:
    """Yield packets for ``target``, moved as the pictures were, without those long before and those after."""
    for packet in _demuxed(container, source):
        if packet.dts is None:
            continue
        shift = round(start / packet.time_base)
        packet.dts -= shift
        packet.pts = packet.dts if packet.pts is None else packet.pts - shift
        begins = float(packet.pts * packet.time_base)
        if begins >= length_s:
            return
        # From the film's own start its own packets stay, also one that begins a little early.
        if begins >= -early_s or (start == 0 and begins >= -PRIMING_S):
            packet.stream = target
            yield packet


def _aac_stream(output: Any, source: Any) -> Any:
    rate = min(AAC_RATES, key=lambda known: abs(known - (source.codec_context.sample_rate or 48000)))
    layout = "mono" if source.codec_context.channels == 1 else "stereo"
    return output.add_stream("aac", rate=rate, layout=layout, bit_rate=AAC_BITS_PER_S)


def _encoded(container: Any, source: Any, target: Any, start: Fraction, end_s: float) -> Iterator[Any]:
    """Yield packets of the sound decoded, cut to the sample, and encoded."""
    graph = _cutting_graph(source, start, end_s)
    for frame in _decoded(container, source):
        if frame.time is not None and frame.time >= end_s:
            break
        graph.push(frame)
        yield from _encode_what_is_there(graph, target)
    graph.push(None)
    yield from _encode_what_is_there(graph, target)
    yield from target.encode(None)


def _decoded(container: Any, source: Any) -> Iterator[Any]:
    """Yield decoded sound whose times count samples.

    Files state times in ticks of up to 46 ms, or in whole milliseconds: each piece begins where the one
    before ended, unless the file says that there is a gap.
    """
    rate = source.codec_context.sample_rate
    due: int | None = None
    for packet in _demuxed(container, source):
        try:
            frames = packet.decode()
        except av.FFmpegError:  # A damaged packet is a gap, not the end.
            continue
        for frame in frames:
            stated = round(frame.time * rate) if frame.time is not None else due or 0
            begins = stated if due is None or abs(stated - due) > GAP_S * rate else due
            frame.pts, frame.time_base = begins, Fraction(1, rate)
            due = begins + frame.samples
            yield frame


def _cutting_graph(source: Any, start: Fraction, end_s: float) -> Any:
    codec, graph = source.codec_context, Graph()
    bounds = f"start={float(start):.6f}" + (f":end={end_s:.6f}" if math.isfinite(end_s) else "")
    graph.link_nodes(
        graph.add_abuffer(
            sample_rate=codec.sample_rate,
            format=codec.format,
            layout=codec.layout,
            time_base=Fraction(1, codec.sample_rate),
        ),
        graph.add("atrim", bounds),
        graph.add("asetpts", f"PTS-{float(start):.6f}/TB"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _encode_what_is_there(graph: Any, target: Any) -> Iterator[Any]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        yield from target.encode(frame)
