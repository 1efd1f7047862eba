"""From one frame of a film to another through latent space, as a strip and as a short film."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.errors import LatentLabError
from latentlab.core.messages import ErrorReport
from latentlab.core.video_curves import BetweenFrames
from latentlab.ui import icons, style
from latentlab.ui.pages.video_latent import make_between
from latentlab.ui.screenshots import PictureFacts, save_picture
from latentlab.ui.views.picture import PictureView, tile, to_qimage
from latentlab.ui.widgets.shortcuts import click_on_key

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage
    from latentlab.ui.pages.video_latent import FilmStudy

FILTER = "Films (*.mp4 *.mkv *.mov);;Pictures (*.png)"
PLAY_FPS = 10
STRIP_COLUMNS = 16
HINT = "Mark two frames: A here, B there. What lies between them in latent space appears below."


class BetweenBox(QWidget):
    """Marks A and B, and the decoded way between them."""

    def __init__(self, page: VideoPage, study: FilmStudy, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.page, self.study = page, study
        self.shown: BetweenFrames | None = None
        self.marks = {letter: self._mark(letter) for letter in "AB"}
        self.kind = QComboBox()
        self.kind.addItem("slerp", "slerp")
        self.kind.addItem("lerp", "lerp")
        self.kind.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.kind.setMinimumWidth(96)
        self.kind.setAccessibleName("Way between the frames")
        self.kind.setToolTip("slerp: along the sphere on which a Gaussian's points lie\nlerp: on a straight line")
        self.count = QSpinBox()
        self.count.setRange(2, 64)
        self.count.setValue(12)
        self.count.setSuffix(" steps")
        self.count.setMinimumWidth(96)
        self.count.setAccessibleName("Number of pictures")
        self.count.setToolTip("How many pictures from A to B, both included")
        self.play = QToolButton()
        self.play.setCheckable(True)
        icons.set_icon(self.play, "play")
        self.play.setToolTip("Show the pictures as a film, there and back")
        self.play.setAccessibleName("Play the pictures between A and B")
        self.save = QToolButton()
        icons.set_icon(self.save, "save")
        self.save.setToolTip("Save the pictures: as a film (mp4) or as one picture (png)")
        self.save.setAccessibleName("Save the pictures between A and B")
        self.strip = PictureView()
        self.strip.setObjectName("betweenStrip")
        self.strip.setMinimumHeight(110)
        self.strip.setAccessibleName("Pictures between A and B")
        self.about = QLabel(HINT)
        self.about.setProperty("role", "muted")
        self.about.setWordWrap(True)
        self._clock = QTimer(self)
        self._clock.setInterval(1000 // PLAY_FPS)
        self._at = 0
        self._build()
        self._connect()
        self._on_between(None)

    def _mark(self, letter: str) -> QPushButton:
        button = QPushButton(letter)
        keys = {"A": "Shift+A", "B": "Shift+B"}[letter]
        button.setToolTip(f"Mark the current frame as {letter} ({keys})")
        button.setAccessibleName(f"Mark frame {letter}")
        button.setFont(style.figure_font(button.font()))
        button.setProperty("letter", letter)
        click_on_key(button, keys)
        return button

    def _build(self) -> None:
        heading = QLabel("From A to B")
        heading.setProperty("role", "heading")
        first, second = QHBoxLayout(), QHBoxLayout()
        for button in self.marks.values():
            first.addWidget(button, 1)
        for widget in (self.kind, self.count):
            second.addWidget(widget)
        second.addStretch(1)
        top = QHBoxLayout()
        top.addWidget(heading, 1)
        top.addWidget(self.play)
        top.addWidget(self.save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(style.SPACING)
        layout.addLayout(top)
        layout.addLayout(first)
        layout.addLayout(second)
        layout.addWidget(self.about)
        layout.addWidget(self.strip, 1)
        layout.addStretch(0)  # Keeps everything on top while there is no strip.

    def _connect(self) -> None:
        for button in self.marks.values():
            button.clicked.connect(self._on_mark)
        self.kind.currentIndexChanged.connect(self.ask)
        self.count.valueChanged.connect(self.ask)
        self.play.toggled.connect(self._on_play)
        self.save.clicked.connect(self._on_save)
        self._clock.timeout.connect(self._on_clock)
        self.study.marks_changed.connect(self._on_marks)
        self.study.between_changed.connect(self._on_between)

    @Slot()
    def ask(self) -> None:
        """Ask for the pictures, once both frames are marked."""
        make_between(self.study, self.count.value(), self.kind.currentData())

    @Slot()
    def _on_mark(self) -> None:
        letter = str(self.sender().property("letter"))
        self.study.set_mark(letter, self.page.frame)
        self.ask()

    @Slot()
    def _on_marks(self) -> None:
        for letter, button in self.marks.items():
            frame = self.study.marks.get(letter)
            button.setText(letter if frame is None else f"{letter}  {frame:,}")

    @Slot(object)
    def _on_between(self, between: BetweenFrames | None) -> None:
        self.shown = between
        self.strip.setVisible(between is not None)
        for button in (self.play, self.save):
            button.setEnabled(between is not None)
        if between is None:
            self.play.setChecked(False)
            self.strip.clear("")
            self.about.setText(HINT)
            return
        self.about.setText(
            f"{len(between.images)} steps by {between.kind} from frame {between.first:,} to {between.last:,}"
            f" · step {style.format_steps(between.step)}"
        )
        if not self.play.isChecked():
            self.strip.set_images(between.images)

    @Slot(bool)
    def _on_play(self, playing: bool) -> None:
        icons.set_icon(self.play, "pause" if playing else "play")
        self._at = 0
        if playing:
            self._clock.start()
        else:
            self._clock.stop()
            if self.shown is not None:
                self.strip.set_images(self.shown.images)

    @Slot()
    def _on_clock(self) -> None:
        """Show the next picture, there and back."""
        if self.shown is None or not self.isVisible():
            return
        count = len(self.shown.images)
        self._at = (self._at + 1) % (2 * count - 2)
        self.strip.set_images(self.shown.images[self._at if self._at < count else 2 * count - 2 - self._at])

    @Slot()
    def _on_save(self) -> None:
        if self.shown is None or self.page.clip is None:
            return
        name = f"{self.page.clip.path.stem} {self.shown.first} to {self.shown.last}.mp4"
        dialog = QFileDialog(self, "Save the pictures", str(self.page.clip.path.with_name(name)), FILTER)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("mp4")
        dialog.selectFile(name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.save_as)
        dialog.open()

    @Slot(str)
    def save_as(self, name: str) -> None:
        """Save the pictures: one picture as the strip shows them, or a film."""
        if self.shown is None:
            return
        path = Path(name)
        if path.suffix.lower() == ".png":
            self._save_strip(path, self.shown)
        else:
            self.study.service.save_film(path, self.shown.images, PLAY_FPS)

    def _save_strip(self, path: Path, between: BetweenFrames) -> None:
        images = between.images
        picture = to_qimage(tile(images, min(STRIP_COLUMNS, len(images)), (0, 0, 0)))
        training = self.page.context.training
        facts = PictureFacts(self.study.run, between.step, training.recipe)
        try:
            save_picture(picture, path, facts)
        except LatentLabError as error:
            self.page.context.errors.report(ErrorReport.of(error, "saving the pictures"))
            return
        self.page.context.show_message(f"{len(images)} pictures saved to {path}")
