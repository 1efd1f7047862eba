"""The trainer's side of a session: writes slots, looks at events, never waits for the window."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from latentlab.core.buffers import Array, MetricHistory
from latentlab.core.errors import Cancelled
from latentlab.core.events import EventLog, RunEvent
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import (
    Floats,
    Gallery,
    ModelInfo,
    Preview,
    Progress,
    StepMetrics,
    TrainingStatus,
    WeightSnapshot,
)
from latentlab.core.vectors import VectorHistory
from latentlab.runtime.control import Control
from latentlab.runtime.priority import FollowedWeights

__all__ = ["Control", "SessionSink", "SessionSlots"]

FOLLOWED_S = 0.25
ALONE_S = 2.0
SNAPSHOT_SHARE = 0.05


class SessionSlots:
    """What a session publishes. Written by workers, polled by the window. Thread: any."""

    def __init__(self) -> None:
        self.history = MetricHistory()
        self.vectors = VectorHistory()
        self.events = EventLog()
        self.previews: LatestSlot[Preview] = LatestSlot()
        self.weights = FollowedWeights()
        self.status: LatestSlot[TrainingStatus] = LatestSlot()
        self.progress: LatestSlot[Progress] = LatestSlot()
        self.gallery: LatestSlot[Gallery] = LatestSlot()

    def clear(self) -> None:
        """Forget the previous run; every version grows, so that readers notice."""
        for record in (self.history, self.vectors, self.events):
            record.clear()
        for slot in (self.previews, self.weights, self.status, self.progress, self.gallery):
            slot.clear()


class SessionSink:
    """The sink that ``fit`` reports to (``latentlab.training.fit.Sink``).

    Thread: trainer, all methods.

    Parameters
    ----------
    slots, control
        Shared with the session.
    on_started, on_saved
        Called for the rare facts that must not be lost; they emit signals of the trainer thread.
    """

    def __init__(
        self,
        slots: SessionSlots,
        control: Control,
        on_started: Callable[[ModelInfo], None],
        on_saved: Callable[[int], None],
    ) -> None:
        self.holding = threading.Event()
        self._slots = slots
        self._control = control
        self._on_started = on_started
        self._on_saved = on_saved
        self._asked = False
        self._asked_at = -1e9
        self._snapshot_cost_s = 0.0
        self._shown = False  # Whether the weights as they are now are published.
        self._overstepped = False
        self._speed = 0.0

    def on_progress(self, progress: Progress) -> None:
        """Show how far the preparation has come; raises ``Cancelled`` once a stop is wished."""
        if self._control.stopped:
            raise Cancelled
        self._slots.progress.put(progress)

    def on_start(self, info: ModelInfo, device: str) -> None:
        """Announce the run: networks are built and the first step comes next."""
        self._slots.progress.clear()
        self._slots.status.put(TrainingStatus(0, info.recipe.training.steps, 0.0, 0.0, device, 0.0))
        self._on_started(info)

    def on_gallery(self, gallery: Gallery) -> None:
        """Publish pictures to pick from."""
        self._slots.gallery.put(gallery)

    def recall(
        self,
        history: Mapping[str, tuple[Array, Array]],
        last_step: int,
        vectors: Mapping[str, tuple[list[int], list[Floats]]] | None = None,
        events: Sequence[RunEvent] = (),
    ) -> None:
        """Bring back the curves, vectors and events of a run that goes on from ``last_step``."""
        for name, (steps, values) in history.items():
            kept = steps <= last_step
            self._slots.history.extend(name, steps[kept], values[kept])
        for name, (places, rows) in (vectors or {}).items():
            count = sum(place <= last_step for place in places)
            self._slots.vectors.extend(name, places[:count], rows[:count])
        self._slots.events.add(*(event for event in events if event.step <= last_step))

    def on_step(self, metrics: StepMetrics, status: TrainingStatus) -> None:
        """Publish a logged step; where the speed was not measured, the last one stands."""
        if metrics.values:
            self._slots.history.append(metrics.step, metrics.values)
        self._slots.vectors.append(metrics.step, metrics.vectors)
        if math.isnan(status.images_per_s):
            status = replace(status, images_per_s=self._speed)
        self._speed = status.images_per_s
        self._slots.status.put(status)

    def on_preview(self, preview: Preview) -> None:
        """Publish pictures of a step."""
        self._slots.previews.put(preview)

    def on_weights(self, snapshot: WeightSnapshot) -> None:
        """Publish a copy of the weights, and note what it cost when it was asked for."""
        now = time.monotonic()
        if self._asked:
            self._snapshot_cost_s = now - self._asked_at
        self._asked, self._asked_at, self._shown = False, now, True
        self._slots.weights.put(snapshot)

    def on_checkpoint(self, folder: Path, step: int) -> None:
        """Tell the window that the run is safe up to ``step``."""
        self._slots.events.add(RunEvent(step, "checkpoint", "checkpoint"))
        self._on_saved(step)

    def on_event(self, event: RunEvent) -> None:
        """Keep the event, for the plots."""
        self._slots.events.add(event)

    def wants_weights(self) -> bool:
        """Whether a snapshot should be made now, after a step.

        Four times a second while somebody reads them, every two seconds otherwise, never more than
        5 % of the time, and always when a pause begins, so that what is explored is the step held.
        """
        self._shown = False
        now = time.monotonic()
        followed = now - self._slots.weights.read_at < ALONE_S
        pause_s = max(FOLLOWED_S if followed else ALONE_S, self._snapshot_cost_s / SNAPSHOT_SHARE)
        if not self._control.paused and now - self._asked_at < pause_s:
            return False
        self._asked, self._asked_at = True, now
        return True

    def should_stop(self) -> bool:
        """Whether the loop should end here; lets a picture in the making go first."""
        self._slots.weights.priority.give_way()
        return self._control.stopped

    def wait_if_paused(self) -> None:
        """Hold while a pause is wished.

        A pause wished between a look at ``wants_weights`` and this one takes effect one step later,
        so that the weights held are the weights shown.
        """
        if not self._control.paused:
            return
        if not self._shown and not self._overstepped:
            self._overstepped = True
            return
        self._overstepped = False
        self.holding.set()
        self._control.wait_until_resumed()
        self.holding.clear()
        self._shown = self._control.paused  # A checkpoint in a pause: these weights are shown already.

    def wait_for_pace(self) -> None:
        """Take the time that slow motion asks for; a stop or a faster pace ends the wait."""
        self._control.wait_for_pace()

    def wants_every_step(self) -> bool:
        """Whether every step is shown: in slow motion, and while training goes step by step."""
        return self._control.shows_every_step

    def wants_checkpoint(self) -> bool:
        """Whether a checkpoint was asked for since the last step."""
        return self._control.take_checkpoint_wish()

    def take_changes(self) -> dict[str, object]:
        """Return the live changes wished since the last step."""
        return self._control.take_changes()
