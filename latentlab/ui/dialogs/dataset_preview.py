"""What a data set will look like: counts in words, and some of its pictures."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

from latentlab.core.messages import Progress
from latentlab.core.video_dataset import DatasetPreview
from latentlab.ui import style
from latentlab.ui.views.picture import PictureView

BAR_HEIGHT = 6
STEPS = 1000


class DatasetPreviewView(QWidget):
    """Counts over pictures to train on and pictures to test on. Thread: GUI."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setFont(style.figure_font(self.words.font()))
        self.words.setMinimumHeight(2 * self.words.fontMetrics().lineSpacing())
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(BAR_HEIGHT)
        self.bar.setAccessibleName("Decoding")
        policy = self.bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(policy)
        self.train = self._view("Pictures to train on")
        self.test = self._view("Pictures to test on")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(style.SPACING)
        column.addWidget(self.words)
        column.addWidget(self.bar)
        for text, view, stretch in (("To train on", self.train, 2), ("To test on", self.test, 1)):
            title = QLabel(text)
            title.setProperty("role", "section")
            column.addWidget(title)
            column.addWidget(view, stretch)
        self.show_progress(None)

    def show_preview(self, preview: DatasetPreview) -> None:
        """Show counts, and pictures where there are any."""
        self.words.setText(counts(preview))
        self._role("")
        for view, images in ((self.train, preview.train_images), (self.test, preview.test_images)):
            if len(images):
                view.set_images(np.ascontiguousarray(images))

    def show_problem(self, text: str) -> None:
        """Say why there can be no such data set."""
        self.words.setText(text)
        self._role("error")
        self.clear()

    def clear(self, text: str = "") -> None:
        """Show no pictures, and a sentence where one is given."""
        if text:
            self.words.setText(text)
            self._role("muted")
        for view in (self.train, self.test):
            view.clear()

    def show_progress(self, progress: Progress | None) -> None:
        """Show how far the decoding is; None is nothing to do."""
        self.bar.setVisible(progress is not None and bool(progress.total))
        if progress is not None and progress.total:
            self.bar.setValue(round(STEPS * progress.done / progress.total))
            self.bar.setToolTip(f"{progress.what}: {progress.done:,} of {progress.total:,} frames")

    def _view(self, name: str) -> PictureView:
        view = PictureView()
        view.setAccessibleName(name)
        return view

    def _role(self, role: str) -> None:
        if self.words.property("role") != role:
            self.words.setProperty("role", role)
            style.repolish(self.words)


def counts(preview: DatasetPreview) -> str:
    """Return the counts of a data set in words."""
    parts = [f"{preview.train:,} to train on", f"{preview.test:,} to test on"]
    if preview.gap:
        parts.append(f"{preview.gap:,} between them in neither")
    if preview.still:
        parts.append(f"{preview.still:,} of {preview.chosen:,} left out, as they stand still")
    size = style.format_bytes(max(0.1, preview.megabytes))
    if preview.still is None:
        return f"At most {' · '.join(parts)} · at most {size}: standing frames are not counted yet"
    return f"{' · '.join(parts)} · {size}"
