"""The pictures of the video page: what the model was given, what it made of it, where they differ, the film."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.core.video_messages import Crop, FilmFrame, VideoFrame
from latentlab.ui import style
from latentlab.ui.views.picture import to_qimage

GAP = 12
CAPTION = 22
WHOLE_WITHIN = 0.08
REFINE_MS = 120
"""A picture that stands this long is drawn again with care; while frames run, speed counts."""
NAMES = ("original", "reconstruction", "difference", "film")


@dataclass
class Pane:
    """One picture: its ``caption`` left and ``note`` right above it."""

    caption: str
    note: str = ""
    picture: QImage | None = None
    drawn: QPixmap | None = None


@dataclass(frozen=True)
class PaneLayout:
    """``columns`` of pictures of one ``size``, the first at ``corner`` (logical pixels), magnified ``scale`` times."""

    columns: int
    scale: float
    size: QSize
    corner: QPoint


class VideoPanes(QWidget):
    """Panes of equal size, as large as fits, each under a small caption.

    The panes are known by name: original, reconstruction, difference, film. Thread: GUI.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 160)
        self.setAccessibleName("Frame, reconstruction and difference")
        self.setFont(style.figure_font(self.font()))
        self._panes = {name: Pane(name.capitalize()) for name in NAMES}
        self._panes["film"].caption = "Whole frame"
        self._crop: Crop | None = None
        self._with_model = False
        self._with_film = True
        self._refine = QTimer(self)
        self._refine.setSingleShot(True)
        self._refine.setInterval(REFINE_MS)
        self._refine.timeout.connect(self._forget_drawn)
        style.theme_events().changed.connect(self.apply_theme)

    def show_frame(self, frame: VideoFrame) -> None:
        """Show a frame and, where there is a model, its reconstruction and their difference."""
        self._crop = frame.crop
        self._with_model = frame.reconstruction is not None
        pictures = (frame.original, frame.reconstruction, frame.difference)
        for name, picture in zip(NAMES[:3], pictures, strict=True):
            self._set(name, None if picture is None else to_qimage(picture))
        height, width = frame.original.shape[:2]
        self._panes["original"].note = f"{width}×{height}"
        self.update()

    def show_film(self, film: FilmFrame) -> None:
        """Show the whole frame, with the crop drawn in it."""
        self._set("film", to_qimage(film.image))
        height, width = film.image.shape[:2]
        self._panes["film"].note = f"{width}×{height}"
        self.update()

    def set_film_wanted(self, wanted: bool) -> None:
        """Show or hide the whole frame."""
        self._with_film = wanted
        self._forget_drawn()

    def set_note(self, name: str, note: str, caption: str | None = None) -> None:
        """Change the words over a pane."""
        pane = self._panes[name]
        if (note, caption or pane.caption) != (pane.note, pane.caption):
            pane.note, pane.caption = note, caption or pane.caption
            self.update()

    def clear(self) -> None:
        """Show nothing."""
        for name in NAMES:
            self._set(name, None)
        self.update()

    def picture(self, name: str) -> QImage | None:
        """Return a pane's picture at its own resolution, or None while it has none."""
        return self._panes[name].picture

    def shown(self) -> list[str]:
        """Return the names of the panes on screen, in order."""
        if not self._with_model:
            return ["original"] + (["film"] if self._with_film and self._crop is not None else [])
        return list(NAMES if self._with_film else NAMES[:3])

    def pane_rect(self, name: str) -> QRect:
        """Return where a pane's picture may be drawn, in logical pixels."""
        layout = self._layout()
        row, column = divmod(self.shown().index(name), layout.columns)
        step = QPoint(column * (layout.size.width() + GAP), row * (layout.size.height() + GAP + CAPTION))
        return QRect(layout.corner + step, layout.size)

    @Slot()
    def apply_theme(self) -> None:
        """Draw in the colours in force."""
        self._forget_drawn()

    def sizeHint(self) -> QSize:
        """Return a size at which four panes can be judged."""
        return QSize(640, 400)

    def resizeEvent(self, event: object) -> None:
        """Scale the pictures anew."""
        self._forget_drawn()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the panes."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), style.colour("ground"))
        if self._panes["original"].picture is not None:
            for name in self.shown():
                self._draw_pane(painter, name)
        painter.end()

    def _set(self, name: str, picture: QImage | None) -> None:
        pane = self._panes[name]
        pane.picture, pane.drawn = picture, None
        if picture is not None:
            self._refine.start()

    @Slot()
    def _forget_drawn(self) -> None:
        for pane in self._panes.values():
            pane.drawn = None
        self.update()

    def _layout(self) -> PaneLayout:
        """Return the arrangement with the largest pictures, rows full: one row, one column, or two by two."""
        picture = self._panes["original"].picture
        size = picture.size() if picture is not None else QSize(1, 1)
        count = len(self.shown())
        options = [self._fit(size, columns, count // columns) for columns in (count, 1, 2) if count % columns == 0]
        return max(options, key=lambda option: (option.scale, option.columns))

    def _fit(self, picture: QSize, columns: int, rows: int) -> PaneLayout:
        ratio = self.devicePixelRatioF()
        room_x = (self.width() - 2 * style.SPACING - (columns - 1) * GAP) / columns
        room_y = (self.height() - (rows - 1) * GAP) / rows - CAPTION
        fit = max(0.05, min(room_x * ratio / picture.width(), room_y * ratio / picture.height()))
        # Close to a whole number every pixel becomes a perfect square for next to no room.
        scale = float(int(fit)) if fit >= 2 and fit - int(fit) < WHOLE_WITHIN else fit
        width, height = int(picture.width() * scale / ratio), int(picture.height() * scale / ratio)
        left = (self.width() - columns * width - (columns - 1) * GAP) // 2
        top = (self.height() - rows * (height + CAPTION) - (rows - 1) * GAP) // 2 + CAPTION
        return PaneLayout(columns, scale, QSize(width, height), QPoint(left, top))

    def _draw_pane(self, painter: QPainter, name: str) -> None:
        pane, rect = self._panes[name], self.pane_rect(name)
        self._draw_caption(painter, pane, rect)
        if pane.picture is None:
            painter.fillRect(rect, style.colour("surface"))
            return
        if pane.drawn is None:
            pane.drawn = self._scaled(pane.picture, rect.size())
        size = pane.drawn.deviceIndependentSize().toSize()
        place = QRect(QPoint(rect.left() + (rect.width() - size.width()) // 2, rect.top()), size)
        painter.drawPixmap(place.topLeft(), pane.drawn)
        if name == "film" and self._crop is not None:
            self._draw_crop(painter, place, pane.picture)

    def _draw_caption(self, painter: QPainter, pane: Pane, rect: QRect) -> None:
        line = QRect(rect.left(), rect.top() - CAPTION, rect.width(), CAPTION - 4)
        bottom = Qt.AlignmentFlag.AlignBottom
        painter.setPen(style.colour("muted"))
        metrics = painter.fontMetrics()
        note = fitting_note(metrics, pane.note, rect.width() - metrics.horizontalAdvance(pane.caption) - style.SPACING)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | bottom, note)
        room = rect.width() - (metrics.horizontalAdvance(note) + style.SPACING if note else 0)
        painter.setPen(style.colour("text"))
        caption = metrics.elidedText(pane.caption, Qt.TextElideMode.ElideRight, max(0, room))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | bottom, caption)

    def _scaled(self, picture: QImage, room: QSize) -> QPixmap:
        """Return a picture as large as fits, its pixels sharp where they are magnified."""
        ratio = self.devicePixelRatioF()
        target = picture.size().scaled(room * ratio, Qt.AspectRatioMode.KeepAspectRatio)
        modes, ignore = Qt.TransformationMode, Qt.AspectRatioMode.IgnoreAspectRatio
        running = self._refine.isActive()
        if not running and target.width() >= 2 * picture.width():
            # Whole magnification first: pixels stay squares, only their edges give way to the odd scale.
            times = -(-target.width() // picture.width())
            picture = picture.scaled(picture.size() * times, ignore, modes.FastTransformation)
        shown = picture.scaled(target, ignore, modes.FastTransformation if running else modes.SmoothTransformation)
        pixmap = QPixmap.fromImage(shown)
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def _draw_crop(self, painter: QPainter, place: QRect, picture: QImage) -> None:
        assert self._crop is not None
        x, y, width, height = self._crop
        across, down = place.width() / picture.width(), place.height() / picture.height()
        corner = QPoint(place.left() + round(x * across), place.top() + round(y * down))
        region = QRect(corner, QSize(round(width * across), round(height * down)))
        painter.setPen(QPen(style.colour("accent"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(region.adjusted(1, 1, -1, -1))


def fitting_note(metrics: QFontMetrics, note: str, room: int) -> str:
    """Return as many of the facts of ``note`` (joined by dots) as fit into ``room`` pixels: the first ones."""
    facts = note.split(" · ")
    while facts and metrics.horizontalAdvance(" · ".join(facts)) > room:
        facts.pop()
    return " · ".join(facts)
