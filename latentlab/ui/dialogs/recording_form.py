"""How a walk is filmed: time, easing, path, loop, rate, size, format."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QToolButton,
    QWidget,
)

from latentlab.core.errors import InputError
from latentlab.core.latent_walk import EASINGS, WALK_SCALES, Keyframe, Walk, WalkPlan
from latentlab.core.video_export import QUALITIES
from latentlab.ui import icons, style

FORMATS = (("MP4 film", ".mp4"), ("GIF", ".gif"), ("Numbered PNGs", ""))
EASING_WORDS = {"linear": "at one speed", "smooth": "rest at keyframes", "spline": "spline through"}
PATH_WORDS = {"slerp": "arc (slerp)", "lerp": "straight (lerp)"}


class RecordingForm(QWidget):
    """The settings of a walk's film. ``changed`` fires for every change of the user's."""

    changed = Signal()

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.seconds = QDoubleSpinBox()
        self.seconds.setRange(0.1, 60.0)
        self.seconds.setSingleStep(0.5)
        self.seconds.setDecimals(1)
        self.seconds.setValue(2.0)
        self.seconds.setSuffix(" s each")
        self.rate = QSpinBox()
        self.rate.setRange(1, 120)
        self.rate.setValue(30)
        self.rate.setSuffix(" frames/s")
        self.easing, self.path = self._box(EASING_WORDS), self._box(PATH_WORDS)
        self.easing.setCurrentIndex(EASINGS.index("smooth"))
        self.loop = QCheckBox("Loop")
        self.loop.setChecked(True)
        self.format, self.scale, self.quality = QComboBox(), QComboBox(), QComboBox()
        for text, suffix in FORMATS:
            self.format.addItem(text, suffix)
        for scale in WALK_SCALES:
            self.scale.addItem(f"{scale}×", scale)
        self.scale.setCurrentIndex(2)
        for quality in QUALITIES:
            self.quality.addItem(quality, quality)
        self.file = QLineEdit(str(folder / "walk.mp4"))
        self.browse = QToolButton()
        icons.set_icon(self.browse, "folder")
        self._explain()
        self._arrange()
        self._connect()

    def _box(self, words: dict[str, str]) -> QComboBox:
        box = QComboBox()
        for key, text in words.items():
            box.addItem(text, key)
        return box

    def _explain(self) -> None:
        for widget, name, tip in (
            (self.seconds, "Time between keyframes", "Seconds from each keyframe to the next"),
            (self.rate, "Frame rate", "Frames per second of the film, however long the machine takes for each"),
            (self.easing, "Easing", "How the walk passes its keyframes: at one speed, resting at each, or in a curve"),
            (self.path, "Path", "Between keyframes: the arc that keeps the length of z, or the straight line"),
            (self.loop, "Loop", "Lead from the last keyframe back to the first, without showing it twice"),
            (self.format, "Format", "A film, an animated GIF, or a folder of numbered pictures"),
            (self.scale, "Size", "Each pixel becomes a square of so many pixels"),
            (self.quality, "Quality", "How much the film's encoder may lose"),
            (self.file, "File", "What is written; it appears under this name when it is whole"),
            (self.browse, "Browse for a place", "Choose where to write it"),
        ):
            widget.setAccessibleName(name)
            widget.setToolTip(tip)

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(style.SPACING)
        grid.setVerticalSpacing(style.SPACING)
        rows = (
            ("Keyframes", self.seconds, self.easing, self.path, self.loop),
            ("Film", self.format, self.scale, self.rate, self.quality),
        )
        for row, (text, *widgets) in enumerate(rows):
            label = QLabel(text)
            label.setProperty("role", "muted")
            grid.addWidget(label, row, 0)
            for column, widget in enumerate(widgets, 1):
                grid.addWidget(widget, row, column)
        label = QLabel("File")
        label.setProperty("role", "muted")
        place = QHBoxLayout()
        place.addWidget(self.file, 1)
        place.addWidget(self.browse)
        grid.addWidget(label, 2, 0)
        grid.addLayout(place, 2, 1, 1, 4)
        for column in range(1, 5):
            grid.setColumnStretch(column, 1)

    def _connect(self) -> None:
        self.seconds.valueChanged.connect(self._on_changed)
        self.rate.valueChanged.connect(self._on_changed)
        self.loop.toggled.connect(self._on_changed)
        for box in (self.easing, self.path, self.format, self.scale, self.quality):
            box.currentIndexChanged.connect(self._on_changed)
        self.file.textEdited.connect(self._on_changed)
        self.browse.clicked.connect(self._on_browse)
        self._on_changed()

    def walk(self, keyframes: list[Keyframe]) -> Walk:
        """Return the walk through these keyframes; InputError when there is none."""
        return Walk(
            tuple(keyframes),
            self.seconds.value(),
            self.easing.currentData(),
            self.path.currentData(),
            self.loop.isChecked(),
            float(self.rate.value()),
        )

    def plan(self, keyframes: list[Keyframe]) -> WalkPlan:
        """Return what is to be written; InputError when it cannot be."""
        text = self.file.text().strip()
        if not text:
            raise InputError("The file needs a name", where="File", hint="Choose a place.")
        walk = self.walk(keyframes)
        return WalkPlan(Path(text).expanduser(), walk, self.scale.currentData(), self.quality.currentData())

    @Slot()
    def _on_changed(self) -> None:
        suffix = self.format.currentData()
        self.quality.setEnabled(suffix == ".mp4")
        self.path.setEnabled(self.easing.currentData() != "spline")
        if self.sender() is self.format:
            name = Path(self.file.text() or "walk")
            self.file.setText(str(name.with_suffix(suffix)))
        self.changed.emit()

    @Slot()
    def _on_browse(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Film of the walk", self.file.text())
        if chosen:
            suffix = self.format.currentData()
            self.file.setText(str(Path(chosen).with_suffix(suffix)))
            self.changed.emit()
