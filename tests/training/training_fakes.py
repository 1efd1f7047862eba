"""Small data sets made on the spot, a tiny recipe, and a sink that remembers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from latentlab.core.events import RunEvent
from latentlab.core.messages import Gallery, ModelInfo, Preview, StepMetrics, TrainingStatus, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import validate
from latentlab.data.dataset import Dataset
from latentlab.training.sink import SilentSink


def make_data(count: int = 48, *, classes: int = 3, channels: int = 1, side: int = 16) -> Dataset:
    """Bright bars on noise: the class is where the bar stands."""
    rng = np.random.default_rng(5)
    labels = np.arange(count) % max(classes, 1)
    images = rng.integers(0, 60, (count, side, side, channels), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 4 * label : 4 * label + 3] += 180
    test = np.arange(0, count, 6)
    return Dataset(
        name="bars",
        images=images,
        train_index=np.setdiff1d(np.arange(count), test),
        test_index=test,
        labels=labels if classes else None,
        class_names=tuple(f"bar {k}" for k in range(classes)),
        fingerprint="bars-1",
    )


def make_recipe(**changes: object) -> Recipe:
    """A tiny VAE of twelve steps; ``changes`` are ``section__key=value``."""
    values: dict[str, dict[str, object]] = {
        "data": {"size": [16, 16]},
        "model": {"kind": "vae", "latent_dim": 4, "width": 4, "discriminator_width": 4},
        "objective": {},
        "training": {
            "steps": 12,
            "batch_size": 8,
            "precision": "fp32",
            "log_every": 2,
            "preview_every": 6,
            "test_every": 4,
            "checkpoint_every": 6,
        },
    }
    for key, value in changes.items():
        section, _, name = key.partition("__")
        values[section][name] = value
    return validate(values)


class Memory(SilentSink):
    """Remembers everything; ``at`` does something at a step."""

    def __init__(self, at: Mapping[int, Callable[[Memory], None]] | None = None) -> None:
        self.at = dict(at or {})
        self.asked = 0
        self.stop = False
        self.changes: dict[str, object] = {}
        self.info: ModelInfo | None = None
        self.device = ""
        self.galleries: list[Gallery] = []
        self.steps: list[StepMetrics] = []
        self.statuses: list[TrainingStatus] = []
        self.previews: list[Preview] = []
        self.weights: list[WeightSnapshot] = []
        self.checkpoints: list[tuple[Path, int]] = []
        self.events: list[RunEvent] = []

    def on_start(self, info: ModelInfo, device: str) -> None:
        self.info, self.device = info, device

    def on_gallery(self, gallery: Gallery) -> None:
        self.galleries.append(gallery)

    def on_step(self, metrics: StepMetrics, status: TrainingStatus) -> None:
        self.steps.append(metrics)
        self.statuses.append(status)

    def on_preview(self, preview: Preview) -> None:
        self.previews.append(preview)

    def on_weights(self, snapshot: WeightSnapshot) -> None:
        self.weights.append(snapshot)

    def on_checkpoint(self, folder: Path, step: int) -> None:
        self.checkpoints.append((folder, step))

    def on_event(self, event: RunEvent) -> None:
        self.events.append(event)

    def should_stop(self) -> bool:
        """Asked before every step: the n-th time before step n."""
        action = self.at.pop(self.asked, None)
        self.asked += 1
        if action is not None:
            action(self)
        return self.stop

    def take_changes(self) -> Mapping[str, object]:
        taken, self.changes = self.changes, {}
        return taken

    def quit(self) -> None:
        self.stop = True
