"""The form of an export: what to write of a film, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QToolButton,
    QWidget,
)

from latentlab.core.errors import InputError
from latentlab.core.video_edit import EditedFilm
from latentlab.core.video_export import QUALITIES, SCALES, ExportPlan, Pane
from latentlab.core.video_messages import VideoInfo, VideoView
from latentlab.ui import icons, style

CONTENTS: tuple[tuple[str, tuple[Pane, ...]], ...] = (
    ("Original and reconstruction", ("original", "reconstruction")),
    ("Original, reconstruction, difference", ("original", "reconstruction", "difference")),
    ("Reconstruction only", ("reconstruction",)),
    ("Difference only", ("difference",)),
    ("Original and edited", ("original", "edited")),
    ("Original, reconstruction, edited", ("original", "reconstruction", "edited")),
    ("Edited only", ("edited",)),
)
FORMATS = (
    ("MP4 film (H.264)", ".mp4"),
    ("Matroska film (H.264)", ".mkv"),
    ("QuickTime film (H.264)", ".mov"),
    ("Animated GIF", ".gif"),
    ("Folder of PNG pictures", ""),
)
RATES = (60.0, 50.0, 30.0, 25.0, 24.0, 15.0, 10.0)
QUALITY_WORDS = {"high": "High: nearly nothing lost", "standard": "Standard", "small": "Small file"}
FILM_SUFFIXES = (".mp4", ".mkv", ".mov")
FIELD_WIDTH = 320


@dataclass(frozen=True, slots=True)
class ExportSubject:
    """What there is to export: the film, the model's picture size, the range and the view of the page."""

    clip: VideoInfo
    image_shape: tuple[int, int, int]
    first: int
    last: int
    view: VideoView
    edit: EditedFilm | None
    name: str


