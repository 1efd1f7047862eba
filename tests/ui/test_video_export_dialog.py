from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import video_clips
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QSpinBox

from latentlab.core.errors import InputError
from latentlab.core.messages import ModelInfo, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.core.video_edit import EditedFilm
from latentlab.core.video_export import ExportPlan, ExportProgress
from latentlab.core.video_messages import VideoInfo, VideoView
from latentlab.data.video import VideoReader
from latentlab.runtime.video_export import ExportJob, ExportService, JobState
from latentlab.ui import style
from latentlab.ui.dialogs.dataset_dialog import DatasetDialog
from latentlab.ui.dialogs.video_export_chip import ExportChip, ExportNews
from latentlab.ui.dialogs.video_export_dialog import ExportDialog, JobsDialog
from latentlab.ui.dialogs.video_export_form import ExportForm, ExportSubject
from latentlab.ui.dialogs.video_export_jobs import job_words

WAIT_MS = 180_000
FRAMES = 120


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return video_clips.write_clip(tmp_path_factory.mktemp("film") / "a.mp4", frames=FRAMES, sound=True)


@pytest.fixture(scope="module")
def weights():
    from latentlab.models.registry import build_model

    recipe = Recipe.model_validate(
        {"data": {"size": (32, 48)}, "model": {"kind": "ae", "network": "mlp", "latent_dim": 4, "width": 4}}
    )
    info = ModelInfo(recipe, (32, 48, 3))
    return WeightSnapshot(7, info, build_model(info, 1).inference_state())


@pytest.fixture
def subject(clip, qtbot):
    style.apply_theme(QApplication.instance(), "dark")
    info = VideoInfo(clip, FRAMES, 30.0, 96, 64, "h264", 0, np.arange(FRAMES) / 30)
    return ExportSubject(info, (32, 48, 3), 10, 49, VideoView(), None, "a_run_step7")


@pytest.fixture
def service(qtbot):
    made = ExportService()
    yield made
    qtbot.waitUntil(lambda: made.shutdown(10), timeout=WAIT_MS)


def dialog_for(qtbot, service, subject, weights):
    dialog = ExportDialog(service, subject, lambda: weights)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def choose(box, text):
    """Choose as a person does: open the list and press the key of an entry."""
    box.setFocus()
    place = box.findText(text)
    assert place >= 0
    QTest.keyClick(box, Qt.Key.Key_Home)
    for _ in range(place):
        QTest.keyClick(box, Qt.Key.Key_Down)
    assert box.currentText() == text


def test_the_range_of_the_page_is_written(qtbot, service, subject, weights, tmp_path):
    dialog = dialog_for(qtbot, service, subject, weights)
    out = tmp_path / "out.mp4"
    dialog.form.file.setText(str(out))
    assert "40 frames" in dialog.estimate.text()
    assert "96×32 pixels" in dialog.estimate.text()
    QTest.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not service.active, timeout=WAIT_MS)
    with VideoReader(out) as reader:
        assert reader.frames == 40
    row = dialog.jobs.rows[0]
    assert "40 frames in" in row.words.text()
    assert "PSNR" in row.words.text()
    assert row.button.toolTip() == "Show it in the file manager"


def test_it_goes_on_when_the_window_is_closed(qtbot, service, subject, weights, tmp_path):
    dialog = dialog_for(qtbot, service, subject, weights)
    dialog.form.file.setText(str(tmp_path / "out.gif"))
    dialog.begin()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    qtbot.waitUntil(lambda: not service.active, timeout=WAIT_MS)
    assert (tmp_path / "out.gif").is_file()


def test_a_cancel_button_ends_it(qtbot, service, subject, weights, tmp_path):
    dialog = dialog_for(qtbot, service, subject, weights)
    dialog.form.file.setText(str(tmp_path / "out.mp4"))
    dialog.begin()
    QTest.mouseClick(dialog.jobs.rows[0].button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not service.active, timeout=WAIT_MS)
    if service.jobs[0].state is JobState.CANCELLED:  # It may have been done already.
        assert "Cancelled" in dialog.jobs.rows[0].words.text()
        assert list(tmp_path.iterdir()) == []


