"""Previews of several runs side by side at the same step, with a slider over the steps."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from latentlab.core.run_listing import SHEETS, SheetPicture, Sheets
from latentlab.ui import style
from latentlab.ui.formatting import format_steps
from latentlab.ui.views.picture import PictureView
from latentlab.ui.widgets.elided_label import ElidedLabel

CAPTION = 30  # pixels over each picture


class _Cell(QWidget):
    """One run's picture under its name and step."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ElidedLabel()
        self.step = QLabel()
        self.step.setProperty("role", "muted")
        self.view = PictureView()
        row = QHBoxLayout()
        row.addWidget(self.name, 1)
        row.addWidget(self.step)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.view, 1)

    def show_picture(self, label: str, found: SheetPicture) -> None:
        """Show a picture, or that there is none."""
        self.name.setText(label)
        self.step.setText(f"step {format_steps(found.step)}" if found.picture is not None else "")
        if found.picture is None:
            self.view.clear("No preview yet")
        else:
            self.view.set_images(found.picture[None])
        self.view.setAccessibleName(f"Preview of {label}")


class RunPictures(QWidget):
    """Pictures of the compared runs.

    Signals
    -------
    wanted
        Kind of sheet and the step; None for the newest.

    Thread: GUI.
    """

    wanted = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.labels: list[str] = []
        self._steps: tuple[int, ...] = ()
        self._cells: list[_Cell] = []
        self._shapes: list[tuple[int, int]] = []
        self._count = 0
        self.sheet = SHEETS[0]
        self.kind = QToolButton()
        self.kind.setText("Samples")
        self.kind.setCheckable(True)
        self.kind.setProperty("kind", "chip")
        self.kind.setToolTip("Show samples of the prior instead of test images over their reconstructions")
        self.kind.setAccessibleName("Samples instead of reconstructions")
        self.kind.toggled.connect(self._on_kind)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Step of the pictures")
        self.slider.setToolTip(
            "Step at which all runs are shown; each shows its nearest preview. Right end: the newest"
        )
        self.slider.valueChanged.connect(self._on_slider)
        self.text = QLabel("newest")
        self.text.setMinimumWidth(self.text.fontMetrics().horizontalAdvance("step 1,000,000"))
        row = QHBoxLayout()
        for widget, stretch in ((self.kind, 0), (self.slider, 1), (self.text, 0)):
            row.addWidget(widget, stretch)
        self._grid = QGridLayout()
        self._grid.setSpacing(2 * style.SPACING)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, style.SPACING, 0, 0)
        column.addLayout(row)
        column.addLayout(self._grid, 1)

    def minimumSizeHint(self) -> QSize:
        """Return a size that a small window has room for."""
        return QSize(200, 120)

    def show_sheets(self, sheets: Sheets) -> None:
        """Show the pictures that were read."""
        if sheets.steps != self._steps:
            at_end = sheets.wish.step is None
            self._steps = sheets.steps
            with QSignalBlocker(self.slider):
                self.slider.setRange(0, max(0, len(self._steps) - 1))
                self.slider.setEnabled(len(self._steps) > 1)
                if at_end:
                    self.slider.setValue(self.slider.maximum())
        self._show_text()
        self._shapes = [found.picture.shape[:2] for found in sheets.pictures if found.picture is not None]
        self._arrange(len(sheets.pictures))
        for cell, label, found in zip(self._cells, self.labels, sheets.pictures, strict=False):
            cell.show_picture(label, found)

    def _arrange(self, count: int) -> None:
        self._count = count
        while len(self._cells) < count:
            self._cells.append(_Cell())
        columns = self._best_columns(count)
        for place, cell in enumerate(self._cells):
            self._grid.removeWidget(cell)
            cell.setVisible(place < count)
            if place < count:
                self._grid.addWidget(cell, place // columns, place % columns)

    def _best_columns(self, count: int) -> int:
        """Return the number of columns that shows the pictures largest."""
        height, width = self._shapes[0] if self._shapes else (1, 2)

        def scale(columns: int) -> float:
            rows = max(1, math.ceil(count / columns))
            room = self.height() / rows - CAPTION
            return min(self.width() / columns / width, max(1.0, room) / height)

        return max(range(1, max(1, count) + 1), key=scale)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the pictures for the new room."""
        super().resizeEvent(event)
        self._arrange(self._count)

    def _show_text(self) -> None:
        newest = self.slider.value() == self.slider.maximum() or not self._steps
        self.text.setText("newest" if newest else f"step {format_steps(self._steps[self.slider.value()])}")

    @Slot(int)
    def _on_slider(self, place: int) -> None:
        self._show_text()
        newest = place == self.slider.maximum()
        self.wanted.emit(self.sheet, None if newest or not self._steps else self._steps[place])

    @Slot(bool)
    def _on_kind(self, samples: bool) -> None:
        self.sheet = SHEETS[int(samples)]
        self._on_slider(self.slider.value())

    def apply_theme(self) -> None:
        """Recolour the grounds."""
        for cell in self._cells:
            cell.view.apply_theme()
