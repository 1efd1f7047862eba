"""A film that is studied on a real Video page; the fixtures are in ``conftest``."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import video_clips
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from latentlab.core.messages import ModelInfo, TrainingState, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.runtime.priority import FollowedWeights
from latentlab.runtime.video import VideoService
from latentlab.ui import style
from latentlab.ui.context import AppContext
from latentlab.ui.pages.video import VideoPage
from latentlab.ui.pages.video_latent import FilmStudy

FRAMES = 120
SIZE = (32, 44)


def snapshot(run=None, step=1234, seed=1, kind="vae"):
    from latentlab.models.registry import build_model

    recipe = Recipe.model_validate(
        {
            "data": {"spec": "video:x", "size": SIZE, "crop": (0, 0, 88, 64)},
            "model": {"kind": kind, "network": "mlp", "latent_dim": 5, "width": 4},
        }
    )
    info = ModelInfo(recipe, (*SIZE, 3), run=run)
    state = {name: 4.0 * tensor for name, tensor in build_model(info, seed).inference_state().items()}
    return WeightSnapshot(step, info, state)


def write_film(folder):
    """Return a film of four seconds."""
    return video_clips.write_clip(folder / "a.mp4", frames=FRAMES, options={"g": "30", "preset": "ultrafast"})


@contextmanager
def open_page(qtbot, folder):
    """Open a page without a film."""
    style.apply_theme(QApplication.instance(), "dark")
    errors = SimpleNamespace(reports=[])
    errors.report = lambda report, doing="": errors.reports.append(report)
    training = SimpleNamespace(weights=FollowedWeights(), state=TrainingState.STOPPED, info=None, recipe=None)
    context = AppContext(training, None, VideoService(), errors, Path("runs"))
    context.messages = []
    context.show_message = context.messages.append
    made = VideoPage(context)
    qtbot.addWidget(made)
    made.study = made.findChild(FilmStudy)
    made.panel = made.side.panels
    made.run = folder / "run"
    made.run.mkdir()
    made.resize(1300, 850)
    made.show()
    yield made
    made.close_down()
    assert context.video.shutdown(20_000)
    assert context.errors.reports == [] or made.expects_errors


def measure(qtbot, page, clip):
    """Open a film and wait until all of it is measured."""
    page.expects_errors = False
    page.context.training.weights.put(snapshot(page.run))
    with qtbot.waitSignal(page.service.opened, timeout=20_000):
        page.open_video(clip)
    study = page.study

    def done():
        page.tick()
        known = study.curves is not None and study.curves.complete
        if not known or study.path is None or not study.path.complete:
            return False
        return list(study.path.curves) == study.path.order[:2].tolist()

    qtbot.waitUntil(done, timeout=40_000)


def bring(page, key):
    page.side.show_panel(key)
    QTest.qWait(20)
    return page.panel[key]


def pixels(widget) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).astype(int)


def close_to(picture, key, tolerance=24):
    colour = style.colour(key)
    return np.abs(picture - np.array([colour.red(), colour.green(), colour.blue()])).max(axis=-1) <= tolerance


def edited(qtbot, page):
    def arrived():
        page.tick()
        frame = page.shown
        return frame is not None and frame.edited is not None and frame.edited.title == page.study.edit.describe()

    qtbot.waitUntil(arrived, timeout=20_000)
    return page.shown
