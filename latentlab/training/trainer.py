"""The training loop: step, log, test, preview, hand out weights, save; each at its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from latentlab.core.errors import InputError
from latentlab.core.events import RunEvent
from latentlab.core.messages import Floats, ModelInfo, Progress, StepMetrics, TrainingStatus, WeightSnapshot
from latentlab.core.run_folder import BEST, LAST
from latentlab.data.dataset import Dataset
from latentlab.models.base import Batch, StepContext
from latentlab.models.beta import build_beta, rule_name
from latentlab.models.device import choose_device
from latentlab.models.ema import WeightAverage
from latentlab.models.gradient_shares import gradient_shares
from latentlab.models.optim import build_optimizers, learning_rate, set_learning_rates
from latentlab.models.registry import build_model, is_convolutional
from latentlab.training.batches import Batches, Pictures
from latentlab.training.changes import value_of, with_changes
from latentlab.training.checkpoint import (
    Checkpoint,
    numbered,
    optimizer_tensors,
    restore_optimizers,
    save_checkpoint,
)
from latentlab.training.clock import Clock
from latentlab.training.history import WeightsHistory
from latentlab.training.measure import best_score
from latentlab.training.previews import Previewer, gallery, spread
from latentlab.training.recorder import Recorder
from latentlab.training.run import RunWriter
from latentlab.training.scalars import ScalarMeans, check_finite
from latentlab.training.sink import Sink
from latentlab.training.tester import Tester

# A pause shorter than this is the look at the event, not a pause.
_PAUSE_S = 0.05


class Trainer:
    """One training, from its networks to its last checkpoint. Thread: the one that runs ``fit``."""

    def __init__(
        self, info: ModelInfo, data: Dataset, sink: Sink, run: RunWriter, recorder: Recorder, device: str
    ) -> None:
        self._info = info
        self._recipe = info.recipe
        self._data, self._sink, self._run, self._recorder = data, sink, run, recorder
        training = self._recipe.training
        self._policy = choose_device(device, training.precision, convolutional=is_convolutional(info))
        self._pictures = Pictures(data.images, self._policy)
        self._batches = Batches(data, self._pictures, self._policy, info)
        self._model = self._policy.place(build_model(info, training.seed)).train()
        self._average = WeightAverage(self._model, training.ema_decay) if training.ema_decay > 0.0 else None
        self._context = StepContext(
            step=0,
            objective=self._recipe.objective,
            optimizers=build_optimizers(self._model, training),
            beta=build_beta(self._recipe.objective, self._policy.device, latent_dim=info.latent_dim),
            generator=torch.Generator(self._policy.device).manual_seed(training.seed),
            autocast=self._policy.autocast,
        )
        self._preview = Previewer(info, data, self._pictures, self._policy)
        self._tester = Tester(info, data, self._pictures, self._policy, run)
        self._history = WeightsHistory(run.path, training.history_mb)
        self._device_text = self._policy.describe()
        self._scalars = ScalarMeans()
        self._clock = Clock()
        self._images_per_s = 0.0
        self._changes: dict[str, Any] = {}
        self._solved: dict[str, Any] = {}
        self._best = math.inf
        self._saved: int | None = None
        self._shown_at_once = False
        self._logged_step = self._tested_step = self._first_step = 0
        self.step = 0
        """Steps done so far."""

    def solve(self) -> None:
        """Let a fresh model solve what it can on training images, evenly spread over the set.

        Raises
        ------
        InputError
            If they do not determine it.
        """
        rows = self._data.train_index
        count = self._model.images_to_begin_on(len(rows))
        if not count:
            return
        self._sink.on_progress(Progress("Solving the principal path", 0))
        facts = self._model.begin_on(self._pictures.at(spread(rows, count)))
        if self._average is not None:
            self._average.load(None)
        self._solved = {"images": count} | {name: round(value, 4) for name, value in facts.items()}

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take up a training where ``checkpoint`` left it."""
        state, loop = checkpoint.state, dict(checkpoint.loop or {})
        try:
            self._model.load_state_dict(dict(checkpoint.model))
            if self._average is not None:
                self._average.load(checkpoint.ema)
            restore_optimizers(self._context.optimizers, checkpoint.optimizers or {})
            prefix = "beta."
            beta = {key.removeprefix(prefix): value for key, value in loop.items() if key.startswith(prefix)}
            if state["beta_rule"] == rule_name(self._recipe.objective):
                self._context.beta.load_state_dict(beta)
            exact = self._batches.load_state_dict(state["batches"]) and state["device"] == self._policy.device.type
            if state["device"] == self._policy.device.type:
                self._context.generator.set_state(loop["generator"])
            else:  # Generators of different devices have different states.
                self._context.generator.manual_seed(self._recipe.training.seed + checkpoint.step)
            changes, elapsed_s = dict(state["changes"]), float(state["elapsed_s"])
            best = state["best_score"] if "best_score" in state else state["best_test_pixel"]  # its name in 0.1.0
            self._best = float(best) if best is not None else math.inf
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            first = (str(error).splitlines() or [""])[0]
            raise InputError(f"The checkpoint does not fit this recipe: {first}", where=str(self._run.path)) from error
        self.step = self._first_step = self._logged_step = self._tested_step = self._saved = checkpoint.step
        self._changes = changes
        self._history.forget_after(self.step)
        self._clock = Clock(elapsed_s)
        self._run.event("resume", self.step, exact=exact, fingerprint=self._data.fingerprint, device=self._device_text)

    def train(self) -> bool:
        """Train to the end or until told to stop; return whether it was stopped."""
        self._begin()
        steps = self._recipe.training.steps
        while self.step < steps and not self._interrupted():
            self._take_changes()
            batch = self._batches.next()
            self._context.step = self.step
            self._context.detail = self._reports_after(self.step + 1)
            set_learning_rates(self._context.optimizers, self._recipe.training, self.step)
            shares = self._gradient_shares(batch)
            metrics = self._model.training_step(batch, self._context)
            self._scalars.add(metrics | self._context.beta.terms() | shares)
            self.step += 1
            if self._average is not None:
                self._average.update(self.step)
            self._clock.count(len(batch.x_BCHW))
            self._report()
        self._end()
        return self.step < steps

    def _reports_after(self, step: int) -> bool:
        """Whether metrics are logged after ``step`` steps: as the recipe says, or because somebody looks on."""
        self._shown_at_once = self._sink.wants_every_step()
        return self._shown_at_once or step % self._recipe.training.log_every == 0

    def _gradient_shares(self, batch: Batch) -> dict[str, Tensor]:
        """Measure who pulls at the weights, where it is due; the step itself is none the wiser."""
        every = self._recipe.training.gradient_shares_every
        if every == 0 or (self.step + 1) % every:
            return {}
        return gradient_shares(self._model, batch, self._context, self._recipe.training.seed)

    @property
    def session_images_per_s(self) -> float:
        """Training images per active second since ``train`` began."""
        seconds = self._clock.elapsed_s - self._session_start_s
        return (self.step - self._first_step) * self._batches.batch_size / max(seconds, 1e-9)

    def _begin(self) -> None:
        if self.step == 0:
            self._run.event("start", 0, device=self._device_text, fingerprint=self._data.fingerprint)
            if self._solved:
                self._tell("solved", **self._solved)
        wanted = self._recipe.training.batch_size
        if self._batches.batch_size < wanted:
            self._warn(f"There are only {len(self._batches)} images to train on: batches hold them all, not {wanted}.")
        self._sink.on_start(self._info, self._device_text)
        self._sink.on_gallery(gallery(self._data))
        self._make_preview()
        self._hand_out_weights()
        self._keep_history()
        self._clock = Clock(self._clock.elapsed_s if self.step else 0.0)
        self._session_start_s = self._clock.elapsed_s

    def _interrupted(self) -> bool:
        """Sit out a pause, or the wait of slow motion; return whether to stop. A pause lets checkpoints through."""
        while True:
            paused_s = self._clock.excluding(self._sink.wait_if_paused)
            if paused_s > _PAUSE_S:
                self._tell("pause", paused_s=round(paused_s, 3))
            if not self._sink.wants_checkpoint():
                break
            self._save((LAST, numbered(self.step)))
        self._clock.excluding(self._sink.wait_for_pace)
        return self._sink.should_stop()

    def _take_changes(self) -> None:
        for key, value in self._sink.take_changes().items():
            old = None
            try:
                old = value_of(self._recipe, key) if "." in key else None
                self._recipe = with_changes(self._recipe, {key: value})
            except (InputError, AttributeError) as error:
                self._warn(f"{key} = {value!r} was not adopted: {error}")
                continue
            self._changes[key] = value
            self._context.objective = self._recipe.objective
            self._context.beta.configure(self._recipe.objective)
            self._tell("change", key=key, old=old, new=value)

    def _warn(self, what: str) -> None:
        self._tell("warning", what=what)

    def _tell(self, event: str, **facts: Any) -> None:
        """Write an event into the run folder, and let the sink know."""
        self._run.event(event, self.step, **facts)
        self._sink.on_event(RunEvent.of(event, self.step, facts))

    def _report(self) -> None:
        """Do whatever is due after a step."""
        training, step = self._recipe.training, self.step
        log = self._context.detail
        if log or step % training.test_every == 0:
            self._log(log=log, test=step % training.test_every == 0)
        if self._shown_at_once or step % training.preview_every == 0:
            self._make_preview()
        if self._sink.wants_weights():
            self._hand_out_weights()
        self._keep_history()
        if step % training.checkpoint_every == 0:
            self._save((LAST, numbered(step)))

    def _log(self, *, log: bool, test: bool) -> None:
        values = self._collect() if log else {}
        vectors: dict[str, Floats] = {}
        improved = False
        if test:
            tested, vectors = self._test()
            score = best_score(tested)
            improved = score < self._best
            self._best = min(self._best, score)
            values |= tested
        if log:
            values["lr"] = learning_rate("main", self._recipe.training, self.step - 1)
            values["images_per_s"] = self._images_per_s = self._clock.images_per_s()
        elapsed = self._clock.elapsed_s
        self._recorder.append(self.step, elapsed, values, vectors)
        status = TrainingStatus(
            step=self.step,
            steps=self._recipe.training.steps,
            images_per_s=self._images_per_s,
            elapsed_s=elapsed,
            device=self._device_text,
            memory_mb=self._policy.memory_mb(),
        )
        self._sink.on_step(StepMetrics(self.step, elapsed, dict(values), vectors), status)
        if improved:
            self._save((BEST,))

    def _collect(self) -> dict[str, float]:
        first, self._logged_step = self._logged_step + 1, self.step
        values = self._scalars.collect()
        check_finite(values, first, self.step, self._saved)
        return values

    def _test(self) -> tuple[dict[str, float], dict[str, Floats]]:
        self._tested_step = self.step
        with self._as_shown():
            values, vectors = self._tester(self._model, self.step, self._recipe.objective)
        check_finite(values, self.step, self.step, self._saved)
        return values, vectors

    def _as_shown(self) -> AbstractContextManager[None]:
        """Return the block in which the model computes with what everybody but the training sees: the average."""
        return nullcontext() if self._average is None else self._average.in_place()

    def _make_preview(self, *, last: bool = False) -> None:
        with self._as_shown():
            preview = self._preview(self._model, self.step)
        self._recorder.preview(preview, always=last)
        self._sink.on_preview(preview)

    def _shown_state(self) -> Mapping[str, Tensor]:
        """Return the weights that everybody but the training sees: the average where there is one."""
        return self._model.inference_state() if self._average is None else self._average.state()

    def _keep_history(self) -> None:
        if self._history.wants(self.step):
            self._history.keep(self.step, self._shown_state())

    def _hand_out_weights(self) -> None:
        state = {name: tensor.detach().clone() for name, tensor in self._shown_state().items()}
        self._sink.on_weights(WeightSnapshot(self.step, self._info, state))

    def _save(self, names: tuple[str, ...]) -> None:
        if not self._weights_are_finite():
            check_finite({"a weight": math.nan}, self._logged_step + 1, self.step, self._saved)
        resumable = LAST in names
        checkpoint = Checkpoint(self.step, self._model.state_dict(), self._state())
        if self._average is not None:
            checkpoint.ema = self._average.state()
        if resumable:
            beta = {f"beta.{key}": value for key, value in self._context.beta.state_dict().items()}
            checkpoint.loop = {"generator": self._context.generator.get_state(), **beta}
            checkpoint.optimizers = optimizer_tensors(self._context.optimizers)
            self._recorder.flush()  # Metrics up to here must not be lost by a kill after it.
        folder = save_checkpoint(self._run.checkpoints, checkpoint, names, self._recipe.training.keep_checkpoints)
        if resumable:
            self._saved = self.step
            self._sink.on_checkpoint(folder, self.step)

    def _state(self) -> dict[str, Any]:
        return {
            "elapsed_s": self._clock.elapsed_s,
            "batches": self._batches.state_dict(),
            "beta_rule": rule_name(self._recipe.objective),
            "best_score": self._best if math.isfinite(self._best) else None,
            "changes": self._changes,
            "device": self._policy.device.type,
            "fingerprint": self._data.fingerprint,
        }

    def _weights_are_finite(self) -> bool:
        # A step whose loss was still finite may have left weights that are not.
        tensors = [t for t in self._model.state_dict().values() if t.is_floating_point()]
        return bool(torch.isfinite(torch.stack(torch._foreach_norm(tensors))).all())

    def _end(self) -> None:
        """Log what is left, test, show and save the weights as they are now."""
        if self.step > self._logged_step or (self.step > 0 and self.step != self._tested_step):
            self._log(log=self.step > self._logged_step, test=self.step != self._tested_step)
        self._make_preview(last=True)
        self._hand_out_weights()
        if self._saved != self.step:
            self._save((LAST,))
        finished = self.step >= self._recipe.training.steps
        self._run.event("finish" if finished else "stop", self.step, elapsed_s=round(self._clock.elapsed_s, 3))
