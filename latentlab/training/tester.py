"""The measurement on held-out images between two steps: scalars, vectors, classes, samples."""

from __future__ import annotations

from latentlab.core.messages import Floats, ModelInfo
from latentlab.core.metrics import TEST_PREFIX
from latentlab.core.recipe import ObjectiveConfig
from latentlab.data.dataset import Dataset
from latentlab.models.adversarial import noise_level
from latentlab.models.base import LatentModel
from latentlab.models.device import DevicePolicy
from latentlab.training.batches import Pictures, held_out_rows
from latentlab.training.class_test import ClassTest
from latentlab.training.latent_health import LatentHealth
from latentlab.training.measure import measure
from latentlab.training.previews import spread
from latentlab.training.run import RunWriter
from latentlab.training.sample_health import measure_sample_health

TEST_IMAGES = 512


class Tester:
    """Measures the weights as they are, in evaluation mode, on always the same images. Thread: trainer.

    Nothing here moves the training: no weight, no buffer, and no number of its generators.
    """

    def __init__(
        self, info: ModelInfo, data: Dataset, pictures: Pictures, policy: DevicePolicy, run: RunWriter
    ) -> None:
        self._info, self._data, self._pictures, self._policy = info, data, pictures, policy
        self._rows = spread(held_out_rows(data, info.needs_labels), TEST_IMAGES)
        self._class_test = ClassTest(info, data, pictures, policy, run)

    def __call__(
        self, model: LatentModel, step: int, objective: ObjectiveConfig
    ) -> tuple[dict[str, float], dict[str, Floats]]:
        """Return scalars, named as they are logged, and vectors (``latentlab.core.vectors``)."""
        health = LatentHealth()
        values = measure(
            model, self._pictures, self._rows, self._data.labels, self._policy, objective, watch=health.add
        )
        scalars, vectors = health.result()
        values |= scalars
        if self._info.kind != "ae" and len(self._rows) > 1:
            model.eval()
            try:
                scalars, more = measure_sample_health(
                    model,
                    self._pictures,
                    self._rows,
                    self._data.labels,
                    self._policy,
                    noise=noise_level(objective, step),
                )
            finally:
                model.train()
            values |= scalars
            vectors |= more
        classes = self._class_test(model, step)
        return {TEST_PREFIX + name: value for name, value in values.items()} | classes, vectors
