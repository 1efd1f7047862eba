"""The right side of the map: the image or place that is looked at, its neighbours, the group, and the lengths of z."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.directions import MAX_NAME
from latentlab.core.latent_map import Group
from latentlab.core.latent_nearest import Density
from latentlab.core.messages import Images
from latentlab.ui import icons, style
from latentlab.ui.formatting import format_steps, format_value
from latentlab.ui.pages.map_norms import NormView
from latentlab.ui.views.picture import PictureView
from latentlab.ui.widgets.class_picker import class_names

WIDTH = 240
PICTURE_HEIGHT = 176
NEIGHBOUR_HEIGHT = 148
HINT = "Point at a dot to see its image, click to pin it and to set the sliders."


class MapInspector(QWidget):
    """Shows what the page tells it. Thread: GUI.

    Signals
    -------
    explore_wanted
        Take the pinned point to the Explore page.
    neighbour_picked
        One of the nearest images was clicked (its place in the strip).
    """

    explore_wanted = Signal()
    neighbour_picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(WIDTH)
        self.title = QLabel()
        self.title.setProperty("role", "heading")
        self.title.setAccessibleName("What is looked at")
        self.picture = _pictures("mapPicture", "Image and reconstruction", PICTURE_HEIGHT)
        self.picture.setToolTip("The image, and what the weights in use decode from its mean, with its error (MSE)")
        self.facts = QLabel(HINT)
        self.facts.setProperty("role", "muted")
        self.facts.setWordWrap(True)
        self.facts.setAccessibleName("Facts about it")
        self.density = QLabel()
        self.density.setWordWrap(True)
        self.density.setAccessibleName("Density of the data")
        self.density.setToolTip(
            "Distance to the 10th nearest image over active dimensions, and the share of the data's own draws\n"
            "that lie farther out; below 1 % the decoder was practically never trained there"
        )
        self.explore = QPushButton("Open in Explore")
        self.explore.setAccessibleName("Open in Explore")
        self.explore.setToolTip("Show this point on the Explore page (Enter, or a double click on the map)")
        icons.set_icon(self.explore, "explore")
        self.explore.clicked.connect(self.explore_wanted)
        self.neighbours = _pictures("mapNeighbours", "Nearest images", NEIGHBOUR_HEIGHT)
        self.neighbours.setToolTip("The nearest images in latent space, with their distance; click one to pin it")
        self.neighbours.clicked.connect(self.neighbour_picked)
        self.group = GroupPanel()
        self.norms = NormView()
        self._build()
        self.clear()

    def _build(self) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, style.SPACING, 0)
        column.setSpacing(style.SPACING)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.explore)
        column.addLayout(head)
        for widget in (self.picture, self.facts, self.density, _section("Nearest images"), self.neighbours):
            column.addWidget(widget)
        column.addWidget(self.group)
        column.addWidget(_section("Length of z"))
        column.addWidget(self.norms)
        column.addStretch(1)
        self.scroll_area = scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setAccessibleName("Inspector")
        scroll.setToolTip("")
        scroll.setFocusPolicy(scroll.focusPolicy().NoFocus)
        scroll.setWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

    def clear(self) -> None:
        """Show nothing yet."""
        self.title.setText("")
        self.picture.clear("Nothing pinned")
        self.facts.setText(HINT)
        self.density.setText("")
        self.neighbours.clear("")
        self.norms.set_mark(None)
        self.explore.setEnabled(False)

    def show_subject(self, title: str, facts: str, length: float | None, *, pinned: bool) -> None:
        """Name what is looked at; its pictures follow as they arrive."""
        self.title.setText(title)
        self.facts.setText(facts)
        self.norms.set_mark(length)
        self.explore.setEnabled(pinned)

    def show_pictures(self, images: Images, captions: Sequence[str]) -> None:
        """Show the image beside its reconstruction, or what was decoded."""
        self.picture.set_images(images, columns=len(images), captions=captions)

    def show_neighbours(self, images: Images, captions: Sequence[str], tips: Sequence[str]) -> None:
        """Show the nearest images."""
        self.neighbours.set_images(images, columns=4, captions=captions, tips=tips)

    def show_group(self, group: Group | None) -> None:
        """Show a group, and bring it into sight."""
        self.group.show_group(group)
        if group is not None:
            self.scroll_area.ensureWidgetVisible(self.group)

    def show_density(self, density: Density | None) -> None:
        """Say how much data is around; in a warning's colour where there is none."""
        self.density.setText("" if density is None else density_text(density))
        self.density.setProperty("role", "warning" if density is not None and density.off_map else "muted")
        style.repolish(self.density)


