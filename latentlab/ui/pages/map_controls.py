"""What stands over and under the map: the plane, its colours and tools; the survey's step, and how to take another."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QProgressBar, QSpinBox, QToolButton, QWidget

from latentlab.core.latent_map import Kind, MapLayout, Plane
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.messages import Progress
from latentlab.ui import icons, style
from latentlab.ui.formatting import format_steps
from latentlab.ui.pages.map_colours import CLASS, choices
from latentlab.ui.widgets.elided_label import ElidedLabel
from latentlab.ui.widgets.shortcuts import LettersPass, click_on_key

KINDS: tuple[tuple[Kind, str], ...] = (("pca", "PCA"), ("dims", "Dimensions"), ("tsne", "t-SNE"))
AXIS_WIDTH = 84
KIND_TIP = (
    "PCA: the directions along which the codes vary most, at once\n"
    "Dimensions: two latent dimensions as they are\n"
    "t-SNE: neighbours stay together, distances mean little; in the background"
)


class MapControls(QWidget):
    """The row over the map.

    Signals
    -------
    plane_chosen
        A ``Plane`` to look at.
    colour_chosen
        A key of ``map_colours.choices``.
    """

    plane_chosen = Signal(object)
    colour_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._last = 1
        self.kind = QComboBox()
        self.kind.setObjectName("mapKind")
        for key, words in KINDS:
            self.kind.addItem(words, key)
        self.kind.setAccessibleName("Plane of the map")
        self.kind.setToolTip(KIND_TIP)
        self.across = self._axis("Axis to the right")
        self.up = self._axis("Axis upwards")
        self.colour = QComboBox()
        self.colour.setObjectName("mapColour")
        self.colour.setAccessibleName("Colour by")
        self.colour.setToolTip("What the colour of a dot says about its image")
        self.colour.setMinimumContentsLength(6)
        self.colour.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.lasso = self._toggle(
            "Lasso", "lasso", "L", "Draw around images to make them a group (L, or Shift while dragging)"
        )
        self.prior = self._toggle("Prior", "prior", "P", "Circles at 1, 2 and 3 standard deviations of the prior (P)")
        self.prior.setChecked(True)
        self.lattice = self._toggle(
            "Lattice", "lattice", "G", "Decode a grid over the plane, all other directions at the mean of the codes (G)"
        )
        self.fit = QToolButton()
        self.fit.setAccessibleName("Show the whole map")
        self.fit.setToolTip("Show the whole map (0)")
        icons.set_icon(self.fit, "zoom_fit")
        click_on_key(self.fit, "0")
        self.kind.activated.connect(self._on_kind)
        for spin in (self.across, self.up):
            spin.setMinimumWidth(AXIS_WIDTH)
            spin.valueChanged.connect(self._on_axis)
        self.colour.activated.connect(self._on_colour)
        self._name_axes((0, 1))
        self._build()

    def _axis(self, name: str) -> QSpinBox:
        spin = QSpinBox()
        spin.setKeyboardTracking(False)
        spin.setAccessibleName(name)
        spin.setToolTip(f"{name}: number of the principal direction or latent dimension")
        LettersPass(spin)
        return spin

    def _toggle(self, words: str, icon: str, key: str, tip: str) -> QToolButton:
        button = QToolButton()
        icons.set_icon(button, icon)
        button.setCheckable(True)
        button.setAccessibleName(words)
        button.setToolTip(tip)
        click_on_key(button, key)
        return button

    def _build(self) -> None:
        self._plane, self._tools = QWidget(), QWidget()
        self._flow = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._flow.setSpacing(style.SPACING // 2)
        groups = {
            self._plane: (self.kind, self.across, self.up),
            self._tools: (self.colour, self.lasso, self.prior, self.lattice, self.fit),
        }
        for group, widgets in groups.items():
            row = QHBoxLayout(group)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(style.SPACING // 2)
            for widget in widgets:
                row.addWidget(widget, 1 if widget is self.colour else 0)
            if group is self._plane:
                row.addStretch(1)
            self._flow.addWidget(group, 1 if group is self._tools else 0)

    def minimumSizeHint(self) -> QSize:
        """As wide as the wider of the two groups, which then stand one over the other."""
        hints = [group.minimumSizeHint() for group in (self._plane, self._tools)]
        return QSize(max(hint.width() for hint in hints), max(hint.height() for hint in hints))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stand in one row where there is room."""
        super().resizeEvent(event)
        need = self._plane.sizeHint().width() + self._tools.sizeHint().width() + style.SPACING
        one = event.size().width() >= need
        self._flow.setDirection(QBoxLayout.Direction.LeftToRight if one else QBoxLayout.Direction.TopToBottom)

    @property
    def plane(self) -> Plane:
        """The plane that is chosen."""
        first = 1 if self._kind == "pca" else 0
        return Plane(self._kind, (self.across.value() - first, self.up.value() - first))

    @property
    def _kind(self) -> Kind:
        return KINDS[self.kind.currentIndex()][0]

    def set_plane(self, plane: Plane) -> None:
        """Show a choice without telling anybody."""
        self.kind.setCurrentIndex([key for key, _ in KINDS].index(plane.kind))
        self._name_axes(plane.dims)

    def set_survey(self, survey: LatentSurvey) -> None:
        """Offer what a survey can be coloured by, and its dimensions."""
        offered = choices(survey)
        if offered != [(self.colour.itemData(i), self.colour.itemText(i)) for i in range(self.colour.count())]:
            before = self.colour.currentData() or CLASS
            self.colour.clear()
            for key, words in offered:
                self.colour.addItem(words, key)
            self.set_colour(before)
        plane = self.plane
        self._last = survey.dim - 1
        self._name_axes((min(plane.dims[0], self._last), min(plane.dims[1], self._last)))

    def set_colour(self, key: object) -> None:
        """Choose what to colour by, if it is offered."""
        self.colour.setCurrentIndex(max(0, self.colour.findData(key)))

    def set_layout(self, layout: MapLayout) -> None:
        """Allow what the plane has: contours need a prior, a lattice the way back."""
        self.prior.setEnabled(layout.prior_centre is not None)
        self.lattice.setEnabled(layout.has_inverse)

    def _name_axes(self, dims: tuple[int, int]) -> None:
        first = 1 if self._kind == "pca" else 0
        for spin, arrow, dim in ((self.across, "→", dims[0]), (self.up, "↑", dims[1])):
            spin.blockSignals(True)
            spin.setPrefix(f"{arrow} PC " if first else f"{arrow} z")
            spin.setRange(first, self._last + first)
            spin.setValue(dim + first)
            spin.setEnabled(self._kind != "tsne")
            spin.blockSignals(False)

    @Slot()
    def _on_kind(self) -> None:
        self._name_axes((0, min(1, self._last)))
        self.plane_chosen.emit(self.plane)

    @Slot()
    def _on_axis(self) -> None:
        self.plane_chosen.emit(self.plane)

    @Slot()
    def _on_colour(self) -> None:
        self.colour_chosen.emit(str(self.colour.currentData()))


