from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import video_clips
from PySide6.QtCore import QMimeData, QObject, QPoint, QPointF, Qt, QUrl, Signal
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QDoubleSpinBox, QSpinBox

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import Progress, TrainingState
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import read_recipe
from latentlab.data.catalog import load_dataset
from latentlab.runtime.dataset_preview import DatasetPreviewService
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.dialogs.dataset_dialog import DatasetDialog
from latentlab.ui.dialogs.dataset_form import fitting_size

WAIT_MS = 180_000


class FakeTraining(QObject):
    state_changed = Signal(object)

    def __init__(self):
        super().__init__()
        self.state = TrainingState.IDLE


class LateSlot(LatestSlot):
    """Gets the value ``late`` just after its version was read."""

    late = None

    @property
    def version(self):
        seen, late, self.late = self._version, self.late, None
        if late is not None:
            self.put(late)
        return seen

    @version.setter
    def version(self, value):
        self._version = value


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    root = tmp_path_factory.mktemp("films")
    return [
        video_clips.write_clip(root / name, frames=frames, options={"g": "20", "preset": "ultrafast"})
        for name, frames in (("a.mp4", 200), ("b.mp4", 60), ("c.mp4", 80))
    ]


@pytest.fixture
def context(qtbot):
    style.apply_theme(QApplication.instance(), "dark")
    errors = SimpleNamespace(reports=[])
    errors.report = lambda report, doing="": errors.reports.append(report)
    made = AppContext(FakeTraining(), None, None, errors, Path("runs"))
    made.datasets = DatasetPreviewService()
    made.used, made.said, made.trainings = [], [], []
    made.recipe = lambda: Recipe.model_validate({"data": {"spec": "digits", "hue": 0.25}, "model": {"kind": "vae"}})
    made.use_recipe = lambda recipe, name: made.used.append((recipe, name))
    made.train = lambda: made.trainings.append(1)
    made.show_message = made.said.append
    yield made
    qtbot.waitUntil(lambda: made.datasets.shutdown(50), timeout=WAIT_MS)


def open_dialog(qtbot, context, paths=(), crop=None):
    dialog = DatasetDialog(context, list(paths), crop)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def settled(dialog):
    preview = dialog.service.preview.get()[1]
    return (
        preview is not None
        and preview.generation == dialog._generation == dialog.service.generation
        and preview.still is not None
        and len(preview.train_images) > 0
        and not dialog._settle.isActive()
        and dialog._seen[1] == dialog.service.preview.version
    )


def test_it_says_what_the_data_set_will_be_and_is(qtbot, context, films):
    dialog = open_dialog(qtbot, context, films[:1])
    qtbot.waitUntil(lambda: settled(dialog), timeout=WAIT_MS)
    data = load_dataset(dialog.recipe().data)
    assert dialog.view.words.text().startswith(
        f"{len(data.train_index)} to train on · {len(data.test_index)} to test on"
    )
    assert "in neither" in dialog.view.words.text()
    assert dialog.view.train.image() is not None
    assert dialog.view.test.image() is not None
    assert dialog.films.tree.topLevelItem(0).text(1) == "200"
    qtbot.waitUntil(lambda: dialog.crop_view.image() is not None, timeout=WAIT_MS)


