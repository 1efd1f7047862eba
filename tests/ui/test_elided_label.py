"""What a line that may be cut short still says."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QWidget

from latentlab.ui.widgets.elided_label import ElidedLabel
from latentlab.ui.widgets.step_slider import StepSlider


def test_the_short_text_keeps_its_room_beside_a_slider(qtbot) -> None:
    bar = QWidget()
    label, slider = ElidedLabel("weights 0.0 s old, step 000,000"), StepSlider()
    row = QHBoxLayout(bar)
    row.addWidget(label, 1)
    row.addWidget(slider)
    qtbot.addWidget(bar)
    label.setText("weights of step 1,234,567")
    for short in ("step 1,000", "step 1,234,567"):
        label.set_short(short)
        bar.show()
        bar.resize(bar.minimumSizeHint())
        qtbot.waitUntil(lambda: label.width() >= label.minimumSizeHint().width())
        metrics = QFontMetrics(label.font())
        assert label.width() < metrics.horizontalAdvance(label.text())
        assert metrics.elidedText(short, Qt.TextElideMode.ElideRight, label.width()) == short
    label.set_short("")
    assert label.minimumSizeHint().width() == 24
