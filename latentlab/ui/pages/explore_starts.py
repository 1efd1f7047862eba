"""More places to start from: the frame that the Video page shows, and the mean of a class."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from latentlab.core.explore_data import ExploreData
from latentlab.core.messages import ModelInfo
from latentlab.ui import icons
from latentlab.ui.context import AppContext
from latentlab.ui.widgets.image_input import ChosenImage
from latentlab.ui.widgets.shortcuts import click_on_key

NO_FRAME = "The Video page shows no frame yet: open a film there (Ctrl+4)."
NO_MEANS = "The class means appear when labelled pictures of the data have been encoded."


class MoreStarts(QWidget):
    """Two buttons beside those for pictures.

    Signals
    -------
    image_chosen
        A ``ChosenImage``: the frame.
    mean_chosen
        (z (D,), class, name).
    """

    image_chosen = Signal(object)
    mean_chosen = Signal(object, int, str)

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._data: ExploreData | None = None
        self._channels = 3
        self._names: Sequence[str] = ()
        self.frame = self._button("video", "Frame", "Encode the frame that the Video page shows, and start there (V)")
        self.mean = self._button("mean", "Mean", "Start from the mean code of a class, or of all images (M)")
        self.mean.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.mean.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self._menu = QMenu(self.mean)
        self.mean.setMenu(self._menu)
        click_on_key(self.frame, "V")
        click_on_key(self.mean, "M")
        self.frame.clicked.connect(self.take_frame)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.frame)
        layout.addWidget(self.mean)
        self.set_data(None)

    def _button(self, icon: str, text: str, tooltip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)  # Five buttons share one row.
        button.setToolTip(tooltip)
        button.setAccessibleName(tooltip)
        icons.set_icon(button, icon)
        return button

    def set_model(self, info: ModelInfo) -> None:
        """Offer what the model can start from."""
        self._channels = info.image_shape[2]
        self.setVisible(info.has_encoder)
        self.set_data(None)

    def set_data(self, data: ExploreData | None) -> None:
        """Offer the means that are known."""
        before, self._data = self._data, data
        names = ["all images", *([] if data is None else [data.class_names[k] for k in data.known_classes()])]
        self.mean.setEnabled(data is not None)
        tip = "Start from the mean code of a class, or of all images (M)"
        self.mean.setToolTip(tip if data is not None else f"{tip}\n{NO_MEANS}")
        if data is None or before is None or list(self._names) != names:
            self._names = names
            self._menu.clear()
            for place, name in enumerate(names):
                self._menu.addAction(f"Mean of {name}", partial(self._choose, place))

    def _choose(self, place: int) -> None:
        data = self._data
        if data is None:
            return
        if place == 0:
            self.mean_chosen.emit(data.principal.mean, -1, "mean of all images")
            return
        known = data.known_classes()
        if place <= len(known):
            k = known[place - 1]
            self.mean_chosen.emit(data.class_means[k], k, f"mean of {data.class_names[k]}")

    @Slot()
    def take_frame(self) -> None:
        """Encode the frame that the Video page shows."""
        video = self._context.video
        frame = None if video is None else video.frame.get()[1]
        if frame is None:
            self._context.show_message(NO_FRAME)
            return
        picture = frame.original
        if picture.shape[2] != self._channels:
            grey = np.round(picture.mean(axis=2, keepdims=True)).astype(np.uint8)
            picture = grey if self._channels == 1 else np.repeat(grey, 3, axis=2)
        self.image_chosen.emit(ChosenImage(np.array(picture[None]), f"frame {frame.index}"))
