"""The export dialog: what, how large, and where to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from latentlab.core.errors import LatentLabError
from latentlab.core.latent_files import write_latents
from latentlab.core.paths import screenshots_dir
from latentlab.ui import icons, screenshots, style
from latentlab.ui.exporting import PictureExporter
from latentlab.ui.page import Page
from latentlab.ui.page_area import TITLES
from latentlab.ui.page_state import state_of
from latentlab.ui.views import plot_menu
from latentlab.ui.views.picture import PictureView
from latentlab.ui.views.plot import MetricPlot

if TYPE_CHECKING:
    from latentlab.ui.main_window import MainWindow

SCALES = (1, 2, 4)
PIXELS, VECTORS = "Picture (*.png)", "Vector graphics (*.svg)"
LATENTS = "Arrays (*.npz);;Table (*.csv)"
CARRIES = (
    "A PNG carries its run, recipe, step, z, class, seed and losses. Drop it on the window, or open it with latentlab, "
    "to come back to this very state; for that the weights of its step are kept with the run."
)


@dataclass(frozen=True)
class Subject:
    """Something to export: a picture view at its pictures' own pixels, or a widget as it is drawn."""

    text: str
    name: str
    widget: QWidget

    def image(self, scale: int) -> QImage | None:
        """Return it ``scale`` times as large; None when there is nothing to see any more."""
        if not isValid(self.widget):
            return None
        if isinstance(self.widget, PictureView):
            image = self.widget.image()
            return None if image is None else screenshots.magnified(image, scale)
        return screenshots.grab(self.widget, scale)

    def size(self, scale: int) -> QSize:
        """Return its size in pixels."""
        if not isValid(self.widget):
            return QSize(0, 0)
        image = self.widget.image() if isinstance(self.widget, PictureView) else None
        return (image.size() if image is not None else self.widget.size()) * scale


def subjects_of(window: MainWindow) -> list[Subject]:
    """Return what can be exported now: the pictures and plots of the page in front, the page, the window."""
    page = window.area.current_page()
    found: list[Subject] = []
    if page is not None:
        views = [view for view in page.findChildren(PictureView) if view.isVisible() and view.image() is not None]
        views.sort(key=lambda view: -view.width() * view.height())
        plots = [plot for plot in page.findChildren(MetricPlot) if plot.isVisible()]
        found += [Subject(_name_of(view), view.objectName() or "picture", view) for view in views]
        found += [Subject(f"Plot: {plot.spec.title}", plot.spec.key, plot) for plot in plots]
        found.append(Subject(f"{TITLES[page.object_name]} page", TITLES[page.object_name], page))
    return [*found, Subject("Window", "window", window)]


def _name_of(view: PictureView) -> str:
    """Return what people call a view; one without a name of its own is called by its object's: traversal strip."""
    name = view.accessibleName()
    if name != "Pictures" or not view.objectName():
        return name
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", view.objectName()).capitalize()


