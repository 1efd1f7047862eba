"""The little form behind the Crop button: which region of the frame the model is given."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from latentlab.core.video_messages import Crop
from latentlab.ui import style

FIELDS = (("x", "Left edge"), ("y", "Top edge"), ("width", "Width"), ("height", "Height"))


class CropForm(QWidget):
    """Four numbers, the whole frame, or the recipe's own crop."""

    crop_chosen = Signal(object)  # Crop, or None for the whole frame
    recipe_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size = (1, 1)
        self.boxes: list[QSpinBox] = []
        form = QFormLayout()
        form.setHorizontalSpacing(2 * style.SPACING)
        form.setVerticalSpacing(style.SPACING)
        for name, words in FIELDS:
            box = QSpinBox()
            box.setSuffix(" px")
            box.setKeyboardTracking(False)
            box.setMinimumWidth(96)
            box.setToolTip(f"{words} of the region the model is given, in pixels of the frame")
            box.setAccessibleName(f"Crop {name}")
            box.valueChanged.connect(self._on_edited)
            form.addRow(words, box)
            self.boxes.append(box)
        title = QLabel("Region given to the model")
        title.setProperty("role", "section")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[2 * style.SPACING] * 4)
        layout.setSpacing(style.SPACING)
        layout.addWidget(title)
        layout.addLayout(form)
        layout.addLayout(self._make_buttons())

    def _make_buttons(self) -> QHBoxLayout:
        self.whole = QPushButton("Whole frame")
        self.whole.setToolTip("Give the model all of the frame, resized to its size")
        self.whole.clicked.connect(self._on_whole)
        self.recipe = QPushButton("As in the recipe")
        self.recipe.setToolTip("Use the crop that the model was trained with (data.crop), where it fits the frame")
        self.recipe.clicked.connect(self.recipe_chosen)
        row = QHBoxLayout()
        row.setSpacing(style.SPACING)
        row.addWidget(self.recipe)
        row.addWidget(self.whole)
        return row

    def set_frame_size(self, width: int, height: int) -> None:
        """Bound the numbers by the frame."""
        self._size = (width, height)
        self.show_crop(None)

    def show_crop(self, crop: Crop | None) -> None:
        """Show the region in use without choosing it; None is the whole frame."""
        x, y, width, height = crop or (0, 0, *self._size)
        values = (x, y, width, height)
        if tuple(box.value() for box in self.boxes) == values or any(box.hasFocus() for box in self.boxes):
            return
        self._bound(x, y)
        for box, value in zip(self.boxes, values, strict=True):
            with QSignalBlocker(box):
                box.setValue(value)

    def _bound(self, x: int, y: int) -> None:
        """Keep the region inside the frame: an edge moved right leaves less width."""
        limits = ((0, self._size[0] - 1), (0, self._size[1] - 1), (1, self._size[0] - x), (1, self._size[1] - y))
        for box, (low, high) in zip(self.boxes, limits, strict=True):
            with QSignalBlocker(box):
                box.setRange(low, high)

    @Slot()
    def _on_edited(self) -> None:
        self._bound(self.boxes[0].value(), self.boxes[1].value())
        self.crop_chosen.emit(tuple(box.value() for box in self.boxes))

    @Slot()
    def _on_whole(self) -> None:
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.crop_chosen.emit(None)