def test_choices_become_the_plan(qtbot, subject):
    edit = EditedFilm("gaussian", 9)
    form = ExportForm(replace(subject, edit=edit), Path("/tmp"))
    qtbot.addWidget(form)
    choose(form.content, "Original, reconstruction, edited")
    choose(form.format, "Matroska film (H.264)")
    choose(form.scale, "4×")
    choose(form.rate, "15 frames/s")
    choose(form.quality, "Small file")
    form.sound.setChecked(False)
    form.csv.setChecked(True)
    QTest.mouseClick(form.whole, Qt.MouseButton.LeftButton)
    assert form.plan() == ExportPlan(
        Path("/tmp/a_run_step7.mkv"),
        ("original", "reconstruction", "edited"),
        0,
        FRAMES - 1,
        scale=4,
        rate=15.0,
        quality="small",
        sound=False,
        edit=edit,
        csv=Path("/tmp/a_run_step7.csv"),
    )


def test_an_edit_is_only_offered_when_there_is_one(qtbot, subject):
    form = ExportForm(subject, Path("/tmp"))
    qtbot.addWidget(form)
    assert form.content.findText("Edited only") < 0


def test_the_views_own_region_and_difference_are_kept(qtbot, subject):
    view = VideoView(own_crop=True, crop=(1, 2, 30, 20), difference="signed", gain=5.0)
    form = ExportForm(replace(subject, view=view), Path("/tmp"))
    qtbot.addWidget(form)
    plan = form.plan()
    assert (plan.crop, plan.difference, plan.gain) == ((1, 2, 30, 20), "signed", 5.0)


def test_formats_without_sound_grey_it_out_and_names_follow_the_format(qtbot, subject):
    form = ExportForm(subject, Path("/tmp"))
    qtbot.addWidget(form)
    choose(form.format, "Animated GIF")
    assert form.file.text().endswith("a_run_step7.gif")
    assert not form.sound.isEnabled()
    assert not form.quality.isEnabled()
    choose(form.format, "Folder of PNG pictures")
    assert form.file.text().endswith("a_run_step7")
    form.file.clear()
    QTest.keyClicks(form.file, "/tmp/mine.mov")
    assert form.format.currentText() == "QuickTime film (H.264)"
    assert form.sound.isEnabled()


def test_first_and_last_push_each_other(qtbot, subject):
    form = ExportForm(subject, Path("/tmp"))
    qtbot.addWidget(form)
    form.first.setValue(80)
    assert form.last.value() == 80
    form.last.setValue(30)
    assert form.first.value() == 30


def test_problems_are_said_before_anything_is_written(qtbot, service, subject, weights, tmp_path):
    dialog = dialog_for(qtbot, service, subject, weights)
    dialog.form.file.setText(str(tmp_path / "nowhere" / "out.mp4"))
    assert "There is no folder" in dialog.estimate.text()
    dialog.begin()
    assert service.jobs == []
    dialog.form.file.setText("")
    assert "no name" in dialog.estimate.text()
    assert not dialog.export.isEnabled()
    with pytest.raises(InputError):
        dialog.form.plan()
    (tmp_path / "there.mp4").touch()
    dialog.form.file.setText(str(tmp_path / "there.mp4"))
    assert "will be replaced" in dialog.estimate.text()
    without = dialog_for(qtbot, service, subject, None)
    without.form.file.setText(str(tmp_path / "x.mp4"))
    without.begin()
    assert "no model" in without.estimate.text()


def test_choices_come_back_for_the_next_film(qtbot, service, subject, weights, tmp_path):
    dialog = dialog_for(qtbot, service, subject, weights)
    choose(dialog.form.scale, "2×")
    choose(dialog.form.quality, "Standard")
    dialog.form.csv.setChecked(True)
    dialog.form.file.setText(str(tmp_path / "out.mp4"))
    dialog.begin()
    again = dialog_for(qtbot, service, subject, weights)
    plan = again.form.plan()
    assert (plan.scale, plan.quality) == (2, "standard")
    assert plan.output == tmp_path / "a_run_step7.mp4"
    assert plan.csv is not None
    service.cancel(service.jobs[0])