class ExportDialog(QDialog):
    """Exports as often as one likes; the window goes on behind it."""

    def __init__(self, window: MainWindow, exporter: PictureExporter) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("exportDialog")
        self.setWindowTitle("Export")
        self._window, self._exporter = window, exporter
        self._page: Page | None = window.area.current_page()
        self.subjects = subjects_of(window)
        self.what = QComboBox()
        self.what.addItems([subject.text for subject in self.subjects])
        self.what.setAccessibleName("What to export")
        self.what.setToolTip("Pictures of the page at their own pixels, plots, the page or the window as drawn")
        self.scales = QButtonGroup(self)
        self.size_label = QLabel()
        self.size_label.setProperty("role", "muted")
        self.size_label.setFont(style.figure_font(self.size_label.font()))
        self.save = self._button("Save…", "save", "Choose a file and write it (Enter)", self.ask_and_save)
        self.save.setProperty("kind", "primary")
        self.save.setDefault(True)
        self.copy = self._button("Copy", "copy", "Put the picture on the clipboard", self.copy_picture)
        self.latents = self._button(
            "Latents…", "encode", "Write the points behind the page's pictures as .npz or .csv", self.ask_for_latents
        )
        self.latents.setEnabled(state_of(self._page).z is not None)
        self._build()
        self.what.currentIndexChanged.connect(self._show_size)
        self.scales.idClicked.connect(self._show_size)
        self._show_size()

    def _button(self, text: str, icon: str, tooltip: str, act: object) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text.rstrip("…"))
        button.setToolTip(tooltip)
        icons.set_icon(button, icon, "accent_text" if icon == "save" else "text")
        button.clicked.connect(act)
        return button

    def _build(self) -> None:
        sizes = QHBoxLayout()
        sizes.setSpacing(4)
        for scale in SCALES:
            chip = QToolButton()
            chip.setText(f"{scale}×")
            chip.setCheckable(True)
            chip.setChecked(scale == 1)
            chip.setProperty("kind", "chip")
            chip.setAccessibleName(f"{scale} times as large")
            chip.setToolTip(f"{scale} times as large; a picture's pixels become squares of {scale} × {scale}")
            self.scales.addButton(chip, scale)
            sizes.addWidget(chip)
        sizes.addWidget(self.size_label, 1)
        note = QLabel(CARRIES)
        note.setWordWrap(True)
        note.setProperty("role", "muted")
        buttons = QHBoxLayout()
        buttons.addWidget(self.latents)
        buttons.addStretch(1)
        buttons.addWidget(self.copy)
        buttons.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[2 * style.SPACING] * 4)
        column.setSpacing(style.SPACING)
        column.addWidget(self.what)
        column.addLayout(sizes)
        column.addWidget(note)
        column.addStretch(1)
        column.addLayout(buttons)
        self.resize(460, 220)

    @property
    def subject(self) -> Subject:
        """What is chosen."""
        return self.subjects[self.what.currentIndex()]

    @property
    def scale(self) -> int:
        """How many times as large."""
        return self.scales.checkedId()

    @Slot()
    def _show_size(self) -> None:
        size = self.subject.size(self.scale)
        self.size_label.setText(f"{size.width():,} × {size.height():,} pixels")

    @Slot()
    def copy_picture(self) -> None:
        """Put the picture on the clipboard."""
        image = self.subject.image(self.scale)
        if image is not None:
            self._exporter.copy(image, self._page)
            self._window.context.show_message(f"{self.subject.text} is on the clipboard.")

    @Slot()
    def ask_and_save(self) -> None:
        """Ask for a file name and save the picture."""
        vectors = isinstance(self.subject.widget, MetricPlot)
        filters = f"{PIXELS};;{VECTORS}" if vectors else PIXELS
        name = screenshots.picture_path(self.subject.name)
        chosen, kind = QFileDialog.getSaveFileName(self, "Export", str(name), filters)
        if chosen:
            ending = ".svg" if kind == VECTORS else ".png"
            path = Path(chosen)
            self.save_to(path if path.suffix.lower() in (".png", ".svg") else Path(f"{chosen}{ending}"))

    def save_to(self, path: Path) -> None:
        """Write what is chosen to ``path``: a plot as vectors where it ends in .svg, else pixels."""
        widget = self.subject.widget
        if path.suffix.lower() == ".svg" and isinstance(widget, MetricPlot) and isValid(widget):
            try:
                plot_menu.save(widget, path)
            except LatentLabError as error:
                self._window.context.errors.report(error)
                return
            self._window.context.show_message(f"Saved {path}")
            return
        image = self.subject.image(self.scale)
        if image is not None:
            self._exporter.save(image, path, self._page)

    @Slot()
    def ask_for_latents(self) -> None:
        """Ask for a file name and write the latents."""
        name = screenshots_dir() / "latents.npz"
        chosen, kind = QFileDialog.getSaveFileName(self, "Export latents", str(name), LATENTS)
        if chosen:
            path = Path(chosen)
            self.save_latents(path if path.suffix else path.with_suffix(".csv" if "csv" in kind else ".npz"))

    def save_latents(self, path: Path) -> None:
        """Write the points behind the page's pictures."""
        state, facts = state_of(self._page), self._exporter.shown(self._page).facts
        if state.z is None:
            return
        try:
            write_latents(path, state.z, state.labels, run=str(facts.run or ""), step=facts.step)
        except LatentLabError as error:
            self._window.context.errors.report(error)
            return
        count = len(state.z)
        self._window.context.show_message(f"Saved {count:,} point{'s' if count > 1 else ''} to {path}")
