"""The pictures of the Monitor page: originals over their reconstructions, and samples of the prior."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSplitter, QVBoxLayout, QWidget

from latentlab.core.messages import Floats, Images, Preview
from latentlab.ui import style
from latentlab.ui.formatting import format_steps, format_value
from latentlab.ui.views.picture import GAP, MARGIN, PictureView
from latentlab.ui.views.picture_layout import MosaicRequest, arrange

WAITING = "The first pictures come with the first preview."


def psnr(pixel: float) -> float:
    """Return the peak signal-to-noise ratio in dB of a mean squared error in [0,1] units: -10 log10(mse)."""
    return math.inf if pixel <= 0 else -10.0 * math.log10(pixel)


class PairView(PictureView):
    """Pictures over their twins, in as many columns as show them largest."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Originals above their reconstructions")
        self._pairs: tuple[Images, Images, Floats | None] | None = None
        self._across = 0

    def set_pairs(self, originals: Images, reconstructions: Images, errors: Floats | None = None) -> None:
        """Show NHWC pictures over their reconstructions; ``errors`` is the pixel MSE of each."""
        self._pairs = (originals, reconstructions, errors)
        self._show_pairs()

    def clear(self, message: str = "") -> None:
        """Show no pair."""
        self._pairs = None
        super().clear(message)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the columns again."""
        super().resizeEvent(event)
        if self._pairs is not None:
            self._show_pairs()

    def _best_across(self, count: int, height: int, width: int) -> int:
        """Return the number of columns that gives the pairs shown the largest area in all."""
        area = (self.width() - 2 * MARGIN, self.height() - 2 * MARGIN)
        best, best_area = 1, 0.0
        for across in range(1, count + 1):
            shown = count // across * across
            request = MosaicRequest(2 * shown, (width, height), area, across, GAP, group=2, group_gap=2 * GAP)
            laid = arrange(request)
            covered = shown * laid.width * laid.height
            if covered > best_area:
                best, best_area = across, covered
        return best

    def _show_pairs(self) -> None:
        assert self._pairs is not None
        originals, reconstructions, errors = self._pairs
        count, height, width, channels = originals.shape
        across = self._best_across(count, height, width)
        rows = count // across
        tops = originals[: rows * across].reshape(rows, 1, across, height, width, channels)
        bottoms = reconstructions[: rows * across].reshape(rows, 1, across, height, width, channels)
        woven = np.concatenate((tops, bottoms), axis=1).reshape(-1, height, width, channels)
        tips = [_tip(index, across, errors) for index in range(len(woven))]
        self.set_images(woven, columns=across, group_rows=2, tips=tips)


def _tip(index: int, across: int, errors: Floats | None) -> str:
    row, column = divmod(index, across)
    pair = row // 2 * across + column
    if row % 2 == 0:
        return f"Test image {pair + 1}"
    if errors is None or pair >= len(errors):
        return f"Reconstruction of test image {pair + 1}"
    error = float(errors[pair])
    return f"Reconstruction of test image {pair + 1}: MSE {format_value(error)}, PSNR {psnr(error):.1f} dB"


class ElidedLabel(QLabel):
    """One muted line that ends in an ellipsis where it does not fit, instead of asking for room."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "muted")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much of the text as fits."""
        painter = QPainter(self)
        painter.setPen(style.colour("muted"))
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


class _Section(QWidget):
    """A title with a remark, over a view."""

    def __init__(self, title: str, view: PictureView) -> None:
        super().__init__()
        heading = QLabel(title)
        heading.setFont(style.figure_font(heading.font(), bold=True))
        self.remark = ElidedLabel()
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
        self._shared: tuple[int, ...] = ()
        self.pairs = PairView()
        self.samples = PictureView()
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
        self.step = preview.step
        self.pairs.set_pairs(preview.originals, preview.reconstructions, preview.reconstruction_error)
        self._pairs_section.remark.setText(_remark(preview))
        self._samples_section.setVisible(preview.samples is not None)
        if preview.samples is not None:
            self.samples.set_images(
                preview.samples, tips=[f"Sample {i + 1}: the same z at every step" for i in range(len(preview.samples))]
            )
            self._samples_section.remark.setText(f"z ~ N(0, 1), fixed · step {format_steps(preview.step)}")
            self._share_room(2 * len(preview.originals), len(preview.samples))

    def _share_room(self, *pictures: int) -> None:
        """Give each view room by the number of its pictures, unless the user moved the divider."""
        if not self.sized_by_hand and pictures != self._shared:
            self._shared = pictures
            self.setSizes([1000 * count // sum(pictures) for count in pictures])

    def clear(self) -> None:
        """Show that no picture came yet."""
        self.step = None
        self.pairs.clear(WAITING)
        self.samples.clear()
        self._samples_section.hide()
        self._pairs_section.remark.setText("")


def _remark(preview: Preview) -> str:
    text = f"step {format_steps(preview.step)}"
    if preview.reconstruction_error is None or not len(preview.reconstruction_error):
        return text
    mean = float(np.mean(preview.reconstruction_error))
    return f"{text} · MSE {format_value(mean)} · {psnr(mean):.1f} dB"
