"""What is drawn over a map's dots: prior, axes, marks, outline, legend, and the picture under the pointer."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from latentlab.core.messages import Floats
from latentlab.core.point_raster import Pixels, Viewport, dot_size, draw_points, visible_points
from latentlab.ui import style
from latentlab.ui.pages.map_colours import Legend, ramp

MARGIN = 12
TICK_ROOM = 110
MOST_ENTRIES = 16
ENLARGED_TO = 112


def raster(points: Floats, colours: Pixels, view: Viewport, ratio: float) -> QImage:
    """Return dots (M, 2) as a picture of the view's size in device pixels, of which ``ratio`` make a logical one."""
    width, height = max(1, round(view.width * ratio)), max(1, round(view.height * ratio))
    pixels = Viewport(width, height, view.x, view.y, view.scale * ratio).to_pixels(points)
    size = dot_size(len(visible_points(pixels, (height, width))), width * height)
    image = draw_points(pixels, colours, (height, width), size)
    picture = QImage(image.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied).copy()
    picture.setDevicePixelRatio(ratio)
    return picture


def place_in(view: Viewport, x: float, y: float) -> QPointF:
    """Return the pixel of a place in the plane."""
    return QPointF(view.width / 2 + (x - view.x) * view.scale, view.height / 2 - (y - view.y) * view.scale)


def paint_prior(painter: QPainter, view: Viewport, centre: tuple[float, float]) -> None:
    """Draw circles at 1, 2 and 3 standard deviations of the prior."""
    middle = place_in(view, *centre)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    halo, line = style.colour("window"), style.colour("text")
    halo.setAlpha(170)
    for sigmas in (1, 2, 3):
        radius = sigmas * view.scale
        if radius > 20_000:  # Farther out a circle is a line that nobody sees, and the painter chokes on it.
            continue
        for pen in (QPen(halo, 3), QPen(line, 1, Qt.PenStyle.DashLine if sigmas > 1 else Qt.PenStyle.SolidLine)):
            painter.setPen(pen)
            painter.drawEllipse(middle, radius, radius)
        _paint_text(painter, QPointF(middle.x() + 5, middle.y() - radius - 4), f"{sigmas} σ", halo, line)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _paint_text(painter: QPainter, at: QPointF, text: str, halo: QColor, ink: QColor) -> None:
    """Write letters that can be read on any ground."""
    path = QPainterPath()
    path.addText(at, painter.font(), text)
    painter.strokePath(path, QPen(halo, 3))
    painter.fillPath(path, ink)


def ticks(low: float, high: float, room: float) -> list[float]:
    """Return round numbers between two, one for about every 110 pixels."""
    if not high > low:
        return []
    raw = (high - low) / max(1.0, room / TICK_ROOM)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)]


def paint_axes(painter: QPainter, view: Viewport, names: tuple[str, str], *, numbers: bool) -> None:
    """Draw faint lines at round numbers, which are written at the edges, and the names of the axes."""
    left, top = view.to_plane(0, 0)
    right, bottom = view.to_plane(view.width, view.height)
    height = painter.fontMetrics().height()
    if numbers:
        for x in ticks(left, right, view.width):
            place = place_in(view, x, 0).x()
            painter.setPen(style.colour("grid"))
            painter.drawLine(QPointF(place, 0), QPointF(place, view.height))
            painter.setPen(style.colour("axis"))
            painter.drawText(QPointF(place + 3, view.height - 4), f"{x:g}")
        for y in ticks(bottom, top, view.height):
            place = place_in(view, 0, y).y()
            painter.setPen(style.colour("grid"))
            painter.drawLine(QPointF(0, place), QPointF(view.width, place))
            painter.setPen(style.colour("axis"))
            painter.drawText(QPointF(3, place - 3), f"{y:g}")
    painter.setPen(style.colour("muted"))
    across = QRectF(0, view.height - 2 * height - 8, view.width - MARGIN, height)
    painter.drawText(across, Qt.AlignmentFlag.AlignRight, f"→ {names[0]}")
    painter.drawText(
        QRectF(MARGIN + 24, 6, view.width - 2 * MARGIN, height), Qt.AlignmentFlag.AlignLeft, f"↑ {names[1]}"
    )


