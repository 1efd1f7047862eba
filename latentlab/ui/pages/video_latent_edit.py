"""The panel on edits: smooth the film in latent space, move it along a direction, go from one frame to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.core.directions import Direction, delete_direction, save_direction
from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.latent_map import Doubles
from latentlab.core.messages import ErrorReport, Floats
from latentlab.core.video_curves import BetweenFrames, ClipPath
from latentlab.core.video_edit import MAX_STRENGTH, MAX_WINDOW, EditedFilm, Smoothing, read_edit, save_edit
from latentlab.ui import icons, style
from latentlab.ui.pages.video_latent_between import BetweenBox
from latentlab.ui.pages.video_panel import VideoPanel

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage
    from latentlab.ui.pages.video_latent import FilmStudy

STEPS = 100
"""Slider steps for one σ."""
OFFERED = 6
"""Principal directions and dimensions offered of each kind."""
SMOOTHINGS: tuple[tuple[str, Smoothing, str], ...] = (
    ("none", "none", "Frames keep their own latents"),
    ("Gaussian", "gaussian", "Weighted mean over time; the window ends at three standard deviations"),
    ("median", "median", "Median over time: removes jumps of single frames and keeps edges"),
)


class EditPanel(VideoPanel):
    """Edits of the whole film, seen live beside the reconstruction."""

    key: ClassVar[str] = "edit"
    title: ClassVar[str] = "Edit"
    tooltip: ClassVar[str] = "Smooth or move the film in latent space, and interpolate between two frames"

    def __init__(self, page: VideoPage, study: FilmStudy, parent: QWidget | None = None) -> None:
        super().__init__(page, parent)
        self.study = study
        self._path: ClipPath | None = None
        self._difference: tuple[int, int, Floats] | None = None
        self._opened: EditedFilm | None = None
        self.between = BetweenBox(page, study)
        self._make_smoothing()
        self._make_direction()
        self._make_saving()
        self._build()
        self._connect()
        self._offer()

    @property
    def edit(self) -> EditedFilm:
        """The film as it is edited now."""
        return self.study.edit

    def _make_smoothing(self) -> None:
        self.smoothing = QComboBox()
        self.smoothing.setAccessibleName("Smoothing over time")
        self.smoothing.setToolTip("Smooth the latents over time before they are decoded")
        for words, kind, tip in SMOOTHINGS:
            self.smoothing.addItem(words, kind)
            self.smoothing.setItemData(self.smoothing.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.span = self._slider("Frames that the window spans", 1, MAX_WINDOW // 2, 4)
        self.span.setToolTip("How many frames the window spans")
        self.span_text = self._figure("61 frames")

    def _make_direction(self) -> None:
        self.direction = QComboBox()
        self.direction.setAccessibleName("Direction")
        self.direction.setToolTip("Direction in latent space along which every frame is moved")
        self.direction.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.direction.setMinimumContentsLength(3)
        self.strength = self._slider("Strength", -round(MAX_STRENGTH * STEPS), round(MAX_STRENGTH * STEPS), 0)
        self.strength.setProperty("bipolar", True)
        self.strength.setPageStep(STEPS // 2)
        self.strength.setToolTip(
            "How far every frame is moved, in standard deviations σ of this film along the direction"
        )
        self.strength_text = self._figure("+3.00 σ")
        self.zero = QToolButton()
        icons.set_icon(self.zero, "reset")
        self.zero.setToolTip("Back to the film as it is: no smoothing, strength 0")
        self.zero.setAccessibleName("Undo the edit")
        self.keep = QToolButton()
        icons.set_icon(self.keep, "save")
        self.keep.setToolTip("Save this edit as a file for: latentlab reconstruct RUN FILM --edit F.json -o OUT")
        self.keep.setAccessibleName("Save the edit")
        self.open = QToolButton()
        icons.set_icon(self.open, "folder")
        self.open.setToolTip("Open an edit that was saved as a file: the same smoothing, direction and strength")
        self.open.setAccessibleName("Open an edit")
        self.sigma = QLabel()
        self.sigma.setProperty("role", "muted")
        self.sigma.setWordWrap(True)

    def _make_saving(self) -> None:
        self.name = QLineEdit()
        self.name.setPlaceholderText("name")
        self.name.setMaxLength(40)
        self.name.setMinimumWidth(60)
        self.name.setAccessibleName("Name of the direction")
        self.name.setToolTip("Name under which the difference of frame B and frame A is kept as a direction")
        self.save = QPushButton("Save B − A")
        icons.set_icon(self.save, "save")
        self.save.setToolTip("Keep the way from frame A to frame B as a direction of this run; mark both frames below")
        self.save.setAccessibleName("Save the direction from A to B")
        self.delete = QToolButton()
        icons.set_icon(self.delete, "close")
        self.delete.setToolTip("Forget the saved direction that is chosen")
        self.delete.setAccessibleName("Delete the saved direction")

    def _slider(self, name: str, low: int, high: int, value: int) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(low, high)
        slider.setValue(value)
        slider.setAccessibleName(name)
        slider.setMinimumWidth(60)
        return slider

    def _figure(self, widest: str) -> QLabel:
        label = QLabel()
        label.setFont(style.figure_font(label.font()))
        label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest) + 4)
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return label

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        grid.addWidget(QLabel("Smooth"), 0, 0)
        grid.addWidget(self.smoothing, 0, 1)
        grid.addLayout(_row(self.open, self.keep), 0, 2)
        grid.addWidget(QLabel("Window"), 1, 0)
        grid.addWidget(self.span, 1, 1)
        grid.addWidget(self.span_text, 1, 2)
        grid.addWidget(QLabel("Direction"), 2, 0)
        grid.addWidget(self.direction, 2, 1)
        grid.addLayout(_row(self.delete, self.zero), 2, 2)
        grid.addWidget(QLabel("Strength"), 3, 0)
        grid.addWidget(self.strength, 3, 1)
        grid.addWidget(self.strength_text, 3, 2)
        saving = QHBoxLayout()
        saving.addWidget(self.name, 1)
        saving.addWidget(self.save)
        rule = QFrame()
        rule.setProperty("role", "rule")
        rule.setFixedHeight(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(style.SPACING, style.SPACING, style.SPACING // 4, style.SPACING)
        layout.setSpacing(style.SPACING)
        layout.addLayout(grid)
        layout.addWidget(self.sigma)
        layout.addWidget(rule)
        layout.addWidget(self.between, 1)
        layout.addLayout(saving)

    def _connect(self) -> None:
        self.smoothing.currentIndexChanged.connect(self._apply)
        self.span.valueChanged.connect(self._apply)
        self.direction.currentIndexChanged.connect(self._apply)
        self.strength.valueChanged.connect(self._apply)
        self.zero.clicked.connect(self.reset)
        self.keep.clicked.connect(self._on_keep)
        self.open.clicked.connect(self._on_open)
        self.save.clicked.connect(self._on_save)
        self.name.returnPressed.connect(self._on_save)
        self.delete.clicked.connect(self._on_delete)
        self.study.path_changed.connect(self._on_path)
        self.study.directions_changed.connect(self._offer)
        self.study.between_changed.connect(self._on_between)

    @Slot()
    def reset(self) -> None:
        """Show the film as it is."""
        self.strength.setValue(0)
        self.smoothing.setCurrentIndex(0)

    @Slot()
    def _on_keep(self) -> None:
        """Ask for the file; the window goes on meanwhile."""
        clip = self.page.clip
        name = "edit.json" if clip is None else str(clip.path.with_name(f"{clip.path.stem} edit.json"))
        dialog = QFileDialog(self, "Save the edit", name, "Edits (*.json)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        dialog.selectFile(Path(name).name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.save_as)
        dialog.open()

    @Slot(str)
    def save_as(self, name: str) -> None:
        """Save the edit as it is now."""
        try:
            save_edit(Path(name), self.edit)
        except LatentLabError as error:
            self.page.context.errors.report(ErrorReport.of(error, "saving the edit"))
            return
        self.page.context.show_message(f"Edit saved to {name}: {self.edit.describe()}")

    @Slot()
    def _on_open(self) -> None:
        """Ask for a file; the window goes on meanwhile."""
        folder = "" if self.page.clip is None else str(self.page.clip.path.parent)
        dialog = QFileDialog(self, "Open an edit", folder, "Edits (*.json)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.open_edit)
        dialog.open()

    @Slot(str)
    def open_edit(self, name: str) -> None:
        """Take over the edit that a file holds; its direction joins the list."""
        try:
            edit = read_edit(Path(name))
            self._check_fits(edit, Path(name))
        except LatentLabError as error:
            self.page.context.errors.report(ErrorReport.of(error, "opening an edit"))
            return
        self._opened = edit if edit.direction else None
        self._offer()
        for widget, value in ((self.span, max(1, edit.window // 2)), (self.strength, round(edit.strength * STEPS))):
            widget.blockSignals(True)
            widget.setValue(value)
            widget.blockSignals(False)
        if self._opened is not None:
            self.direction.setCurrentIndex(self.direction.findData(("opened", "")))
        self.smoothing.setCurrentIndex(self.smoothing.findData(edit.smoothing))
        self._apply()
        self.page.context.show_message(f"Edit of {Path(name).name}: {self.edit.describe()}")

    def _check_fits(self, edit: EditedFilm, path: Path) -> None:
        snapshot = self.study.follow.weights.get()[1]
        dim = 0 if snapshot is None else snapshot.info.latent_dim
        if edit.direction and dim and len(edit.direction) != dim:
            raise InputError(
                f"The edit moves {len(edit.direction)} latent dimensions, this model has {dim}",
                where=str(path),
                hint="Open it with a run of the model that it was made with.",
            )

    # -- directions -----------------------------------------------------------------------------

    @Slot()
    def _offer(self) -> None:
        """List the directions there are, keeping the choice by its name."""
        chosen = self.direction.currentText().split(" · ")[0]
        self.direction.blockSignals(True)
        self.direction.clear()
        path = self._path
        if self._opened is not None and path is not None and len(self._opened.direction) != len(path.variance):
            self._opened = None  # Another model is at work now.
        if self._opened is not None:
            self.direction.addItem(f"{self._opened.name or 'direction'} · file", ("opened", ""))
        for saved in self.study.directions:
            self.direction.addItem(saved.name, ("saved", saved.name))
        if path is not None:
            for k in range(min(OFFERED, len(path.vectors))):
                self.direction.addItem(f"PC {k + 1} · {path.explained[k]:.0%}", ("pc", k))
            for dim in path.order[:OFFERED].tolist():
                self.direction.addItem(f"z{dim} · variance {style.format_value(float(path.variance[dim]))}", ("z", dim))
            rest = sorted(path.order[OFFERED:].tolist())
            for dim in rest:
                self.direction.addItem(f"z{dim}", ("z", dim))
        names = [self.direction.itemText(place).split(" · ")[0] for place in range(self.direction.count())]
        self.direction.setCurrentIndex(names.index(chosen) if chosen in names else min(0, len(names) - 1))
        self.direction.blockSignals(False)
        self._apply()

    def _step(self) -> tuple[str, Floats | Doubles | None, float]:
        """Return name, unit vector and σ of the chosen direction; None where it is not known (yet)."""
        kind, which = self.direction.currentData() or ("", "")
        path = self._path
        name = self.direction.currentText().split(" · ")[0]
        if kind == "saved":
            found = next((saved for saved in self.study.directions if saved.name == which), None)
            sigma = path.spreads.get(which) if path is not None else None
            return name, found.unit() if found is not None and sigma is not None else None, sigma or 0.0
        if kind == "opened" and self._opened is not None:
            step = np.asarray(self._opened.direction, dtype=np.float64)
            length = float(np.linalg.norm(step))
            return name, (step / length if length else None), length
        if path is None or not isinstance(which, int):
            return name, None, 0.0
        if kind == "pc":
            return name, path.vectors[which], float(path.sigma[which])
        unit = np.zeros(len(path.variance), dtype=np.float32)
        unit[which] = 1.0
        return name, unit, float(np.sqrt(path.variance[which]))

    @Slot()
    def _apply(self) -> None:
        """Make an edit of what the controls say, and show it."""
        kind: Smoothing = self.smoothing.currentData()
        frames, strength = 2 * self.span.value() + 1, self.strength.value() / STEPS
        name, unit, sigma = self._step()
        self.span.setEnabled(kind != "none")
        self.span_text.setText(f"{frames} frames")
        self.strength.setEnabled(unit is not None)
        self.strength_text.setText(f"{strength:+.2f} σ".replace("-", "−"))
        kind_of = (self.direction.currentData() or ("",))[0]
        self.delete.setEnabled(kind_of == "saved")
        if unit is None:
            self.sigma.setText("directions are known once some frames were measured")
        else:
            self.sigma.setText(f"1 σ along {name} = {style.format_value(sigma)} in latent space, over this film")
        direction = tuple((unit * sigma).tolist()) if unit is not None else ()
        window = frames if kind != "none" else 1
        self.study.set_edit(
            EditedFilm(kind, window, direction if strength else (), strength if direction else 0.0, name)
        )
        self.keep.setEnabled(self.edit.active)

    @Slot(object)
    def _on_path(self, path: ClipPath | None) -> None:
        if path is None and self._path is not None:
            self.reset()
        self._path = path
        self._offer()

    @Slot(object)
    def _on_between(self, between: BetweenFrames | None) -> None:
        self._difference = None if between is None else (between.first, between.last, between.difference)
        self.save.setEnabled(between is not None)

    @Slot()
    def _on_save(self) -> None:
        run = self.study.run
        if self._difference is None or run is None:
            self.page.context.show_message("Mark frames A and B first: their difference is the direction")
            return
        first, last, difference = self._difference
        name = self.name.text().strip() or f"{first} to {last}"
        try:
            save_direction(run, Direction(name, tuple(difference.tolist())))
        except LatentLabError as error:
            self.page.context.errors.report(ErrorReport.of(error, "saving a direction"))
            return
        self.name.clear()
        self.study.load_directions()
        self.direction.setCurrentIndex(self.direction.findText(name))
        self.page.context.show_message(f"Direction {name!r} saved with the run")

    @Slot()
    def _on_delete(self) -> None:
        kind, which = self.direction.currentData() or ("", "")
        run = self.study.run
        if kind == "saved" and run is not None:
            try:
                delete_direction(run, str(which))
            except LatentLabError as error:
                self.page.context.errors.report(ErrorReport.of(error, "deleting a direction"))
            self.study.load_directions()


def _row(*buttons: QToolButton) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(0)
    row.addStretch(1)
    for button in buttons:
        row.addWidget(button)
    return row
