"""The pictures of the Monitor page: originals over their reconstructions, and samples of the prior."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSplitter, QVBoxLayout, QWidget

from latentlab.core.messages import Floats, Images, Preview
from latentlab.ui import style
from latentlab.ui.formatting import format_steps, format_value
from latentlab.ui.views.picture import GAP, MARGIN, PictureView
from latentlab.ui.views.picture_layout import MosaicRequest, arrange

LARGE_ENOUGH = 48
ERROR_GAIN = 3
WAITING = "The first pictures come with the first preview."


def psnr(pixel: float) -> float:
    """Return the peak signal-to-noise ratio in dB of a mean squared error in [0,1] units: -10 log10(mse)."""
    return math.inf if pixel <= 0 else -10.0 * math.log10(pixel)


def fitting(count: int, picture: tuple[int, int], area: tuple[int, int], layers: int) -> tuple[int, int]:
    """Return (columns, rows) of stacks of ``layers`` pictures: as many of ``count`` as can be shown large enough.

    ``picture`` and ``area`` are (width, height). Large enough means a longer side of ``LARGE_ENOUGH``
    pixels; where not even four stacks can be, the four largest possible.
    """
    best, best_score = (1, 1), (-1, -1.0, -1.0)
    for across in range(1, count + 1):
        for rows in range(1, count // across + 1):
            gap = 2 * GAP if layers > 1 else 0
            request = MosaicRequest(
                layers * across * rows, picture, area, across, GAP, group=layers, group_gap=gap if rows > 1 else 0
            )
            laid = arrange(request)
            large = max(laid.width, laid.height) >= LARGE_ENOUGH
            shown = float(across * rows)
            score = (1, shown, laid.scale) if large else (0, min(shown, 4.0), laid.scale)
            if score > best_score:
                best, best_score = (across, rows), score
    return best


def whole_rows(count: int, columns: int, picture: tuple[int, int], area: tuple[int, int]) -> int:
    """Return how many rows of ``columns`` pictures to show: as many as do not make them smaller than one row would."""
    scales = [
        arrange(MosaicRequest(columns * rows, picture, area, columns, GAP)).scale
        for rows in range(1, count // columns + 1)
    ]
    large = min(LARGE_ENOUGH / max(picture), scales[0])
    return max(row for row, scale in enumerate(scales, 1) if row == 1 or scale >= large)


@dataclass(frozen=True)
class Look:
    """How pictures are shown, not what they are: ``(gain x)^(1/gamma)`` of values in [0,1], and errors beside them.

    The last text raised small values to see them.
    """

    gain: float = 1.0
    gamma: float = 1.0
    errors: bool = False

    def shown(self, images: Images) -> Images:
        """Return uint8 pictures as they are shown."""
        if self.gain == 1.0 and self.gamma == 1.0:
            return images
        values = np.clip(self.gain * np.arange(256) / 255.0, 0.0, 1.0) ** (1.0 / self.gamma)
        table = (255.0 * values).round().astype(np.uint8)
        shown: Images = table[images]
        return shown


def difference(originals: Images, reconstructions: Images) -> Images:
    """Return the absolute difference of two stacks of pictures, ``ERROR_GAIN`` times, as uint8."""
    apart = np.abs(originals.astype(np.int16) - reconstructions.astype(np.int16))
    pictures: Images = np.minimum(ERROR_GAIN * apart, 255).astype(np.uint8)
    return pictures


class StackView(PictureView):
    """Pictures, or pictures over their twins, in the arrangement that shows them large; the rest is left out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers: tuple[Images, ...] = ()
        self._tips_of: tuple[Sequence[str], ...] = ()
        self._columns: int | None = None
        self.shown = self._across = 0
        self.focus: int | None = None
        self.clicked.connect(self._on_clicked)

    def set_layers(self, layers: Sequence[Images], tips: Sequence[Sequence[str]], columns: int | None = None) -> None:
        """Show NHWC arrays of equal shape, the first over the second.

        ``tips`` holds their tooltips. With ``columns`` the pictures of one layer stand in rows of that many,
        as they are meant, and whole rows are left out where there is no room.
        """
        self._layers, self._tips_of, self._columns = tuple(layers), tuple(tips), columns
        self._arrange_layers()

    @Slot(int)
    def _on_clicked(self, index: int) -> None:
        """Show one picture, with its twins, as large as fits; click again for all."""
        if self.focus is None and self._across:
            group, place = divmod(index, self._across * len(self._layers))
            self.focus = group * self._across + place % self._across
        else:
            self.focus = None
        self._arrange_layers()

    def clear(self, message: str = "") -> None:
        """Show no picture."""
        self._layers = ()
        self.focus = None
        super().clear(message)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the arrangement again."""
        super().resizeEvent(event)
        self._arrange_layers()

    def _arrange_layers(self) -> None:
        if not self._layers or not len(self._layers[0]):
            return
        layers, tips_of, columns = self._layers, self._tips_of, self._columns
        if self.focus is not None and self.focus < len(layers[0]):
            one = slice(self.focus, self.focus + 1)
            layers, tips_of, columns = tuple(layer[one] for layer in layers), tuple(tips[one] for tips in tips_of), None
        count, height, width, channels = layers[0].shape
        area = (self.width() - 2 * MARGIN, self.height() - 2 * MARGIN)
        if columns is None:
            across, rows = fitting(count, (width, height), area, len(layers))
        else:
            across, rows = columns, whole_rows(count, columns, (width, height), area)
        self.shown, self._across = across * rows, across
        parts = [layer[: self.shown].reshape(rows, 1, across, height, width, channels) for layer in layers]
        woven = np.concatenate(parts, axis=1).reshape(-1, height, width, channels)
        tips = [tip for row in range(rows) for layer in tips_of for tip in layer[row * across : (row + 1) * across]]
        self.set_images(woven, columns=across, group_rows=len(parts), tips=tips)


def _pair_tips(count: int, errors: Floats | None) -> tuple[list[str], list[str]]:
    """Return the tooltips of ``count`` originals and of their reconstructions."""
    tops = [f"Test image {index + 1}" for index in range(count)]
    bottoms = []
    for index, top in enumerate(tops):
        text = f"Reconstruction of {top[0].lower()}{top[1:]}"
        if errors is not None and index < len(errors):
            error = float(errors[index])
            text += f": MSE {format_value(error)}, PSNR {psnr(error):.1f} dB"
        bottoms.append(text)
    return tops, bottoms


class RemarkLabel(QLabel):
    """One muted line of facts, the least needed last: those that do not fit are left out, and are in the tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "muted")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._facts: tuple[str, ...] = ()

    def set_facts(self, *facts: str) -> None:
        """Show these facts in this order."""
        self._facts = facts
        self.setText(" · ".join(facts))
        self.setToolTip(self.text())

    def shown_text(self) -> str:
        """Return the text that fits; the first fact is always in it."""
        for count in range(len(self._facts), 1, -1):
            text = " · ".join(self._facts[:count])
            if self.fontMetrics().horizontalAdvance(text) <= self.width():
                return text
        return self._facts[0] if self._facts else ""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the facts that fit."""
        painter = QPainter(self)
        painter.setPen(style.colour("muted"))
        text = self.fontMetrics().elidedText(self.shown_text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


class _Section(QWidget):
    """A title with a remark, over a view."""

    def __init__(self, title: str, view: PictureView) -> None:
        super().__init__()
        heading = QLabel(title)
        heading.setFont(style.figure_font(heading.font(), bold=True))
        self.remark = RemarkLabel()
        self.view = view
        row = QHBoxLayout()
        row.setSpacing(style.SPACING)
        row.addWidget(heading)
        row.addWidget(self.remark, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(view, 1)


class PicturesPane(QSplitter):
    """Reconstructions over samples, in a splitter.

    Attributes
    ----------
    step
        The training step of the pictures shown; None before the first.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.step: int | None = None
        self.look = Look()
        self._preview: Preview | None = None
        self._shared: tuple[int, ...] = ()
        self.pairs = StackView()
        self.pairs.setAccessibleName("Originals above their reconstructions")
        self.samples = StackView()
        self.samples.setAccessibleName("Samples of the prior")
        self._pairs_section = _Section("Reconstructions", self.pairs)
        self._samples_section = _Section("Samples", self.samples)
        self.addWidget(self._pairs_section)
        self.addWidget(self._samples_section)
        self.setStretchFactor(0, 2)
        self.setStretchFactor(1, 1)
        self.setChildrenCollapsible(False)
        self.sized_by_hand = False
        self.splitterMoved.connect(self._on_moved)
        self.clear()

    @Slot()
    def _on_moved(self) -> None:
        self.sized_by_hand = True

    def show_preview(self, preview: Preview) -> None:
        """Show the pictures of one step."""
        self.step, self._preview = preview.step, preview
        originals, reconstructions, samples = preview.originals, preview.reconstructions, preview.samples
        self._pairs_section.setVisible(originals is not None)
        if originals is not None and reconstructions is not None:
            layers = [self.look.shown(originals), self.look.shown(reconstructions)]
            tips = list(_pair_tips(len(originals), preview.reconstruction_error))
            if self.look.errors:
                layers.append(difference(originals, reconstructions))
                tips.append([f"Difference, {ERROR_GAIN} times\n{tip}" for tip in tips[1]])
            self.pairs.set_layers(layers, tips)
            self._pairs_section.remark.set_facts(*_facts(preview))
        self._samples_section.setVisible(samples is not None)
        if samples is not None:
            shown = self.look.shown(samples)
            self.samples.set_layers((shown,), (_sample_tips(preview),), preview.sample_columns)
            self._samples_section.remark.set_facts(*_sample_facts(preview))
        if originals is not None and samples is not None:
            self._share_room(2 * len(originals), len(samples))

    def set_look(self, look: Look) -> None:
        """Show the pictures brighter, darker, or with their errors."""
        self.look = look
        if self._preview is not None:
            self.show_preview(self._preview)

    def _share_room(self, *pictures: int) -> None:
        """Give each view room by the number of its pictures, unless the user moved the divider."""
        if not self.sized_by_hand and pictures != self._shared:
            self._shared = pictures
            self.setSizes([1000 * count // sum(pictures) for count in pictures])

    def clear(self) -> None:
        """Show that no picture came yet."""
        self.step = self._preview = None
        self.pairs.clear(WAITING)
        self.samples.clear()
        self._pairs_section.show()
        self._samples_section.hide()
        self._pairs_section.remark.set_facts()


def _facts(preview: Preview) -> list[str]:
    """Return step, PSNR and mean squared error of a preview's reconstructions."""
    facts = [f"step {format_steps(preview.step)}"]
    if preview.reconstruction_error is not None and len(preview.reconstruction_error):
        mean = float(np.mean(preview.reconstruction_error))
        facts += [f"{psnr(mean):.1f} dB", f"MSE {format_value(mean)}"]
    return facts


def _sample_tips(preview: Preview) -> list[str]:
    """Return the tooltips of a preview's samples."""
    count = 0 if preview.samples is None else len(preview.samples)
    if preview.sample_columns is None:
        return [f"Sample {index + 1}: the same z at every step" for index in range(count)]
    places = [divmod(index, preview.sample_columns) for index in range(count)]
    return [f"Style {row + 1} in class {column}: the same z at every step" for row, column in places]


def _sample_facts(preview: Preview) -> list[str]:
    """Return the step of a preview, and what its samples are."""
    step = f"step {format_steps(preview.step)}"
    if preview.sample_columns is None:
        return [step, "z ~ N(0, 1), fixed"]
    return [step, "columns are classes", "each row one z ~ N(0, 1), fixed"]
