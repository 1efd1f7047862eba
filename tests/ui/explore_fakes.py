"""Stand-ins for the services behind the Explore and Condition pages: they answer when the test says so."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import (
    DecodeRequest,
    ErrorReport,
    Gallery,
    InferenceResult,
    ModelInfo,
    TrainingState,
    WeightSnapshot,
)
from latentlab.core.recipe import Recipe
from latentlab.ui.context import AppContext


class FakeInference(QObject):
    """Remembers requests; ``answer`` answers the newest of a pane with pictures that tell z and class."""

    result_ready = Signal(str, object)

    def __init__(self):
        super().__init__()
        self.requests = []
        self.cancelled = []
        self.bound = None
        self.generation = 0
        self.step = 10
        self.posterior = None
        self.logvar = None
        self.probabilities = None

    @property
    def weights_step(self):
        return self.step

    def bind(self, weights):
        self.bound = weights

    def request(self, pane, request):
        self.generation += 1
        self.requests.append((pane, replace(request, generation=self.generation)))
        return self.generation

    def cancel(self, pane):
        self.cancelled.append(pane)

    def of(self, pane):
        return [request for name, request in self.requests if name == pane]

    def answer(self, pane="explore", index=-1, error=None):
        request = self.of(pane)[index]
        result = InferenceResult(request, self.step, time.monotonic())
        if error is not None:
            result = replace(result, error=ErrorReport(error))
        elif isinstance(request, DecodeRequest):
            result = replace(result, images=paint(request.z, request.labels))
        else:
            mu = self.posterior(request)
            result = replace(
                result,
                images=paint(mu, request.labels),
                originals=np.full((len(mu), 8, 8, 1), 200, np.uint8),
                mu=mu,
                logvar=self.logvar,
                class_probabilities=self.probabilities,
                pixel=np.full(len(mu), 0.01, np.float32),
            )
        self.result_ready.emit(pane, result)
        return result


def paint(z, labels):
    """Return 8x8 grey pictures whose top rows show z and whose bottom row shows the class."""
    images = np.zeros((len(z), 8, 8, 1), np.uint8)
    values = np.clip(z * 30 + 128, 0, 255).astype(np.uint8)
    images[:, 0, : min(8, z.shape[1]), 0] = values[:, :8]
    if labels is not None:
        images[:, 7, :, 0] = (labels * 20).astype(np.uint8)[:, None]
    return images


class FakeTraining:
    def __init__(self):
        self.weights = LatestSlot()
        self.gallery = LatestSlot()
        self.state = TrainingState.RUNNING


class FakeErrors:
    def __init__(self):
        self.reports = []

    def report(self, error, doing=""):
        self.reports.append(error)


def make_context():
    context = AppContext(FakeTraining(), FakeInference(), None, FakeErrors(), Path("runs"))
    context.inference.posterior = lambda request: np.full((len(request.images), 4), 0.5, np.float32)
    return context


def model_info(kind="cvae", dim=4, classes=3, run=None):
    recipe = Recipe()
    recipe.model.kind = kind
    recipe.model.latent_dim = dim
    return ModelInfo(recipe, (8, 8, 1), classes, tuple(str(i) for i in range(classes)), run)


def put_weights(context, info, step=10):
    context.inference.step = step
    context.training.weights.put(WeightSnapshot(step, info, {}))


def put_gallery(context, count=100, labels=True):
    images = np.zeros((count, 8, 8, 1), np.uint8)
    images[:, 0, 0, 0] = np.arange(count)
    context.training.gallery.put(Gallery(images, np.arange(count) % 3 if labels else None, ("a", "b", "c")))