class ExportForm(QWidget):
    """Controls for an ``ExportPlan``; ``changed`` follows every change. Thread: GUI."""

    changed = Signal()

    def __init__(self, subject: ExportSubject, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.subject = subject
        self._folder = folder
        self._own_name = False
        self.content = self._box("What to show", "What stands side by side in each frame")
        edited = subject.edit is not None and subject.edit.active
        for words, panes in CONTENTS:
            if edited or "edited" not in panes:
                self.content.addItem(words, panes)
        self._make_range()
        self.format = self._box("Format", "What kind of file is written")
        for words, suffix in FORMATS:
            self.format.addItem(words, suffix)
        self.scale = self._box("Size", "How many pixels of the file each pixel becomes along each side, without blur")
        for scale in SCALES:
            self.scale.addItem(f"{scale}×", scale)
        self.rate = self._box("Rate", "Frames per second: another rate repeats or drops frames and keeps the duration")
        self.rate.addItem(f"As in the film ({subject.clip.fps:.5g} frames/s)", None)
        for rate in RATES:
            self.rate.addItem(f"{rate:g} frames/s", rate)
        self.quality = self._box("Quality", "How much the encoder may lose; high is for judging, small for sending")
        for quality in QUALITIES:
            self.quality.addItem(QUALITY_WORDS[quality], quality)
        self.sound = self._check("With the film's sound", "Copy the film's own sound, cut to these frames")
        self.sound.setChecked(True)
        self.csv = self._check(
            "Also a table of the errors",
            "Write a CSV file beside it: frame, time, error, PSNR, KLD, likelihood, features and jitter of each frame",
        )
        self._make_file()
        self._arrange()
        self._suggest()
        self._connect()
        self._refresh()

    def _connect(self) -> None:
        for box in (self.content, self.format, self.scale, self.rate, self.quality):
            box.currentIndexChanged.connect(self._refresh)
        for check in (self.sound, self.csv):
            check.toggled.connect(self._refresh)
        self.file.textChanged.connect(self._refresh)

    # -- the plan -------------------------------------------------------------------------------

    def plan(self) -> ExportPlan:
        """Return what was chosen.

        Raises
        ------
        InputError
            If something is missing.
        """
        name = self.file.text().strip()
        if not name:
            raise InputError("The file has no name yet", where="File", hint="Type one or press Browse.")
        path = Path(name).expanduser()
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}", where="File", hint="Choose another place.")
        view = self.subject.view
        return ExportPlan(
            path,
            self.content.currentData(),
            self.first.value(),
            self.last.value(),
            scale=self.scale.currentData(),
            rate=self.rate.currentData(),
            quality=self.quality.currentData(),
            sound=self.sound.isChecked(),
            crop=view.crop if view.own_crop else "recipe",
            difference=view.difference,
            gain=view.gain,
            edit=self.subject.edit if "edited" in self.content.currentData() else None,
            csv=path.with_name(f"{path.stem}.csv") if self.csv.isChecked() else None,
        )

    def save_state(self) -> dict[str, object]:
        """Return the choices worth keeping for the next film."""
        return {
            "content": self.content.currentText(),
            "format": self.format.currentData(),
            "scale": self.scale.currentData(),
            "quality": self.quality.currentData(),
            "sound": self.sound.isChecked(),
            "csv": self.csv.isChecked(),
            "folder": str(Path(self.file.text()).expanduser().parent),
        }

    def restore_state(self, state: dict[str, object]) -> None:
        """Take over what ``save_state`` returned, as far as it still means something."""
        for box, key in ((self.format, "format"), (self.scale, "scale"), (self.quality, "quality")):
            place = box.findData(state.get(key))
            if place >= 0:
                box.setCurrentIndex(place)
        place = self.content.findText(str(state.get("content")))
        if place >= 0:
            self.content.setCurrentIndex(place)
        for check, key in ((self.sound, "sound"), (self.csv, "csv")):
            if isinstance(state.get(key), bool):
                check.setChecked(state[key] is True)
        folder = state.get("folder")
        if isinstance(folder, str) and Path(folder).is_dir():
            self._folder = Path(folder)
        self._suggest()

    @property
    def frames(self) -> int:
        """How many frames of the film are chosen."""
        return self.last.value() - self.first.value() + 1

    @property
    def duration_s(self) -> float:
        """How long they last in seconds."""
        times = self.subject.clip.times_s
        return float(times[self.last.value()] - times[self.first.value()]) + 1 / self.subject.clip.fps

    # -- making ---------------------------------------------------------------------------------

    def _box(self, name: str, tooltip: str) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.setToolTip(tooltip)
        return box

    def _check(self, text: str, tooltip: str) -> QCheckBox:
        check = QCheckBox(text)
        check.setToolTip(tooltip)
        check.setAccessibleName(text)
        return check

    def _make_range(self) -> None:
        end = self.subject.clip.frames - 1
        self.first, self.last = QSpinBox(), QSpinBox()
        for box, name, value in (
            (self.first, "First frame", self.subject.first),
            (self.last, "Last frame", self.subject.last),
        ):
            box.setRange(0, end)
            box.setGroupSeparatorShown(True)
            box.setAccessibleName(name)
            box.setToolTip(f"{name} written, counted from 0; both ends are included")
            box.setValue(value)
            box.valueChanged.connect(self._on_range)
        self.whole = QPushButton("Whole film")
        self.whole.setToolTip("Write every frame of the film")
        self.whole.setAccessibleName("Whole film")
        self.whole.clicked.connect(self._on_whole)

    def _make_file(self) -> None:
        self.file = QLineEdit()
        self.file.setAccessibleName("File")
        self.file.setToolTip("The file that is written, or the folder of pictures; it appears when it is whole")
        self.file.textEdited.connect(self._on_named)
        self.browse = QToolButton()
        icons.set_icon(self.browse, "folder")
        self.browse.setToolTip("Choose where to write it")
        self.browse.setAccessibleName("Browse for a place")
        self.browse.clicked.connect(self._on_browse)

    def _arrange(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(2 * style.SPACING)
        form.setVerticalSpacing(style.SPACING)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        add_row(form, "Show", self.content)
        add_row(form, "Frames", _row(self.first, QLabel("to"), self.last, self.whole))
        add_row(form, "Format", self.format)
        add_row(form, "Size", self.scale)
        add_row(form, "Rate", self.rate)
        add_row(form, "Quality", self.quality)
        form.addRow("", self.sound)
        form.addRow("", self.csv)
        add_row(form, "File", _row(self.file, self.browse))
        self.file.setMinimumWidth(FIELD_WIDTH)

    # -- slots ----------------------------------------------------------------------------------

    @Slot()
    def _refresh(self) -> None:
        """Enable what the format has, and keep the name's ending right."""
        suffix = self.format.currentData()
        film = suffix in FILM_SUFFIXES
        self.quality.setEnabled(film)
        self.sound.setEnabled(film)
        if self.sender() is self.format:
            self._end_with(suffix)
        self.changed.emit()

    @Slot()
    def _on_range(self) -> None:
        with QSignalBlocker(self.first), QSignalBlocker(self.last):
            if self.sender() is self.first:
                self.last.setValue(max(self.first.value(), self.last.value()))
            else:
                self.first.setValue(min(self.first.value(), self.last.value()))
        self.changed.emit()

    @Slot()
    def _on_whole(self) -> None:
        self.first.setValue(0)
        self.last.setValue(self.last.maximum())

    @Slot()
    def _on_named(self) -> None:
        self._own_name = True
        suffix = Path(self.file.text()).suffix.lower()
        place = self.format.findData(suffix)
        if suffix and place >= 0:
            with QSignalBlocker(self.format):
                self.format.setCurrentIndex(place)

    @Slot()
    def _on_browse(self) -> None:
        dialog = QFileDialog(self, "Write to", self.file.text())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)  # The dialog says itself that it would be replaced.
        dialog.selectFile(self.file.text())
        dialog.fileSelected.connect(self._on_chosen)
        dialog.open()

    @Slot(str)
    def _on_chosen(self, name: str) -> None:
        self.file.setText(name)
        self._on_named()
        self._end_with(self.format.currentData())

    def _suggest(self) -> None:
        """Name the file after the film and the weights, unless somebody named it."""
        if not self._own_name:
            self.file.setText(str(self._folder / f"{self.subject.name}{self.format.currentData()}"))

    def _end_with(self, suffix: str) -> None:
        path = Path(self.file.text())
        known = [known for _, known in FORMATS if known]
        stem = path.with_suffix("") if path.suffix.lower() in known else path
        self.file.setText(f"{stem}{suffix}")


def add_row(form: QFormLayout, text: str, field: QWidget) -> None:
    """Add a field with its name at the height of its middle, which the layout does not see to by itself."""
    label = QLabel(text)
    label.setMinimumHeight(field.sizeHint().height())
    form.addRow(label, field)


def _row(*widgets: QWidget) -> QWidget:
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(style.SPACING)
    for widget in widgets:
        row.addWidget(widget, 1 if isinstance(widget, (QSpinBox, QLineEdit)) else 0)
    return box
