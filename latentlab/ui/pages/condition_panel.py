"""The right side of the Condition page: the chosen cell large, and what the rows are made of."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSpinBox, QToolButton, QVBoxLayout, QWidget

from latentlab.core.messages import Images, ModelInfo
from latentlab.ui import icons, style
from latentlab.ui.context import AppContext
from latentlab.ui.pages.condition_attributes import AttributeChips
from latentlab.ui.pages.condition_mixture import MixturePanel
from latentlab.ui.views.picture import PictureView
from latentlab.ui.widgets.class_picker import ClassPicker, class_names
from latentlab.ui.widgets.seed_controls import SeedControls
from latentlab.ui.widgets.shortcuts import LettersPass
from latentlab.ui.widgets.start_from import StartFrom

WIDTH = 336
MOST_STYLES = 24


class ConditionPanel(QWidget):
    """The selected cell and the controls of the grid.

    Signals
    -------
    image_dropped
        The encoded image's row is to be taken away.
    explore_wanted
        The selected cell is to be opened on the Explore page.
    """

    image_dropped = Signal()
    explore_wanted = Signal()

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(WIDTH)
        self._aspect = 1.0
        self._pictures = 1
        self.picture = PictureView()
        self.picture.setObjectName("conditionPicture")
        self.picture.setAccessibleName("Selected picture")
        self.picture.setMinimumSize(160, 120)
        self.caption = QLabel()
        self.caption.setProperty("role", "muted")
        self.caption.setAccessibleName("Selected cell")
        self.caption.setToolTip("Style (row) and class or attribute (column) of the picture above")
        self.picker = ClassPicker()
        self.seeds = SeedControls()
        self.seeds.button.setToolTip("Draw new styles from the prior, with a new seed (R)")
        self.mixture = MixturePanel(context)
        self.attributes = AttributeChips(context)
        self.start = StartFrom(context)
        self.styles = QSpinBox()
        self.styles.setObjectName("stylesSpin")
        self.styles.setRange(1, MOST_STYLES)
        self.styles.setValue(6)
        self.styles.setSuffix(" styles")
        self.styles.setAccessibleName("Number of styles")
        self.styles.setToolTip("Rows of the grid: each is one z, decoded for every class")
        LettersPass(self.styles)
        self.drop = QToolButton()
        icons.set_icon(self.drop, "close")
        self.drop.setAccessibleName("Take the picture's row away")
        self.drop.setToolTip("Take the picture's row away")
        self.drop.clicked.connect(self.image_dropped)
        self.explore = QPushButton("Open in Explore")
        self.explore.setAccessibleName("Open in Explore")
        self.explore.setToolTip("Take this z and class to the Explore page (Enter, or a double click on a cell)")
        icons.set_icon(self.explore, "explore")
        self.explore.clicked.connect(self.explore_wanted)
        self._build()

    def _section(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setProperty("role", "section")
        return label

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(style.SPACING)
        layout.addWidget(self.picture, 100)
        row = QHBoxLayout()
        row.addWidget(self.caption, 1)
        row.addWidget(self.explore)
        layout.addLayout(row)
        self.class_section = self._section("Class")
        self.mixture_section = self._section("Mixture of classes")
        self.attribute_section = self._section("Attributes")
        for widget in (self.class_section, self.picker, self.mixture_section, self.mixture):
            layout.addWidget(widget)
        layout.addWidget(self.attribute_section)
        layout.addWidget(self.attributes)
        layout.addWidget(self._section("Styles"))
        self.seeds.add_tools(self.styles)
        layout.addWidget(self.seeds)
        transfer = self._section("Style transfer")
        transfer.setToolTip("Encode a picture with its class, and decode its style for every class")
        layout.addWidget(transfer)
        pictures = QHBoxLayout()
        pictures.addWidget(self.start)
        pictures.addStretch(1)
        pictures.addWidget(self.drop)
        layout.addLayout(pictures)
        self.drop.setVisible(False)
        layout.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the picture's room no taller than the picture can be, so that the controls stay near."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = round(self.width() * self._aspect) + 2 * self.fontMetrics().height()
        self.picture.setMaximumHeight(room * self._pictures)

    def show_picture(self, picture: Images, original: Images | None, name: str) -> None:
        """Show a cell (1, H, W, C) large, with the picture whose style it has."""
        if original is None or original.shape != picture.shape:
            self.picture.set_images(picture)
            self._pictures = 1
        else:
            self.picture.set_images(np.concatenate([original, picture]), captions=["original", f"as {name}"])
            self._pictures = 2
        self._fit()

    def set_model(self, info: ModelInfo) -> None:
        """Offer a model's classes and attributes."""
        names = class_names(info.class_names, info.num_classes)
        if info.conditional:
            self.picker.set_classes(names)
            self.mixture.set_classes(names)
        for widget in (self.class_section, self.picker, self.mixture_section, self.mixture):
            widget.setVisible(info.conditional)
        self.attributes.set_model(info)
        self.attribute_section.setVisible(self.attributes.usable)
        self.attributes.setVisible(self.attributes.usable)
        self.start.set_model(info)
        self._aspect = info.image_shape[0] / info.image_shape[1]
        self._fit()