class GroupPanel(QWidget):
    """A group of images: how many, their mean decoded, their direction against the rest, and export.

    Signals
    -------
    name_given
        Save the direction under this name.
    export_wanted, explore_wanted, cleared
        The buttons.
    """

    name_given = Signal(str)
    export_wanted = Signal()
    explore_wanted = Signal()
    cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mapGroup")
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.about.setAccessibleName("The group")
        self.picture = _pictures("mapGroupPicture", "Decoded mean of the group", 112)
        self.picture.setToolTip("The mean of the group's codes, decoded, between the mean less and plus its direction")
        self.name = QLineEdit()
        self.name.setObjectName("mapDirectionName")
        self.name.setMaxLength(MAX_NAME)
        self.name.setPlaceholderText("Name of the direction")
        self.name.setAccessibleName("Name of the direction")
        self.name.setToolTip("A name for the step from the mean of all other images to the group's")
        self.save = self._button("Save", "Keep the direction with the run, for Explore and Video")
        self.export = self._button("Export…", "Write rows, codes and facts of the group as .npz or .csv (E)")
        self.explore = self._button("Explore", "Open the mean of the group on the Explore page")
        self.clear = self._button("Clear", "Give the group up (X)")
        self.save.clicked.connect(self._on_save)
        self.name.returnPressed.connect(self._on_save)
        self.export.clicked.connect(self.export_wanted)
        self.explore.clicked.connect(self.explore_wanted)
        self.clear.clicked.connect(self.cleared)
        self._build()
        self.setVisible(False)

    def _button(self, words: str, tip: str) -> QPushButton:
        button = QPushButton(words)
        button.setAccessibleName(words)
        button.setToolTip(tip)
        return button

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(style.SPACING)
        for widget in (_section("Group"), self.about, self.picture):
            column.addWidget(widget)
        for pair in ((self.name, self.save), (self.export, self.explore, self.clear)):
            row = QHBoxLayout()
            for control in pair:
                row.addWidget(control, 1 if control is self.name else 0)
            if self.name not in pair:
                row.addStretch(1)
            column.addLayout(row)

    def show_group(self, group: Group | None) -> None:
        """Show a group, or none."""
        self.setVisible(group is not None)
        if group is None:
            return
        total = len(group.survey)
        lines = [f"{format_steps(len(group))} images, {len(group) / max(total, 1):.1%} of the survey"]
        if group.test:
            lines.append(f"{format_steps(group.test)} of them held out")
        if np.isfinite(group.pixel):
            lines.append(f"mean error {format_value(group.pixel)} (MSE)")
        if group.label >= 0:
            names = class_names(group.survey.class_names, group.label + 1)
            lines.append(f"mostly class {names[group.label]}")
        leads = bool(np.isfinite(group.direction).all() and group.direction.any())
        if leads:
            lines.append(f"{format_value(float(np.linalg.norm(group.direction)))} σ from the mean of the rest")
        self.about.setText(" · ".join(lines))
        self.save.setEnabled(leads and group.survey.info.run is not None)
        self.name.setEnabled(self.save.isEnabled())

    @Slot()
    def _on_save(self) -> None:
        if self.save.isEnabled() and self.name.text().strip():
            self.name_given.emit(self.name.text().strip())
        else:
            self.name.setFocus()


def density_text(density: Density) -> str:
    """Return how much data there is around a point, in words."""
    distance = f"10th nearest image at {format_value(density.distance)}"
    if density.off_map:
        return f"Off the map: farther out than 99 % of the data. {distance}."
    return f"On the map: {density.rank:.0%} of the data's draws lie farther out. {distance}."


def _section(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "section")
    return label


def _pictures(name: str, words: str, height: int) -> PictureView:
    view = PictureView()
    view.setObjectName(name)
    view.setAccessibleName(words)
    view.setFixedHeight(height)
    view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return view
