"""A small pop-up of data set pictures to start from."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from latentlab.core.messages import Gallery
from latentlab.ui import icons, style
from latentlab.ui.views.picture import GAP, PictureView

COLUMNS, ROWS = 8, 5
PAGE = COLUMNS * ROWS
CELL = 60


class GalleryPopup(QFrame):
    """Thumbnails of the gallery, a page at a time. Enter or a click chooses, Escape closes.

    Signals
    -------
    chosen
        Index of the picture in the gallery.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("galleryPopup")
        self.setAccessibleName("Pictures of the data set")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.gallery: Gallery | None = None
        self.first, self.current = 0, 0
        self.view = PictureView()
        self.view.setToolTip("Click a picture to encode it and start from there")
        self.view.clicked.connect(self._on_clicked)
        self.label = QLabel()
        self.label.setProperty("role", "muted")
        self._back = self._button("chevron_left", "Earlier pictures (Page Up)", -PAGE)
        self._forward = self._button("chevron_right", "Later pictures (Page Down)", PAGE)
        row = QHBoxLayout()
        row.addWidget(self.label, 1)
        row.addWidget(self._back)
        row.addWidget(self._forward)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(style.SPACING, style.SPACING, style.SPACING, style.SPACING)
        layout.addWidget(self.view, 1)
        layout.addLayout(row)

    def _button(self, icon: str, tooltip: str, by: int) -> QToolButton:
        button = QToolButton()
        button.setToolTip(tooltip)
        button.setAccessibleName(tooltip)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        icons.set_icon(button, icon)
        button.setProperty("by", by)
        button.clicked.connect(self._turn)
        return button

    def open_at(self, anchor: QPoint, gallery: Gallery) -> None:
        """Show the gallery with its lower left corner near ``anchor`` (global), inside the screen."""
        if gallery is not self.gallery:
            self.gallery = gallery
            self.first = self.current = 0
        self.resize(self._size_for(gallery))
        screen = self.screen().availableGeometry()
        x = max(screen.left(), min(anchor.x(), screen.right() - self.width()))
        y = max(screen.top(), min(anchor.y(), screen.bottom() - self.height()))
        self.move(x, y)
        self._fill()
        self.show()
        self.setFocus()

    def _size_for(self, gallery: Gallery) -> QSize:
        """Return the size that shows every thumbnail at about ``CELL`` pixels, small ones at a whole multiple."""
        height, width = gallery.images.shape[1:3]
        scale = CELL / max(height, width)
        scale = float(round(scale)) if scale >= 2 else scale
        line = self.fontMetrics().height() + 2 if gallery.labels is not None else 0
        across = COLUMNS * (round(width * scale) + GAP) + 4 * style.SPACING
        down = ROWS * (round(height * scale) + line + GAP) + 4 * style.SPACING + self._back.sizeHint().height()
        return QSize(max(across, 360), down)

    def _fill(self) -> None:
        gallery = self.gallery
        if gallery is None:
            return
        count = len(gallery.images)
        part = slice(self.first, min(self.first + PAGE, count))
        captions = None
        if gallery.labels is not None:
            captions = [self._name(gallery, int(label)) for label in gallery.labels[part]]
        self.view.set_images(
            gallery.images[part], columns=COLUMNS, captions=captions, highlight=self.current - self.first
        )
        self.label.setText(f"Pictures {part.start + 1}–{part.stop} of {count} from the data set, test images first")
        self._back.setEnabled(self.first > 0)
        self._forward.setEnabled(part.stop < count)

    @staticmethod
    def _name(gallery: Gallery, label: int) -> str:
        if label < 0:
            return ""
        return gallery.class_names[label] if label < len(gallery.class_names) else str(label)

    @Slot()
    def _turn(self) -> None:
        self._go(self.current + int(self.sender().property("by")))

    def _go(self, index: int) -> None:
        if self.gallery is not None:
            self.current = max(0, min(len(self.gallery.images) - 1, index))
            self.first = self.current // PAGE * PAGE
            self._fill()

    @Slot(int)
    def _on_clicked(self, index: int) -> None:
        self._choose(self.first + index)

    def _choose(self, index: int) -> None:
        self.current = index
        self.hide()
        self.chosen.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move with the arrows, turn with Page Up and Down, choose with Enter."""
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -COLUMNS,
            Qt.Key.Key_Down: COLUMNS,
            Qt.Key.Key_PageUp: -PAGE,
            Qt.Key.Key_PageDown: PAGE,
        }
        key = Qt.Key(event.key())
        if key in steps:
            self._go(self.current + steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose(self.current)
        else:
            super().keyPressEvent(event)
