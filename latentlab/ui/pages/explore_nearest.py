"""The training images nearest to z, and whether the data has anything there at all."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget

from latentlab.core.latent_nearest import Density
from latentlab.core.messages import Floats
from latentlab.runtime.latent_survey import NearestImages
from latentlab.ui import icons, style
from latentlab.ui.context import AppContext
from latentlab.ui.views.picture import PictureView

PANE = "explore"
COUNT = 6
REST_MS = 100
WIDTH = 108
ROOM_EACH = 68
OFF_THE_MAP = "off the map"
WAITING = "The data is being encoded; the nearest images appear when there is a first survey of it."


def density_text(density: Density) -> str:
    """Return how much data is around z, in words short enough for a narrow panel."""
    if density.off_map:
        return OFF_THE_MAP
    return f"density {density.rank:.0%}"


class NearestPanel(QWidget):
    """A column of the data's images nearest to z. Asks only while it is visible. Thread: GUI.

    Signals
    -------
    chosen
        (z (D,), class or -1, name): a picture was clicked: go to its code.
    density_changed
        A ``Density`` or None.
    """

    chosen = Signal(object, int, str)
    density_changed = Signal(object)

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._z: Floats | None = None
        self._asked: tuple[object, ...] | None = None
        self._found: NearestImages | None = None
        self._said = ""
        self.setFixedWidth(WIDTH)
        self.heading = QLabel("Nearest")
        self.heading.setProperty("role", "section")
        self.density = QLabel()
        self.density.setWordWrap(True)
        self.density.setFont(style.figure_font(self.density.font()))
        self.density.setProperty("role", "muted")
        self.view = PictureView()
        self.view.setObjectName("nearestImages")
        self.view.setAccessibleName("Images of the data nearest to z")
        self.view.setToolTip("Click an image to go to where the encoder puts it")
        self.view.clicked.connect(self._on_clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, style.SPACING, 0)
        layout.setSpacing(4)
        layout.addWidget(self.heading)
        layout.addWidget(self.density)
        layout.addWidget(self.view, 1)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._ask)
        if context.survey is not None:
            context.survey.nearest_ready.connect(self._on_found)
        self.clear()

    def set_point(self, z: Floats) -> None:
        """Wish for what is nearest to ``z``."""
        self._z = z
        if self.isVisible() and self._key() != self._asked:
            self._rest.start()

    def follow(self) -> None:
        """Ask again when there is a newer survey; while there is none, say how far it is."""
        if self._found is None and self.isVisible():
            self._say_progress()
        if self.isVisible() and self._z is not None and self._key() != self._asked and not self._rest.isActive():
            self._rest.start()

    def _say_progress(self) -> None:
        survey = self._context.survey
        problem = None if survey is None else survey.problem.get()[1]
        progress = None if survey is None else survey.progress.get()[1]
        text = WAITING
        if problem is not None:
            text = problem.what
        elif progress is not None and progress.total:
            text = f"{progress.what}: {progress.done / progress.total:.0%}"
        if text != self._said:
            self._said = text
            self.view.clear(text)

    def _key(self) -> tuple[object, ...]:
        survey = self._context.survey
        version = -1 if survey is None else survey.surveys.version
        return version, b"" if self._z is None else self._z.tobytes()

    def clear(self) -> None:
        """Forget everything: another model."""
        self._z = self._asked = self._found = None
        self._said = WAITING
        self.view.clear(WAITING)
        self._tell(None)

    @Slot()
    def _ask(self) -> None:
        survey = self._context.survey
        if survey is None or self._z is None or survey.surveys.version == 0:
            return
        self._asked = self._key()
        survey.ask_nearest(PANE, np.array(self._z), COUNT)

    @Slot(str, object)
    def _on_found(self, pane: str, found: NearestImages) -> None:
        if pane != PANE or self._z is None:
            return
        if found.error is not None or found.images is None or found.distance is None or found.density is None:
            self._found = None
            self._said = "" if found.error is None else found.error.what
            self.view.clear(self._said)
            self._tell(None)
            return
        self._found = found
        self._show()
        self._tell(found.density)

    def _show(self) -> None:
        """Show as many of the nearest as have room at a size that can be judged."""
        found = self._found
        if found is None or found.images is None or found.distance is None:
            return
        count = max(2, min(COUNT, self.view.height() // ROOM_EACH))
        captions = [f"{distance:.2f} σ" for distance in found.distance[:count]]
        self.view.set_images(found.images[:count], columns=1, captions=captions, tips=self._tips(found)[:count])

    def hideEvent(self, event: QHideEvent) -> None:
        """Ask for nothing while folded away."""
        super().hideEvent(event)
        self._rest.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show more of them, or fewer."""
        super().resizeEvent(event)
        self._show()

    def _tips(self, found: NearestImages) -> list[str]:
        assert found.rows is not None
        assert found.distance is not None
        rows = zip(found.rows, found.distance, strict=True)
        return [
            f"Image {row} of the data, {distance:.2f} σ from z over the active dimensions" for row, distance in rows
        ]

    def _tell(self, density: Density | None) -> None:
        self.density.setText("" if density is None else density_text(density))
        self.density.setProperty("role", "warning" if density is not None and density.off_map else "muted")
        style.repolish(self.density)
        self.density.setToolTip(
            "How much data is around z, by the distance to its 10th nearest code"
            + ("" if density is None else f" ({density.distance:.2f} σ):")
            + "\nthe share of the data's own draws that lie farther out than z. Below 1 %: off the map,"
            "\nthe decoder was never trained there"
        )
        self.density_changed.emit(density)

    @Slot(int)
    def _on_clicked(self, index: int) -> None:
        found, service = self._found, self._context.survey
        survey = None if service is None else service.surveys.get()[1]
        if found is None or found.rows is None or survey is None or index >= len(found.rows):
            return
        place = np.flatnonzero(survey.rows == found.rows[index])
        if len(place):
            label = -1 if survey.labels is None else int(survey.labels[place[0]])
            self.chosen.emit(survey.mu[place[0]], label, f"image {int(found.rows[index])} of the data")


def fold_button() -> QToolButton:
    """Return the button that folds the panel away."""
    button = QToolButton()
    button.setObjectName("nearestButton")
    button.setCheckable(True)
    button.setChecked(True)
    button.setToolTip("Nearest images of the data, their distance, and the density of the data at z (N)")
    button.setAccessibleName("Show the nearest images of the data")
    icons.set_icon(button, "nearest")
    return button
