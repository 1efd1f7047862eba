"""The settings of a data set made of films: everything here is a key of the recipe's data section."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QWidget,
)

from latentlab.core.recipe_data import MAX_SIDE, MIN_SIDE, DataConfig
from latentlab.core.video_messages import Crop
from latentlab.ui import style
from latentlab.ui.dialogs.video_export_form import add_row

FIT_SIDE = 128
USUAL_DEDUP = 1.0
SPLITS = (("Whole films, else blocks", "auto"), ("Whole films", "file"), ("Blocks of every film", "blocks"))


class DatasetForm(QWidget):
    """Size, frames and split; the region is chosen on a picture beside it. Thread: GUI."""

    changed = Signal()
    whole_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.crop: Crop | None = None
        self._frame = (0, 0)
        self._own_size = False
        self.region = QLabel("Whole frame")
        self.whole = self._button("Whole frame", "Use all of each frame (data.crop empty)")
        self.whole.clicked.connect(self.whole_wanted)
        self.rows = self._spin("Height", MIN_SIDE, MAX_SIDE, 64, "Height of the pictures in pixels (data.size)")
        self.columns = self._spin("Width", MIN_SIDE, MAX_SIDE, 64, "Width of the pictures in pixels (data.size)")
        self.fit = self._button("As the region", "The size that has the region's shape, 128 pixels long at most")
        self.fit.clicked.connect(self._on_fit)
        self.stride = self._spin("Stride", 1, 10_000, 1, "Take every n-th frame (data.stride)")
        self.keyframes = self._check("Keyframes only", "Take only frames that are stored whole (data.keyframes_only)")
        self.dedup = self._check(
            "Leave out standing frames",
            "Leave out frames that hardly differ from the last one taken (data.dedup)",
        )
        self.threshold = QDoubleSpinBox()
        self.threshold.setRange(0.1, 64.0)
        self.threshold.setDecimals(1)
        self.threshold.setSingleStep(0.5)
        self.threshold.setValue(USUAL_DEDUP)
        self.threshold.setSuffix(" levels")
        self.threshold.setKeyboardTracking(False)
        self.threshold.setAccessibleName("Least difference")
        self.threshold.setToolTip(
            "Least mean absolute difference to the last frame taken, in levels of 255, at the pictures' size"
        )
        self.threshold.valueChanged.connect(self._tell)
        self.limit = self._spin("Limit", 0, 10_000_000, 0, "Take at most this many, evenly spread (data.limit)")
        self.limit.setSpecialValueText("no limit")
        self.limit.setSingleStep(1000)
        self.test = self._spin("Test share", 1, 50, 10, "Share of films or frames held out for testing, in percent")
        self.test.setSuffix(" %")
        self.split = QComboBox()
        self.split.setAccessibleName("Split")
        self.split.setToolTip(
            "Neighbouring frames look alike, so whole films or long stretches are held out, never single frames"
        )
        for words, value in SPLITS:
            self.split.addItem(words, value)
        self.split.currentIndexChanged.connect(self._tell)
        self._arrange()
        self._tell()

    def config(self, spec: str) -> DataConfig:
        """Return the data section for the films of ``spec``."""
        return DataConfig(
            spec=spec,
            size=(self.rows.value(), self.columns.value()),
            crop=self.crop,
            stride=self.stride.value(),
            keyframes_only=self.keyframes.isChecked(),
            dedup=round(self.threshold.value(), 3) if self.dedup.isChecked() else None,
            limit=max(2, self.limit.value()) if self.limit.value() else None,
            test_fraction=self.test.value() / 100,
            split=self.split.currentData(),
        )

    def set_frame_size(self, width: int, height: int) -> None:
        """Say how large the frames are, for sizes that fit them."""
        if (width, height) != self._frame:
            self._frame = (width, height)
            self._follow()

    def set_crop(self, crop: Crop | None) -> None:
        """Take over a region; the size follows it unless it was typed."""
        self.crop = crop
        self.region.setText("Whole frame" if crop is None else f"{crop[2]}×{crop[3]} at {crop[0]}, {crop[1]}")
        self.whole.setEnabled(crop is not None)
        self._follow()
        self._tell()

    def _follow(self) -> None:
        if not self._own_size and self._frame[0]:
            height, width = fitting_size(self.crop or (0, 0, *self._frame))
            with QSignalBlocker(self.rows), QSignalBlocker(self.columns):
                self.rows.setValue(height)
                self.columns.setValue(width)

    @Slot()
    def _on_fit(self) -> None:
        self._own_size = False
        self._follow()
        self._tell()

    @Slot()
    def _tell(self) -> None:
        if self.sender() in (self.rows, self.columns):
            self._own_size = True
        self.threshold.setEnabled(self.dedup.isChecked())
        self.changed.emit()

    def _arrange(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(2 * style.SPACING)
        form.setVerticalSpacing(style.SPACING)
        add_row(form, "Region", _row(self.region, self.whole, stretch=0))
        add_row(form, "Size", _row(self.columns, QLabel("×"), self.rows, self.fit))
        add_row(form, "Every n-th frame", _row(self.stride, self.keyframes))
        add_row(form, "Standing frames", _row(self.dedup, self.threshold, stretch=0))
        add_row(form, "Limit", _row(self.limit, QLabel("frames")))
        add_row(form, "For testing", _row(self.test, self.split))

    def _spin(self, name: str, low: int, high: int, value: int, tooltip: str) -> QSpinBox:
        box = QSpinBox()
        box.setRange(low, high)
        box.setValue(value)
        box.setGroupSeparatorShown(True)
        box.setKeyboardTracking(False)
        box.setMinimumWidth(88)
        box.setAccessibleName(name)
        box.setToolTip(tooltip)
        box.valueChanged.connect(self._tell)
        return box

    def _check(self, text: str, tooltip: str) -> QCheckBox:
        check = QCheckBox(text)
        check.setAccessibleName(text)
        check.setToolTip(tooltip)
        check.toggled.connect(self._tell)
        return check

    def _button(self, text: str, tooltip: str) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text)
        button.setToolTip(tooltip)
        button.setAutoDefault(False)
        return button


def fitting_size(crop: Crop) -> tuple[int, int]:
    """Return height and width of a picture with a region's shape: its own size where it is small enough."""
    _, _, width, height = crop
    factor = min(1.0, FIT_SIDE / max(width, height))
    sides = (min(MAX_SIDE, max(MIN_SIDE, round(side * factor))) for side in (height, width))
    rows, columns = sides
    return rows, columns


def _row(*widgets: QWidget, stretch: int | None = None) -> QWidget:
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(style.SPACING)
    for place, widget in enumerate(widgets):
        row.addWidget(widget, 1 if place == stretch else 0)
    if stretch is None:
        row.addStretch(1)
    return box
