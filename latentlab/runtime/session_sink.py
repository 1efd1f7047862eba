"""The trainer's side of a session: writes slots, looks at events, never waits for the window."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from latentlab.core.buffers import Array, MetricHistory
from latentlab.core.errors import Cancelled
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import (
    Gallery,
    ModelInfo,
    Preview,
    Progress,
    StepMetrics,
    TrainingStatus,
    WeightSnapshot,
)
from latentlab.runtime.priority import FollowedWeights

FOLLOWED_S = 0.25
ALONE_S = 2.0
SNAPSHOT_SHARE = 0.05


class SessionSlots:
    """What a session publishes. Written by workers, polled by the window. Thread: any."""

    def __init__(self) -> None:
        self.history = MetricHistory()
        self.previews: LatestSlot[Preview] = LatestSlot()
        self.weights = FollowedWeights()
        self.status: LatestSlot[TrainingStatus] = LatestSlot()
        self.progress: LatestSlot[Progress] = LatestSlot()
        self.gallery: LatestSlot[Gallery] = LatestSlot()

    def clear(self) -> None:
        """Forget the previous run; every version grows, so that readers notice."""
        self.history.clear()
        for slot in (self.previews, self.weights, self.status, self.progress, self.gallery):
            slot.clear()


class Control:
    """The window's wishes, looked at by the trainer at every step.

    Thread: any. Setting a wish returns at once; it is an event, not a queued call, because a
    trainer busy in its loop has no event loop to receive one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._go = threading.Event()
        self._go.set()
        self._stop = threading.Event()
        self._changes: dict[str, object] = {}

    def pause(self) -> None:
        """Hold before the next step."""
        if not self._stop.is_set():
            self._go.clear()

    def resume(self) -> None:
        """Go on."""
        self._go.set()

    def stop(self) -> None:
        """End after the step in hand; also ends a pause."""
        self._stop.set()
        self._go.set()

    def change(self, key: str, value: object) -> None:
        """Leave a live change; the newest value of each key wins."""
        with self._lock:
            self._changes[key] = value

    def take_changes(self) -> dict[str, object]:
        """Return the changes left since the last call, and forget them."""
        if not self._changes:
            return {}
        with self._lock:
            changes, self._changes = self._changes, {}
            return changes

    @property
    def paused(self) -> bool:
        """Whether a pause is wished."""
        return not self._go.is_set()

    @property
    def stopped(self) -> bool:
        """Whether a stop is wished."""
        return self._stop.is_set()

    def wait_until_resumed(self) -> None:
        """Block while paused; a stop ends the wait."""
        self._go.wait()


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

    def progress(self, progress: Progress) -> None:
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

    def recall(self, history: Mapping[str, tuple[Array, Array]], last_step: int) -> None:
        """Bring back the curves of a run that goes on from ``last_step``."""
        for name, (steps, values) in history.items():
            kept = steps <= last_step
            self._slots.history.extend(name, steps[kept], values[kept])

    def on_step(self, metrics: StepMetrics, status: TrainingStatus) -> None:
        """Publish a logged step; where the speed was not measured, the last one stands."""
        if metrics.values:
            self._slots.history.append(metrics.step, metrics.values)
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
        self._on_saved(step)

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

    def take_changes(self) -> dict[str, object]:
        """Return the live changes wished since the last step."""
        return self._control.take_changes()
