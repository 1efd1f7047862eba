"""How a latent slider's row is laid out and painted, and the ruler that shares its track."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from latentlab.ui.widgets.latent_slider import LatentSlider

ROW_HEIGHT = 24
NAME_WIDTH, VALUE_WIDTH, LOCK_WIDTH, GAP = 40, 52, 24, 8
WIDE_NAME = 112
HANDLE = 6.0
TYPED_LIMIT = 100.0
SAY_MORE = 190


def track_rect(width: int, height: int, name_width: int = NAME_WIDTH) -> QRectF:
    """Return the part of a row where the handle's centre travels; the ruler above shares it."""
    left = name_width + GAP + HANDLE
    right = width - VALUE_WIDTH - LOCK_WIDTH - GAP - HANDLE
    return QRectF(left, 0.0, max(8.0, right - left), float(height))


def mark_values(limit: float, low: float | None = None) -> list[float]:
    """Return where marks belong from ``low`` (``-limit`` if not given) to ``limit``: whole sigmas, thinned beyond 5."""
    low = -limit if low is None else low
    reach = max(-low, limit)
    step = 1.0 if reach <= 5 else 2.0 if reach <= 10 else 5.0 if reach <= 25 else 20.0
    return [step * i for i in range(ceil(low / step - 1e-6), floor(limit / step + 1e-6) + 1)]


def format_latent(value: float) -> str:
    """Return a latent value with two decimals and a true minus sign."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


def parse_latent(text: str) -> float | None:
    """Return the number that was typed, or None; commas and true minus signs are understood."""
    try:
        value = float(text.strip().replace("−", "-").replace(",", "."))
    except ValueError:
        return None
    return max(-TYPED_LIMIT, min(TYPED_LIMIT, value)) if value == value else None


def paint_row(painter: QPainter, row: LatentSlider) -> None:
    """Paint the whole row of a slider."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    text = QColor(row.palette().windowText().color())
    accent = QColor(row.palette().highlight().color())
    hovered = row.underMouse()
    if row.current or hovered:
        fill = QColor(accent if row.current else text)
        fill.setAlpha(40 if row.current else 14)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(QRectF(row.rect()).adjusted(0, 0.5, 0, -0.5), 4, 4)
    if row.dead or not row.isEnabled():
        text.setAlpha(110)
        accent.setAlpha(110)
    _paint_name(painter, row, text, accent)
    _paint_track(painter, row, text, accent)
    painter.setPen(text)
    alignment = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(row.value_rect().adjusted(0, 0, -2, 0), int(alignment), format_latent(row.latent))
    if row.lockable:
        paint_lock(painter, QRectF(row.lock_rect()), text, row.locked, faint=not hovered)
    if row.hasFocus():
        painter.setPen(QPen(accent, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(row.rect()).adjusted(0.5, 1, -0.5, -1), 4, 4)


def _paint_name(painter: QPainter, row: LatentSlider, text: QColor, accent: QColor) -> None:
    painter.setPen(text)
    alignment = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    room = row.name_width - 2
    name = painter.fontMetrics().elidedText(row.title, Qt.TextElideMode.ElideRight, room)
    painter.drawText(QRect(6, 0, room, row.height()), int(alignment), name)
    if row.usefulness is not None and not row.dead:
        width = max(2.0, (row.name_width - 8) * row.usefulness)
        painter.fillRect(QRectF(6, row.height() - 4, width, 2), accent)


def _paint_track(painter: QPainter, row: LatentSlider, text: QColor, accent: QColor) -> None:
    track = track_rect(row.width(), row.height(), row.name_width)
    middle = track.center().y()
    faint = QColor(text)
    faint.setAlpha(text.alpha() * 80 // 255)

    def x_of(value: float) -> float:
        return track.left() + row.share_of(value) * track.width()

    if row.band is not None:
        left, right = x_of(row.band[0]), x_of(row.band[1])
        ground = QColor(text)
        ground.setAlpha(text.alpha() * 34 // 255)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(left, middle - 5, max(2.0, right - left), 10), 5, 5)
    painter.setPen(QPen(faint, 1))
    for mark in mark_values(row.high, row.low):
        x, size = floor(x_of(mark)) + 0.5, 6.0 if mark == 0 else 3.5
        painter.drawLine(QPointF(x, middle - size), QPointF(x, middle + size))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(faint)
    painter.drawRect(QRectF(track.left(), middle - 1, track.width(), 2))
    zero, x = x_of(0.0), x_of(row.latent)
    painter.setBrush(accent)
    painter.drawRect(QRectF(min(zero, x), middle - 1.5, abs(x - zero), 3))
    hollow = row.locked or not row.low - 1e-6 <= row.latent <= row.high + 1e-6
    active = row.isSliderDown() or row.underMouse() or row.hasFocus()
    painter.setPen(QPen(accent, 1.5))
    painter.setBrush(row.palette().window() if hollow else accent)
    painter.drawEllipse(QPointF(x, middle), HANDLE if active else HANDLE - 1.5, HANDLE if active else HANDLE - 1.5)


def paint_lock(painter: QPainter, rect: QRectF, colour: QColor, locked: bool, *, faint: bool) -> None:
    """Paint a padlock in the middle of ``rect``; an open one is faint until the row is under the mouse."""
    ink = QColor(colour)
    if not locked:
        ink.setAlpha(45 if faint else 130)
    centre = rect.center()
    body = QRectF(centre.x() - 4.5, centre.y() - 0.5, 9, 6)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    painter.drawRoundedRect(body, 1.2, 1.2)
    painter.setPen(QPen(ink, 1.4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    shackle = QRectF(centre.x() - 3, centre.y() - 5.5, 6, 8)
    if not locked:
        shackle.translate(3.5, 0)
    painter.drawArc(shackle, 0, 180 * 16)


class SigmaRuler(QWidget):
    """The numbers above the tracks: where 0, ±1, ±2, ±3 sigma are; or that every track has a range of its own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.limit = 3.0
        self.shared = True
        self.name_width = NAME_WIDTH
        self.setFixedHeight(18)
        self.setAccessibleName("Scale of the sliders, in standard deviations of the prior")
        self._explain()

    def _explain(self) -> None:
        tip = "Standard deviations (σ) of the prior, a standard normal"
        each = "\nEach track reaches over the data's own range; its marks stand at 0, ±1, ±2, ±3 σ"
        self.setToolTip(tip if self.shared else tip + each)

    def set_limit(self, limit: float, *, shared: bool = True) -> None:
        """Show ±``limit`` sigma, or, where the tracks do not share a range, that they do not."""
        self.limit, self.shared = limit, shared
        self._explain()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the numbers at the marks."""
        painter = QPainter(self)
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 0.85)
        painter.setFont(font)
        colour = QColor(self.palette().windowText().color())
        colour.setAlpha(150)
        painter.setPen(colour)
        track = track_rect(self.width(), self.height(), self.name_width)
        centre = int(Qt.AlignmentFlag.AlignCenter)
        if not self.shared:
            wide = track.width() >= SAY_MORE
            painter.drawText(track, centre, "range of the data · marks at whole σ" if wide else "range of the data")
        for mark in mark_values(self.limit) if self.shared else ():
            x = track.left() + (mark / self.limit + 1) / 2 * track.width()
            text = f"{mark:g}".replace("-", "−")
            painter.drawText(QRectF(x - 16, 0, 32, self.height()), centre, text)
        right = self.width() - LOCK_WIDTH - 2
        alignment = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(right - VALUE_WIDTH, 0, VALUE_WIDTH, self.height()), int(alignment), "σ")
        painter.end()
