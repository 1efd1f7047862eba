"""A map page whose survey needs no torch: four hundred images at known places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from explore_fakes import make_context, model_info
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.messages import WeightSnapshot
from latentlab.runtime.latent_map import MapService
from latentlab.runtime.latent_survey import SurveyService
from latentlab.runtime.priority import FollowedWeights

COUNT, CLASSES = 400, 4


def make_survey(info, step=10, count=COUNT, **facts) -> LatentSurvey:
    """Return a survey of four clusters, one for each class, in the first two of four dimensions."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % CLASSES
    mu = (0.3 * rng.standard_normal((count, info.latent_dim))).astype(np.float32)
    mu[:, 0] += np.where(labels % 2, 3, -3)
    mu[:, 1] += np.where(labels < 2, 2, -2)
    known = {
        "logvar": np.full_like(mu, -2),
        "labels": labels,
        "pixel": np.linspace(0.01, 0.05, count, dtype=np.float32),
        "test": np.arange(count) % 5 == 0,
        "total": count,
    }
    return LatentSurvey(step, info, np.arange(count), mu, **{**known, **facts})


class FakeSurveyor:
    """Surveys at once; its pictures tell their row."""

    def __init__(self):
        self.done, self.total = 0, COUNT
        self.facts = {}
        self.problem = None
        self.stuck = False

    def begin(self, snapshot, progress):
        if self.problem is not None:
            raise self.problem
        self.snapshot, self.done = snapshot, 0

    def piece(self, count):
        self.done = self.done if self.stuck else min(self.done + count, self.total)
        return self.done < self.total

    def result(self):
        survey = make_survey(self.snapshot.info, self.snapshot.step, **self.facts)
        return survey if self.done == self.total else survey.rows_where(np.arange(self.done))

    def pictures(self, rows, side=None):
        images = np.zeros((len(rows), 8, 8, 1), np.uint8)
        images[:] = (rows % 251)[:, None, None, None]
        return images

    def release(self):
        pass


def make_map_context(tmp_path: Path, kind="cvae", dim=4):
    """Return a context with real services over a fake surveyor; ``context.surveyor`` is the fake."""
    context = make_context()
    context.training.weights = FollowedWeights()
    context.surveyor = FakeSurveyor()
    context.survey = SurveyService(make=lambda: context.surveyor)
    context.survey.bind(context.training.weights)
    context.maps = MapService()
    context.model = model_info(kind, dim, CLASSES, tmp_path)
    context.placed, context.explored = [], []
    context.place_point = lambda z, label: context.placed.append((z, label))
    context.explore_point = lambda z, label: context.explored.append((z, label))
    context.said = []
    context.show_message = context.said.append
    return context


def put_step(context, step=10):
    """Publish weights of a step."""
    context.inference.step = step
    context.training.weights.put(WeightSnapshot(step, context.model, {}))


def mouse(widget: QWidget, kind: QEvent.Type, at: QPointF, *, shift=False, held=True):
    """Send a mouse event to a place of a widget."""
    left = Qt.MouseButton.LeftButton
    moving = kind == QEvent.Type.MouseMove
    buttons = left if held else Qt.MouseButton.NoButton
    keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    button = Qt.MouseButton.NoButton if moving else left
    QApplication.sendEvent(widget, QMouseEvent(kind, at, widget.mapToGlobal(at), button, buttons, keys))


def drag(widget: QWidget, points: list[QPointF], *, shift=False):
    """Press at the first point, go along all, release at the last."""
    mouse(widget, QEvent.Type.MouseButtonPress, points[0], shift=shift)
    for point in points[1:]:
        mouse(widget, QEvent.Type.MouseMove, point, shift=shift)
    mouse(widget, QEvent.Type.MouseButtonRelease, points[-1], shift=shift, held=False)


def click(widget: QWidget, at: QPointF):
    """Press and release at a place."""
    drag(widget, [at])
