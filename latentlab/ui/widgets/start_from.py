"""The ways to bring a picture: from the data set, a file, the clipboard, or a drop."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage, QKeySequence
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QToolButton, QWidget

from latentlab.core.errors import InputError
from latentlab.core.messages import ModelInfo
from latentlab.ui import icons
from latentlab.ui.context import AppContext
from latentlab.ui.screenshots import is_exported
from latentlab.ui.widgets.gallery_popup import GalleryPopup
from latentlab.ui.widgets.image_input import (
    ChosenImage,
    file_filter,
    has_image,
    image_of,
    image_path,
    read_image,
    to_array,
)
from latentlab.ui.widgets.shortcuts import Keys, click_on_key

NO_ENCODER = "This model has no encoder: it makes pictures from z and cannot find the z of a picture."


class StartFrom(QWidget):
    """Three buttons, and ``take_mime`` for drops; whatever way a picture comes, ``chosen`` carries it.

    Files that are not pictures are reported to the error hub and nothing else happens. With a model that
    has no encoder the buttons are dead, say why, and ``takes_pictures`` is false.

    Signals
    -------
    chosen
        A ``ChosenImage``.
    """

    chosen = Signal(object)

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._shape = (1, 1, 1)
        self._folder = ""
        self.takes_pictures = True
        self.popup = GalleryPopup(self)
        self.popup.chosen.connect(self.choose_from_gallery)
        self.data = self._button("gallery", "Data…", "Encode a picture of the data set and start from it (D)", "D")
        self.file = self._button("image", "File…", "Encode a picture file and start from it (Ctrl+I)", "Ctrl+I")
        self.paste = self._button(
            "paste", "Paste", "Encode the picture in the clipboard (Ctrl+V)", QKeySequence.StandardKey.Paste
        )
        self.data.clicked.connect(self.open_gallery)
        self.file.clicked.connect(self.open_file)
        self.paste.clicked.connect(self.take_clipboard)
        layout = self._row = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for button in (self.data, self.file, self.paste):
            layout.addWidget(button)
        layout.addStretch(1)
        self._explain()

    def _button(self, icon: str, text: str, tooltip: str, keys: Keys) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setAccessibleName(tooltip)
        click_on_key(button, keys)
        icons.set_icon(button, icon)
        return button

    def add_more(self, more: QWidget) -> None:
        """Put other places to start from beside the buttons."""
        self._row.insertWidget(self._row.count() - 1, more)

    def set_model(self, info: ModelInfo) -> None:
        """Cut pictures for this model's height, width and channels; take none where they cannot be encoded."""
        self._shape = info.image_shape
        self.takes_pictures = info.has_encoder
        self._explain()

    def _explain(self) -> None:
        for button in (self.data, self.file, self.paste):
            also = "A picture can also be dropped on the page" if self.takes_pictures else NO_ENCODER
            button.setToolTip(f"{button.accessibleName()}\n{also}")
            button.setEnabled(self.takes_pictures)

    @Slot()
    def open_gallery(self) -> None:
        """Pop the data set's pictures up below the button."""
        _, gallery = self._context.training.gallery.get()
        if gallery is None or not len(gallery.images):
            self._context.show_message("The data set's pictures are not there yet; open a file or paste a picture.")
            return
        self.popup.open_at(self.data.mapToGlobal(QPoint(0, self.data.height() + 4)), gallery)

    @Slot(int)
    def choose_from_gallery(self, index: int) -> None:
        """Take picture ``index`` of the gallery."""
        _, gallery = self._context.training.gallery.get()
        if gallery is None or index >= len(gallery.images):
            return
        label = int(gallery.labels[index]) if gallery.labels is not None else -1
        image = gallery.images[index : index + 1].copy()
        self.chosen.emit(ChosenImage(image, f"picture {index + 1}", label if label >= 0 else None))

    @Slot()
    def open_file(self) -> None:
        """Ask for a picture file and take it."""
        name, _ = QFileDialog.getOpenFileName(self, "Encode a picture", self._folder, file_filter())
        if name:
            self._folder = str(Path(name).parent)
            self.take_file(Path(name))

    def take_file(self, path: Path) -> None:
        """Take a picture file."""
        try:
            self._take(read_image(path), path.name)
        except InputError as error:
            self._context.errors.report(error)

    @Slot()
    def take_clipboard(self) -> None:
        """Take the picture, or the picture file, in the clipboard."""
        self.take_mime(QGuiApplication.clipboard().mimeData(), go_back=False)

    def take_mime(self, mime: QMimeData | None, *, go_back: bool = True) -> bool:
        """Take the picture of a drop or the clipboard; return whether there was one.

        With ``go_back`` a picture that latentlab exported is a way back to where it was exported, not one to encode.
        """
        path = image_path(mime) if mime is not None and go_back else None
        if path is not None and is_exported(path):
            self._context.open_path(path)
            return True
        if not self.takes_pictures:
            self._context.show_message(NO_ENCODER)
            return False
        if mime is None or not has_image(mime):
            self._context.show_message("There is no picture in the clipboard.")
            return False
        try:
            self._take(*image_of(mime))
        except InputError as error:
            self._context.errors.report(error)
            return False
        return True

    def _take(self, image: QImage, name: str) -> None:
        self.chosen.emit(ChosenImage(to_array(image, self._shape), name))
