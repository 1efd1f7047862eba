"""Stand-ins for training and inference: real threads, no torch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from latentlab.core.messages import (
    DecodeRequest,
    InferenceRequest,
    InferenceResult,
    ModelInfo,
    Progress,
    StepMetrics,
    TrainingStatus,
    WeightSnapshot,
)
from latentlab.core.recipe import Recipe
from latentlab.runtime.session_sink import SessionSink
from latentlab.runtime.trainer_thread import TrainingJob

SHAPE = (16, 16, 1)


def info_of(recipe: Recipe | None = None, run: Path | None = None) -> ModelInfo:
    return ModelInfo(recipe or Recipe(), SHAPE, run=run)


def snapshot(step: int = 1, taken_at: float | None = None) -> WeightSnapshot:
    return WeightSnapshot(step, info_of(), {}, time.monotonic() if taken_at is None else taken_at)


class FakeEngine:
    """Loops like ``fit``: one logged step after another, looking at the sink at each."""

    def __init__(self, fail_at: int | None = None, step_s: float = 0.0005) -> None:
        self.fail_at = fail_at
        self.step_s = step_s
        self.step = 0
        self.changes: dict[str, object] = {}
        self.jobs: list[TrainingJob] = []
        self.prepare: Callable[[SessionSink], None] = lambda sink: None
        self.thread: int = 0

    def __call__(self, job: TrainingJob, sink: SessionSink) -> bool:
        self.jobs.append(job)
        self.thread = threading.get_ident()
        sink.on_progress(Progress("Preparing", 0, 1))
        self.prepare(sink)
        info = info_of(job.recipe, job.runs_root / "run")
        sink.on_start(info, "CPU, fake")
        self.step = 0
        sink.on_weights(WeightSnapshot(0, info, {}))
        while self.step < job.recipe.training.steps:
            sink.wait_if_paused()
            if sink.should_stop():
                sink.on_checkpoint(job.runs_root / "run", self.step)
                return True
            self.changes |= sink.take_changes()
            self._step(job, sink, info)
        sink.on_checkpoint(job.runs_root / "run", self.step)
        return False

    def _step(self, job: TrainingJob, sink: SessionSink, info: ModelInfo) -> None:
        self.step += 1
        if self.step == self.fail_at:
            raise RuntimeError("the loss went away")
        threading.Event().wait(self.step_s)
        steps = job.recipe.training.steps
        metrics = StepMetrics(self.step, self.step * 0.1, {"pixel": 1.0 / self.step})
        sink.on_step(metrics, TrainingStatus(self.step, steps, 1.0, self.step * 0.1, "CPU, fake", 1.0))
        if sink.wants_weights():
            sink.on_weights(WeightSnapshot(self.step, info, {}))


class FakeReplica:
    """Answers with pictures full of the request's first value; ``gate`` holds it, ``delay_s`` slows it."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.step = -1
        self.taken_at = 0.0
        self.served: list[int] = []
        self.loads = 0
        self.threads: set[int] = set()

    def load(self, weights: WeightSnapshot) -> None:
        self.threads.add(threading.get_ident())
        self.step, self.taken_at = weights.step, weights.taken_at
        self.loads += 1

    def run(self, request: InferenceRequest) -> InferenceResult:
        self.threads.add(threading.get_ident())
        self.entered.set()
        assert self.gate.wait(10)
        if self.delay_s:
            threading.Event().wait(self.delay_s)
        assert isinstance(request, DecodeRequest)
        if np.isnan(request.z).any():
            raise ValueError("z is not a number")
        self.served.append(len(request.z))
        images = np.empty((len(request.z), *SHAPE), dtype=np.uint8)
        images[:] = request.z[:, :1, None, None]
        return InferenceResult(request, self.step, self.taken_at, images=images, took_ms=self.delay_s * 1000)


def decode(value: int, count: int = 1) -> DecodeRequest:
    return DecodeRequest(np.full((count, 2), value, dtype=np.float32))
