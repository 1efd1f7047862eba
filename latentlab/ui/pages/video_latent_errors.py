"""The panel on errors: which curve lies under the timeline, what it says, and the worst frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.metrics import describe
from latentlab.core.video_curves import FRAME_CURVES, FrameCurves, summarise
from latentlab.core.video_messages import psnr_db
from latentlab.ui import icons, style
from latentlab.ui.pages.video_latent import JITTER, JITTER_DEFINITION, title_of, unit_of, value_text
from latentlab.ui.pages.video_panel import VideoPanel
from latentlab.ui.widgets.timeline import format_timecode

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage
    from latentlab.ui.pages.video_latent import FilmStudy

NO_MODEL = "Open a run or train a model: the error of every frame is then measured in the background."
EVERY_S = ((10.0, "10 s"), (30.0, "30 s"), (60.0, "1 min"), (300.0, "5 min"))


class ErrorsPanel(VideoPanel):
    """Error of every frame, its statistics, and where the model fails most."""

    key: ClassVar[str] = "errors"
    title: ClassVar[str] = "Errors"
    tooltip: ClassVar[str] = "Error of every frame, its statistics, and the worst frames"

    def __init__(self, page: VideoPage, study: FilmStudy, parent: QWidget | None = None) -> None:
        super().__init__(page, parent)
        self.study = study
        self._wish = (study.curve, study.beside)
        self.curve = self._box("Curve", "Curve under the timeline")
        self.beside = self._box("Curve beside it", "A second curve over the first, on a scale of its own")
        self.absent = self._label("muted")
        self.numbers = self._label("")
        self.numbers.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.weights = self._label("muted")
        self._make_following()
        self._make_worst()
        self.csv = QPushButton("Save CSV…")
        icons.set_icon(self.csv, "save")
        self.csv.setToolTip("Save what was measured of every frame as a table: frame, time in s, every curve, jitter")
        self.csv.setAccessibleName("Save the errors of all frames as CSV")
        self._offer(None)
        self._build()
        self._connect()
        self._show_numbers()

    def _box(self, name: str, tooltip: str) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.setToolTip(tooltip)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(4)
        return box

    def _label(self, role: str) -> QLabel:
        label = QLabel()
        label.setProperty("role", role)
        label.setWordWrap(True)
        label.setFont(style.figure_font(label.font()))
        return label

    def _make_following(self) -> None:
        self.update_now = QPushButton("Update")
        icons.set_icon(self.update_now, "follow")
        self.update_now.setToolTip("Measure all frames again with the newest weights; the values stay until then")
        self.update_now.setAccessibleName("Measure again with the newest weights")
        self.auto = QCheckBox("Follow, every")
        self.auto.setToolTip(
            "On: once complete, measure again with newer weights, at low priority\nOff: stay with the weights in use"
        )
        self.auto.setAccessibleName("Measure again as training goes on")
        self.every = self._box("How often", "Least time between two measurements of the whole film")
        for seconds, words in EVERY_S:
            self.every.addItem(words, seconds)
        following = self.study.service.following
        self.auto.setChecked(following.auto)
        self.every.setCurrentIndex(max(0, self.every.findData(following.every_s)))

    def _make_worst(self) -> None:
        self.count = QSpinBox()
        self.count.setRange(1, 99)
        self.count.setValue(self.study.worst_count)
        self.count.setToolTip("How many of the worst frames are marked on the timeline")
        self.count.setAccessibleName("Number of worst frames")
        self.apart = QDoubleSpinBox()
        self.apart.setRange(0.0, 600.0)
        self.apart.setDecimals(1)
        self.apart.setSuffix(" s apart")
        self.apart.setValue(self.study.worst_apart_s)
        self.apart.setToolTip("Frames closer than this to a worse one are not listed, in seconds")
        self.apart.setAccessibleName("Least distance of two worst frames")
        self.list = QListWidget()
        self.list.setAccessibleName("Worst frames")
        self.list.setToolTip("Worst frames first; click to go there. Next and previous on the timeline: N and P")
        self.list.setMinimumHeight(140)
        self.list.setFont(style.figure_font(self.list.font()))

    def _build(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        for words, box in (("Curve", self.curve), ("Beside it", self.beside)):
            label = QLabel(words)
            label.setMinimumHeight(box.sizeHint().height())  # Level with the box, which is taller than a line.
            form.addRow(label, box)
        follow = QHBoxLayout()
        for widget in (self.auto, self.every):
            follow.addWidget(widget)
        follow.addStretch(1)
        weights = QHBoxLayout()
        weights.addWidget(self.weights, 1)
        weights.addWidget(self.update_now)
        heading = QLabel("Worst frames")
        heading.setProperty("role", "heading")
        worst = QHBoxLayout()
        worst.addWidget(self.count)
        worst.addWidget(self.apart)
        worst.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(style.SPACING, style.SPACING, style.SPACING, style.SPACING)
        layout.setSpacing(style.SPACING)
        layout.addLayout(form)
        layout.addWidget(self.numbers)
        layout.addLayout(weights)
        layout.addLayout(follow)
        layout.addWidget(self.absent)
        layout.addWidget(heading)
        layout.addLayout(worst)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.csv, 0, Qt.AlignmentFlag.AlignLeft)

    def _connect(self) -> None:
        self.curve.currentIndexChanged.connect(self._on_curve)
        self.beside.currentIndexChanged.connect(self._on_curve)
        self.count.valueChanged.connect(self._on_worst_choice)
        self.apart.valueChanged.connect(self._on_worst_choice)
        self.list.itemClicked.connect(self._on_item)
        self.list.itemActivated.connect(self._on_item)
        self.update_now.clicked.connect(self._on_update)
        self.auto.toggled.connect(self._on_following)
        self.every.currentIndexChanged.connect(self._on_following)
        self.csv.clicked.connect(self._on_csv)
        self.study.curves_changed.connect(self._on_curves)
        self.study.worst_changed.connect(self._on_worst)

    def tick(self) -> None:
        """Count the age of the weights on."""
        text = self.study.step_text()
        if text != self.weights.text():
            self.weights.setText(text)

    def save_state(self) -> dict[str, object]:
        """Return the curves, the number of worst frames, and when newer weights are taken."""
        return {
            "curve": self._wish[0],
            "beside": self._wish[1],
            "count": self.count.value(),
            "apart_s": self.apart.value(),
            "auto": self.auto.isChecked(),
            "every_s": self.every.currentData(),
        }

    def restore_state(self, state: dict[str, object]) -> None:
        """Take over what ``save_state`` returned, as far as it still means something."""
        self._wish = (str(state.get("curve") or self._wish[0]), str(state.get("beside") or ""))
        self._offer(self.study.curves)
        self._show_chosen()
        count, apart_s = state.get("count"), state.get("apart_s")
        if isinstance(count, int):
            self.count.setValue(count)
        if isinstance(apart_s, int | float):
            self.apart.setValue(apart_s)
        if isinstance(state.get("auto"), bool):
            self.auto.setChecked(state["auto"] is True)
        place = self.every.findData(state.get("every_s"))
        self.every.setCurrentIndex(place if place >= 0 else self.every.currentIndex())

    # -- what is known --------------------------------------------------------------------------

    def _offer(self, curves: FrameCurves | None) -> None:
        """Offer the curves that this model has; a wish that it cannot fulfil is kept for the next."""
        names = [name for name in FRAME_CURVES if curves is None or name not in curves.absent]
        for box, first, chosen in ((self.curve, [], self._wish[0]), (self.beside, [""], self._wish[1])):
            wanted = [*first, *names, JITTER]
            if [box.itemData(i) for i in range(box.count())] != wanted:
                box.blockSignals(True)
                box.clear()
                for name in wanted:
                    box.addItem(title_of(name) if name else "nothing", name)
                    tip = JITTER_DEFINITION if name == JITTER else describe(name).definition
                    box.setItemData(box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
                box.blockSignals(False)
            place = box.findData(chosen)
            box.blockSignals(True)
            box.setCurrentIndex(max(0, place))
            box.blockSignals(False)

    def _show_numbers(self) -> None:
        curves, name = self.study.curves, self.curve.currentData()
        self.csv.setEnabled(curves is not None)
        self.update_now.setEnabled(curves is not None)
        values = self.study.values(name)
        summary = summarise(values) if values is not None else None
        if summary is None:
            self.numbers.setText(NO_MODEL if curves is None else "not measured yet")
            self.absent.setVisible(False)
            return
        if name == "pixel":
            assert values is not None
            mean = float(np.nanmean(values))
            lines = (
                f"median {psnr_db(summary.median):.2f} dB · of the mean MSE {psnr_db(mean):.2f} dB",
                f"95 % above {psnr_db(summary.p95):.2f} dB · worst {psnr_db(summary.worst):.2f} dB",
            )
        else:
            low, high, top = (style.format_value(v) for v in (summary.median, summary.p95, summary.worst))
            lines = (f"median {low} · 95 % below {high}", f"worst {top} {unit_of(name)}")
        self.numbers.setText("\n".join(lines))
        self.numbers.setToolTip(f"{title_of(name)}: {self.curve.currentData(Qt.ItemDataRole.ToolTipRole) or ''}")
        self._show_absent(curves)

    def _show_absent(self, curves: FrameCurves | None) -> None:
        """Say which curves this model does not have, and why."""
        absent = (
            [] if curves is None else [f"{title_of(n)}: {curves.absent[n]}" for n in FRAME_CURVES if n in curves.absent]
        )
        note = [curves.note] if curves is not None and curves.note else []
        self.absent.setText("\n".join([*note, *absent]))
        self.absent.setVisible(bool(note or absent))

    @Slot(object)
    def _on_curves(self, curves: FrameCurves | None) -> None:
        self._offer(curves)
        self._show_chosen()
        self._show_numbers()
        self.tick()

    @Slot(list)
    def _on_worst(self, frames: list[int]) -> None:
        clip, values = self.page.clip, self.study.values(self.study.curve)
        scroll = self.list.verticalScrollBar().value()
        self.list.clear()
        if clip is None or values is None:
            return
        for frame in frames:
            seconds = float(clip.times_s[frame] - clip.times_s[0])
            value = value_text(self.study.curve, float(values[frame])).split(" · ")[0]
            item = QListWidgetItem(f"{frame:>7,}   {format_timecode(seconds)}   {value}")
            item.setData(Qt.ItemDataRole.UserRole, frame)
            self.list.addItem(item)
        self.list.verticalScrollBar().setValue(scroll)

    # -- what the controls say ------------------------------------------------------------------

    @Slot()
    def _on_curve(self) -> None:
        self._wish = (self.curve.currentData(), self.beside.currentData() or "")
        self._show_chosen()
        self._show_numbers()

    def _show_chosen(self) -> None:
        chosen = (self.curve.currentData(), self.beside.currentData() or "")
        if chosen != (self.study.curve, self.study.beside):
            self.study.choose_curve(*chosen)

    @Slot()
    def _on_worst_choice(self) -> None:
        self.study.choose_worst(self.count.value(), self.apart.value())

    @Slot(QListWidgetItem)
    def _on_item(self, item: QListWidgetItem) -> None:
        self.page.go_to(int(item.data(Qt.ItemDataRole.UserRole)))

    @Slot()
    def _on_update(self) -> None:
        self.study.service.update()

    @Slot()
    def _on_following(self) -> None:
        self.study.service.set_following(self.auto.isChecked(), float(self.every.currentData()))

    @Slot()
    def _on_csv(self) -> None:
        clip = self.page.clip
        if clip is None:
            return
        name = str(clip.path.with_suffix(".csv"))
        dialog = QFileDialog(self, "Save the errors of all frames", name, "Tables (*.csv)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.selectFile(name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.save_csv)
        dialog.open()

    @Slot(str)
    def save_csv(self, name: str) -> None:
        """Save the table under a name."""
        if self.page.clip is not None:
            self.study.service.save_csv(Path(name), self.page.clip.times_s)
