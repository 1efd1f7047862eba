"""The timeline: a slider over the frames of a film, with curves, marks, scenes and a range, that can be zoomed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
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

from latentlab.core.messages import Ints
from latentlab.core.video_messages import psnr_db
from latentlab.ui import style
from latentlab.ui.widgets.timeline_curve import Values
from latentlab.ui.widgets.timeline_items import TimelineMark, TimelineSeries
from latentlab.ui.widgets.timeline_paint import (
    CURVE_HEIGHT,
    CURVE_TOP,
    TICKS_HEIGHT,
    TimelineContent,
    band_of,
    draw_strip,
)
from latentlab.ui.widgets.timeline_scale import TimelineScale

MARGIN = 8
GRIP = 6
"""How near, in pixels, the pointer must be to the end of a range to take hold of it."""
MARK_REACH = 5
ZOOM = 1.25
TOOLTIP = (
    "Frames of the video; drag or click to go to one. Wheel: zoom; Shift and wheel, or the middle button: move; double "
    "click: all of it. Shift and drag: choose a range. The first curve is filled up to the mean, with a line at the "
    "worst, of the frames under each screen pixel; dotted lines are changes of scene."
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

    range_chosen = Signal(int, int)  # first and last frame that the mouse chose

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setObjectName("videoSlider")
        self.setAccessibleName("Frame of the video")
        self.setToolTip(TOOLTIP)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFont(style.figure_font(self.font(), points=max(7.0, self.font().pointSizeF() - 1)))
        self.content = TimelineContent(np.zeros(1))
        self._scale = TimelineScale.whole(1, MARGIN, 1)
        self._ready: float | None = None
        self._hover: int | None = None
        self._held: int | None = None  # the other end of the range being dragged
        self._moving_from: float | None = None
        self._strip: QPixmap | None = None
        self.valueChanged.connect(self._follow)
        style.theme_events().changed.connect(self.apply_theme)

    # -- what is shown --------------------------------------------------------------------------

    def set_video(self, times_s: Values) -> None:
        """Show a video whose frames have these times in seconds; curves, marks and range are forgotten."""
        self.content = TimelineContent(times_s - times_s[0])
        self._scale = TimelineScale.whole(len(times_s), MARGIN, self._band().width())
        self.setRange(0, len(times_s) - 1)
        self.setPageStep(max(1, len(times_s) // 20))
        self._redraw()

    def set_series(self, series: Sequence[TimelineSeries], note: str = "") -> None:
        """Draw these curves, the first one filled; ``note`` stands at the right over them."""
        self.content.series, self.content.note = tuple(series), note
        self._redraw()

    def set_marks(self, kind: str, marks: Sequence[TimelineMark]) -> None:
        """Mark frames worth going to, in place of the marks of this kind before."""
        self.content.marks = {**self.content.marks, kind: tuple(sorted(marks, key=lambda mark: mark.frame))}
        self._redraw()

    def marks(self, kind: str) -> Sequence[TimelineMark]:
        """Return the marks of a kind in the order of their frames."""
        return self.content.marks.get(kind, ())

    def set_scenes(self, scenes: Ints) -> None:
        """Show where scenes begin, (K,) ascending frames."""
        self.content.scenes = scenes
        self._redraw()

    def set_chosen(self, chosen: tuple[int, int] | None) -> None:
        """Show a range, both ends included; None: no range."""
        self.content.range = chosen
        self._redraw()

    def set_ready(self, share: float | None) -> None:
        """Show which share (0 to 1) of the frames is prepared for quick scrubbing; None when that is no longer news."""
        self._ready = share
        self.update()

    # -- which part -----------------------------------------------------------------------------

    @property
    def scale(self) -> TimelineScale:
        """The part of the film in sight."""
        return self._scale

    def show_all(self) -> None:
        """Show all of the film."""
        self._set_scale(TimelineScale.whole(self._scale.count, MARGIN, self._band().width()))

    def show_part(self, first: int, last: int) -> None:
        """Zoom to frames ``first`` to ``last``."""
        self._set_scale(self._scale.showing(first, last))

    def zoom_by(self, factor: float) -> None:
        """Show ``factor`` times as few frames around the one on screen."""
        self._set_scale(self._scale.zoomed_at(self.x_of(self.value()), factor))

    def sizeHint(self) -> QSize:
        """Return room for the curve, the times below it and a caption above."""
        return QSize(400, CURVE_TOP + CURVE_HEIGHT + TICKS_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest useful size."""
        return QSize(160, self.sizeHint().height())

    def x_of(self, frame: int) -> float:
        """Return the horizontal place of a frame, in the widget's pixels."""
        return self._scale.x_of(frame)

    def frame_at(self, x: float) -> int:
        """Return the frame nearest to a horizontal place."""
        return self._scale.frame_at(x)

    def describe(self, frame: int) -> str:
        """Return number, time, marks and the values of the curves at a frame."""
        times = self.content.times
        text = f"Frame {frame:,} · {format_timecode(float(times[min(frame, len(times) - 1)]))}"
        for series in self.content.series:
            if frame < len(series.values) and not np.isnan(series.values[frame]):
                value = float(series.values[frame])
                unit = f" {series.unit}" if series.unit else ""
                text += f" · {psnr_db(value):.1f} dB" if series.key == "pixel" else ""
                text += f" · {series.title} {style.format_value(value)}{unit}"
        for marks in self.content.marks.values():
            near = [mark for mark in marks if mark.text and abs(self.x_of(mark.frame) - self.x_of(frame)) <= MARK_REACH]
            if near:
                text += f"\n{near[0].text}"
        return text

    @Slot()
    def apply_theme(self) -> None:
        """Draw in the colours in force."""
        self._redraw()

    @Slot(int)
    def _follow(self, frame: int) -> None:
        """Keep the frame in sight."""
        if not self.isSliderDown():
            self._set_scale(self._scale.following(frame))

    def _set_scale(self, scale: TimelineScale) -> None:
        if scale != self._scale:
            self._scale = scale
            self._redraw()

    def _redraw(self) -> None:
        self._strip = None
        self.update()

    # -- mouse and keys -------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the end of a range, begin one, or go to the frame under the pointer and follow it."""
        x = event.position().x()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._moving_from = x
        elif event.button() == Qt.MouseButton.LeftButton:
            self._held = self._end_near(x, event.position().y())
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self._held = self.frame_at(x)
            if self._held is None:
                self.setSliderDown(True)
                self.setSliderPosition(self.frame_at(x))
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer while dragging; mark the frame under it otherwise."""
        x = event.position().x()
        self._hover = self.frame_at(x)
        if self._moving_from is not None:
            self._set_scale(self._scale.moved((self._moving_from - x) / self._scale.width * self._scale.span))
            self._moving_from = x
        elif self._held is not None:
            first, last = sorted((self._held, self._hover))
            self.range_chosen.emit(first, last)
        elif self.isSliderDown():
            self.setSliderPosition(self._hover)
        elif self.isEnabled():
            grip = self._end_near(x, event.position().y()) is not None
            self.setCursor(Qt.CursorShape.SizeHorCursor if grip else Qt.CursorShape.ArrowCursor)
            QToolTip.showText(event.globalPosition().toPoint(), self.describe(self._hover), self)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End dragging."""
        self._moving_from = self._held = None
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)
            event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all of the film."""
        self.show_all()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer; with Shift, or turned sideways, move along the film."""
        down, sideways = event.angleDelta().y(), event.angleDelta().x()
        if sideways or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._set_scale(self._scale.moved(-(sideways or down) / 120 * 0.1 * self._scale.span))
        elif down:
            self._set_scale(self._scale.zoomed_at(event.position().x(), ZOOM ** (down / 120)))
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
        self._scale = self._scale.resized(MARGIN, self._band().width())
        self._redraw()

    def _end_near(self, x: float, y: float) -> int | None:
        """Return the other end of the range when the pointer is at one of its ends, else None."""
        chosen = self.content.range
        if chosen is None or not CURVE_TOP + CURVE_HEIGHT // 2 <= y <= CURVE_TOP + CURVE_HEIGHT + 2:
            return None
        near = sorted((abs(self.x_of(end) - x), other) for end, other in (chosen, chosen[::-1]))
        return near[0][1] if near[0][0] <= GRIP else None

    # -- painting -------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the strip, the pointer's mark and the playhead."""
        painter = QPainter(self)
        if self._strip is None:
            self._strip = draw_strip(self.content, self._scale, self.size(), self.devicePixelRatioF(), self.font())
        painter.drawPixmap(0, 0, self._strip)
        band = self._band()
        if self._hover is not None and not self.isSliderDown():
            painter.setPen(QPen(style.colour("faint"), 1))
            x = self.x_of(self._hover)
            painter.drawLine(QPointF(x, band.top()), QPointF(x, band.bottom()))
        if self._ready is not None:
            painter.fillRect(
                band.left(), band.bottom() - 1, round(band.width() * self._ready), 2, style.colour("muted")
            )
        if self._scale.sees(self.sliderPosition()):
            self._draw_playhead(painter)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(style.mix(style.colour("surface"), style.colour("accent"), 0.6), 1))
            painter.drawRoundedRect(band.adjusted(0, 0, -1, -1), 4, 4)
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
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _band(self) -> QRect:
        return band_of(self.size(), MARGIN)