class SurveyBar(QWidget):
    """The row under the map: which step was surveyed, how far the work is, and the buttons that begin and end it.

    Signals
    -------
    survey_wanted, cancel_wanted
        The buttons.
    """

    survey_wanted = Signal()
    cancel_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = ElidedLabel()
        self.label.setAccessibleName("The survey behind the map")
        self.label.setToolTip("Which training step encoded the data set, and how many of its images")
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress")
        self.progress.setToolTip("How far the work in the background has come")
        self.progress.setFixedWidth(120)
        self.progress.setTextVisible(False)
        self.cancel = QToolButton()
        self.cancel.setAccessibleName("Cancel")
        self.cancel.setToolTip("Give up the work in the background (Esc)")
        icons.set_icon(self.cancel, "close")
        click_on_key(self.cancel, "Esc")
        self.again = QToolButton()
        self.again.setText("Survey again")
        self.again.setAccessibleName("Survey again")
        self.again.setToolTip("Encode the data set with the newest weights (S)")
        self.again.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        icons.set_icon(self.again, "reset")
        click_on_key(self.again, "S")
        self.cancel.clicked.connect(self.cancel_wanted)
        self.again.clicked.connect(self.survey_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.label, 1)
        for widget in (self.progress, self.cancel, self.again):
            row.addWidget(widget)

    def show_state(self, text: str, progress: Progress | None, *, newer: bool) -> None:
        """Show the survey's facts, the work under way, and whether weights are newer than the survey."""
        self.label.setText(text)
        for widget in (self.progress, self.cancel):
            widget.setVisible(progress is not None)
        if progress is not None:
            self.progress.setRange(0, progress.total or 0)
            self.progress.setValue(progress.done if progress.total else 0)
        self.again.setProperty("kind", "primary" if newer and progress is None else "")
        style.repolish(self.again)


def survey_text(survey: LatentSurvey, layout: MapLayout | None, step_in_use: int, progress: Progress | None) -> str:
    """Return what the map shows, e.g. ``step 1,500 · 60,000 images · weights in use are of step 2,000``."""
    parts = [f"survey of step {format_steps(survey.step)}"]
    count, total = format_steps(len(survey)), format_steps(survey.total)
    parts.append(f"{count} images" if len(survey) >= survey.total else f"{count} of {total} images")
    if layout is not None and layout.plane.kind == "tsne":
        step, steps = layout.steps
        if len(layout.index) < len(survey):
            parts.append(f"t-SNE of a sample of {format_steps(len(layout.index))}")
        if steps:
            parts.append(f"t-SNE step {step} of {steps}")
    if step_in_use != survey.step:
        parts.append(f"weights in use are of step {format_steps(step_in_use)}")
    told = layout is not None and layout.steps[1] > 0 and progress is not None and progress.what == "t-SNE"
    if progress is not None and not told:
        share = f" {progress.done / progress.total:.0%}" if progress.total else ""
        parts.append(f"{progress.what.lower() if progress.what != 't-SNE' else progress.what}{share}…")
    return " · ".join(parts)
