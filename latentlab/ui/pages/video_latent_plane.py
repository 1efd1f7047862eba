"""The path of a film in the plane of two principal directions of its latents."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.core.messages import Ints
from latentlab.core.video_curves import ClipPath
from latentlab.core.video_messages import FilmFrame
from latentlab.ui import style
from latentlab.ui.views.picture import to_qimage

MARGIN, FOOT = 12, 20
COLOURS = 40
REACH_PX = 14.0
NEIGHBOURS = 10
"""Frames further apart than this are not joined by a line: where the film went between them is not known."""
TRAIL = 45
"""Frames before the current one that are drawn bright, so that the eye sees where the film comes from."""
EMPTY = "The film's path appears here while its frames are measured."
Doubles = npt.NDArray[np.float64]


class PlaneView(QWidget):
    """Frames as a path coloured by time; a click goes to the nearest, the pointer shows it.

    Thread: GUI.

    Signals
    -------
    frame_wanted
        The frame that was clicked.
    thumbnail_wanted
        The frame under the pointer.
    """

    frame_wanted = Signal(int)
    thumbnail_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("latentPlane")
        self.setAccessibleName("Path of the film in latent space")
        self.setToolTip(
            "Latents of the film's frames in the plane of two principal directions, coloured by time\n"
            "Click to go to the frame nearest to the pointer"
        )
        self.setMinimumSize(220, 220)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setFont(style.figure_font(self.font(), points=max(7.0, self.font().pointSizeF() - 1)))
        self._path: ClipPath | None = None
        self._frame = 0
        self._range: tuple[int, int] | None = None
        self._marks: Mapping[str, int] = {}
        self._hover: int | None = None
        self._pointer = QPointF()
        self._thumbnail: tuple[int, QImage] | None = None
        self._drawn: QPixmap | None = None
        self._places: Doubles = np.empty((0, 2))
        self.message = EMPTY
        style.theme_events().changed.connect(self.redraw)

    def set_path(self, path: ClipPath | None) -> None:
        """Show another path; None shows none."""
        self._path, self._hover = path, None
        self.redraw()

    def set_frame(self, frame: int) -> None:
        """Move the mark of the current frame."""
        self._frame = frame
        self.update()

    def set_range(self, span: tuple[int, int] | None) -> None:
        """Draw frames outside of ``span`` faintly; None: none."""
        if span != self._range:
            self._range = span
            self.redraw()

    def set_marks(self, marks: Mapping[str, int]) -> None:
        """Show letters at some frames."""
        self._marks = dict(marks)
        self.update()

    def set_thumbnail(self, thumbnail: FilmFrame) -> None:
        """Show the picture of the frame under the pointer, if it still is."""
        self._thumbnail = (thumbnail.index, to_qimage(thumbnail.image))
        self.update()

    @Slot()
    def redraw(self) -> None:
        """Draw anew in the colours in force."""
        self._drawn = None
        self.update()

    def place_of(self, frame: int) -> QPointF | None:
        """Return where a frame, or the one nearest in time that is drawn, lies; None without a path."""
        if self._path is None or not len(self._path.frames):
            return None
        self._lay_out()
        x, y = self._places[self._row(frame)].tolist()
        return QPointF(x, y)

    def frame_at(self, position: QPointF) -> int | None:
        """Return the frame drawn nearest to a place; None when none is near."""
        if self._path is None or not len(self._path.frames):
            return None
        self._lay_out()
        distance = np.hypot(self._places[:, 0] - position.x(), self._places[:, 1] - position.y())
        nearest = int(distance.argmin())
        return int(self._path.frames[nearest]) if distance[nearest] <= REACH_PX else None

    # -- mouse ----------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the frame under the pointer."""
        frame = self.frame_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and frame is not None:
            self.frame_wanted.emit(frame)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the frame under the pointer; go along with it while the button is down."""
        self._pointer = event.position()
        frame = self.frame_at(event.position())
        if frame is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.frame_wanted.emit(frame)
        if frame != self._hover:
            self._hover = frame
            if frame is not None:
                self.thumbnail_wanted.emit(frame)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the frame under the pointer."""
        self._hover = None
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw for the new size."""
        self._drawn = None

    # -- painting -------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the path, the way to the current frame, the marks and the picture under the pointer."""
        painter = QPainter(self)
        painter.setFont(self.font())
        if self._path is None or not len(self._path.frames):
            painter.setPen(style.colour("muted"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 8, -24, -8), flags, self.message)
            painter.end()
            return
        self._lay_out()
        if self._drawn is None:
            self._drawn = self._draw(self._path)
        painter.drawPixmap(0, 0, self._drawn)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_trail(painter)
        for letter, frame in self._marks.items():
            self._draw_letter(painter, letter, frame)
        if self._hover is not None:
            self._draw_hover(painter, self._hover)
        painter.end()

    def _lay_out(self) -> None:
        """Place the frames: one scale for both axes, so that distances compare."""
        if self._drawn is not None or self._path is None:
            return
        points = self._path.points.astype(np.float64)
        low, high = points.min(axis=0), points.max(axis=0)
        room = np.array([self.width() - 2 * MARGIN, self.height() - MARGIN - FOOT - MARGIN], dtype=np.float64)
        scale = float((np.maximum(room, 1) / np.maximum(high - low, 1e-9)).min())
        centre = np.array([self.width() / 2, MARGIN + room[1] / 2])
        self._places = centre + (points - (low + high) / 2) * (scale, -scale)

    def _row(self, frame: int) -> int:
        assert self._path is not None
        frames: Ints = self._path.frames
        after = min(int(np.searchsorted(frames, frame)), len(frames) - 1)
        before = max(0, after - 1)
        return before if abs(int(frames[before]) - frame) < abs(int(frames[after]) - frame) else after

    def _draw(self, path: ClipPath) -> QPixmap:
        ratio = self.devicePixelRatioF()
        drawn = QPixmap(self.size() * ratio)
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        painter.setFont(self.font())
        edges = np.linspace(0, len(path.frames), min(COLOURS, len(path.frames)) + 1).astype(int)
        joined = np.diff(path.frames) <= NEIGHBOURS
        for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            colour = time_colour(start / max(1, len(path.frames) - 1))
            if self._range is not None and not self._range[0] <= path.frames[start] <= self._range[1]:
                colour = style.mix(style.colour("window"), colour, 0.25)
            self._draw_piece(painter, self._places[start : stop + 1], joined[start:stop], colour)
        painter.setPen(style.colour("muted"))
        foot = QRectF(MARGIN, self.height() - FOOT, self.width() - 2 * MARGIN, FOOT)
        across, up = path.components
        share = [f"PC {k + 1} · {path.explained[k]:.0%}" for k in (across, up)]
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"→ {share[0]}")
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"↑ {share[1]}")
        self._draw_legend(painter)
        painter.end()
        return drawn

    def _draw_piece(self, painter: QPainter, places: Doubles, joined: npt.NDArray[np.bool_], colour: QColor) -> None:
        points = [QPointF(x, y) for x, y in places.tolist()]
        if joined.any():
            faint = QColor(colour)
            faint.setAlpha(90)
            painter.setPen(QPen(faint, 1))
            painter.drawLines([QLineF(points[i], points[i + 1]) for i in np.flatnonzero(joined).tolist()])
        painter.setPen(QPen(colour, 2))
        painter.drawPoints(QPolygonF(points))

    def _draw_legend(self, painter: QPainter) -> None:
        """Say which colours are early and which are late, in the middle of the foot."""
        width, left = 60, self.width() / 2 - 30
        for x in range(width):
            painter.fillRect(QRectF(left + x, self.height() - FOOT / 2 - 2, 1, 4), time_colour(x / (width - 1)))

    def _draw_trail(self, painter: QPainter) -> None:
        assert self._path is not None
        last = self._row(self._frame)
        first = self._row(max(0, self._frame - TRAIL))
        gaps = np.flatnonzero(np.diff(self._path.frames[first : last + 1]) > NEIGHBOURS)
        first += int(gaps[-1]) + 1 if len(gaps) else 0
        painter.setPen(QPen(style.colour("text"), 1))
        painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in self._places[first : last + 1].tolist()]))
        painter.setPen(QPen(style.colour("window"), 2))
        painter.setBrush(style.colour("accent"))
        painter.drawEllipse(QPointF(*self._places[last].tolist()), 6, 6)

    def _draw_letter(self, painter: QPainter, letter: str, frame: int) -> None:
        place = self.place_of(frame)
        if place is None:
            return
        painter.setPen(QPen(style.colour("text"), 1))
        painter.setBrush(style.colour("raised"))
        painter.drawEllipse(place, 8, 8)
        painter.drawText(QRectF(place.x() - 8, place.y() - 8, 16, 16), Qt.AlignmentFlag.AlignCenter, letter)

    def _draw_hover(self, painter: QPainter, frame: int) -> None:
        place = self.place_of(frame)
        if place is None:
            return
        painter.setPen(QPen(style.colour("text"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(place, 4, 4)
        text = f"{frame:,}"
        line = painter.fontMetrics().height()
        image = self._thumbnail[1] if self._thumbnail is not None and self._thumbnail[0] == frame else None
        width = max(image.width() if image is not None else 0, painter.fontMetrics().horizontalAdvance(text) + 8)
        height = line + (image.height() if image is not None else 0)
        left = min(max(2.0, self._pointer.x() + 12), self.width() - width - 2.0)
        top = self._pointer.y() - height - 10
        top = self._pointer.y() + 16 if top < 2 else top
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.fillRect(QRectF(left - 1, top - 1, width + 2, height + 2), style.colour("raised"))
        painter.setPen(style.colour("text"))
        painter.drawText(QRectF(left + 4, top, width, line), Qt.AlignmentFlag.AlignLeft, text)
        if image is not None:
            painter.drawImage(QPointF(left, top + line), image)


def time_colour(share: float) -> QColor:
    """Return the colour of a time, 0 (the film's begin: blue) to 1 (its end: amber); brightness rises steadily."""
    first, middle, last = style.colour("pixel"), style.colour("feature"), style.colour("beta")
    return style.mix(first, middle, share * 2) if share < 0.5 else style.mix(middle, last, share * 2 - 1)
