"""The pictures of the Video page: side by side, under a divider to wipe with, or by turns; at any zoom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from latentlab.core.video_messages import Crop, FilmFrame, OtherPicture, VideoFrame, psnr_db
from latentlab.ui import style
from latentlab.ui.pages.video_pane_paint import DIVIDER_GRIP, Pane, draw_caption, draw_divider, draw_picture
from latentlab.ui.pages.video_viewport import MOST, PaneGrid, Viewport, arrange_panes
from latentlab.ui.views.picture import to_qimage
from latentlab.ui.widgets.crop_view import CropView

Mode = Literal["panes", "wipe", "blink"]
MODES: tuple[Mode, ...] = get_args(Mode)
GAP = 12
CAPTION = 22
ZOOM = 1.25
REFINE_MS = 120
"""A picture that stands this long is drawn again with care; while frames run, speed counts."""
BLINKS = (1.0, 2.0, 4.0, 8.0)
"""Changes of picture a second."""
MODEL_PANES = ("original", "reconstruction", "difference")


class VideoPanes(QWidget):
    """Panes of equal size, as large as fits, each under a small caption.

    The panes are known by name: original, reconstruction, difference, film, the keys of other pictures, and
    ``both`` for the one that wipes or blinks. The wheel zooms all of them but the film at the pointer, dragging
    moves them, a double click fits them again. Thread: GUI.
    """

    zoomed = Signal(float)  # pixels of the screen for one of the picture

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 160)
        self.setMouseTracking(True)
        self.setAccessibleName("Frame, reconstruction and difference")
        self.setFont(style.figure_font(self.font()))
        self.mode: Mode = "panes"
        self.viewport = Viewport()
        self.divider = 0.5
        self.film = CropView(self)
        self.film.hide()
        self._panes = {name: Pane(name.capitalize()) for name in MODEL_PANES}
        self._panes["film"] = Pane("Whole frame")
        self._panes["both"] = Pane("")
        self._others: tuple[str, ...] = ()
        self._with_model = False
        self._with_film = True
        self._blinked = False
        self._drag: QPointF | str | None = None
        self._refine = self._timer(REFINE_MS, self._forget_drawn)
        self._refine.setSingleShot(True)
        self._blink = self._timer(round(1000 / BLINKS[1]), self._on_blink)
        style.theme_events().changed.connect(self.apply_theme)

    def _timer(self, interval_ms: int, act: object) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(interval_ms)
        timer.timeout.connect(act)
        return timer

    # -- what is shown --------------------------------------------------------------------------

    def show_frame(self, frame: VideoFrame) -> None:
        """Show a frame and, where there is a model, its reconstruction and their difference."""
        self._with_model = frame.reconstruction is not None
        pictures = (frame.original, frame.reconstruction, frame.difference)
        height, width = frame.original.shape[:2]
        for name, picture in zip(MODEL_PANES, pictures, strict=True):
            self._panes[name].show(None if picture is None else to_qimage(picture))
            self._panes[name].warns = not frame.exact
        self._panes["original"].note = f"{width}×{height}" if frame.exact else f"nearest, frame {frame.index:,}"
        self.film.aspect = width / height if self._with_model else None
        self._panes["both"].drawn = None
        self._refine.start()
        self._place()

    def show_others(self, others: Sequence[OtherPicture]) -> None:
        """Show what other models, or an edit, made of the frame."""
        self._others = tuple(other.key for other in others)
        for other in others:
            quality = "" if other.pixel is None else f"{psnr_db(other.pixel):.2f} dB"
            step = f"step {style.format_steps(other.step)}" if other.step >= 0 else ""
            pane = self._panes.setdefault(other.key, Pane(other.title))
            pane.caption, pane.note = other.title, " · ".join(part for part in (quality, step) if part)
            pane.show(to_qimage(other.image))
        for gone in self._panes.keys() - {*MODEL_PANES, "film", "both", *self._others}:
            del self._panes[gone]
        self._refine.start()
        self._place()

    def show_film(self, film: FilmFrame) -> None:
        """Show the whole frame, with the crop drawn in it."""
        image = to_qimage(film.image)
        self.film.set_image(image)
        self._panes["film"].picture = image
        self.set_note("film", f"{image.width()}×{image.height()}")
        self._place()

    def set_crop(self, crop: Crop | None) -> None:
        """Draw the region given to the model in the whole frame."""
        self.film.set_crop(crop)

    def set_film_wanted(self, wanted: bool) -> None:
        """Show or hide the whole frame."""
        self._with_film = wanted
        self._place()

    def set_mode(self, mode: Mode) -> None:
        """Show original and reconstruction side by side, under a divider, or by turns."""
        self.mode, self._blinked = mode, False
        self._blink.stop()
        if mode == "blink":
            self._blink.start()
        self._place()

    def set_blink_rate(self, per_s: float) -> None:
        """Change pictures so many times a second."""
        self._blink.setInterval(round(1000 / per_s))

    def set_note(self, name: str, note: str, caption: str | None = None) -> None:
        """Change the words over a pane."""
        pane = self._panes[name]
        if (note, caption or pane.caption) != (pane.note, pane.caption):
            pane.note, pane.caption = note, caption or pane.caption
            self.update()

    def clear(self) -> None:
        """Show nothing."""
        self.show_others(())
        for pane in self._panes.values():
            pane.show(None)
        self.film.set_image(None)
        self._place()

    def picture(self, name: str) -> QImage | None:
        """Return a pane's picture at its own resolution, or None while it has none."""
        return self._panes[name].picture

    def shown(self) -> list[str]:
        """Return the names of the panes on screen, in order."""
        film = ["film"] if self._with_film else []
        if not self._with_model:
            return ["original"] + (film if self.film.crop is not None else [])
        if self.mode != "panes":
            return ["both"]
        return [*MODEL_PANES[:2], *self._others, MODEL_PANES[2], *film]

    def pane_rect(self, name: str) -> QRect:
        """Return where a pane's picture may be drawn, in logical pixels."""
        return self._grid().rect(self.shown().index(name))

    # -- zoom -----------------------------------------------------------------------------------

    @property
    def magnification(self) -> float:
        """Pixels of the screen for one of the picture."""
        return self._grid().scale * self.viewport.zoom

    def fit(self) -> None:
        """Show the pictures as large as they fit."""
        self._set_viewport(Viewport())

    def actual_size(self) -> None:
        """Show one pixel of the picture as one of the screen."""
        self._set_viewport(self.viewport.at_zoom(1.0 / self._grid().scale))

    def zoom_by(self, factor: float) -> None:
        """Magnify around the middle."""
        rect = QRectF(self.pane_rect(self.shown()[0]))
        self._set_viewport(self.viewport.zoomed_at(rect, rect.center(), factor, self._most()))

    def _most(self) -> float:
        return MOST / self._grid().scale

    def _set_viewport(self, viewport: Viewport) -> None:
        if viewport != self.viewport:
            self.viewport = viewport
            self._forget_drawn()
            self.zoomed.emit(self.magnification)

    # -- mouse ----------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom all panes at the point under the pointer."""
        rect, turn = self._pane_at(event.position()), event.angleDelta().y()
        if rect is not None and turn:
            factor = ZOOM ** (turn / 120)
            self._set_viewport(self.viewport.zoomed_at(QRectF(rect), event.position(), factor, self._most()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the divider or of the pictures."""
        if event.button() == Qt.MouseButton.LeftButton and self._pane_at(event.position()) is not None:
            self._drag = "divider" if self._on_divider(event.position()) else event.position()
            if self._drag == "divider":
                self._move_divider(event.position().x())
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the divider or the pictures."""
        position = event.position()
        if self._drag == "divider":
            self._move_divider(position.x())
        elif isinstance(self._drag, QPointF):
            step, self._drag = position - self._drag, position
            rect = QRectF(self.pane_rect(self.shown()[0]))
            self._set_viewport(self.viewport.moved(rect, step.x(), step.y()))
        else:
            self._show_cursor(position)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._drag = None
        self._show_cursor(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Fit the pictures again."""
        self.fit()

    def _show_cursor(self, position: QPointF) -> None:
        shapes = Qt.CursorShape
        over = self._pane_at(position) is not None and self.viewport.zoom > 1
        shape = shapes.OpenHandCursor if over else shapes.ArrowCursor
        self.setCursor(shapes.SplitHCursor if self._on_divider(position) else shape)

    def _pane_at(self, position: QPointF) -> QRect | None:
        if self._panes["original"].picture is None:
            return None
        rects = (self.pane_rect(name) for name in self.shown() if name != "film")
        return next((rect for rect in rects if rect.contains(position.toPoint())), None)

    def _on_divider(self, position: QPointF) -> bool:
        if self.mode != "wipe" or "both" not in self.shown() or self._panes["original"].picture is None:
            return False
        rect = self.pane_rect("both")
        x = rect.left() + self.divider * rect.width()
        return rect.contains(position.toPoint()) and abs(position.x() - x) <= DIVIDER_GRIP

    def _move_divider(self, x: float) -> None:
        rect = self.pane_rect("both")
        self.divider = min(1.0, max(0.0, (x - rect.left()) / rect.width()))
        self.update()

    # -- layout and painting --------------------------------------------------------------------

    @Slot()
    def apply_theme(self) -> None:
        """Draw in the colours in force."""
        self._forget_drawn()

    def sizeHint(self) -> QSize:
        """Return a size at which four panes can be judged."""
        return QSize(640, 400)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scale the pictures anew."""
        self._forget_drawn()
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the panes; the film draws itself."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), style.colour("ground"))
        if self._panes["original"].picture is not None:
            grid = self._grid()
            for place, name in enumerate(self.shown()):
                self._draw_pane(painter, name, grid.rect(place))
        painter.end()

    def _draw_pane(self, painter: QPainter, name: str, rect: QRect) -> None:
        quick = self._refine.isActive()
        if name == "both":
            self._draw_both(painter, rect, quick=quick)
            return
        draw_caption(painter, self._panes[name], rect, CAPTION)
        if name != "film":
            draw_picture(painter, self._panes[name], rect, self.viewport, quick=quick)

    def _draw_both(self, painter: QPainter, rect: QRect, *, quick: bool) -> None:
        """Draw original and reconstruction in one place."""
        left, right, words = self._panes["original"], self._panes["reconstruction"], self._panes["both"]
        if self.mode == "blink":
            shown = right if self._blinked else left
            words.caption, words.note, words.warns = shown.caption, shown.note, shown.warns
            draw_picture(painter, shown, rect, self.viewport, quick=quick)
        else:
            words.caption, words.note, words.warns = "Original | Reconstruction", right.note, right.warns
            draw_picture(painter, right, rect, self.viewport, quick=quick)
            painter.save()
            painter.setClipRect(QRect(rect.left(), rect.top(), round(self.divider * rect.width()), rect.height()))
            draw_picture(painter, left, rect, self.viewport, quick=quick)
            painter.restore()
            draw_divider(painter, rect, self.divider)
        draw_caption(painter, words, rect, CAPTION)

    @Slot()
    def _on_blink(self) -> None:
        self._blinked = not self._blinked
        self.update()

    @Slot()
    def _forget_drawn(self) -> None:
        for pane in self._panes.values():
            pane.drawn = None
        self.update()

    def _grid(self) -> PaneGrid:
        picture = self._panes["original"].picture
        size = picture.size() if picture is not None else QSize(1, 1)
        ratio = self.devicePixelRatioF()
        shown = len(self.shown())
        return arrange_panes(size, shown, self.size(), ratio, gap=GAP, caption=CAPTION, margin=style.SPACING)

    def _place(self) -> None:
        """Put the film in its pane, and draw everything whose size changed anew."""
        shown = self.shown()
        with_film = "film" in shown and self._panes["original"].picture is not None
        if with_film:
            self.film.setGeometry(self.pane_rect("film"))
        self.film.setVisible(with_film)
        size = self._grid().size
        for pane in self._panes.values():
            if pane.drawn is not None and pane.drawn.deviceIndependentSize().toSize() != size:
                pane.drawn = None
        self.update()
