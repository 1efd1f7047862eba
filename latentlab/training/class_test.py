"""How well a semi-supervised model tells classes apart while it trains, and the confusion matrix in the run folder."""

from __future__ import annotations

import json
import os

import numpy as np
import torch
from torch import Tensor

from latentlab.core.messages import Ints, ModelInfo
from latentlab.core.metrics import TEST_PREFIX
from latentlab.core.run_folder import CONFUSION
from latentlab.data.dataset import Dataset
from latentlab.models.base import LatentModel
from latentlab.models.device import DevicePolicy
from latentlab.models.gumbel import entropy
from latentlab.models.semisupervised import SemiSupervisedVae
from latentlab.training.batches import Pictures
from latentlab.training.previews import spread
from latentlab.training.run import RunWriter

BATCH = 500
TEST_IMAGES = 10_000
UNLABELLED_IMAGES = 1_000


class ClassTest:
    """Compares guessed classes with the true ones; says nothing of models that guess none.

    Test images: all of a known class, or 10 000 of them. Unlabelled images: 1000 training images whose label the
    recipe hides from the model, and which the data set still knows. Thread: trainer.
    """

    def __init__(
        self, info: ModelInfo, data: Dataset, pictures: Pictures, policy: DevicePolicy, run: RunWriter
    ) -> None:
        self._pictures, self._policy, self._run = pictures, policy, run
        self._names = info.class_names
        none = np.empty(0, dtype=np.int64)
        labels = none if data.labels is None else data.labels
        self._truth = labels if data.truth is None else data.truth
        known = self._truth >= 0
        self._test = spread(data.test_index[known[data.test_index]], TEST_IMAGES) if len(known) else none
        hidden = known & (labels < 0)
        self._unlabelled = spread(np.intersect1d(np.flatnonzero(hidden), data.train_index), UNLABELLED_IMAGES)

    def __call__(self, model: LatentModel, step: int) -> dict[str, float]:
        """Return test_accuracy, test_class_entropy and unlabelled_accuracy, each where there are images for it.

        Writes the confusion matrix of the test images: rows are true classes, columns guessed ones.
        """
        if not isinstance(model, SemiSupervisedVae):
            return {}
        values: dict[str, float] = {}
        if len(self._test):
            confusion, entropy_sum = self._compare(model, self._test)
            values[TEST_PREFIX + "accuracy"] = float(confusion.trace() / confusion.sum())
            values[TEST_PREFIX + "class_entropy"] = entropy_sum / len(self._test)
            self._write(step, confusion)
        if len(self._unlabelled):
            confusion, _ = self._compare(model, self._unlabelled)
            values["unlabelled_accuracy"] = float(confusion.trace() / confusion.sum())
        return values

    def _compare(self, model: SemiSupervisedVae, rows: Ints) -> tuple[Ints, float]:
        """Return how often class i was taken for class j, (K, K), and the summed entropy of q(y|x)."""
        q_NK = self._probabilities(model, rows)
        classes = q_NK.shape[1]
        pairs = self._truth[rows] * classes + q_NK.argmax(dim=1).numpy()
        confusion = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
        return confusion, float(entropy(q_NK.clamp(min=1e-30).log()).sum())

    def _probabilities(self, model: SemiSupervisedVae, rows: Ints) -> Tensor:
        was_training = model.training
        model.eval()
        try:
            with torch.no_grad(), self._policy.autocast():
                parts = [
                    model.class_probabilities(self._pictures.at(rows[start : start + BATCH]))
                    for start in range(0, len(rows), BATCH)
                ]
        finally:
            model.train(was_training)
        return torch.cat(parts).double().cpu()

    def _write(self, step: int, confusion: Ints) -> None:
        path = self._run.path / CONFUSION
        facts = {"step": step, "class_names": list(self._names), "rows_true_columns_guessed": confusion.tolist()}
        part = path.with_suffix(".part")
        part.write_text(json.dumps(facts, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(part, path)
