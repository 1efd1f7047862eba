"""Frozen messages that cross threads. Arrays are handed over: whoever sends one never touches it again.

Pictures are C-contiguous uint8, HWC or NHWC, with 1 or 3 channels.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_base import CONDITIONAL, ENCODING

Images = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of background work has come; ``total`` is None while unknown."""

    what: str
    done: int
    total: int | None = None


ProgressSink = Callable[[Progress], None]
"""Called by long work from its own thread; may raise ``Cancelled`` to stop it."""


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An error as the window shows it: a sentence, a place, a hint, and the traceback behind Details.

    ``expected`` marks what a user's input caused: its traceback goes to the log and is not shown.
    """

    what: str
    where: str = ""
    hint: str = ""
    details: str = ""
    expected: bool = False

    @classmethod
    def of(cls, error: BaseException, doing: str = "") -> ErrorReport:
        """Describe ``error``; ``doing`` names the work that failed when the error does not."""
        details = "".join(traceback.format_exception(error))
        if isinstance(error, LatentLabError):
            return cls(error.what, error.where or doing, error.hint, details, isinstance(error, InputError))
        return cls(f"{type(error).__name__}: {error}", doing, "Details holds the full report.", details)


class TrainingState(Enum):
    """Where a training stands."""

    IDLE = "idle"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"

    @property
    def active(self) -> bool:
        """Whether a trainer thread is at work."""
        return self in (TrainingState.PREPARING, TrainingState.RUNNING, TrainingState.PAUSED, TrainingState.STOPPING)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Everything needed to build a model's networks and to label its controls.

    ``image_shape`` is (height, width, channels).
    """

    recipe: Recipe
    image_shape: tuple[int, int, int]
    num_classes: int = 0
    class_names: tuple[str, ...] = ()
    run: Path | None = None
    attribute_names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Model family, e.g. ``"vaegan"``."""
        return self.recipe.model.kind

    @property
    def latent_dim(self) -> int:
        """Number of latent dimensions."""
        return self.recipe.model.latent_dim

    @property
    def conditional(self) -> bool:
        """Whether the decoder takes a class."""
        return self.kind in CONDITIONAL

    @property
    def needs_labels(self) -> bool:
        """Whether only images with a known class can be trained on and encoded."""
        return self.kind in CONDITIONAL and self.kind != "ssvae"

    @property
    def has_encoder(self) -> bool:
        """Whether images can be encoded; a cgan only decodes."""
        return self.kind in ENCODING


@dataclass(frozen=True, slots=True)
class StepMetrics:
    """The metrics of one logged step: names of ``latentlab.core.metrics`` to values.

    ``vectors``: of a tested step, names of ``latentlab.core.vectors`` to float32 arrays.
    """

    step: int
    elapsed_s: float
    values: Mapping[str, float]
    vectors: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingStatus:
    """A moment of a training, for the toolbar and the status bar."""

    step: int
    steps: int
    images_per_s: float
    elapsed_s: float
    device: str
    memory_mb: float

    @property
    def remaining_s(self) -> float | None:
        """Seconds left at the average speed so far; None before the first step."""
        return self.elapsed_s / self.step * (self.steps - self.step) if self.step > 0 else None


@dataclass(frozen=True, slots=True)
class Preview:
    """Pictures of one step: fixed test images, their reconstructions, and samples of fixed z (NHWC uint8).

    A model without an encoder has neither of the first two, one without a prior has no samples.
    ``reconstruction_error`` is the pixel MSE in [0,1] units of each reconstruction. ``sample_columns``: of a
    class-conditional model, how many classes the samples stand in: row by row one z in all of them.
    """

    step: int
    originals: Images | None
    reconstructions: Images | None
    samples: Images | None = None
    reconstruction_error: Floats | None = None
    sample_columns: int | None = None


@dataclass(frozen=True, slots=True)
class WeightSnapshot:
    """A copy of encoder and decoder weights; ``state`` maps parameter names to torch tensors."""

    step: int
    info: ModelInfo
    state: Mapping[str, Any]
    taken_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class DecodeRequest:
    """Decode ``z`` (B, D) float32, of classes ``labels`` (B,) where the model is conditional.

    ``shares`` (B, K) float32 stand in for ``labels`` where a picture is of several classes at once: how much of each
    class the decoder is told, 0 to 1, as training tells it 1 for the class and 0 for the others.
    """

    z: Floats
    labels: Ints | None = None
    generation: int = 0
    shares: Floats | None = None


@dataclass(frozen=True, slots=True)
class EncodeRequest:
    """Encode pictures (NHWC uint8, any size: they are resized to the model's) to their posterior."""

    images: Images
    labels: Ints | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True)
class ReconstructRequest:
    """Encode and decode pictures with the posterior mean; answers with error per picture."""

    images: Images
    labels: Ints | None = None
    generation: int = 0
    tag: int = 0


InferenceRequest = DecodeRequest | EncodeRequest | ReconstructRequest


@dataclass(frozen=True, slots=True)
class InferenceResult:
    """The answer to a request, with the step and time of the weights that gave it.

    ``images``: NHWC uint8 (decode, reconstruct). ``originals``: the pictures at the model's size
    (encode, reconstruct). ``mu``/``logvar``: (B, D) (encode, reconstruct). ``pixel``: (B,) MSE in
    [0,1] units (reconstruct). ``class_probabilities``: (B, K) of a model that guesses classes (encode,
    reconstruct); it encodes with the most probable one where none is given. ``error`` replaces them all
    when the work failed.
    """

    request: InferenceRequest
    step: int
    taken_at: float
    images: Images | None = None
    originals: Images | None = None
    mu: Floats | None = None
    logvar: Floats | None = None
    pixel: Floats | None = None
    class_probabilities: Floats | None = None
    took_ms: float = 0.0
    error: ErrorReport | None = None


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures of the data set to pick from: test images first, at the model's size (NHWC uint8)."""

    images: Images
    labels: Ints | None = None
    class_names: tuple[str, ...] = ()
