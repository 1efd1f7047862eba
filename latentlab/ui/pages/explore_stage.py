"""The left side of the Explore page: the picture, what is on it, its neighbours, and the grids below it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from latentlab.core.messages import Images
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.pages.explore_compare import Comparison
from latentlab.ui.pages.explore_lower import LowerArea
from latentlab.ui.pages.explore_nearest import WIDTH, NearestPanel, fold_button
from latentlab.ui.pages.explore_points import PointStore
from latentlab.ui.views.picture import PictureView
from latentlab.ui.views.wipe import WipeView
from latentlab.ui.widgets.elided_label import ElidedLabel
from latentlab.ui.widgets.segments import Squeezable
from latentlab.ui.widgets.shortcuts import click_on_key, on_key
from latentlab.ui.widgets.weights_follow import FollowBar

DRAG_FROM_PX = 4.0
STRIP_SHARE, GRID_SHARE = 0.26, 0.5
BESIDE_FROM = 1000
ROWS = ("strip", "points", "walk", "arithmetic")
"""Panes that are a row or two of pictures."""
LINE_STEP = 0.05


class ExploreStage(QWidget):
    """The picture with the grids below it.

    Signals
    -------
    drag_began, drag_ended
        The left button went down on the picture and moved; was released.
    dragged
        (dx, dy) since the drag began, in picture widths and heights; up is positive.
    """

    drag_began = Signal()
    dragged = Signal(float, float)
    drag_ended = Signal()

    def __init__(self, context: AppContext, store: PointStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = WipeView()
        self.picture.setObjectName("explorePicture")
        self.picture.setAccessibleName("Decoded picture")
        self.picture.setMinimumSize(120, 120)
        self.picture.installEventFilter(self)
        self.lower_area = LowerArea(context, store)
        self.nearest = NearestPanel(context)
        self.nearest_button = fold_button()
        self.comparison = Comparison(context, self.picture, self)
        self.wipe = self.comparison.button
        self.follow_bar = FollowBar(context)
        self.info = ElidedLabel()
        self.info.setAccessibleName("Where the picture is in latent space")
        self.info.setFont(style.figure_font(self.info.font()))
        self._press: QPointF | None = None
        self._dragging = self._wiping = False
        self._shares: dict[str, float] = {}
        self._front = "strip"
        self._aspect = 1.0
        self._build()
        click_on_key(self.nearest_button, "N")
        self.nearest_button.toggled.connect(self.nearest.setVisible)
        self.lower_area.pane_changed.connect(self._on_pane)
        self.splitter.splitterMoved.connect(self._on_split)
        on_key(self, "Ctrl+Left", self._line_left)
        on_key(self, "Ctrl+Right", self._line_right)

    @property
    def strip(self) -> PictureView:
        """The pictures along the current slider."""
        return self.lower_area.strip.view

    def _build(self) -> None:
        top = QWidget()
        tools = Squeezable()
        row = self._row = QHBoxLayout(tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.wipe)
        row.addWidget(self.nearest_button)
        row.addWidget(self.info, 1)
        row.addWidget(self.follow_bar)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.nearest)
        middle.addWidget(self.picture, 1)
        upper = QVBoxLayout(top)
        upper.setContentsMargins(0, 0, 0, 0)
        upper.addLayout(middle, 1)
        upper.addWidget(tools)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setObjectName("exploreStageSplitter")
        self.splitter.addWidget(top)
        self.splitter.addWidget(self.lower_area)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setCollapsible(0, False)
        self.splitter.setSizes([600, 160])
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
        """Show the decoded picture (1, H, W, C), beside the original where there is one and no wipe."""
        if original is None or original.shape != decoded.shape or self.wipe.target:
            self.picture.set_images(decoded)
        else:
            both = np.concatenate([original, decoded])
            self.picture.set_images(both, columns=2, captions=["original", caption or "decoded"])

    # A strip is low, a grid wants half of the room. What a hand has set stays, for each of them.

    @Slot(str)
    def _on_pane(self, name: str) -> None:
        self._front = "strip" if name in ROWS else "grid"
        self._arrange()

    def _arrange(self) -> None:
        """Stand a grid beside the picture where the stage is wide, below it otherwise; a strip is always below."""
        beside = self._front == "grid" and self.width() >= BESIDE_FROM and self._fits_beside()
        across = Qt.Orientation.Horizontal if beside else Qt.Orientation.Vertical
        self.splitter.setOrientation(across)
        share = self._shares.get(f"{self._front} {beside}", GRID_SHARE if self._front == "grid" else STRIP_SHARE)
        total = max(sum(self.splitter.sizes()), 2)
        self.splitter.setSizes([round(total * (1 - share)), round(total * share)])

    def set_shape(self, image_shape: tuple[int, int, int]) -> None:
        """Tell the height, width and channels of the model's pictures."""
        self._aspect = image_shape[1] / image_shape[0]
        self._arrange()

    def _fits_beside(self) -> bool:
        """Whether picture and a grid of its shape are larger side by side than one above the other."""
        width, height = self.width() - WIDTH, self.height()
        return min(width / 2 / self._aspect, height) > min(width / self._aspect, height / 2)

    @Slot()
    def _on_split(self) -> None:
        sizes = self.splitter.sizes()
        beside = self.splitter.orientation() == Qt.Orientation.Horizontal
        self._shares[f"{self._front} {beside}"] = sizes[1] / max(1, sum(sizes))

    def save_shares(self) -> dict[str, object]:
        """Return what share of the room a hand gave to strips and to grids."""
        return dict(self._shares)

    def restore_shares(self, state: object) -> None:
        """Bring back what ``save_shares`` returned; what is odd is left out."""
        if isinstance(state, dict):
            self._shares |= {str(k): v for k, v in state.items() if isinstance(v, float) and 0.0 < v < 1.0}
            self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the picture and the grid anew when the stage has become wide, or narrow."""
        super().resizeEvent(event)
        if self._front == "grid":
            self._arrange()

    # The wipe's line

    @Slot()
    def _line_left(self) -> None:
        self.picture.set_share(self.picture.share - LINE_STEP)

    @Slot()
    def _line_right(self) -> None:
        self.picture.set_share(self.picture.share + LINE_STEP)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Turn presses and moves on the picture into drags, of the wipe's line or through latent space."""
        if watched is self.picture and isinstance(event, QMouseEvent):
            kind = event.type()
            if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
                self._press, self._dragging = event.position(), False
                self._wiping = self.picture.on_line(event.position())
            elif kind == QEvent.Type.MouseMove and self._press is not None:
                self._drag_to(event.position())
            elif kind == QEvent.Type.MouseMove and self.picture.wiping:
                on_line = self.picture.on_line(event.position())
                self.picture.setCursor(Qt.CursorShape.SplitHCursor if on_line else Qt.CursorShape.ArrowCursor)
            elif kind == QEvent.Type.MouseButtonRelease and self._press is not None:
                self._press, self._wiping = None, False
                if self._dragging:
                    self._dragging = False
                    self.picture.unsetCursor()
                    self.drag_ended.emit()
        return False

    def _drag_to(self, position: QPointF) -> None:
        assert self._press is not None
        if self._wiping:
            self.picture.move_line(position.x())
            return
        way = position - self._press
        if not self._dragging and way.manhattanLength() >= DRAG_FROM_PX:
            self._dragging = True
            self.picture.setCursor(Qt.CursorShape.SizeAllCursor)
            self.drag_began.emit()
        if self._dragging:
            self.dragged.emit(way.x() / max(1, self.picture.width()), -way.y() / max(1, self.picture.height()))
