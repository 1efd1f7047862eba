"""Must show: export a picture, close, open it: same run, step, z, class, and bit-equal on the CPU."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import video_clips
from PIL import Image
from PySide6.QtGui import QImage
from window_fakes import drop, finish_real

from latentlab.app import create_window
from latentlab.core.messages import TrainingState
from latentlab.core.recipe import Recipe, TrainingConfig
from latentlab.core.recipe_data import DataConfig
from latentlab.core.recipe_model import ModelConfig
from latentlab.core.weights_kept import history_file, kept_files
from latentlab.ui.dialogs.export_dialog import ExportDialog
from latentlab.ui.exporting import PictureExporter
from latentlab.ui.page_area import PAGES
from latentlab.ui.screenshots import read_facts
from latentlab.ui.widgets.weights_follow import FollowBar, WeightsFollow

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # Offscreen says so of any window.


def tiny(steps: int) -> Recipe:
    return Recipe(
        data=DataConfig(spec="digits", size=(16, 16)),
        model=ModelConfig(kind="cvae", latent_dim=3, width=8, network="mlp"),
        training=TrainingConfig(
            steps=steps, batch_size=16, log_every=5, preview_every=1000, test_every=1000, checkpoint_every=1000
        ),
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    from latentlab.data.catalog import load_dataset
    from latentlab.training.fit import SilentSink, fit
    from latentlab.training.run import RunWriter

    recipe = tiny(30)
    data = load_dataset(recipe.data, seed=0)
    writer = RunWriter.create(tmp_path_factory.mktemp("runs"), recipe, data)
    fit(recipe, data, SilentSink(), run=writer, device="cpu")
    return writer.path


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture
def windows(qapp, qtbot, tmp_path):
    """Make windows one after the other, as starts of the app."""
    made = []

    def make(path=None):
        if made:
            finish_real(qtbot, made.pop())
        made.append(create_window(path, runs_root=tmp_path / "root"))
        return made[-1]

    yield make
    if made:
        finish_real(qtbot, made.pop())


def explored(qtbot, window):
    """Return the Explore page once its picture is on screen."""
    window.show_page("explorePage")
    page = window.area.page("explorePage")
    qtbot.waitUntil(lambda: page.info is not None and page.stage.picture.image() is not None, timeout=60_000)
    return page


def settled(qtbot, window, page):
    """Wait until the picture is of the weights and the point in force, and return it."""
    follow = WeightsFollow.of(window.context)

    def right():
        bar = page.stage.follow_bar
        step = follow.newest()[1].step
        return bar.weights is not None and bar.weights[0] == step and not page_busy(window)

    qtbot.waitUntil(right, timeout=20_000)
    return page.stage.picture.image()


def page_busy(window):
    return bool(window.context.inference._thread.queue._newest)


def export(qtbot, window, path):
    """Save the decoded picture through the dialog."""
    window.actions_by_name["actionExport"].trigger()
    (dialog,) = window.findChildren(ExportDialog)
    dialog.what.setCurrentIndex([subject.text for subject in dialog.subjects].index("Decoded picture"))
    with qtbot.waitSignal(window.commands.exporter.finished, timeout=30_000) as done:
        dialog.save_to(path)
    dialog.close()
    assert done.args == [path]
    return path


def came_back(qtbot, window):
    if WeightsFollow.of(window.context).following or window.commands.way_back._way is not None:
        with qtbot.waitSignal(window.commands.way_back.returned, timeout=60_000):
            pass


def message(window):
    return window.status.messages.label.text()


def state(window, page):
    point = page.state.point
    step = WeightsFollow.of(window.context).step
    return window.context.training.info.run, step, point.z.tobytes(), point.label, point.seed, point.source


def test_a_picture_brings_back_run_step_z_and_class_bit_by_bit(qtbot, windows, run, tmp_path):
    window = windows(run)
    page = explored(qtbot, window)
    page.moves.draw(42, 0.8)
    page.moves.choose_class(7)
    page.moves.jump(1, 1.2345678)
    WeightsFollow.of(window.context).pin(13)
    qtbot.waitUntil(lambda: WeightsFollow.of(window.context).newest()[1].step == 13, timeout=20_000)
    image = settled(qtbot, window, page)
    before = state(window, page)
    path = export(qtbot, window, tmp_path / "p.png")
    assert "weights of step 13 are kept" in message(window)
    history_file(run, 13).unlink()  # As the bound on disk does in a long training.

    window = windows(path)
    came_back(qtbot, window)
    page = window.area.page("explorePage")
    assert window.area.shown == "explorePage"
    assert state(window, page) == before
    assert "exactly as exported" in message(window)
    assert settled(qtbot, window, page) == image
    exported = QImage(str(path))
    assert exported.size() == image.size()
    again = np.array(Image.open(path).convert("L"))
    shown = [[image.pixelColor(x, y).red() for x in range(image.width())] for y in range(image.height())]
    np.testing.assert_array_equal(again, shown)


def test_the_text_tells_recipe_losses_seed_and_fingerprint(qtbot, windows, run, tmp_path):
    window = windows(run)
    page = explored(qtbot, window)
    page.moves.draw(5, 1.0)
    settled(qtbot, window, page)
    origin = read_facts(export(qtbot, window, tmp_path / "p.png")).origin
    assert (origin.run, origin.step, origin.seed, origin.labels, origin.page) == (str(run), 30, 5, [0], "explorePage")
    assert origin.points().tobytes() == page.state.point.z.tobytes()
    assert "latent_dim = 3" in origin.recipe
    assert {"pixel", "kld_nats", "loss"} <= origin.losses.keys()
    assert len(origin.fingerprint) == 32


def test_a_step_of_a_running_training_that_no_checkpoint_has_is_kept(qtbot, windows, tmp_path):
    window = windows()
    window.context.training.start(tiny(100_000), runs_root=tmp_path / "root", device="cpu")
    page = explored(qtbot, window)
    qtbot.waitUntil(lambda: window.context.training.weights.get()[1].step > 20, timeout=60_000)
    page.stage.follow_bar.button.click()
    image = settled(qtbot, window, page)
    path = export(qtbot, window, tmp_path / "live.png")
    before = state(window, page)
    run, step = before[:2]
    assert len(kept_files(run, step)) == 1
    window.context.training.stop()
    qtbot.waitUntil(lambda: window.context.training.state is TrainingState.STOPPED, timeout=20_000)
    window = windows(path)
    came_back(qtbot, window)
    assert state(window, window.area.page("explorePage")) == before
    assert settled(qtbot, window, window.area.page("explorePage")) == image


def test_dropping_it_goes_back_from_anywhere_also_from_a_page_that_encodes_pictures(qtbot, windows, run, tmp_path):
    window = windows(run)
    page = explored(qtbot, window)
    page.moves.draw(9, 1.0)
    settled(qtbot, window, page)
    before = page.state.point.z.tobytes()
    path = export(qtbot, window, tmp_path / "p.png")
    page.moves.draw(10, 1.0)
    drop(page, path)
    came_back(qtbot, window)
    assert page.state.point.z.tobytes() == before
    window.show_page("monitorPage")
    page.moves.draw(11, 1.0)
    drop(window, path)
    came_back(qtbot, window)
    qtbot.waitUntil(lambda: page.state.point.z.tobytes() == before, timeout=20_000)
    assert window.area.shown == "explorePage"


def test_weights_that_differ_and_steps_that_are_gone_are_told(qtbot, windows, run, tmp_path):
    from latentlab.models.weights import load_tensors, save_tensors

    window = windows(run)
    page = explored(qtbot, window)
    WeightsFollow.of(window.context).pin(16)
    qtbot.waitUntil(lambda: WeightsFollow.of(window.context).newest()[1].step == 16, timeout=20_000)
    settled(qtbot, window, page)
    path = export(qtbot, window, tmp_path / "p.png")
    (kept,) = kept_files(run, 16)
    kept.unlink()
    other = {name: value + 0.01 for name, value in load_tensors(history_file(run, 16)).items()}
    save_tensors(history_file(run, 16), other)
    window = windows(path)
    came_back(qtbot, window)
    qtbot.waitUntil(lambda: "are not those that made p.png" in message(window), timeout=20_000)
    history_file(run, 16).unlink()
    window = windows()
    window.commands.open_path(path)
    with qtbot.waitSignal(window.commands.way_back.returned, timeout=60_000):
        pass
    qtbot.waitUntil(lambda: "shows step 16, which its run no longer has" in message(window), timeout=20_000)
    shutil.rmtree(run)
    errors = []
    window.context.errors.reported.connect(errors.append)
    window.commands.open_path(path)
    qtbot.waitUntil(lambda: any("is gone" in error.what for error in errors), timeout=5000)


def test_pictures_at_two_and_four_times_and_plots_as_vectors(qtbot, windows, run, tmp_path):
    window = windows(run)
    page = explored(qtbot, window)
    image = settled(qtbot, window, page)
    window.actions_by_name["actionExport"].trigger()
    (dialog,) = window.findChildren(ExportDialog)
    names = [subject.text for subject in dialog.subjects]
    assert names[-2:] == ["Explore page", "Window"]
    dialog.what.setCurrentIndex(names.index("Decoded picture"))
    dialog.scales.button(4).click()
    assert dialog.size_label.text() == "64 × 64 pixels"
    with qtbot.waitSignal(window.commands.exporter.finished, timeout=30_000):
        dialog.save_to(tmp_path / "4.png")
    large = QImage(str(tmp_path / "4.png"))
    assert large.size() == image.size() * 4
    assert all(large.pixel(4 * x + 3, 4 * y + 1) == image.pixel(x, y) for x in range(16) for y in range(16))
    dialog.what.setCurrentIndex(names.index("Window"))
    dialog.scales.button(2).click()
    with qtbot.waitSignal(window.commands.exporter.finished, timeout=30_000):
        dialog.save_to(tmp_path / "2.png")
    assert QImage(str(tmp_path / "2.png")).size() == window.size() * 2
    dialog.save_latents(tmp_path / "z.npz")
    with np.load(tmp_path / "z.npz") as arrays:
        assert arrays["z"].tobytes() == page.state.point.z.tobytes()
        assert int(arrays["step"]) == 30
    dialog.save_latents(tmp_path / "z.csv")
    rows = np.loadtxt(tmp_path / "z.csv", delimiter=",", skiprows=1, dtype=np.float32, ndmin=2)
    np.testing.assert_array_equal(rows[0, :3], page.state.point.z)
    dialog.close()
    window.show_page("monitorPage")
    qtbot.waitUntil(lambda: any(s.text.startswith("Plot") for s in subjects(window)), timeout=20_000)
    window.commands.show_export()
    dialog = window.findChildren(ExportDialog)[-1]
    plot = next(i for i, subject in enumerate(dialog.subjects) if subject.text.startswith("Plot"))
    dialog.what.setCurrentIndex(plot)
    dialog.save_to(tmp_path / "plot.svg")
    assert "<svg" in (tmp_path / "plot.svg").read_text()
    dialog.close()


def subjects(window):
    from latentlab.ui.dialogs.export_dialog import subjects_of

    return subjects_of(window)


def test_a_copy_carries_its_text(qtbot, windows, run):
    window = windows(run)
    page = explored(qtbot, window)
    image = settled(qtbot, window, page)
    assert isinstance(window.commands.exporter, PictureExporter)
    window.commands.exporter.copy(image, page)
    assert image.text("latentlab.step") == "30"


def test_a_page_made_after_the_run_was_opened_knows_its_steps(qtbot, windows, run):
    window = windows(run)
    explored(qtbot, window)
    follow = WeightsFollow.of(window.context)
    qtbot.waitUntil(lambda: len(follow.steps()) > 1, timeout=20_000)
    late = FollowBar(window.context)
    qtbot.addWidget(late)
    assert late.slider.steps == follow.steps()
    assert late.slider.value() == late.slider.maximum() > 0


@pytest.mark.parametrize("name", [spec.name for spec in PAGES])
def test_every_page_can_be_exported_and_comes_back(qtbot, windows, run, tmp_path, name):
    window = windows(run)
    told = []
    window.context.errors.reported.connect(told.append)
    window.show_page(name)
    training = window.context.training
    qtbot.waitUntil(lambda: training.info is not None and training.weights.get()[1] is not None, timeout=60_000)
    with qtbot.waitSignal(window.commands.exporter.finished, timeout=30_000) as done:
        window.actions_by_name["actionScreenshot"].trigger()
    (path,) = done.args
    assert path is not None, [report.what for report in told]
    origin = read_facts(path).origin
    assert (origin.run, origin.step, origin.page) == (str(run), 30, name)
    window.actions_by_name["actionExport"].trigger()
    (dialog,) = window.findChildren(ExportDialog)
    with qtbot.waitSignal(window.commands.exporter.finished, timeout=30_000) as done:
        dialog.save_to(tmp_path / "dialog.png")
    dialog.close()
    assert done.args == [tmp_path / "dialog.png"]
    window.show_page("monitorPage" if name != "monitorPage" else "runsPage")
    window.commands.open_path(path)
    came_back(qtbot, window)
    assert window.area.shown == name
    assert not told, [report.what for report in told]


def filmed(qtbot, page, frame):
    """Wait until a frame of a film and its reconstruction are on screen, and return the reconstruction."""

    def right():
        shown = page.shown
        return shown is not None and (shown.index, shown.wanted) == (frame, frame) and shown.reconstruction is not None

    qtbot.waitUntil(right, timeout=60_000)
    return page.shown.reconstruction


def test_a_picture_of_the_video_page_brings_back_film_frame_and_region(qtbot, windows, run, tmp_path):
    film = video_clips.write_clip(tmp_path / "film.mp4", frames=40)
    window = windows(run)
    window.show_page("videoPage")
    page = window.area.page("videoPage")
    page.open_video(film)
    qtbot.waitUntil(lambda: page.clip is not None, timeout=60_000)
    page.set_range(5, 30)
    page.tools.choose_crop((8, 4, 60, 56))
    page.tools.toggle_mode("wipe")
    page.go_to(17)
    qtbot.waitUntil(lambda: page.shown is not None and page.shown.crop == (8, 4, 60, 56), timeout=60_000)
    before = filmed(qtbot, page, 17).copy()
    with qtbot.waitSignal(window.commands.exporter.finished, timeout=30_000) as done:
        window.actions_by_name["actionScreenshot"].trigger()
    (path,) = done.args
    assert read_facts(path).origin.view["frame"] == 17

    window = windows(path)
    came_back(qtbot, window)
    page = window.area.page("videoPage")
    qtbot.waitUntil(lambda: page.clip is not None and page.shown is not None, timeout=60_000)
    qtbot.waitUntil(lambda: page.shown.crop == (8, 4, 60, 56), timeout=60_000)
    np.testing.assert_array_equal(filmed(qtbot, page, 17), before)
    assert (page.frame, page.range, page.panes.mode, page.clip.path) == (17, (5, 30), "wipe", film)

    page.clear_range()
    page.go_to(3)
    window.commands.open_path(path)  # The film is open already.
    qtbot.waitUntil(lambda: page.frame == 17 and page.range == (5, 30), timeout=60_000)

    film.rename(tmp_path / "elsewhere.mp4")
    other = video_clips.write_clip(tmp_path / "other.mp4", frames=8)
    page.open_video(other)
    qtbot.waitUntil(lambda: page.clip is not None and page.clip.path == other, timeout=60_000)
    told = []
    window.context.errors.reported.connect(told.append)
    window.commands.open_path(path)
    qtbot.waitUntil(lambda: bool(told), timeout=60_000)
    assert told[0].what == "film.mp4, which the picture shows, is not there any more"
    assert page.clip.path == other
