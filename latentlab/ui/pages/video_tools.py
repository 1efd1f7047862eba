"""The row over the pictures: which file is open, what the model is given of it, how differences are drawn."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QResizeEvent
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

from latentlab.core.video_messages import Crop, DifferenceKind, VideoInfo, VideoView
from latentlab.ui import icons, style
from latentlab.ui.pages.video_compare import CompareButton
from latentlab.ui.pages.video_crop import CropForm
from latentlab.ui.pages.video_difference import ROOM_FOR_ARROW, DifferenceButton

LEAST_NAME = 90
NARROW = 900
"""Below this width the words give way that a picture or a tooltip says as well."""
LEAST_WIDTH = 600
GAP = "\u2002"
MODES = (("Panes", "panes"), ("Wipe", "wipe"), ("Blink", "blink"))


class VideoTools(QWidget):
    """Shows and changes how frames are shown; ``view`` is the choice, told by ``view_changed``."""

    open_wanted = Signal()
    view_changed = Signal(object)  # VideoView
    mode_changed = Signal(str)  # panes, wipe or blink

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = VideoView()
        self._name = self._facts = ""
        self._crop: Crop | None = None
        self._open = False
        self.open = QPushButton("Open…")
        icons.set_icon(self.open, "open")
        self.open.setToolTip("Open another video; or drop a file on this page")
        self.open.setAccessibleName("Open a video")
        self.name = QLabel()
        self.name.setProperty("role", "muted")
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.crop = self._make_crop()
        self.mode = self._make_box("Arrangement", "Side by side; under a divider to drag (V); or by turns (B)")
        for words, mode in MODES:
            self.mode.addItem(words, mode)
        self.mode.setFixedWidth(88)
        self.difference = DifferenceButton()
        self.film = QToolButton()
        icons.set_icon(self.film, "image")
        self.film.setCheckable(True)
        self.film.setToolTip("Show the whole frame too, with the region given to the model drawn in it (F)")
        self.film.setAccessibleName("Show the whole frame")
        self.film.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.compare = CompareButton()
        self.export = self._make_menu("Export", "Save what is shown as a film, pictures or numbers; make a data set")
        self.more = self._make_menu("", "More commands")
        self.menus = {"export": self.export, "more": self.more}
        self.panels = QToolButton()
        icons.set_icon(self.panels, "panel")
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
        button.setStyleSheet(ROOM_FOR_ARROW if text else "QToolButton::menu-indicator { image: none; }")
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
        self.difference.show_choice(view.difference, view.gain)
        self.film.blockSignals(True)
        self.film.setChecked(view.film)
        self.film.blockSignals(False)

    def take_view(self, view: VideoView) -> None:
        """Take over a choice and tell it."""
        self.show_view(view)
        self.view_changed.emit(view)

    def toggle_mode(self, mode: str) -> None:
        """Arrange the pictures in this way, or side by side when they are already."""
        wanted = "panes" if self.mode.currentData() == mode else mode
        self.mode.setCurrentIndex(max(0, self.mode.findData(wanted)))

    def show_crop(self, crop: Crop | None) -> None:
        """Show the region in use."""
        self.form.show_crop(crop)
        self._crop = crop
        self._name_crop()

    def minimumSizeHint(self) -> QSize:
        """Return the room of the controls without their longer words."""
        return QSize(LEAST_WIDTH, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the words to the room there is."""
        narrow = self.width() < NARROW
        self.open.setText("" if narrow else "Open…")
        self._row.setSpacing(style.SPACING // 2 if narrow else style.SPACING)
        self._name_crop()
        self._elide()

    def _name_crop(self) -> None:
        crop = self._crop
        short = "Whole frame" if crop is None else f"{crop[2]}×{crop[3]}"
        text = short if crop is None or self.width() < NARROW else f"Crop {short} at {crop[0]}, {crop[1]}"
        text += GAP  # Style sheets set no room between a button's words and its arrow.
        if self.crop.text() != text:
            self.crop.setText(text)
            self._elide()

    def _make_crop(self) -> QPushButton:
        button = QPushButton(f"Whole frame{GAP}")
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
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(style.SPACING)
        row.addWidget(self.open)
        row.addWidget(self.name, 1)
        shown = (self.crop, self.film, self.mode, self.difference, self.compare, self.export, self.more, self.panels)
        for widget in shown:
            row.addWidget(widget)

    def _connect(self) -> None:
        self.open.clicked.connect(self.open_wanted)
        self.difference.chosen.connect(self._on_difference)
        self.mode.currentIndexChanged.connect(self._on_mode)
        self.film.toggled.connect(self._on_film)
        self.form.crop_chosen.connect(self.choose_crop)
        self.form.recipe_chosen.connect(self.reset_crop)

    def _change(self, view: VideoView) -> None:
        if view != self.view:
            self.view = view
            self.view_changed.emit(view)

    @Slot(str, float)
    def _on_difference(self, kind: DifferenceKind, gain: float) -> None:
        self._change(replace(self.view, difference=kind, gain=gain))

    @Slot()
    def _on_mode(self) -> None:
        self.mode_changed.emit(str(self.mode.currentData()))

    @Slot(bool)
    def _on_film(self, wanted: bool) -> None:
        self._change(replace(self.view, film=wanted))

    @Slot(object)
    def choose_crop(self, crop: Crop | None) -> None:
        """Give the model this region; None is the whole frame."""
        self.take_view(replace(self.view, own_crop=True, crop=crop))

    @Slot()
    def reset_crop(self) -> None:
        """Give the model the region that its recipe names."""
        self._change(replace(self.view, own_crop=False, crop=None))

    def _elide(self) -> None:
        metrics, room = self.name.fontMetrics(), self.name.width()
        whole = f"{self._name}  ·  {self._facts}"
        # Of less than this, nobody could tell which file it is; the tooltip can.
        short = metrics.elidedText(self._name, Qt.TextElideMode.ElideMiddle, room) if room >= LEAST_NAME else ""
        self.name.setText(whole if metrics.horizontalAdvance(whole) <= room else short)
