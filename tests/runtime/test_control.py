"""Wishes of the window: single steps, slow motion, checkpoints in a pause."""

from __future__ import annotations

import threading
import time

from latentlab.runtime.control import Control


class Walker:
    """A loop that asks before every step, as the trainer does."""

    def __init__(self, control: Control) -> None:
        self.control, self.steps, self.saved = control, 0, 0
        self.shown: list[bool] = []
        self.thread = threading.Thread(target=self._walk)
        self.thread.start()

    def _walk(self) -> None:
        while not self.control.stopped:
            while True:
                if self.control.paused:
                    self.control.wait_until_resumed()
                if not self.control.take_checkpoint_wish():
                    break
                self.saved += 1
            self.control.wait_for_pace()
            if self.control.stopped:
                return
            self.shown.append(self.control.shows_every_step)
            self.steps += 1

    def end(self) -> None:
        self.control.stop()
        self.thread.join(5)
        assert not self.thread.is_alive()


def test_steps_one_by_one_and_a_checkpoint_in_the_pause(qtbot):
    control = Control()
    control.pause()
    walker = Walker(control)
    try:
        control.step()
        qtbot.waitUntil(lambda: walker.steps == 1)
        control.step()
        control.step()
        qtbot.waitUntil(lambda: walker.steps == 3)
        assert walker.shown == [True] * 3
        assert control.paused
        control.ask_for_checkpoint()
        qtbot.waitUntil(lambda: walker.saved == 1)
        assert walker.steps == 3
        control.resume()
        qtbot.waitUntil(lambda: walker.steps > 50)
        assert walker.shown[-1] is False
        control.step()  # Not paused: nothing to let through.
        assert not control.paused
    finally:
        walker.end()


def test_slow_motion_waits_before_every_step_and_a_stop_ends_the_wait(qtbot):
    control = Control()
    control.set_pace(60.0)
    walker = Walker(control)
    assert control.shows_every_step
    control.set_pace(0.0)
    qtbot.waitUntil(lambda: walker.steps > 5)
    control.set_pace(60.0)
    began = time.monotonic()
    walker.end()
    assert time.monotonic() - began < 5
