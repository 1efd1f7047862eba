"""The left side of the Explore page: the picture, what is on it, and the strip along one dimension."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from latentlab.core.messages import Images
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.views.picture import PictureView
from latentlab.ui.widgets.elided_label import ElidedLabel
from latentlab.ui.widgets.weights_follow import FollowBar

STRIP_STEPS = 9
DRAG_FROM_PX = 4.0


class ExploreStage(QWidget):
    """The picture with the traversal strip below it.

    Signals
    -------
    drag_began, drag_ended
        The left button went down on the picture and moved; was released.
    dragged
        (dx, dy) since the drag began, in picture widths and heights; up is positive.
    value_chosen
        A picture of the strip was clicked: the value of the strip's dimension.
    """

    drag_began = Signal()
    dragged = Signal(float, float)
    drag_ended = Signal()
    value_chosen = Signal(float)

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = PictureView()
        self.picture.setObjectName("explorePicture")
        self.picture.setAccessibleName("Decoded picture")
        self.picture.setMinimumSize(160, 120)
        self.picture.installEventFilter(self)
        self.strip = PictureView()
        self.strip.setObjectName("traversalStrip")
        self.strip.setMinimumHeight(64)
        self.strip.clicked.connect(self._on_strip_clicked)
        self.follow_bar = FollowBar(context)
        self.info = self._label("Where the picture is in latent space")
        self.strip_label = self._label("Dimension that the strip below moves along")
        self.values = np.linspace(-3.0, 3.0, STRIP_STEPS)
        self._press: QPointF | None = None
        self._dragging = False
        self._build()

    def _label(self, tooltip: str) -> ElidedLabel:
        label = ElidedLabel()
        label.setToolTip(tooltip)
        label.setAccessibleName(tooltip)
        label.setFont(style.figure_font(label.font()))
        return label

    def _build(self) -> None:
        top, below = QWidget(), QWidget()
        row = self._row = QHBoxLayout()
        row.addWidget(self.info, 1)
        row.addWidget(self.follow_bar)
        upper = QVBoxLayout(top)
        upper.setContentsMargins(0, 0, 0, 0)
        upper.addWidget(self.picture, 1)
        upper.addLayout(row)
        lower = QVBoxLayout(below)
        lower.setContentsMargins(0, 0, 0, 0)
        lower.setSpacing(4)
        lower.addWidget(self.strip_label)
        lower.addWidget(self.strip, 1)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setObjectName("exploreStageSplitter")
        self.splitter.addWidget(top)
        self.splitter.addWidget(below)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setCollapsible(0, False)
        self.splitter.setSizes([600, 128])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    def add_tool(self, tool: QWidget) -> None:
        """Put a small control at the left below the picture."""
        self._row.insertWidget(0, tool)

    def set_info(self, text: str, tooltip: str) -> None:
        """Say where the picture is."""
        self.info.setText(text)
        self.info.setToolTip(tooltip)

    def show_picture(self, decoded: Images, original: Images | None, caption: str = "") -> None:
        """Show the decoded picture (1, H, W, C), beside the original where there is one."""
        if original is None or original.shape != decoded.shape:
            self.picture.set_images(decoded)
        else:
            both = np.concatenate([original, decoded])
            self.picture.set_images(both, columns=2, captions=["original", caption or "decoded"])

    def show_strip(self, images: Images, values: np.ndarray, dimension: int, value: float) -> None:
        """Show the decoded traversal of a dimension; the picture nearest to ``value`` is marked."""
        self.values = values
        captions = [f"{round(float(v), 2) + 0.0:g}".replace("-", "−") for v in values]
        self.strip.set_images(images, columns=len(images), captions=captions)
        self.mark(value)
        self.strip_label.setText(
            f"z{dimension} from {captions[0]} to {captions[-1]} σ, the rest as it is · click to go there"
        )

    def mark(self, value: float) -> None:
        """Mark the picture of the strip that is nearest to ``value``, unless it is off the strip."""
        if len(self.values) > 1:
            step = float(self.values[1] - self.values[0])
            nearest = int(np.abs(self.values - value).argmin())
            inside = abs(float(self.values[nearest]) - value) <= step / 2 + 1e-6
            self.strip.set_highlight(nearest if inside else None)

    @Slot(int)
    def _on_strip_clicked(self, index: int) -> None:
        if 0 <= index < len(self.values):
            self.value_chosen.emit(float(self.values[index]))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Turn presses and moves on the picture into drags."""
        if watched is self.picture and isinstance(event, QMouseEvent):
            kind = event.type()
            if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
                self._press, self._dragging = event.position(), False
            elif kind == QEvent.Type.MouseMove and self._press is not None:
                self._drag_to(event.position())
            elif kind == QEvent.Type.MouseButtonRelease and self._press is not None:
                self._press = None
                if self._dragging:
                    self._dragging = False
                    self.picture.unsetCursor()
                    self.drag_ended.emit()
        return False

    def _drag_to(self, position: QPointF) -> None:
        assert self._press is not None
        way = position - self._press
        if not self._dragging and way.manhattanLength() >= DRAG_FROM_PX:
            self._dragging = True
            self.picture.setCursor(Qt.CursorShape.SizeAllCursor)
            self.drag_began.emit()
        if self._dragging:
            self.dragged.emit(way.x() / max(1, self.picture.width()), -way.y() / max(1, self.picture.height()))
