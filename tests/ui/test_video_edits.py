from __future__ import annotations

import json

import numpy as np
import pytest
from PySide6.QtCore import Qt
from video_study import bring, edited

from latentlab.core.video_edit import EditedFilm


def move(panel, direction, strength):
    """Choose a direction by the beginning of its name, and a strength in hundredths of a standard deviation."""
    panel.direction.setCurrentIndex(panel.direction.findText(direction, Qt.MatchFlag.MatchStartsWith))
    panel.strength.setValue(strength)


def test_an_edit_is_seen_live_beside_the_reconstruction(qtbot, measured):
    panel = bring(measured, "edit")
    move(panel, "PC 1", 250)
    frame = edited(qtbot, measured)
    path = measured.study.path
    assert np.allclose(measured.study.edit.direction, path.vectors[0] * path.sigma[0], rtol=1e-4)
    assert measured.study.edit.strength == 2.5
    from latentlab.explore.video_inference import FrameReconstructor
    from latentlab.explore.video_latent_measure import decode_frames, encode_frames

    reference = FrameReconstructor()
    reference.load(measured.context.training.weights.get()[1])
    z = encode_frames(reference.session, frame.original[None]) + 2.5 * path.sigma[0] * path.vectors[0]
    assert np.abs(decode_frames(reference.session, z)[0].astype(int) - frame.edited.image).max() <= 2
    measured.go_to(77)
    qtbot.waitUntil(lambda: edited(qtbot, measured).edited.index == 77, timeout=20_000)
    panel.save_as(str(measured.run / "edit.json"))
    assert EditedFilm.from_json(json.loads((measured.run / "edit.json").read_text())) == panel.edit
    assert measured.context.messages[-1].endswith("+2.5 σ along PC 1")
    panel.zero.click()
    assert not panel.keep.isEnabled()
    assert not measured.study.edit.active
    qtbot.waitUntil(lambda: (measured.tick(), measured.shown.edited is None)[1], timeout=20_000)


def test_a_saved_edit_can_be_opened_again(qtbot, measured, tmp_path):
    panel = bring(measured, "edit")
    panel.smoothing.setCurrentIndex(panel.smoothing.findData("gaussian"))
    panel.span.setValue(4)
    move(panel, "PC 2", -150)
    saved = panel.edit
    panel.save_as(str(tmp_path / "edit.json"))
    panel.reset()
    panel.direction.setCurrentIndex(0)
    panel.open_edit(str(tmp_path / "edit.json"))
    assert (panel.edit.smoothing, panel.edit.window, panel.edit.strength) == ("gaussian", 9, -1.5)
    assert panel.edit.name == "PC 2"
    np.testing.assert_allclose(panel.edit.direction, saved.direction, rtol=1e-6)
    edited(qtbot, measured)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "not JSON"),
        ('{"strength": "far"}', "no edited film"),
        ('{"direction": [1, 2]}', "this model has 5"),
    ],
)
def test_an_edit_that_cannot_be_opened_is_told(measured, tmp_path, text, words):
    measured.expects_errors = True
    panel = bring(measured, "edit")
    (tmp_path / "edit.json").write_text(text)
    panel.open_edit(str(tmp_path / "edit.json"))
    panel.open_edit(str(tmp_path / "none.json"))
    first, second = measured.context.errors.reports
    assert words in first.what
    assert "edit.json" in first.where
    assert "cannot be read" in second.what
    assert not panel.edit.active


def test_smoothing_is_one_edit_with_the_move(qtbot, measured):
    panel = bring(measured, "edit")
    panel.smoothing.setCurrentIndex(panel.smoothing.findData("median"))
    panel.span.setValue(3)
    move(panel, "PC 2", -100)
    edit = panel.edit
    assert (edit.smoothing, edit.window, edit.strength, edit.name) == ("median", 7, -1.0, "PC 2")
    edited(qtbot, measured)