def paint_legend(painter: QPainter, view: Viewport, legend: Legend) -> None:
    """Write what colours mean, in the upper right corner."""
    metrics = painter.fontMetrics()
    line = metrics.height() + 3
    names = [name for name, _ in legend.entries[:MOST_ENTRIES]]
    more = len(legend.entries) - MOST_ENTRIES
    if more > 0:
        names.append(f"and {more} more")
    if not legend.title:
        return
    widest = max([metrics.horizontalAdvance(text) for text in [legend.title, *names]], default=0)
    numbers = f"{legend.low}      {legend.high}"
    width = max(widest + 18, 0 if legend.entries else max(120, metrics.horizontalAdvance(numbers))) + 16
    height = line * (1 + len(names)) + 10 if legend.entries else line * 2 + 18
    box = QRectF(view.width - width - 8, 8, width, height)
    ground = style.colour("surface")
    ground.setAlpha(205)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(box, 6, 6)
    painter.setPen(style.colour("muted"))
    painter.drawText(QPointF(box.left() + 8, box.top() + metrics.ascent() + 5), legend.title)
    if legend.entries:
        _paint_entries(painter, box, names, [colour for _, colour in legend.entries], line)
    else:
        _paint_ramp(painter, box, legend, line)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _paint_entries(painter: QPainter, box: QRectF, names: Sequence[str], colours: Sequence[QColor], line: int) -> None:
    ascent = painter.fontMetrics().ascent()
    for number, name in enumerate(names):
        top = box.top() + 5 + line * (number + 1)
        if number < MOST_ENTRIES:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colours[number])
            painter.drawEllipse(QPointF(box.left() + 13, top + line / 2 - 1), 4, 4)
        painter.setPen(style.colour("text"))
        painter.drawText(QPointF(box.left() + 24, top + ascent), name)


def _paint_ramp(painter: QPainter, box: QRectF, legend: Legend, line: int) -> None:
    top, width = box.top() + line + 6, int(box.width() - 16)
    for x in range(width):
        painter.fillRect(QRectF(box.left() + 8 + x, top, 1, 7), ramp(x / max(width - 1, 1)))
    painter.setPen(style.colour("text"))
    row = QRectF(box.left() + 8, top + 9, width, line)
    painter.drawText(row, Qt.AlignmentFlag.AlignLeft, legend.low)
    painter.drawText(row, Qt.AlignmentFlag.AlignRight, legend.high)


def paint_ring(painter: QPainter, place: QPointF, *, radius: float, colour: QColor) -> None:
    """Mark a place: a ring with a dark edge that shows on every ground."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(style.colour("window"), 4))
    painter.drawEllipse(place, radius, radius)
    painter.setPen(QPen(colour, 2))
    painter.drawEllipse(place, radius, radius)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_outline(painter: QPainter, outline: Sequence[QPointF]) -> None:
    """Draw the lasso."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    fill = style.colour("accent")
    fill.setAlpha(40)
    painter.setBrush(fill)
    painter.setPen(QPen(style.colour("accent"), 1.5))
    painter.drawPolygon(QPolygonF(list(outline)))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_thumbnail(painter: QPainter, view: Viewport, at: QPointF, image: QImage, text: str) -> None:
    """Show a picture beside the pointer, small ones magnified by whole numbers."""
    metrics = painter.fontMetrics()
    factor = max(1, ENLARGED_TO // max(image.width(), image.height(), 1))
    width, height = image.width() * factor, image.height() * factor
    wide = max(width, metrics.horizontalAdvance(text) + 8)
    tall = height + metrics.height() + 4
    left = at.x() + 14 if at.x() + 18 + wide < view.width else at.x() - 14 - wide
    top = min(max(4.0, at.y() - tall - 8), view.height - tall - 4)
    painter.fillRect(QRectF(left - 2, top - 2, wide + 4, tall + 4), style.colour("raised"))
    painter.drawImage(QRectF(left + (wide - width) / 2, top, width, height), image)
    painter.setPen(style.colour("text"))
    painter.drawText(QRectF(left, top + height + 1, wide, metrics.height()), Qt.AlignmentFlag.AlignCenter, text)
