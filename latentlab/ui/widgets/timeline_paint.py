"""Draws what stands on a timeline while the frame moves: curves, ticks, scenes, marks, and the chosen range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPixmap, QPolygonF

from latentlab.core.messages import Ints
from latentlab.ui import style
from latentlab.ui.widgets.timeline_curve import Values, ceiling, columns, tick_seconds
from latentlab.ui.widgets.timeline_items import TimelineMark, TimelineSeries
from latentlab.ui.widgets.timeline_scale import TimelineScale

CAPTION_HEIGHT, CURVE_TOP, CURVE_HEIGHT = 16, 28, 56
TICKS_HEIGHT = 20
MARK_SIZE = 4
SHADE = 110
MARK_COLOURS = {"worst": "danger", "keyframe": "muted"}


@dataclass
class TimelineContent:
    """Everything that does not move with the frame. ``times`` (N,) seconds from the first frame."""

    times: Values
    series: Sequence[TimelineSeries] = ()
    marks: Mapping[str, Sequence[TimelineMark]] = field(default_factory=dict)
    scenes: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    range: tuple[int, int] | None = None
    note: str = ""


def band_of(size: QSize, margin: int) -> QRect:
    """Return the rectangle that the curves are drawn in."""
    return QRect(margin, CURVE_TOP, max(1, size.width() - 2 * margin), CURVE_HEIGHT)


def draw_strip(content: TimelineContent, scale: TimelineScale, size: QSize, ratio: float, font: QFont) -> QPixmap:
    """Return the content as a picture of ``size`` logical pixels, transparent where there is nothing."""
    strip = QPixmap(size * ratio)
    strip.setDevicePixelRatio(ratio)
    strip.fill(Qt.GlobalColor.transparent)
    painter = QPainter(strip)
    painter.setFont(font)
    band = QRect(scale.left, CURVE_TOP, scale.width, CURVE_HEIGHT)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.colour("surface"))
    painter.drawRoundedRect(band, 4, 4)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    _draw_ticks(painter, content, scale, band)
    painter.save()
    painter.setClipRect(band)
    for place, series in reversed(list(enumerate(content.series))):
        _draw_series(painter, series, scale, band, filled=place == 0)
    _draw_scenes(painter, content.scenes, scale, band)
    painter.restore()
    _draw_range(painter, content.range, scale, band)
    for kind, marks in content.marks.items():
        _draw_marks(painter, kind, marks, scale, band)
    _draw_caption(painter, content, band)
    if scale.zoomed:
        _draw_overview(painter, scale, band)
    painter.end()
    return strip


def _draw_series(painter: QPainter, series: TimelineSeries, scale: TimelineScale, band: QRect, *, filled: bool) -> None:
    mean, peak = columns(series.values, band.width(), scale.first, scale.last)
    known = np.flatnonzero(~np.isnan(mean))
    if not len(known):
        return
    top, colour = ceiling(series.values), style.colour(series.colour)
    if filled:
        fill = QColor(colour)
        fill.setAlpha(90)
        area = _points(band, known, mean[known] / top)
        bottom = band.bottom() + 1
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(QPolygonF([QPointF(area[0].x(), bottom), *area, QPointF(area[-1].x(), bottom)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 1))
    painter.drawPolyline(QPolygonF(_points(band, known, (peak if filled else mean)[known] / top)))


def _points(band: QRect, known: Ints, share: Values) -> list[QPointF]:
    ys = band.bottom() - np.clip(share, 0, 1) * (band.height() - 2)
    return [QPointF(band.left() + x, y) for x, y in zip(known.tolist(), ys.tolist(), strict=True)]


def _draw_caption(painter: QPainter, content: TimelineContent, band: QRect) -> None:
    """Write the names of the curves at the left, in their colours, and what else there is to say at the right."""
    metrics, left = painter.fontMetrics(), band.left()
    middle = Qt.AlignmentFlag.AlignVCenter
    painter.setPen(style.colour("muted"))
    painter.drawText(
        QRect(band.left(), 0, band.width(), CAPTION_HEIGHT), Qt.AlignmentFlag.AlignRight | middle, content.note
    )
    room = band.right() - (metrics.horizontalAdvance(content.note) + 2 * style.SPACING if content.note else 0)
    for series in content.series:
        text = f"{series.title} · {series.note}" if series.note else series.title
        width = metrics.horizontalAdvance(text)
        if left + 12 + width > room:
            break
        painter.fillRect(QRectF(left, CAPTION_HEIGHT / 2 - 1, 8, 3), style.colour(series.colour))
        painter.drawText(QRect(left + 12, 0, width + 2, CAPTION_HEIGHT), middle, text)
        left += 12 + width + 2 * style.SPACING


def _draw_ticks(painter: QPainter, content: TimelineContent, scale: TimelineScale, band: QRect) -> None:
    times = content.times
    first, last = max(0, int(scale.first)), min(len(times) - 1, int(np.ceil(scale.last)))
    step = tick_seconds(float(times[last] - times[first]), band.width())
    metrics = painter.fontMetrics()
    for number in range(int(np.ceil(times[first] / step)), int(times[last] / step) + 1):
        seconds = number * step
        x = round(scale.x_of(int(np.searchsorted(times, seconds))))
        if not band.left() <= x <= band.right() + 1:
            continue
        painter.setPen(QPen(style.colour("line"), 1))
        painter.drawLine(x, band.top() + 1, x, band.bottom() + 3)
        painter.setPen(style.colour("faint"))
        text = style.format_duration(seconds) if step >= 1 else f"{seconds:.1f} s"
        advance = metrics.horizontalAdvance(text)
        left = min(max(band.left(), x - advance // 2), band.right() - advance)
        painter.drawText(left, band.bottom() + 4 + metrics.ascent(), text)


def _draw_scenes(painter: QPainter, scenes: Ints, scale: TimelineScale, band: QRect) -> None:
    """Draw a line where a new scene begins; lines closer than three pixels say nothing and are left out."""
    seen = scenes[(scenes >= scale.first) & (scenes <= scale.last)]
    pen = QPen(style.colour("muted"), 1, Qt.PenStyle.DotLine)
    painter.setPen(pen)
    before = -10
    for x in (round(scale.x_of(frame)) for frame in seen.tolist()):
        if x - before >= 3:
            painter.drawLine(x, band.top() + MARK_SIZE + 2, x, band.bottom())
            before = x


def _draw_range(painter: QPainter, chosen: tuple[int, int] | None, scale: TimelineScale, band: QRect) -> None:
    """Shade what lies outside of the range, and draw a bracket at each end of it."""
    if chosen is None:
        return
    left, right = (min(max(scale.x_of(frame), band.left()), band.right() + 1) for frame in chosen)
    shade = QColor(style.colour("ground"))
    shade.setAlpha(255 - SHADE)
    painter.fillRect(QRectF(band.left(), band.top(), left - band.left(), band.height()), shade)
    painter.fillRect(QRectF(right, band.top(), band.right() + 1 - right, band.height()), shade)
    painter.setPen(QPen(style.colour("accent"), 1))
    painter.setBrush(style.colour("accent"))
    for frame, x, side in ((chosen[0], left, 1), (chosen[1], right, -1)):
        if scale.sees(frame):
            painter.drawLine(QPointF(x, band.top()), QPointF(x, band.bottom()))
            painter.drawPolygon(
                QPolygonF(
                    [QPointF(x, band.bottom() - 9), QPointF(x + 6 * side, band.bottom() - 5), QPointF(x, band.bottom())]
                )
            )
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_marks(painter: QPainter, kind: str, marks: Sequence[TimelineMark], scale: TimelineScale, band: QRect) -> None:
    """Draw small triangles that hang from the top of the band."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.colour(MARK_COLOURS.get(kind, "accent")))
    top = band.top() + 1
    for mark in marks:
        if scale.sees(mark.frame):
            x = scale.x_of(mark.frame)
            points = [QPointF(x - MARK_SIZE, top), QPointF(x + MARK_SIZE, top), QPointF(x, top + 1.6 * MARK_SIZE)]
            painter.drawPolygon(QPolygonF(points))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _draw_overview(painter: QPainter, scale: TimelineScale, band: QRect) -> None:
    """Draw which part of the film is in sight, as a thin bar under the times."""
    y = band.bottom() + TICKS_HEIGHT - 2
    most = max(1, scale.count - 1)
    painter.fillRect(band.left(), y, band.width(), 2, style.colour("surface"))
    left = band.left() + scale.first / most * band.width()
    painter.fillRect(QRectF(left, y, max(3.0, scale.span / most * band.width()), 2), style.colour("muted"))
