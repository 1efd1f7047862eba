from __future__ import annotations

import av
import numpy as np
import pytest
from explore_fakes import model_info
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QScrollBar

from latentlab.core.messages import WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.runtime.video_export import JobState

LEFT = Qt.MouseButton.LeftButton
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


@pytest.fixture(scope="module")
def weights():
    """Fresh weights, made before any window: two threads must not import torch at once."""
    from latentlab.models.registry import build_model

    recipe = Recipe()
    recipe.data.spec = "npz:nowhere.npz"  # Nothing for the survey to load.
    recipe.model.kind, recipe.model.latent_dim, recipe.model.width, recipe.model.network = "cvae", 4, 8, "mlp"
    info = type(model_info())(recipe, (16, 16, 1), 3, ("a", "b", "c"))
    model = build_model(info, seed=0)
    return WeightSnapshot(5, info, {k: v.detach().clone() for k, v in model.inference_state().items()})


@pytest.fixture
def window(weights, real_window, qtbot):
    real_window.context.training.weights.put(weights)
    real_window.show_page("explorePage")
    page = real_window.area.page("explorePage")
    qtbot.waitUntil(lambda: page.info is not None, timeout=30_000)
    return real_window


@pytest.fixture
def dialog(window):
    return window.commands.show_recording()


def add(window, *places):
    page = window.area.page("explorePage")
    for seed, label in places:
        page.moves.draw(seed, 1.0)
        page.moves.choose_class(label)
        window.actions_by_name["actionKeyframe"].trigger()


def test_points_of_the_page_become_keyframes_and_a_walk(window, dialog, qtbot):
    assert not dialog.export.isEnabled()
    add(window, (1, 0), (2, 2), (3, 1))
    assert [k.label for k in dialog.keyframes] == [0, 2, 1]
    assert dialog.note.text() == "180 frames · 6.0 s · 3 keyframes"
    qtbot.waitUntil(lambda: dialog.strip.picture(2) is not None, timeout=60_000)
    qtbot.waitUntil(lambda: dialog.preview.picture(0) is not None, timeout=10_000)
    first = dialog.preview.picture(0)
    dialog.scrub.setValue(500)
    qtbot.waitUntil(lambda: dialog.preview.picture(0) != first, timeout=10_000)
    dialog.form.loop.setChecked(False)
    assert dialog.note.text() == "121 frames · 4.0 s · 3 keyframes"


def test_keyframes_are_ordered_removed_and_visited(window, dialog, qtbot):
    add(window, (1, 0), (2, 1), (3, 2))
    dialog._on_keyframe(2)
    qtbot.keyClick(dialog, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert [k.label for k in dialog.keyframes] == [0, 2, 1]
    assert dialog.current == 1
    dialog.visit()
    page = window.area.page("explorePage")
    np.testing.assert_array_equal(page.state.point.z, dialog.keyframes[1].z)
    qtbot.keyClick(dialog, Qt.Key.Key_Delete)
    assert [k.label for k in dialog.keyframes] == [0, 1]
    dialog.remove()
    dialog.remove()
    assert not dialog.export.isEnabled()
    dialog.remove()


def test_playing_moves_the_handle_with_the_clock_and_stops_when_hidden(window, dialog, qtbot):
    add(window, (1, 0), (2, 1))
    dialog.play.click()
    qtbot.waitUntil(lambda: dialog.scrub.value() > 20, timeout=10_000)
    dialog.hide()
    assert not dialog.play.isChecked()


def test_the_film_is_written_in_the_background(window, dialog, qtbot, tmp_path):
    add(window, (1, 0), (2, 1))
    dialog.form.seconds.setValue(0.5)
    dialog.form.rate.setValue(10)
    dialog.form.file.setText(str(tmp_path / "walk.mp4"))
    with qtbot.waitSignal(window.context.exports.ended, timeout=60_000) as ended:
        dialog.export.click()
    job = ended.args[0]
    assert job.state is JobState.DONE
    with av.open(str(tmp_path / "walk.mp4")) as film:
        assert len(list(film.decode(film.streams.video[0]))) == 10
    dialog.jobs.refresh()
    assert "10 frames" in dialog.jobs.rows[0].words.text()


def test_a_recording_can_be_cancelled_and_leaves_nothing(window, dialog, qtbot, tmp_path):
    add(window, (1, 0), (2, 1))
    dialog.form.seconds.setValue(60.0)
    dialog.form.rate.setValue(120)
    dialog.form.file.setText(str(tmp_path / "walk.gif"))
    dialog.form.file.textEdited.emit("")
    dialog.begin()
    assert "cannot be that fast" in dialog.note.text()
    dialog.form.rate.setValue(50)
    dialog.begin()
    (job,) = window.context.exports.jobs
    qtbot.waitUntil(lambda: job.progress.get()[1] is not None and job.progress.get()[1].done > 0, timeout=60_000)
    with qtbot.waitSignal(window.context.exports.ended, timeout=30_000):
        dialog.jobs.rows[0].button.click()
    assert job.state is JobState.CANCELLED
    assert list(tmp_path.glob("walk*")) == []


def test_formats_change_the_ending_and_every_control_is_named(window, dialog):
    form = dialog.form
    form.format.setCurrentIndex(1)
    assert form.file.text().endswith("walk.gif")
    form.format.setCurrentIndex(2)
    assert form.file.text().endswith("walk")
    kinds = (QAbstractButton, QAbstractSpinBox, QAbstractSlider, QComboBox, QLineEdit)
    found = [w for kind in kinds for w in dialog.findChildren(kind) if not w.objectName().startswith("qt_")]
    controls = [w for w in found if not isinstance(w, QScrollBar) and not isinstance(w.parent(), QAbstractSpinBox)]
    silent = [w for w in controls if not w.toolTip() or not (w.accessibleName() or getattr(w, "text", str)())]
    assert len(controls) > 15
    assert silent == []


def test_a_page_without_a_point_says_so(window, dialog):
    window.show_page("monitorPage")
    dialog.add_from_page()
    assert "no point to add" in window.status.messages.label.text()
