"""One latent dimension as one row: name, track with marks at whole sigmas, value, lock.

The row is a ``QSlider`` in thousandths of a sigma, so keyboards, screen readers and tests treat it
as one, but it is painted and hit-tested as a whole: a hundred rows cost a hundred widgets, not five hundred.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QSlider, QWidget

from latentlab.ui.widgets.latent_slider_paint import (
    LOCK_WIDTH,
    NAME_WIDTH,
    ROW_HEIGHT,
    VALUE_WIDTH,
    WIDE_NAME,
    paint_row,
    parse_latent,
    track_rect,
)

SCALE = 1000
HELP = (
    "Standard deviations of the prior.\n"
    "Drag, or Shift+drag for a tenth of the speed · double-click for 0 · click the number to type\n"
    "← → 0.1   Page Up/Down 1   Home/End range   Delete 0   Enter type   L lock   ↑ ↓ other dimensions"
)


class LatentSlider(QSlider):
    """A row for dimension ``dimension``. ``moved`` and ``lock_toggled`` fire for the user's acts only."""

    moved = Signal(int, float)
    lock_toggled = Signal(int, bool)
    picked = Signal(int)
    gesture_ended = Signal()
    neighbour_wanted = Signal(int, int)

    def __init__(self, dimension: int, parent: QWidget | None = None, *, title: str = "") -> None:
        """Make the row of axis ``dimension``; with a ``title`` it is a direction's, which has no lock."""
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.dimension = dimension
        self.title = title or f"z{dimension}"
        self.lockable = not title
        self.name_width = WIDE_NAME if title else NAME_WIDTH
        self.latent = 0.0
        self.low = self.high = 0.0
        self.band: tuple[float, float] | None = None
        self.locked = False
        self.dead = False
        self.current = False
        self.usefulness: float | None = None
        self.wheel_always = True
        self._editor: QLineEdit | None = None
        self._grab: tuple[float, float] | None = None
        self._quiet = False
        self.setObjectName(f"directionSlider{dimension}" if title else f"latentSlider{dimension}")
        self.setAccessibleName(f"Direction {title}" if title else f"Latent dimension {dimension}")
        self.setFixedHeight(ROW_HEIGHT)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.set_limit(3.0)
        self.setSingleStep(SCALE // 10)
        self.setPageStep(SCALE)
        self.describe("")
        self.valueChanged.connect(self._on_value)

    # What the list sets

    def set_latent(self, value: float) -> None:
        """Show ``value`` without telling anybody; outside the range the handle waits at the end."""
        if value == self.latent:
            return
        self.latent = float(value)
        self._quiet = True
        self.setValue(round(self._clipped(value) * SCALE))
        self._quiet = False
        self.update()

    @property
    def limit(self) -> float:
        """How far the track reaches from 0, to the farther side."""
        return max(-self.low, self.high)

    def set_limit(self, limit: float) -> None:
        """Let the track reach from -limit to limit sigma."""
        self.set_span(-limit, limit)

    def set_span(self, low: float, high: float) -> None:
        """Let the track reach from ``low`` to ``high`` sigma."""
        if (low, high) == (self.low, self.high):
            return
        self._quiet = True
        self.low, self.high = low, high
        self.setRange(round(low * SCALE), round(high * SCALE))
        self.setValue(round(self._clipped(self.latent) * SCALE))
        self._quiet = False
        self.update()

    def set_band(self, band: tuple[float, float] | None) -> None:
        """Show where the data lies, from low to high in sigma."""
        if band != self.band:
            self.band = band
            self.update()

    def share_of(self, value: float) -> float:
        """Return where on the track a value is, 0 to 1; beyond its ends at the end."""
        return (self._clipped(value) - self.low) / max(self.high - self.low, 1e-9)

    def _clipped(self, value: float) -> float:
        return max(self.low, min(self.high, value))

    def set_locked(self, locked: bool) -> None:
        """Show the lock open or closed."""
        if locked != self.locked:
            self.locked = locked
            self.update()

    def set_current(self, current: bool) -> None:
        """Mark the row whose dimension the strip shows; it is the list's one stop for Tab."""
        if current != self.current:
            self.current = current
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if current else Qt.FocusPolicy.ClickFocus)
            self.update()

    def set_use(self, usefulness: float | None, dead: bool, text: str) -> None:
        """Show how much the dimension is used: ``usefulness`` in [0, 1] as a bar, dead ones dimmed."""
        if (usefulness, dead) != (self.usefulness, self.dead):
            self.usefulness, self.dead = usefulness, dead
            self.update()
        self.describe(text)

    def describe(self, text: str) -> None:
        """Set the tooltip: the dimension, what is known about it, and how to move it."""
        self.setToolTip("\n".join(part for part in (self.title, text, HELP) if part))

    # The user's acts

    def _on_value(self, value: int) -> None:
        if not self._quiet:
            self._emit(value / SCALE)

    def _emit(self, value: float) -> None:
        self.latent = value
        self.update()
        self.moved.emit(self.dimension, value)

    def assign(self, value: float) -> None:
        """Set any value as the user's act; the range does not clip it."""
        self._quiet = True
        self.setValue(round(self._clipped(value) * SCALE))
        self._quiet = False
        self._emit(value)

    def lock_rect(self) -> QRect:
        """Where the lock is."""
        return QRect(self.width() - LOCK_WIDTH, 0, LOCK_WIDTH, self.height())

    def value_rect(self) -> QRect:
        """Where the number is."""
        return QRect(self.width() - LOCK_WIDTH - VALUE_WIDTH, 0, VALUE_WIDTH, self.height())

    def _value_at(self, x: float) -> float:
        track = self._track()
        share = (x - track.left()) / track.width()
        return self._clipped(self.low + share * (self.high - self.low))

    def _track(self) -> QRectF:
        return track_rect(self.width(), self.height(), self.name_width)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Lock, type or start to drag, by where the row is pressed."""
        event.accept()
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.picked.emit(self.dimension)
        point = event.position().toPoint()
        if self.lockable and self.lock_rect().contains(point):
            self.lock_toggled.emit(self.dimension, not self.locked)
        elif self.value_rect().contains(point):
            self.edit_value()
        elif event.position().x() >= self.name_width:
            fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            value = self.latent if fine else self._value_at(event.position().x())
            self._grab = (event.position().x(), value)
            self.setSliderDown(True)
            if not fine:
                self.assign(value)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag; with Shift at a tenth of the speed."""
        point = event.position().toPoint()
        typing = self.value_rect().contains(point)
        self.setCursor(Qt.CursorShape.IBeamCursor if typing else Qt.CursorShape.ArrowCursor)
        if self._grab is None:
            return
        x, value = self._grab
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            share = (event.position().x() - x) / self._track().width()
            value = self._clipped(value + share * (self.high - self.low) * 0.1)
        else:
            value = self._value_at(event.position().x())
        self._grab = (event.position().x(), value)
        self.assign(value)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag."""
        event.accept()
        if self._grab is not None:
            self._grab = None
            self.setSliderDown(False)
            self.gesture_ended.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Return to 0, unless the lock or the number was meant."""
        point = event.position().toPoint()
        if self.lock_rect().contains(point) or self.value_rect().contains(point):
            self.mousePressEvent(event)
            return
        self.assign(0.0)
        self.gesture_ended.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Move by 0.1 sigma a notch (Shift: 0.01); where the list scrolls, only the current row takes the wheel."""
        if not (self.wheel_always or self.hasFocus()):
            event.ignore()
            return
        fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        notches = (event.angleDelta().y() or event.angleDelta().x()) / 120.0
        self.picked.emit(self.dimension)
        self.step_by(notches * (0.01 if fine else 0.1))
        event.accept()

    def step_by(self, delta: float) -> None:
        """Move by ``delta`` sigma within the range."""
        self.assign(self._clipped(round(self.latent + delta, 6)))
        self.gesture_ended.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, reset, lock, type or go to a neighbour."""
        key = Qt.Key(event.key())
        fine = 0.1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        steps = {Qt.Key.Key_Left: -0.1, Qt.Key.Key_Right: 0.1, Qt.Key.Key_PageDown: -1.0, Qt.Key.Key_PageUp: 1.0}
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            event.ignore()
        elif key in steps:
            self.step_by(steps[key] * fine)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.neighbour_wanted.emit(self.dimension, 1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.assign(self.high if key == Qt.Key.Key_End else self.low)
            self.gesture_ended.emit()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.assign(0.0)
            self.gesture_ended.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2):
            self.edit_value()
        elif key == Qt.Key.Key_L and self.lockable:
            self.lock_toggled.emit(self.dimension, not self.locked)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Make this row the current one."""
        super().focusInEvent(event)
        self.picked.emit(self.dimension)

    def edit_value(self) -> None:
        """Open a field over the number; Enter takes it, Escape leaves it."""
        if self._editor is not None:
            return
        editor = QLineEdit(self)
        editor.setObjectName("latentValueEdit")
        editor.setAccessibleName(f"Value of {self.accessibleName().lower()}")
        editor.setToolTip("Value in standard deviations of the prior; Enter takes it, Escape leaves it")
        editor.setAlignment(Qt.AlignmentFlag.AlignRight)
        editor.setFrame(False)
        editor.setStyleSheet("padding: 0px 2px; margin: 0px; min-height: 0px; border: none;")
        editor.setText(f"{self.latent:.3f}".rstrip("0").rstrip("."))
        editor.setGeometry(self.value_rect().adjusted(-4, 1, 0, -1))
        editor.selectAll()
        editor.installEventFilter(self)
        editor.returnPressed.connect(self._take_typed)
        self._editor = editor
        editor.show()
        editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Close the field on Escape and when the focus leaves it."""
        if watched is self._editor and self._editor is not None:
            if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
                if event.key() == Qt.Key.Key_Escape:
                    self._close_editor()
                    self.setFocus()
                    return True
            elif event.type() == QEvent.Type.FocusOut:
                self._take_typed(refocus=False)
        return False

    def _take_typed(self, refocus: bool = True) -> None:
        editor = self._editor
        if editor is None:
            return
        value = parse_latent(editor.text())
        changed = editor.isModified()
        self._close_editor()
        if refocus:
            self.setFocus()
        if value is not None and changed:
            self.assign(value)
            self.gesture_ended.emit()

    def _close_editor(self) -> None:
        editor, self._editor = self._editor, None
        if editor is not None:
            editor.removeEventFilter(self)
            editor.hide()
            editor.deleteLater()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the whole row."""
        painter = QPainter(self)
        paint_row(painter, self)
        painter.end()
