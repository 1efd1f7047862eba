"""The timeline: a slider over the frames of a video with the error of each frame drawn in it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt, Slot
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QSlider, QToolTip, QWidget

from latentlab.core.messages import Floats
from latentlab.core.video_messages import ErrorCurve, psnr_db
from latentlab.ui import style
from latentlab.ui.widgets.timeline_curve import Values, ceiling, columns, tick_seconds

MARGIN = 8
CAPTION_HEIGHT, CURVE_TOP, CURVE_HEIGHT = 16, 28, 56
TICKS_HEIGHT = 20
TOOLTIP = (
    "Frames of the video; drag or click to go to one. The curve is the pixel error (MSE) of each frame's "
    "reconstruction: filled up to the mean, with a line at the worst, of the frames under each screen pixel."
)


def format_timecode(seconds: float) -> str:
    """Return a time as ``0:16.67`` or ``1:02:05.00``."""
    hundredths = round(max(0.0, seconds) * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 100:02d}.{rest % 100:02d}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


class Timeline(QSlider):
    """A slider whose value is the frame number.

    Keys are left to the page, which knows playing and stepping; the mouse goes to the frame under it.
    Thread: GUI.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setObjectName("videoSlider")
        self.setAccessibleName("Frame of the video")
        self.setToolTip(TOOLTIP)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFont(style.figure_font(self.font(), points=max(7.0, self.font().pointSizeF() - 1)))
        self._times: Values = np.zeros(1)
        self._values: Floats = np.empty(0, dtype=np.float32)
        self._note = ""
        self._ready: float | None = None
        self._hover: int | None = None
        self._strip: QPixmap | None = None
        style.theme_events().changed.connect(self.apply_theme)

    def set_video(self, times_s: Values) -> None:
        """Show a video whose frames have these times in seconds; the curve is forgotten."""
        self._times = times_s - times_s[0]
        self._values, self._note, self._strip = np.empty(0, dtype=np.float32), "", None
        self.setRange(0, len(times_s) - 1)
        self.setPageStep(max(1, len(times_s) // 20))
        self.update()

    def set_curve(self, curve: ErrorCurve | None) -> None:
        """Draw another curve; None draws none."""
        self._values = curve.pixel if curve is not None else np.empty(0, dtype=np.float32)
        share = f" · {curve.done / len(curve.pixel):.0%} measured" if curve is not None and not curve.complete else ""
        self._note = f"pixel error{share}" if curve is not None else ""
        self._strip = None
        self.update()

    def set_ready(self, share: float | None) -> None:
        """Show which share (0 to 1) of the frames is prepared for quick scrubbing; None when that is no longer news."""
        self._ready = share
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for the curve, the times below it and a caption above."""
        return QSize(400, CURVE_TOP + CURVE_HEIGHT + TICKS_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest useful size."""
        return QSize(160, self.sizeHint().height())

    def x_of(self, frame: int) -> float:
        """Return the horizontal place of a frame, in the widget's pixels."""
        return MARGIN + frame / max(1, self.maximum()) * (self.width() - 2 * MARGIN)

    def frame_at(self, x: float) -> int:
        """Return the frame nearest to a horizontal place."""
        span = max(1, self.width() - 2 * MARGIN)
        return min(self.maximum(), max(0, round((x - MARGIN) / span * self.maximum())))

    def describe(self, frame: int) -> str:
        """Return number, time and, where known, error of a frame."""
        text = f"Frame {frame:,} · {format_timecode(float(self._times[min(frame, len(self._times) - 1)]))}"
        if frame < len(self._values) and not np.isnan(self._values[frame]):
            pixel = float(self._values[frame])
            text += f" · {psnr_db(pixel):.1f} dB · MSE {style.format_value(pixel)}"
        return text

    @Slot()
    def apply_theme(self) -> None:
        """Draw in the colours in force."""
        self._strip = None
        self.update()

    # -- mouse and keys -------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the frame under the pointer and follow it."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setSliderPosition(self.frame_at(event.position().x()))
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer while dragging; mark the frame under it otherwise."""
        self._hover = self.frame_at(event.position().x())
        if self.isSliderDown():
            self.setSliderPosition(self._hover)
        elif self.isEnabled():
            QToolTip.showText(event.globalPosition().toPoint(), self.describe(self._hover), self)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End dragging."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)
            event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step one frame per notch."""
        turn = event.angleDelta().y() or event.angleDelta().x()
        if turn:
            self.setValue(self.value() + (-1 if turn > 0 else 1))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave keys to the page."""
        event.ignore()

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the frame under the pointer."""
        self._hover = None
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw the curve for the new width."""
        self._strip = None

    # -- painting -------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the strip, the pointer's mark and the playhead."""
        painter = QPainter(self)
        if self._strip is None:
            self._strip = self._draw_strip()
        painter.drawPixmap(0, 0, self._strip)
        if self._hover is not None and not self.isSliderDown():
            painter.setPen(QPen(style.colour("faint"), 1))
            x = self.x_of(self._hover)
            painter.drawLine(QPointF(x, CURVE_TOP), QPointF(x, CURVE_TOP + CURVE_HEIGHT))
        if self._ready is not None:
            band = self._band()
            painter.fillRect(
                band.left(), band.bottom() - 1, round(band.width() * self._ready), 2, style.colour("muted")
            )
        self._draw_playhead(painter)
        painter.end()

    def _draw_playhead(self, painter: QPainter) -> None:
        x = round(self.x_of(self.sliderPosition())) + 0.5
        accent = style.colour("accent" if self.isEnabled() else "disabled")
        painter.setPen(QPen(accent, 1))
        painter.drawLine(QPointF(x, CURVE_TOP - 4), QPointF(x, CURVE_TOP + CURVE_HEIGHT))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(accent)
        handle = [QPointF(x - 5, CURVE_TOP - 12), QPointF(x + 5, CURVE_TOP - 12), QPointF(x + 5, CURVE_TOP - 7)]
        painter.drawPolygon(QPolygonF([*handle, QPointF(x, CURVE_TOP - 2), QPointF(x - 5, CURVE_TOP - 7)]))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(style.mix(style.colour("surface"), style.colour("accent"), 0.6), 1))
            painter.drawRoundedRect(self._band().adjusted(0, 0, -1, -1), 4, 4)

    def _band(self) -> QRect:
        return QRect(MARGIN, CURVE_TOP, max(1, self.width() - 2 * MARGIN), CURVE_HEIGHT)

    def _draw_strip(self) -> QPixmap:
        """Return everything that does not move with the frame."""
        ratio = self.devicePixelRatioF()
        strip = QPixmap(self.size() * ratio)
        strip.setDevicePixelRatio(ratio)
        strip.fill(Qt.GlobalColor.transparent)
        painter = QPainter(strip)
        painter.setFont(self.font())
        band = self._band()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(style.colour("surface"))
        painter.drawRoundedRect(band, 4, 4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self._draw_ticks(painter, band)
        if len(self._values):
            self._draw_curve(painter, band)
        painter.end()
        return strip

    def _draw_curve(self, painter: QPainter, band: QRect) -> None:
        mean, peak = columns(self._values, band.width())
        top = ceiling(self._values)
        known = np.flatnonzero(~np.isnan(mean))
        if len(known):
            pixel = style.colour("pixel")
            fill = QColor(pixel)
            fill.setAlpha(90)
            self._draw_area(painter, band, known, mean[known] / top, fill)
            painter.setPen(QPen(pixel, 1))
            ys = band.bottom() - np.clip(peak[known] / top, 0, 1) * (band.height() - 2)
            points = zip(known.tolist(), ys.tolist(), strict=True)
            painter.drawPolyline(QPolygonF([QPointF(band.left() + x, y) for x, y in points]))
        painter.setPen(style.colour("muted"))
        line = QRect(band.left(), 0, band.width(), CAPTION_HEIGHT)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._note)
        if len(known):
            worst = float(np.nanmax(self._values))
            text = f"worst {style.format_value(worst)} ({psnr_db(worst):.1f} dB)"
            painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _draw_area(self, painter: QPainter, band: QRect, known: Values, share: Values, fill: QColor) -> None:
        ys = band.bottom() - np.clip(share, 0, 1) * (band.height() - 2)
        points = [QPointF(band.left() + x, y) for x, y in zip(known.tolist(), ys.tolist(), strict=True)]
        first, last = band.left() + float(known[0]), band.left() + float(known[-1])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        bottom = band.bottom() + 1
        painter.drawPolygon(QPolygonF([QPointF(first, bottom), *points, QPointF(last, bottom)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _draw_ticks(self, painter: QPainter, band: QRect) -> None:
        duration = float(self._times[-1])
        step = tick_seconds(duration, band.width())
        for number in range(int(duration / step) + 1):
            seconds = number * step
            x = round(self.x_of(int(np.searchsorted(self._times, seconds))))
            painter.setPen(QPen(style.colour("line"), 1))
            painter.drawLine(x, band.top() + 1, x, band.bottom() + 3)
            painter.setPen(style.colour("faint"))
            text = style.format_duration(seconds) if step >= 1 else f"{seconds:.1f} s"
            advance = painter.fontMetrics().horizontalAdvance(text)
            left = min(max(band.left(), x - advance // 2), band.right() - advance)
            painter.drawText(left, band.bottom() + 4 + painter.fontMetrics().ascent(), text)