def test_settings_become_keys_of_the_recipe(qtbot, context, films):
    dialog = open_dialog(qtbot, context, films)
    form = dialog.form
    form.stride.setValue(3)
    QTest.mouseClick(form.dedup, Qt.MouseButton.LeftButton, pos=QPoint(8, form.dedup.height() // 2))
    form.threshold.setValue(25.0)
    form.limit.setValue(90)
    form.test.setValue(25)
    form.split.setCurrentIndex(form.split.findData("blocks"))
    form.rows.setValue(40)
    form.columns.setValue(60)
    data = dialog.recipe().data
    assert data.model_dump(include={"size", "crop", "stride", "keyframes_only", "dedup", "limit", "test_fraction"}) == {
        "size": (40, 60),
        "crop": None,
        "stride": 3,
        "keyframes_only": False,
        "dedup": 25.0,
        "limit": 90,
        "test_fraction": 0.25,
    }
    assert (data.split, data.hue) == ("blocks", 0.25)
    assert data.spec == "video:" + "|".join(str(film) for film in films)
    qtbot.waitUntil(lambda: settled(dialog), timeout=WAIT_MS)
    found = load_dataset(data)
    assert f"{len(found.train_index)} to train on" in dialog.view.words.text()
    assert 0 < len(found.images) < 90
    assert f"{90 - len(found.images)} of 90 left out" in dialog.view.words.text()


def test_a_region_drawn_with_the_mouse_is_the_crop_and_gives_the_size(qtbot, context, films):
    dialog = open_dialog(qtbot, context, films[:1])
    qtbot.waitUntil(lambda: dialog.crop_view.image() is not None, timeout=WAIT_MS)
    view = dialog.crop_view
    picture = view.picture_rect()
    factor = picture.width() / 96
    begin = QPoint(round(picture.left() + 20 * factor), round(picture.top() + 10 * factor))
    end = QPoint(round(picture.left() + 70 * factor), round(picture.top() + 50 * factor))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=begin)
    QTest.mouseMove(view, (begin + end) / 2)
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    data = dialog.recipe().data
    assert np.allclose(data.crop, (20, 10, 50, 40), atol=2)
    assert data.size == (data.crop[3], data.crop[2])
    assert dialog.form.region.text().startswith(f"{data.crop[2]}×{data.crop[3]}")
    QTest.mouseClick(dialog.form.whole, Qt.MouseButton.LeftButton)
    assert dialog.recipe().data.crop is None
    assert view.crop is None


def test_a_typed_size_stays_until_it_is_to_follow_again(qtbot, context, films):
    dialog = open_dialog(qtbot, context, films[:1])
    qtbot.waitUntil(lambda: dialog.form.columns.value() == 96, timeout=WAIT_MS)
    dialog.form.rows.setValue(32)
    dialog.form.set_crop((0, 0, 50, 40))
    assert (dialog.form.rows.value(), dialog.form.columns.value()) == (32, 96)
    QTest.mouseClick(dialog.form.fit, Qt.MouseButton.LeftButton)
    assert (dialog.form.rows.value(), dialog.form.columns.value()) == (40, 50)


@pytest.mark.parametrize(
    ("crop", "size"), [((0, 0, 121, 64), (64, 121)), ((5, 5, 1920, 1080), (72, 128)), ((0, 0, 10, 100), (100, 16))]
)
def test_sizes_that_fit_a_region(crop, size):
    assert fitting_size(crop) == size


def test_files_and_folders_can_be_dropped_and_taken_off(qtbot, context, films, tmp_path):
    dialog = open_dialog(qtbot, context)
    assert "Add films" in dialog.view.words.text()
    assert not dialog.train.isEnabled() or not dialog.recipe()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(films[0])), QUrl.fromLocalFile(str(films[0].parent))])
    dialog.films.tree.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )
    assert dialog.films.paths == films
    dialog.films.tree.setCurrentItem(dialog.films.tree.topLevelItem(2))
    QTest.mouseClick(dialog.films.up, Qt.MouseButton.LeftButton)
    assert dialog.films.paths == [films[0], films[2], films[1]]
    QTest.keyClick(dialog.films.tree, Qt.Key.Key_Delete)
    assert dialog.films.paths == [films[0], films[1]]


def test_a_file_that_is_no_film_is_named_and_nothing_can_be_trained(qtbot, context, films, tmp_path):
    bad = tmp_path / "text.mp4"
    bad.write_text("no film")
    dialog = open_dialog(qtbot, context, [films[0], bad])
    qtbot.waitUntil(lambda: bool(dialog.films.problem), timeout=WAIT_MS)
    assert "text.mp4 is not a video" in dialog.view.words.text()
    assert dialog.films.tree.topLevelItem(1).text(1) == "cannot be used"
    assert not dialog.save.isEnabled()
    dialog.films.tree.setCurrentItem(dialog.films.tree.topLevelItem(1))
    QTest.mouseClick(dialog.films.minus, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: settled(dialog), timeout=WAIT_MS)
    assert context.errors.reports == []


