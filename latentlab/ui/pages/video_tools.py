"""The row over the pictures: which file is open, what the model is given of it, how differences are drawn."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from latentlab.core.video_messages import Crop, VideoInfo, VideoView
from latentlab.ui import icons, style
from latentlab.ui.pages.video_crop import CropForm

GAINS = (1.0, 2.0, 3.0, 5.0, 10.0)
LEAST_NAME = 90
KINDS = (("Heat", "heat"), ("Signed", "signed"))


class VideoTools(QWidget):
    """Shows and changes how frames are shown; ``view`` is the choice, told by ``view_changed``."""

    open_wanted = Signal()
    view_changed = Signal(object)  # VideoView

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = VideoView()
        self._name = self._facts = ""
        self._open = False
        self.open = QPushButton("Open…")
        icons.set_icon(self.open, "open")
        self.open.setToolTip("Open another video; or drop a file on this page")
        self.open.setAccessibleName("Open a video")
        self.name = QLabel()
        self.name.setProperty("role", "muted")
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.crop = self._make_crop()
        self.kind = self._make_box("Difference", "heat shows how large the difference is, signed in which direction")
        for words, kind in KINDS:
            self.kind.addItem(words, kind)
        self.gain = self._make_box("Gain", "Factor on the difference, so that small ones can be seen")
        for gain in GAINS:
            self.gain.addItem(f"×{gain:g}", gain)
        self.gain.setFixedWidth(72)
        self.film = QToolButton()
        icons.set_icon(self.film, "image")
        self.film.setCheckable(True)
        self.film.setToolTip("Show the whole frame too, with the region given to the model drawn in it (F)")
        self.film.setAccessibleName("Show the whole frame")
        self.film.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.export = self._make_menu("Export", "Save what is shown as a film, pictures or numbers; make a data set")
        self.more = self._make_menu("", "More commands")
        self.menus = {"export": self.export, "more": self.more}
        self.panels = QToolButton()
        icons.set_icon(self.panels, "settings")
        self.panels.setCheckable(True)
        self.panels.setToolTip("Show the panels beside the pictures")
        self.panels.setAccessibleName("Panels")
        self.panels.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.panels.hide()
        self._arrange()
        self.show_view(self.view)
        self._connect()

    def set_video(self, info: VideoInfo) -> None:
        """Name the file and its facts."""
        turned = f" · turned {info.rotation}°" if info.rotation else ""
        rate = f"{info.fps:.2f}".rstrip("0").rstrip(".")
        facts = f"{info.width}×{info.height} · {rate} frames/s · {info.codec}{turned}"
        self._name, self._facts = info.path.name, facts
        self.name.setToolTip(f"{info.path}\n{facts} · {info.frames:,} frames")
        self.form.set_frame_size(info.width, info.height)
        self._elide()

    def add_command(self, action: QAction, menu: str) -> None:
        """Append a command to a menu; those of ``export`` can only be chosen while a film is open."""
        button = self.menus[menu]
        button.menu().addAction(action)
        button.show()
        action.setEnabled(self._open or menu != "export" or bool(action.property("always")))

    def set_open(self, is_open: bool) -> None:
        """Say whether a film is open."""
        self._open = is_open
        for action in self.export.menu().actions():
            action.setEnabled(is_open or bool(action.property("always")))

    def _make_menu(self, text: str, tooltip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        if not text:
            icons.set_icon(button, "more")
        button.setToolTip(tooltip)
        button.setAccessibleName(text or tooltip)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setMenu(QMenu(button))
        button.hide()
        return button

    def show_view(self, view: VideoView) -> None:
        """Take over a choice without telling it."""
        self.view = view
        for box, value in ((self.kind, view.difference), (self.gain, view.gain)):
            box.blockSignals(True)
            box.setCurrentIndex(max(0, box.findData(value)))
            box.blockSignals(False)
        self.film.blockSignals(True)
        self.film.setChecked(view.film)
        self.film.blockSignals(False)

    def show_crop(self, crop: Crop | None) -> None:
        """Show the region in use."""
        self.form.show_crop(crop)
        text = "Whole frame" if crop is None else f"Crop {crop[2]}×{crop[3]} at {crop[0]}, {crop[1]}"
        if self.crop.text() != text:
            self.crop.setText(text)
            self._elide()

    def resizeEvent(self, event: QEvent) -> None:
        """Shorten the file's name to the room there is."""
        self._elide()

    def _make_crop(self) -> QPushButton:
        button = QPushButton("Whole frame")
        # The same arrow as the boxes beside it, after the text: a button's own is drawn in its corner.
        icons.set_icon(button, "chevron_down", "muted")
        button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        button.setStyleSheet("QPushButton::menu-indicator { image: none; width: 0; }")
        button.setToolTip("Choose the region of the frame that the model is given")
        button.setAccessibleName("Crop")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.form = CropForm()
        action = QWidgetAction(button)
        action.setDefaultWidget(self.form)
        menu = QMenu(button)
        menu.addAction(action)
        button.setMenu(menu)
        return button

    def _make_box(self, name: str, tooltip: str) -> QComboBox:
        box = QComboBox()
        box.setToolTip(tooltip)
        box.setAccessibleName(name)
        box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return box

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(style.SPACING)
        row.addWidget(self.open)
        row.addWidget(self.name, 1)
        for widget in (self.crop, self.film, self.kind, self.gain, self.export, self.more, self.panels):
            row.addWidget(widget)

    def _connect(self) -> None:
        self.open.clicked.connect(self.open_wanted)
        self.kind.currentIndexChanged.connect(self._on_difference)
        self.gain.currentIndexChanged.connect(self._on_difference)
        self.film.toggled.connect(self._on_film)
        self.form.crop_chosen.connect(self._on_crop)
        self.form.recipe_chosen.connect(self._on_recipe)

    def _change(self, view: VideoView) -> None:
        if view != self.view:
            self.view = view
            self.view_changed.emit(view)

    @Slot()
    def _on_difference(self) -> None:
        self._change(replace(self.view, difference=self.kind.currentData(), gain=self.gain.currentData()))

    @Slot(bool)
    def _on_film(self, wanted: bool) -> None:
        self._change(replace(self.view, film=wanted))

    @Slot(object)
    def _on_crop(self, crop: Crop | None) -> None:
        self._change(replace(self.view, own_crop=True, crop=crop))

    @Slot()
    def _on_recipe(self) -> None:
        self._change(replace(self.view, own_crop=False, crop=None))

    def _elide(self) -> None:
        metrics, room = self.name.fontMetrics(), self.name.width()
        whole = f"{self._name}  ·  {self._facts}"
        # Of less than this, nobody could tell which file it is; the tooltip can.
        short = metrics.elidedText(self._name, Qt.TextElideMode.ElideMiddle, room) if room >= LEAST_NAME else ""
        self.name.setText(whole if metrics.horizontalAdvance(whole) <= room else short)
