"""Strips over the frames of a film: a heat map of the latent dimensions, curves of some, and the jitter."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from latentlab.core.messages import Floats, Ints
from latentlab.core.video_curves import ClipPath, robust_top
from latentlab.ui import style
from latentlab.ui.widgets.timeline_curve import columns

LEFT, RIGHT, TOP, BOTTOM = 40, 6, 16, 4
CURVE_COLOURS = ("pixel", "beta", "feature", "kld", "generator", "active")
Doubles = npt.NDArray[np.float64]


class FrameStrip(QWidget):
    """A picture whose columns are frames, with a cursor at the current one; a click goes to a frame.

    Thread: GUI.
    """

    frame_wanted = Signal(int)

    def __init__(self, name: str, height: int, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(tooltip)
        self.setFixedHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFont(style.figure_font(self.font(), points=max(7.0, self.font().pointSizeF() - 1)))
        self.first, self.last, self.frame = 0, 0, 0
        self.caption = ""
        self._drawn: QPixmap | None = None
        style.theme_events().changed.connect(self.redraw)

    def set_frame(self, frame: int) -> None:
        """Move the cursor."""
        self.frame = frame
        self.update()

    def set_span(self, first: int, last: int) -> None:
        """Show these frames, both included."""
        self.first, self.last = first, max(first, last)
        self.redraw()

    @Slot()
    def redraw(self) -> None:
        """Draw anew in the colours in force."""
        self._drawn = None
        self.update()

    def band(self) -> QRect:
        """Return where the columns are."""
        width, height = max(1, self.width() - LEFT - RIGHT), max(1, self.height() - TOP - BOTTOM)
        return QRect(LEFT, TOP, width, height)

    def x_of(self, frame: int) -> float:
        """Return the horizontal place of the middle of a frame."""
        band = self.band()
        return band.left() + (frame - self.first + 0.5) / (self.last - self.first + 1) * band.width()

    def frame_at(self, x: float) -> int:
        """Return the frame at a horizontal place."""
        band = self.band()
        place = self.first + int((x - band.left()) / band.width() * (self.last - self.first + 1))
        return min(self.last, max(self.first, place))

    def has_data(self) -> bool:
        """Whether there is anything to go to."""
        return True

    def describe(self, frame: int, y: float) -> str:
        """Return what the pointer is on."""
        return f"Frame {frame:,}"

    @abstractmethod
    def draw(self, painter: QPainter, band: QRect) -> None:
        """Draw what does not move with the frame."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the frame under the pointer."""
        if event.button() == Qt.MouseButton.LeftButton and self.has_data():
            self.frame_wanted.emit(self.frame_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what is under the pointer; follow it while the button is down."""
        if not self.has_data():
            return
        frame = self.frame_at(event.position().x())
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.frame_wanted.emit(frame)
        QToolTip.showText(event.globalPosition().toPoint(), self.describe(frame, event.position().y()), self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave keys to the page."""
        event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw for the new width."""
        self._drawn = None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the strip and the cursor."""
        painter = QPainter(self)
        if self._drawn is None:
            self._drawn = self._make()
        painter.drawPixmap(0, 0, self._drawn)
        if self.has_data() and self.first <= self.frame <= self.last:
            band, x = self.band(), round(self.x_of(self.frame))
            painter.setPen(QPen(style.colour("text"), 1))
            painter.drawLine(x, band.top() - 2, x, band.bottom() + 2)
        painter.end()

    def _make(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        drawn = QPixmap(self.size() * ratio)
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        painter.setFont(self.font())
        band = self.band()
        painter.fillRect(band, style.colour("surface"))
        if self.has_data():
            self.draw(painter, band)
        painter.setPen(style.colour("muted"))
        line = QRect(0, 0, self.width() - RIGHT, TOP)
        text = painter.fontMetrics().elidedText(self.caption, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()
        return drawn


class HeatStrip(FrameStrip):
    """Each dimension over time as a row, largest variance first; a click also chooses the dimension.

    Signals
    -------
    dimension_toggled
        The row of a dimension was clicked in the margin or with Ctrl.
    """

    dimension_toggled = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        tooltip = (
            "Latent dimensions over time, largest variance on top; colour: distance from the dimension's mean over "
            "the clip\nClick: go to that frame. Click on a number at the left, or Ctrl and click: draw its curve below"
        )
        super().__init__("Latent dimensions over time", 148, tooltip, parent)
        self.order: Ints = np.empty(0, dtype=np.int64)
        self._heat: Floats = np.empty((0, 0), dtype=np.float32)
        self._mean: Floats = np.empty(0, dtype=np.float32)
        self._variance: Floats = np.empty(0, dtype=np.float32)
        self.limit = 1.0

    def set_path(self, path: ClipPath | None) -> None:
        """Show other latents; None shows none."""
        if path is None:
            self.order, self._heat = np.empty(0, dtype=np.int64), np.empty((0, 0), dtype=np.float32)
            self.caption = "dimensions over time"
            self.redraw()
            return
        rows = len(path.heat)
        self.order, self._mean, self._variance = path.order[:rows], path.mean, path.variance
        self._heat = path.heat - path.mean[self.order][:, None]
        known = np.abs(self._heat[~np.isnan(self._heat)])
        self.limit = float(np.percentile(known, 99)) if len(known) else 1.0
        self.limit = self.limit or 1.0
        left_out = f" of {len(path.order)}" if rows < len(path.order) else ""
        self.caption = f"{rows}{left_out} dimensions by variance · colour ±{style.format_value(self.limit)}"
        self.set_span(path.first, path.last)

    def has_data(self) -> bool:
        """Whether there are rows."""
        return self._heat.size > 0

    def dimension_at(self, y: float) -> int:
        """Return the dimension at a vertical place."""
        band = self.band()
        row = int((y - band.top()) / band.height() * len(self.order))
        return int(self.order[min(len(self.order) - 1, max(0, row))])

    def describe(self, frame: int, y: float) -> str:
        """Return dimension, variance and value under the pointer."""
        dimension = self.dimension_at(y)
        row = int(np.flatnonzero(self.order == dimension)[0])
        column = (frame - self.first) * self._heat.shape[1] // (self.last - self.first + 1)
        value = float(self._heat[row, column]) + float(self._mean[dimension])
        told = "not known yet" if np.isnan(value) else f"{value:.2f}"
        return (
            f"Frame {frame:,} · z{dimension} {told} · variance {style.format_value(float(self._variance[dimension]))}"
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a dimension in the margin or with Ctrl; else go to the frame."""
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if self.has_data() and (control or event.position().x() < LEFT):
            self.dimension_toggled.emit(self.dimension_at(event.position().y()))
        else:
            super().mousePressEvent(event)

    def draw(self, painter: QPainter, band: QRect) -> None:
        """Draw the rows, and the numbers of as many dimensions as fit."""
        level = np.nan_to_num((self._heat / self.limit + 1) * 127.5, nan=127.5).clip(0, 255).astype(np.uint8)
        colours = _diverging()[level]
        colours[np.isnan(self._heat)] = _rgb("surface")
        data = np.ascontiguousarray(colours)
        image = QImage(data.data, data.shape[1], data.shape[0], data.shape[1] * 3, QImage.Format.Format_RGB888).copy()
        painter.drawImage(QRectF(band), image, QRectF(image.rect()))
        painter.setPen(style.colour("muted"))
        line, height = painter.fontMetrics().height(), band.height() / len(self.order)
        every = max(1, int(np.ceil(line / height)))
        for row in range(0, len(self.order), every):
            # The first number stays clear of the caption, whatever the height of a row.
            top = max(float(band.top()), band.top() + (row + 0.5) * height - line / 2)
            place = QRectF(0, top, LEFT - 4, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"z{self.order[row]}")


class CurveStrip(FrameStrip):
    """Some dimensions over time, each a band from smallest to largest value."""

    def __init__(self, parent: QWidget | None = None) -> None:
        tooltip = "Values of the chosen dimensions over time; click to go to a frame"
        super().__init__("Chosen dimensions over time", 100, tooltip, parent)
        self._curves: Mapping[int, Floats] = {}
        self._low, self._high = -1.0, 1.0

    def set_path(self, path: ClipPath | None) -> None:
        """Show the curves that a path carries."""
        self._curves = dict(path.curves) if path is not None else {}
        values = np.concatenate([curve.ravel() for curve in self._curves.values()] or [np.empty(0, np.float32)])
        known = values[~np.isnan(values)]
        self._low, self._high = (float(known.min()), float(known.max())) if len(known) else (-1.0, 1.0)
        if self._high - self._low < 1e-6:
            self._low, self._high = self._low - 1, self._high + 1
        self.caption = "" if self._curves else "choose dimensions by the numbers above"
        if path is not None:
            self.set_span(path.first, path.last)
        self.redraw()

    def has_data(self) -> bool:
        """Whether there are curves."""
        return bool(self._curves)

    def describe(self, frame: int, y: float) -> str:
        """Return the values of all curves."""
        parts = [f"Frame {frame:,}"]
        for dimension, curve in self._curves.items():
            column = (frame - self.first) * curve.shape[1] // (self.last - self.first + 1)
            if curve.shape[1] and not np.isnan(curve[0, column]):
                parts.append(f"z{dimension} {float(curve[:, column].mean()):.2f}")
        return " · ".join(parts)

    def draw(self, painter: QPainter, band: QRect) -> None:
        """Draw every curve in its colour, and the names in the caption's line."""
        x = 0
        for place, (dimension, curve) in enumerate(self._curves.items()):
            colour = style.colour(CURVE_COLOURS[place % len(CURVE_COLOURS)])
            painter.setPen(QPen(colour, 1))
            known = np.flatnonzero(~np.isnan(curve[0]))
            xs = band.left() + (known + 0.5) / curve.shape[1] * band.width()
            ys = band.bottom() - (curve[:, known] - self._low) / (self._high - self._low) * (band.height() - 1)
            zigzag = np.stack([ys[0], ys[1]], axis=1).ravel()
            points = [QPointF(a, b) for a, b in zip(np.repeat(xs, 2).tolist(), zigzag.tolist(), strict=True)]
            painter.drawPolyline(QPolygonF(points))
            painter.drawText(LEFT + x, painter.fontMetrics().ascent(), f"z{dimension}")
            x += painter.fontMetrics().horizontalAdvance(f"z{dimension}") + style.SPACING
        painter.setPen(style.colour("muted"))
        line = painter.fontMetrics().height()
        right = Qt.AlignmentFlag.AlignRight
        painter.drawText(QRectF(0, band.top(), LEFT - 4, line), right, f"{self._high:.1f}")
        painter.drawText(QRectF(0, band.bottom() - line, LEFT - 4, line), right, f"{self._low:.1f}")


class JitterStrip(FrameStrip):
    """How far the latents move from frame to frame; what exceeds the usual is cut off and marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        tooltip = (
            "Jitter: ‖z(t) − z(t−1)‖, the distance of a frame's latents from those of the frame before. The scale ends "
            "eight robust standard deviations above the median; cuts in the film reach beyond it and are marked on top"
        )
        super().__init__("Jitter of the latents", 76, tooltip, parent)
        self._values: Floats = np.empty(0, dtype=np.float32)
        self.top = 1.0

    def set_path(self, path: ClipPath | None) -> None:
        """Show other latents; None shows none."""
        self._values = path.jitter if path is not None else np.empty(0, dtype=np.float32)
        self.top = robust_top(self._values)
        known = self._values[~np.isnan(self._values)]
        self.caption = "jitter ‖z(t) − z(t−1)‖"
        if path is not None and path.stride > 1:
            self.caption += f" over {path.stride} frames"
        if len(known):
            self.caption += f" · median {style.format_value(float(np.median(known)))}"
        elif self.has_data():
            self.caption += " · known once neighbouring frames are measured"
        if path is not None:
            self.set_span(path.first, path.last)
        self.redraw()

    def has_data(self) -> bool:
        """Whether any is known."""
        return bool(len(self._values))

    def describe(self, frame: int, y: float) -> str:
        """Return the jitter of a frame."""
        value = float(self._values[frame]) if frame < len(self._values) else float("nan")
        return f"Frame {frame:,} · jitter {'not known' if np.isnan(value) else style.format_value(value)}"

    def draw(self, painter: QPainter, band: QRect) -> None:
        """Draw the mean and the peak of each column; peaks beyond the scale get a tick."""
        mean, peak = columns(self._values[self.first : self.last + 1], band.width())
        known = np.flatnonzero(~np.isnan(mean))
        colour = style.colour("neutral")
        for values, tone in ((peak, style.mix(style.colour("surface"), colour, 0.45)), (mean, colour)):
            painter.setPen(QPen(tone, 1))
            ys = band.bottom() - np.clip(values[known] / self.top, 0, 1) * (band.height() - 1)
            lines = zip(known.tolist(), ys.tolist(), strict=True)
            painter.drawPolyline(QPolygonF([QPointF(band.left() + x, y) for x, y in lines]))
        painter.setPen(QPen(style.colour("warning"), 1))
        for x in np.flatnonzero(peak > self.top * 1.001).tolist():
            painter.drawLine(band.left() + x, band.top(), band.left() + x, band.top() + 3)
        painter.setPen(style.colour("muted"))
        place = QRectF(0, band.top(), LEFT - 4, painter.fontMetrics().height())
        painter.drawText(place, Qt.AlignmentFlag.AlignRight, f"{self.top:.2g}")


def _rgb(key: str) -> tuple[int, int, int]:
    colour = style.colour(key)
    return colour.red(), colour.green(), colour.blue()


def _diverging() -> npt.NDArray[np.uint8]:
    """Return 256 colours: blue below, the ground in the middle, orange above."""
    stops = np.array([_rgb("pixel"), _rgb("surface"), _rgb("active")], dtype=np.float64)
    table = [np.interp(np.linspace(0, 2, 256), (0, 1, 2), stops[:, channel]) for channel in range(3)]
    return np.stack(table, axis=1).round().astype(np.uint8)
