"""latentlab running in its own process on a virtual display, seen through its probe and touched through X."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import cv2
import numpy as np
from real_display import Hand

PROBE = Path(__file__).with_name("probe.py")
ROOT = PROBE.parents[2]


class RealApp:
    """One start of the app. ``ask`` looks, ``hand`` touches; ``close`` waits for the exit code."""

    def __init__(self, display: str, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.hand = Hand(display)
        self.log = folder / "stderr.txt"
        self.screenshots = os.environ["LATENTLAB_SCREENSHOTS"]
        environment = {
            **os.environ,
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "PYTHONPATH": str(ROOT),
            "PYTHONFAULTHANDLER": "1",
        }
        with self.log.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, str(PROBE), "--runs", str(folder / "runs"), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=environment,
                cwd=folder,
            )
        self._answers: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._next(60) == {"ready": True}
        self.focus()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._answers.put(line)

    def _next(self, timeout_s: float) -> dict[str, Any]:
        try:
            return json.loads(self._answers.get(timeout=timeout_s))
        except Empty:
            raise AssertionError(f"latentlab does not answer:\n{self.log.read_text()[-4000:]}") from None

    def focus(self) -> None:
        """Give the window the keyboard, as a window manager would."""
        window = self.hand("search", "--sync", "--onlyvisible", "--name", "latentlab$").splitlines()[-1]
        self.hand("windowmove", "--sync", window, 0, 0)
        self.hand("windowfocus", "--sync", window)

    def ask(self, question: str, **arguments: Any) -> dict[str, Any]:
        """Ask the probe; a failed question fails the test."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"ask": question, **arguments}) + "\n")
        self.process.stdin.flush()
        answer = self._next(120)
        assert "error" not in answer, f"{question} {arguments}: {answer['error']}"
        return answer

    def wait(self, what: str, condition: Callable[[], Any], timeout_s: float = 60.0) -> Any:
        """Wait until ``condition`` holds and return what it returned."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            value = condition()
            if isinstance(value, np.ndarray) or value:
                return value
            assert self.process.poll() is None, f"latentlab ended early:\n{self.log.read_text()[-4000:]}"
            time.sleep(0.05)
        picture = self.folder / "failed.png"
        self.ask("screen", file=str(picture))
        raise AssertionError(f"{what}: not within {timeout_s:g} s; see {picture}\n{self.log.read_text()[-2000:]}")

    def training(self) -> dict[str, Any]:
        """State, step and run of the training."""
        return self.ask("training")

    def middle(self, name: str) -> tuple[int, int]:
        """Return the middle of what can be seen of a widget, once it has stopped moving."""
        seen: list[list[int]] = [[]]

        def settled() -> bool:
            seen.append(self.ask("rect", name=name)["rect"])
            return len(seen) > 4 and seen[-1] == seen[-4]

        self.wait(f"a place for {name}", settled)
        x, y, width, height = seen[-1]
        assert width > 0, f"{name} cannot be seen"
        assert height > 0, f"{name} cannot be seen"
        return x + width // 2, y + height // 2

    def click(self, name: str) -> None:
        """Click a widget, or the button of an action."""
        self.hand.click(*self.middle(name))

    def picture(self, name: str) -> np.ndarray:
        """Return what a picture view shows, (H, W, 3) uint8 RGB."""
        return self._image("picture", name=name)

    def pane(self, name: str) -> np.ndarray:
        """Return a picture of the video page, (H, W, 3) uint8 RGB."""
        return self._image("pane", name=name)

    def screen(self) -> np.ndarray:
        """Return the pixels that the X server shows, (H, W, 3) uint8 RGB."""
        return self._image("screen")

    def _image(self, question: str, **arguments: Any) -> np.ndarray:
        file = self.folder / "probe.png"
        assert self.ask(question, file=str(file), **arguments)["saved"], f"no {question} {arguments}"
        return cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)

    def close_window(self) -> int:
        """Close the window the way a user does, and return the exit code."""
        self.hand.key("ctrl+q")
        return self.process.wait(60)

    def kill(self) -> None:
        """End the process if a failed test left it, and close its pipes."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self._reader.join(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
