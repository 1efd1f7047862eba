"""Draws one pane of the Video page: a picture at a zoom, its caption, its pixels' grid, a divider."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPen, QPixmap

from latentlab.ui import style
from latentlab.ui.pages.video_viewport import Viewport

GRID_FROM = 12.0
"""Pixels are parted by lines from this magnification on, in logical pixels."""
DIVIDER_GRIP = 11


@dataclass
class Pane:
    """One picture: its ``caption`` left and ``note`` right above it; ``warns`` colours the note."""

    caption: str
    note: str = ""
    picture: QImage | None = None
    warns: bool = False
    drawn: QPixmap | None = None

    def show(self, picture: QImage | None) -> None:
        """Show another picture."""
        self.picture, self.drawn = picture, None


def draw_picture(painter: QPainter, pane: Pane, rect: QRect, view: Viewport, *, quick: bool) -> None:
    """Draw a pane's picture into ``rect``; ``quick`` while frames run, with care once one stands."""
    if pane.picture is None:
        painter.fillRect(rect, style.colour("surface"))
        return
    if pane.drawn is None:
        pane.drawn = _rendered(pane.picture, rect.size(), view, painter.device().devicePixelRatioF(), quick=quick)
    painter.drawPixmap(rect.topLeft(), pane.drawn)


def draw_caption(painter: QPainter, pane: Pane, rect: QRect, height: int) -> None:
    """Write the caption and as much of the note as fits over a pane."""
    line = QRect(rect.left(), rect.top() - height, rect.width(), height - 4)
    bottom = Qt.AlignmentFlag.AlignBottom
    metrics = painter.fontMetrics()
    note = fitting_note(metrics, pane.note, rect.width() - metrics.horizontalAdvance(pane.caption) - style.SPACING)
    painter.setPen(style.colour("warning" if pane.warns else "muted"))
    painter.drawText(line, Qt.AlignmentFlag.AlignRight | bottom, note)
    room = rect.width() - (metrics.horizontalAdvance(note) + style.SPACING if note else 0)
    painter.setPen(style.colour("text"))
    caption = metrics.elidedText(pane.caption, Qt.TextElideMode.ElideRight, max(0, room))
    painter.drawText(line, Qt.AlignmentFlag.AlignLeft | bottom, caption)


def draw_divider(painter: QPainter, rect: QRect, share: float) -> None:
    """Draw the line between two pictures and the grip to move it by."""
    x = rect.left() + share * rect.width()
    painter.setPen(QPen(QColor(255, 255, 255, 220), 1))
    painter.drawLine(QLineF(x, rect.top(), x, rect.bottom()))
    middle = rect.center().y()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(0, 0, 0, 120), 1))
    painter.setBrush(QColor(255, 255, 255, 230))
    painter.drawEllipse(QPointF(x, middle), DIVIDER_GRIP, DIVIDER_GRIP)
    painter.setPen(QPen(QColor(40, 40, 40), 1.5))
    for side in (-1, 1):
        tip = x + side * 6.5
        painter.drawLine(QPointF(tip, middle), QPointF(tip - side * 3.5, middle - 3.5))
        painter.drawLine(QPointF(tip, middle), QPointF(tip - side * 3.5, middle + 3.5))
    painter.restore()


def fitting_note(metrics: QFontMetrics, note: str, room: int) -> str:
    """Return as many of the facts of ``note`` (joined by dots) as fit into ``room`` pixels: the first ones."""
    facts = note.split(" · ")
    while facts and metrics.horizontalAdvance(" · ".join(facts)) > room:
        facts.pop()
    return " · ".join(facts)


def _rendered(picture: QImage, size: QSize, view: Viewport, ratio: float, *, quick: bool) -> QPixmap:
    """Return what is in sight of a picture, ``size`` logical pixels large."""
    if view.fits:
        pixmap = QPixmap.fromImage(_magnified(picture, size * ratio, quick=quick))
        pixmap.setDevicePixelRatio(ratio)
        if size.width() / picture.width() >= GRID_FROM:
            _draw_grid(pixmap, QRectF(0, 0, size.width(), size.height()), picture.size())
        return pixmap
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(style.colour("surface"))
    target = view.target(QRectF(0, 0, size.width(), size.height()))
    # Only the pixels in sight are magnified: of a 4K frame at 64 times the whole would not fit into memory.
    source, place = _in_sight(picture, target, size)
    painter = QPainter(pixmap)
    shown = _magnified(picture.copy(source), (place.size() * ratio).toSize().expandedTo(QSize(1, 1)), quick=quick)
    painter.drawImage(place, shown, QRectF(shown.rect()))
    painter.end()
    if target.width() / picture.width() >= GRID_FROM:
        _draw_grid(pixmap, target, picture.size())
    return pixmap


def _in_sight(picture: QImage, target: QRectF, size: QSize) -> tuple[QRect, QRectF]:
    """Return the whole pixels in sight, and where they lie in the pane."""
    across, down = target.width() / picture.width(), target.height() / picture.height()
    left, top = max(0, math.floor(-target.left() / across)), max(0, math.floor(-target.top() / down))
    right = min(picture.width(), math.ceil((size.width() - target.left()) / across))
    bottom = min(picture.height(), math.ceil((size.height() - target.top()) / down))
    source = QRect(left, top, max(1, right - left), max(1, bottom - top))
    corner = QPointF(target.left() + left * across, target.top() + top * down)
    return source, QRectF(corner.x(), corner.y(), source.width() * across, source.height() * down)


def _magnified(picture: QImage, target: QSize, *, quick: bool) -> QImage:
    """Return a picture at another size, its pixels sharp where they are magnified."""
    modes, ignore = Qt.TransformationMode, Qt.AspectRatioMode.IgnoreAspectRatio
    target = target.expandedTo(QSize(1, 1))
    if not quick and target.width() >= 2 * picture.width():
        # Whole magnification first: pixels stay squares, only their edges give way to the odd scale.
        times = -(-target.width() // picture.width())
        picture = picture.scaled(picture.size() * times, ignore, modes.FastTransformation)
    return picture.scaled(target, ignore, modes.FastTransformation if quick else modes.SmoothTransformation)


def _draw_grid(pixmap: QPixmap, target: QRectF, size: QSize) -> None:
    """Draw thin lines between the pixels of a strongly magnified picture."""
    area = QRectF(0, 0, pixmap.deviceIndependentSize().width(), pixmap.deviceIndependentSize().height())
    across, down = target.width() / size.width(), target.height() / size.height()
    columns = range(max(0, math.floor(-target.left() / across)), size.width() + 1)
    rows = range(max(0, math.floor(-target.top() / down)), size.height() + 1)
    xs = [round(target.left() + column * across) + 0.5 for column in columns]
    ys = [round(target.top() + row * down) + 0.5 for row in rows]
    lines = [QLineF(x, max(0.0, target.top()), x, min(area.height(), target.bottom())) for x in xs if x < area.width()]
    lines += [QLineF(max(0.0, target.left()), y, min(area.width(), target.right()), y) for y in ys if y < area.height()]
    painter = QPainter(pixmap)
    painter.setPen(QPen(QColor(128, 128, 128, 110), 1))
    painter.drawLines(lines)
    painter.end()
