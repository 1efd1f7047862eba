"""A virtual X display with a hand for its mouse and keyboard (Xvfb and xdotool)."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager


def missing_programs() -> list[str]:
    """Return the programs these tests need that are not installed."""
    return [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]


@contextmanager
def virtual_display(width: int = 1400, height: int = 900) -> Iterator[str]:
    """Start Xvfb on a free display number and yield its name, e.g. ``":3"``."""
    read_fd, write_fd = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_fd), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"],
        pass_fds=[write_fd],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_fd)
    try:
        with os.fdopen(read_fd) as pipe:
            number = pipe.readline().strip()  # Xvfb writes it once it accepts connections.
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


class Hand:
    """Mouse and keyboard of a display: every event goes through the X server to whoever it belongs to."""

    def __init__(self, display: str) -> None:
        self._environment = {**os.environ, "DISPLAY": display}

    def __call__(self, *arguments: object) -> str:
        """Run one xdotool command and return what it prints."""
        command = ["xdotool", *map(str, arguments)]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True, timeout=120)
        return done.stdout.strip()

    def click(self, x: int, y: int) -> None:
        """Click the left button at a point of the screen."""
        self("mousemove", "--sync", x, y)
        self("click", 1)

    def drag(self, start: tuple[int, int], end: tuple[int, int], moves: int = 12) -> None:
        """Press at ``start``, move in small steps, release at ``end``."""
        self("mousemove", "--sync", *start)
        self("mousedown", 1)
        for i in range(1, moves + 1):
            x = start[0] + (end[0] - start[0]) * i // moves
            y = start[1] + (end[1] - start[1]) * i // moves
            self("mousemove", x, y)
            time.sleep(0.015)  # A hand's pace, so that the moves are separate events.
        self("mouseup", 1)

    def key(self, *keys: str) -> None:
        """Press keys, e.g. ``key("ctrl+2")``."""
        self("key", *keys)

    def type(self, text: str) -> None:
        """Type text."""
        self("type", "--delay", 5, text)