def test_a_film_that_vanishes_is_one_message(qtbot, context, films, tmp_path):
    film = Path(shutil.copy(films[1], tmp_path / "gone.mp4"))
    dialog = open_dialog(qtbot, context, [film])
    qtbot.waitUntil(lambda: settled(dialog), timeout=WAIT_MS)
    film.unlink()
    dialog.form.stride.setValue(2)
    qtbot.waitUntil(lambda: "There is no video" in dialog.view.words.text(), timeout=WAIT_MS)


def test_a_region_beyond_a_smaller_film_is_said(qtbot, context, films):
    dialog = open_dialog(qtbot, context, films[:1], (50, 0, 80, 64))
    qtbot.waitUntil(lambda: "reaches beyond" in dialog.view.words.text(), timeout=WAIT_MS)


def test_what_is_found_while_it_looks_is_shown_at_the_next_look(qtbot, context, monkeypatch):
    dialog, told = open_dialog(qtbot, context), []
    dialog._poll.stop()
    monkeypatch.setattr(dialog.view, "show_progress", told.append)
    context.datasets.progress = slot = LateSlot()
    dialog._collect()
    slot.late = Progress("decoding", 1, 2)
    dialog._collect()
    dialog._collect()
    assert told[-1] == Progress("decoding", 1, 2)


def test_train_puts_it_into_the_settings_and_starts(qtbot, context, films):
    dialog = open_dialog(qtbot, context, films[:1])
    qtbot.waitUntil(lambda: settled(dialog), timeout=WAIT_MS)
    context.training.state = TrainingState.RUNNING
    context.training.state_changed.emit(TrainingState.RUNNING)
    assert not dialog.train.isEnabled()
    assert "stop it first" in dialog.why_not.text()
    context.training.state = TrainingState.STOPPED
    context.training.state_changed.emit(TrainingState.STOPPED)
    QTest.mouseClick(dialog.train, Qt.MouseButton.LeftButton)
    assert context.trainings == [1]
    assert context.used[0][0].data.spec == f"video:{films[0]}"
    assert context.used[0][0].model.kind == "vae"
    assert not dialog.isVisible()


def test_recipes_that_need_classes_are_not_for_films(qtbot, context, films):
    context.recipe = lambda: Recipe.model_validate({"model": {"kind": "cvae"}})
    dialog = open_dialog(qtbot, context, films[:1])
    assert not dialog.train.isEnabled()
    assert "needs classes" in dialog.why_not.text()
    dialog.base.setCurrentIndex(1)
    assert dialog.train.isEnabled()
    assert dialog.recipe().model.kind not in ("cvae", "cgan", "ssvae")


def test_the_saved_recipe_is_the_one_shown(qtbot, context, films, tmp_path):
    dialog = open_dialog(qtbot, context, films)
    dialog.form.dedup.setChecked(True)
    dialog.save_recipe(tmp_path / "films.toml")
    assert read_recipe(tmp_path / "films.toml") == dialog.recipe()
    dialog.save_recipe(tmp_path / "nowhere" / "films.toml")
    assert "cannot be written" in context.errors.reports[0].what


def test_every_control_has_a_name_and_a_tooltip(qtbot, context, films):
    dialog = open_dialog(qtbot, context, films[:1])
    kinds = (QAbstractButton, QComboBox, QSpinBox, QDoubleSpinBox)
    controls = [
        child for kind in kinds for child in dialog.findChildren(kind) if not child.objectName().startswith("qt_")
    ]
    assert len(controls) > 18
    for control in controls:
        assert control.toolTip(), control
        assert control.accessibleName(), control
