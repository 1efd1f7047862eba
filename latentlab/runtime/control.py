"""What the window wishes of a training: pause, single steps, slow motion, stop, live changes, a checkpoint."""

from __future__ import annotations

import threading
import time


class Control:
    """The window's wishes, looked at by the trainer at every step.

    Thread: any. Setting a wish returns at once; it is a flag, not a queued call, because a trainer busy in its
    loop has no event loop to receive one.
    """

    def __init__(self) -> None:
        self._wished = threading.Condition()
        self._held = self._stopped = self._stepping = False
        self._steps = 0
        self._checkpoint = False
        self._pace_s = 0.0
        self._changes: dict[str, object] = {}

    def pause(self) -> None:
        """Hold before the next step."""
        with self._wished:
            self._held = not self._stopped
            self._steps = 0

    def resume(self) -> None:
        """Go on."""
        with self._wished:
            self._held = self._stepping = False
            self._steps = 0
            self._wished.notify_all()

    def step(self) -> None:
        """While paused, let one more step through."""
        with self._wished:
            if self._held and not self._stopped:
                self._steps += 1
                self._wished.notify_all()

    def stop(self) -> None:
        """End after the step in hand; also ends a pause."""
        with self._wished:
            self._stopped, self._held, self._steps = True, False, 0
            self._wished.notify_all()

    def set_pace(self, seconds: float) -> None:
        """Wait so many seconds before every step (0: none): slow motion."""
        with self._wished:
            self._pace_s = max(seconds, 0.0)
            self._wished.notify_all()

    def ask_for_checkpoint(self) -> None:
        """Wish for a checkpoint, before the next step; a pause lets it through."""
        with self._wished:
            self._checkpoint = True
            self._wished.notify_all()

    def change(self, key: str, value: object) -> None:
        """Leave a live change; the newest value of each key wins."""
        with self._wished:
            self._changes[key] = value

    def take_changes(self) -> dict[str, object]:
        """Return the changes left since the last call, and forget them."""
        if not self._changes:
            return {}
        with self._wished:
            changes, self._changes = self._changes, {}
            return changes

    def take_checkpoint_wish(self) -> bool:
        """Return whether a checkpoint was asked for, and forget it."""
        if not self._checkpoint:
            return False
        self._checkpoint = False
        return True

    @property
    def paused(self) -> bool:
        """Whether a pause is wished; also between steps that are let through one by one."""
        return self._held

    @property
    def stopped(self) -> bool:
        """Whether a stop is wished."""
        return self._stopped

    @property
    def shows_every_step(self) -> bool:
        """Whether training is slow enough to look at every step."""
        return self._stepping or self._pace_s > 0.0

    def wait_until_resumed(self) -> None:
        """Block while paused; a stop ends the wait, a single step or a checkpoint lets the caller through once."""
        with self._wished:
            self._stepping = False
            self._wished.wait_for(lambda: not self._held or self._steps > 0 or self._checkpoint)
            if self._held and self._steps > 0 and not self._checkpoint:
                self._steps -= 1
                self._stepping = True

    def wait_for_pace(self) -> None:
        """Block for the time of slow motion; a stop, a pause of it or a faster pace ends the wait."""
        if self._pace_s <= 0.0:
            return
        start = time.monotonic()
        with self._wished:
            while not self._stopped and (left := start + self._pace_s - time.monotonic()) > 0.0:
                self._wished.wait(left)
