"""The panel on latents: the film's path in a plane, its dimensions over time, and its jitter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from latentlab.core.video_curves import ClipPath
from latentlab.core.video_messages import FilmFrame
from latentlab.ui import style
from latentlab.ui.pages.video_latent_plane import PlaneView
from latentlab.ui.pages.video_latent_strip import CURVE_COLOURS, CurveStrip, HeatStrip, JitterStrip
from latentlab.ui.pages.video_panel import VideoPanel

if TYPE_CHECKING:
    from latentlab.ui.pages.video import VideoPage
    from latentlab.ui.pages.video_latent import FilmStudy

FIRST_CURVES = 2
EMPTY = "Open a film and a model that can encode: the film's path through latent space appears here."


class LatentPathPanel(VideoPanel):
    """Where the film goes in latent space."""

    key: ClassVar[str] = "latents"
    title: ClassVar[str] = "Latents"
    tooltip: ClassVar[str] = "The film's path through latent space, its dimensions over time, and its jitter"

    def __init__(self, page: VideoPage, study: FilmStudy, parent: QWidget | None = None) -> None:
        super().__init__(page, parent)
        self.study = study
        self.plane = PlaneView()
        self.heat, self.curves, self.jitter = HeatStrip(), CurveStrip(), JitterStrip()
        self.strips = (self.heat, self.curves, self.jitter)
        self.across = self._spin("Principal direction to the right", 1)
        self.up = self._spin("Principal direction upwards", 2)
        self.about = QLabel()
        self.about.setProperty("role", "muted")
        self.about.setWordWrap(True)
        self._chosen = False
        self._build()
        self._connect()
        self._on_path(None)

    def _spin(self, name: str, value: int) -> QSpinBox:
        spin = QSpinBox()
        spin.setRange(1, 16)
        spin.setValue(value)
        spin.setPrefix("PC ")
        spin.setAccessibleName(name)
        spin.setToolTip(f"{name}: 1 is the one along which the film varies most")
        return spin

    def _build(self) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("↑"))
        row.addWidget(self.up)
        row.addWidget(QLabel("→"))
        row.addWidget(self.across)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(style.SPACING, style.SPACING, style.SPACING, style.SPACING)
        layout.setSpacing(style.SPACING)
        layout.addLayout(row)
        layout.addWidget(self.plane, 1)
        layout.addWidget(self.about)
        for strip in self.strips:
            layout.addWidget(strip)

    def _connect(self) -> None:
        study, page = self.study, self.page
        self.across.valueChanged.connect(self._on_components)
        self.up.valueChanged.connect(self._on_components)
        self.heat.dimension_toggled.connect(self.toggle_dimension)
        self.plane.thumbnail_wanted.connect(study.service.want_thumbnail)
        for view in (self.plane, *self.strips):
            view.frame_wanted.connect(page.go_to)
        page.frame_changed.connect(self._on_frame)
        study.path_changed.connect(self._on_path)
        study.thumbnail_changed.connect(self._on_thumbnail)
        study.marks_changed.connect(self._on_marks)

    def tick(self) -> None:
        """Nothing to do: the study tells what moved."""

    def save_state(self) -> dict[str, object]:
        """Return the plane."""
        return {"across": self.across.value(), "up": self.up.value()}

    def restore_state(self, state: dict[str, object]) -> None:
        """Take over the plane."""
        for spin, key in ((self.across, "across"), (self.up, "up")):
            value = state.get(key)
            if isinstance(value, int):
                spin.setValue(value)

    @Slot(int)
    def toggle_dimension(self, dimension: int) -> None:
        """Draw the curve of a dimension, or no longer; of more than there are colours the oldest goes."""
        self._chosen = True
        kept = [dim for dim in self.study.path_view.dimensions if dim != dimension]
        if len(kept) == len(self.study.path_view.dimensions):
            kept = [*kept[-(len(CURVE_COLOURS) - 1) :], dimension]
        self.study.set_path_view(replace(self.study.path_view, dimensions=tuple(kept)))

    @Slot()
    def _on_components(self) -> None:
        components = (self.across.value() - 1, self.up.value() - 1)
        self.study.set_path_view(replace(self.study.path_view, components=components))

    @Slot(object)
    def _on_path(self, path: ClipPath | None) -> None:
        self.plane.set_path(path)
        for strip in self.strips:
            strip.set_path(path)
        if path is None:
            self.plane.message = EMPTY
            self.about.setText("")
            return
        self.about.setText(self._about(path))
        ranged = path.first > 0 or path.last < len(path.jitter) - 1
        self.plane.set_range((path.first, path.last) if ranged else None)
        for spin in (self.across, self.up):
            spin.setMaximum(len(path.vectors))
        first = tuple(path.order[:FIRST_CURVES].tolist())
        if not self._chosen and self.study.path_view.dimensions != first:  # Nobody chose: what varies most.
            self.study.set_path_view(replace(self.study.path_view, dimensions=first))

    def _about(self, path: ClipPath) -> str:
        text = f"latents by the weights of step {style.format_steps(path.step)}"
        if not path.complete:
            text += f" · {path.known:,} frames so far"
        if path.stride > 1:
            text += f" · every {path.stride}th frame: the whole film would not fit into memory or cache"
        return text

    @Slot(int)
    def _on_frame(self, frame: int) -> None:
        self.plane.set_frame(frame)
        for strip in self.strips:
            strip.set_frame(frame)

    @Slot(object)
    def _on_thumbnail(self, thumbnail: FilmFrame) -> None:
        self.plane.set_thumbnail(thumbnail)

    @Slot()
    def _on_marks(self) -> None:
        self.plane.set_marks(self.study.marks)
