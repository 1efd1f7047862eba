"""What a training tells the outside, and what it asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from latentlab.core.events import RunEvent
from latentlab.core.messages import Gallery, ModelInfo, Preview, Progress, StepMetrics, TrainingStatus, WeightSnapshot


class Sink(Protocol):
    """The receiver of a training. All methods are called from the thread that runs ``fit``.

    Methods must return at once, but for ``wait_if_paused``, which returns when the pause is over or the
    training is to stop. What is handed over belongs to the sink.
    """

    def on_progress(self, progress: Progress) -> None:
        """Learn what is being done before the training can start; may raise Cancelled."""

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

    def on_event(self, event: RunEvent) -> None:
        """Learn what else happened: a setting changed, a pause, a warning."""

    def wants_weights(self) -> bool:
        """Whether a copy of the weights is wanted now; asked at every step."""

    def wants_checkpoint(self) -> bool:
        """Whether a numbered checkpoint is wanted now; asked at every step, a wish is granted once."""

    def wants_every_step(self) -> bool:
        """Whether somebody looks on step by step: every step is then logged and shown."""

    def should_stop(self) -> bool:
        """Whether to stop here, with a checkpoint; asked at every step."""

    def wait_if_paused(self) -> None:
        """Wait while paused; the time does not count."""

    def wait_for_pace(self) -> None:
        """Wait as long as slow motion asks for, before every step; the time does not count."""

    def take_changes(self) -> Mapping[str, object]:
        """Return and forget the settings changed since the last step, e.g. ``{"training.lr": 0.0005}``."""


class SilentSink:
    """A sink that hears everything, says nothing and never interferes: a base for real ones."""

    def on_progress(self, progress: Progress) -> None:
        """Ignore it."""

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

    def on_event(self, event: RunEvent) -> None:
        """Ignore the event."""

    def wants_weights(self) -> bool:
        """Want none."""
        return False

    def wants_checkpoint(self) -> bool:
        """Want none."""
        return False

    def wants_every_step(self) -> bool:
        """Nobody looks on."""
        return False

    def should_stop(self) -> bool:
        """Go on."""
        return False

    def wait_if_paused(self) -> None:
        """Go on."""

    def wait_for_pace(self) -> None:
        """Go on."""

    def take_changes(self) -> Mapping[str, object]:
        """Change nothing."""
        return {}
