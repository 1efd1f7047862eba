"""Bars that share 100 % among classes: dragged, typed at, or stepped through with the keyboard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from latentlab.core.class_mixture import described, one_class, with_share
from latentlab.core.messages import Floats
from latentlab.ui import style

HEIGHT = 76
STEP = 0.05
LEAST_ROOM = 14
HELP = (
    "Share of each class that the decoder is told: drag a bar, or choose one with ← → and change it with ↑ ↓; "
    "Home makes it the only one. The others give or take in proportion."
)


class ShareBars(QWidget):
    """Shares of K classes, always 1 in sum; marks show what a classifier finds.

    Signals
    -------
    changed
        The shares were changed by the user.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("shareBars")
        self.setAccessibleName("Mixture of classes")
        self.setToolTip(HELP)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFont(style.figure_font(self.font()))
        self.names: tuple[str, ...] = ("",)
        self.shares: Floats = one_class(0, 1)
        self.marks: Floats | None = None
        self.current = 0
        style.theme_events().changed.connect(self._on_theme)

    def set_classes(self, names: Sequence[str]) -> None:
        """Offer these classes, the first with everything."""
        self.names = tuple(names)
        self.marks = None
        self.current = 0
        self.set_shares(one_class(0, len(names)))

    def set_shares(self, shares_K: Floats) -> None:
        """Show shares without telling anybody."""
        self.shares = np.array(shares_K, dtype=np.float32)
        self.setAccessibleDescription(described(self.shares, self.names))
        self.update()

    def set_marks(self, probabilities_K: Floats | None) -> None:
        """Mark what a classifier finds; None takes the marks away."""
        self.marks = probabilities_K
        self.update()

    def sizeHint(self) -> QSize:
        """Room for bars that can be hit."""
        return QSize(260, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """A few pixels for each bar."""
        return QSize(120, HEIGHT)

    # -- the user's acts --------------------------------------------------------------------------

    def change(self, label: int, share: float) -> None:
        """Give a class a share, as the user does."""
        new = with_share(self.shares, label, share)
        self.current = label
        if not np.array_equal(new, self.shares):
            self.set_shares(new)
            self.changed.emit()
        self.update()

    def make_only(self, label: int) -> None:
        """Give a class everything, as the user does."""
        self.change(label, 1.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Set the bar under the pointer."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.current = self._label_at(event.position())
            self.change(self.current, self._share_at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the bar that was pressed."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.change(self.current, self._share_at(event.position()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Make the bar under the pointer the only one."""
        self.make_only(self._label_at(event.position()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step the bar under the pointer."""
        label = self._label_at(event.position())
        self.change(label, float(self.shares[label]) + STEP * np.sign(event.angleDelta().y()))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose a bar and change it."""
        key, count = event.key(), len(self.names)
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.current = (self.current + (1 if key == Qt.Key.Key_Right else -1)) % count
            self.update()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            step = STEP if key == Qt.Key.Key_Up else -STEP
            self.change(self.current, float(self.shares[self.current]) + step)
        elif key == Qt.Key.Key_Home:
            self.make_only(self.current)
        else:
            super().keyPressEvent(event)

    # -- drawing ----------------------------------------------------------------------------------

    @property
    def _line(self) -> int:
        return self.fontMetrics().height()

    def _column(self, label: int) -> QRectF:
        width = self.width() / len(self.names)
        return QRectF(label * width, 2.0, width, self.height() - self._line - 4.0)

    def _label_at(self, place: QPointF) -> int:
        return int(np.clip(place.x() / self.width() * len(self.names), 0, len(self.names) - 1))

    def _share_at(self, place: QPointF) -> float:
        column = self._column(0)
        share = (column.bottom() - place.y()) / column.height()
        return 0.0 if share < 0.02 else 1.0 if share > 0.98 else share

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw grooves, bars, marks and names."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for label, name in enumerate(self.names):
            column = self._column(label)
            bar = column.adjusted(2, 0, -2, 0)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(style.colour("raised"))
            painter.drawRoundedRect(bar, 2, 2)
            share = float(self.shares[label])
            painter.setBrush(style.colour("accent"))
            painter.drawRoundedRect(bar.adjusted(0, bar.height() * (1.0 - share), 0, 0), 2, 2)
            self._paint_mark(painter, bar, label)
            chosen = self.hasFocus() and label == self.current
            painter.setPen(style.colour("text" if share > 0 or chosen else "muted"))
            if column.width() >= LEAST_ROOM:
                room = QRectF(column.left(), column.bottom() + 2, column.width(), self._line)
                text = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(column.width()))
                painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)
            if chosen:
                painter.setPen(QPen(style.colour("accent"), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(bar.adjusted(-1.5, -1.5, 1.5, 1.5), 3, 3)

    def _paint_mark(self, painter: QPainter, bar: QRectF, label: int) -> None:
        if self.marks is None:
            return
        y = bar.bottom() - float(self.marks[label]) * bar.height()
        painter.setPen(QPen(style.colour("warning"), 2))
        painter.drawLine(QPointF(bar.left(), y), QPointF(bar.right(), y))
        painter.setPen(Qt.PenStyle.NoPen)

    def event(self, event: QEvent) -> bool:
        """Tell the share of the bar under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            label = self._label_at(QPointF(event.pos()))
            found = "" if self.marks is None else f", found with {100 * self.marks[label]:.0f} %"
            text = f"{self.names[label]}: {100 * self.shares[label]:.0f} %{found}\n{HELP}"
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    @Slot()
    def _on_theme(self) -> None:
        self.update()
