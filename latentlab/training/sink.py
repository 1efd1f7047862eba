"""What a training tells the outside, and what it asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from latentlab.core.messages import Gallery, ModelInfo, Preview, StepMetrics, TrainingStatus, WeightSnapshot


class Sink(Protocol):
    """The receiver of a training. All methods are called from the thread that runs ``fit``.

    Methods must return at once, but for ``wait_if_paused``, which returns when the pause is over or the
    training is to stop. What is handed over belongs to the sink.
    """

    def on_start(self, info: ModelInfo, device: str) -> None:
        """Learn what is trained, and on which device ("CUDA NVIDIA H200, bf16"), before the first step."""

    def on_gallery(self, gallery: Gallery) -> None:
        """Receive pictures of the data set to pick from, once."""

    def on_step(self, metrics: StepMetrics, status: TrainingStatus) -> None:
        """Receive the metrics of a logged step."""

    def on_preview(self, preview: Preview) -> None:
        """Receive preview pictures."""

    def on_weights(self, snapshot: WeightSnapshot) -> None:
        """Receive a copy of the weights, asked for by ``wants_weights`` or the last of the training."""

    def on_checkpoint(self, folder: Path, step: int) -> None:
        """Learn that a checkpoint is on disk."""

    def wants_weights(self) -> bool:
        """Whether a copy of the weights is wanted now; asked at every step."""

    def should_stop(self) -> bool:
        """Whether to stop here, with a checkpoint; asked at every step."""

    def wait_if_paused(self) -> None:
        """Wait while paused; the time does not count."""

    def take_changes(self) -> Mapping[str, object]:
        """Return and forget the settings changed since the last step, e.g. ``{"training.lr": 0.0005}``."""


class SilentSink:
    """A sink that hears everything, says nothing and never interferes: a base for real ones."""

    def on_start(self, info: ModelInfo, device: str) -> None:
        """Ignore the start."""

    def on_gallery(self, gallery: Gallery) -> None:
        """Ignore the gallery."""

    def on_step(self, metrics: StepMetrics, status: TrainingStatus) -> None:
        """Ignore the metrics."""

    def on_preview(self, preview: Preview) -> None:
        """Ignore the pictures."""

    def on_weights(self, snapshot: WeightSnapshot) -> None:
        """Ignore the weights."""

    def on_checkpoint(self, folder: Path, step: int) -> None:
        """Ignore the checkpoint."""

    def wants_weights(self) -> bool:
        """Want none."""
        return False

    def should_stop(self) -> bool:
        """Go on."""
        return False

    def wait_if_paused(self) -> None:
        """Go on."""

    def take_changes(self) -> Mapping[str, object]:
        """Change nothing."""
        return {}