def test_the_sign_in_the_status_bar_is_there_while_something_is_written(
    qtbot, service, subject, weights, clip, tmp_path
):
    chip, said = ExportChip(service), []
    qtbot.addWidget(chip)
    news = ExportNews(service, chip)
    news.news.connect(said.append)
    assert chip.isHidden()
    service.start(ExportPlan(tmp_path / "a.mp4"), clip, weights)
    service.start(ExportPlan(tmp_path / "b.mp4"), clip, weights)
    assert not chip.isHidden()
    assert chip.text().endswith("+1")
    qtbot.waitUntil(lambda: not service.active, timeout=WAIT_MS)
    assert chip.isHidden()
    assert said == [f"Exported {tmp_path / name}" for name in ("a.mp4", "b.mp4")]
    jobs = JobsDialog(service)
    jobs.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(jobs)
    assert [row.name.text() for row in jobs.jobs.rows] == ["b.mp4", "a.mp4"]


def test_how_far_it_is_in_words(weights):
    job = ExportJob(ExportPlan(Path("o.mp4")), Path("a.mp4"), weights)
    assert job_words(job, None) == "Waits for the one before"
    job.state = JobState.RUNNING
    assert job_words(job, ExportProgress(0, 0)) == "Preparing…"
    words = job_words(job, ExportProgress(1200, 6825, 312.4, 5_200_000))
    assert words == "1,200 of 6,825 frames · 312 frames/s · 0:18 left · 5 MB"
    job.stop.set()
    assert job_words(job, None) == "Ending…"


def test_every_control_has_a_name_and_a_tooltip(qtbot, service, subject, weights):
    dialog = dialog_for(qtbot, service, subject, weights)
    kinds = (QAbstractButton, QComboBox, QSpinBox, QLineEdit)
    controls = [child for kind in kinds for child in dialog.findChildren(kind) if child.isVisibleTo(dialog)]
    assert len(controls) > 12
    for control in controls:
        if control.objectName().startswith("qt_"):
            continue
        assert control.toolTip(), control
        assert control.accessibleName() or getattr(control, "text", lambda: "")(), control


def test_the_page_offers_both_commands(qtbot, weights, clip):
    from latentlab.core.messages import TrainingState
    from latentlab.runtime.priority import FollowedWeights
    from latentlab.runtime.video import VideoService
    from latentlab.ui.context import AppContext
    from latentlab.ui.dialogs.video_export_actions import open_dataset, open_export
    from latentlab.ui.pages.video import VideoPage

    said = []
    training = SimpleNamespace(weights=FollowedWeights(), state=TrainingState.STOPPED, info=None)
    errors = SimpleNamespace(report=lambda report, doing="": said.append(report))
    context = AppContext(training, None, VideoService(), errors, Path("runs"))
    context.show_message = said.append
    page = VideoPage(context)
    qtbot.addWidget(page)
    page.show()
    try:
        page.open_video(clip)
        qtbot.waitUntil(lambda: page.clip is not None, timeout=WAIT_MS)
        assert open_export(page) is None
        assert "no model" in said[-1]
        training.weights.put(weights)
        page.set_range(5, 24)
        dialog = open_export(page)
        assert (dialog.form.first.value(), dialog.form.last.value()) == (5, 24)
        assert dialog.form.file.text().endswith("a_model_step7.mp4")
        dialog.close()
        names = {action.objectName() for action in page.findChildren(QAction)}
        assert {"actionExportFilm", "actionMakeDataset"} <= names
        training.state_changed = SimpleNamespace(connect=lambda slot: None)
        assert open_dataset(page).films.paths == [clip]
        other = clip.with_name("b.mp4")
        other.write_bytes(clip.read_bytes())
        data, copy = QMimeData(), Qt.DropAction.CopyAction
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in (other, clip)])
        buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        page.dropEvent(QDropEvent(QPointF(5, 5), copy, data, buttons, modifiers))
        offered = [dialog.films.paths for dialog in page.window().findChildren(DatasetDialog)]
        assert [other, clip] in offered
    finally:
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        page.close_down()
        for service in (context.exports, context.datasets, context.video):
            qtbot.waitUntil(lambda service=service: service.shutdown(50), timeout=WAIT_MS)
