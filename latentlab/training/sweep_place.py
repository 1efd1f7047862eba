"""Where the trainings of a sweep are run: here, each as a process of its own. ``sweep_dask`` runs them elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from latentlab.core.run_folder import is_run

Command = Callable[[Path, Path, bool, str], Sequence[str]]


@dataclass(frozen=True)
class Job:
    """One training: a recipe, the folder of its run, the file its output goes to, and what it may use."""

    recipe: Path
    run: Path
    log: Path
    device: str = "auto"
    threads: int = 1


class Training(Protocol):
    """A training at work."""

    stopping: bool

    def poll(self) -> int | None:
        """Return the exit code once it has ended, else None."""

    def stop(self) -> None:
        """Wish for a checkpoint and the end."""

    def close(self) -> None:
        """Let go of it; one that is still at work ends, with a checkpoint, where that can be arranged."""


class Place(Protocol):
    """Starts trainings."""

    def start(self, job: Job) -> Training:
        """Begin a training, or go on with it where its folder is a run already."""


def train_command(recipe: Path, run: Path, resume: bool, device: str) -> list[str]:
    """Return the command line that trains ``recipe`` into ``run``."""
    command = [sys.executable, "-m", "latentlab", "train", "--out", str(run), "--device", device]
    return [*command, "--resume"] if resume else [*command, str(recipe)]


def launch(job: Job, command: Command = train_command) -> subprocess.Popen[bytes]:
    """Start the process of a training. It ends, with a checkpoint, when its standard input says stop or is closed."""
    resume = is_run(job.run)
    if job.run.exists() and not resume:  # Killed while the folder was being made: nothing was trained into it.
        shutil.rmtree(job.run)
    threads = str(job.threads)
    environment = {**os.environ, "LATENTLAB_FOLLOWS": "1", "LATENTLAB_THREADS": threads, "OMP_NUM_THREADS": threads}
    line = command(job.recipe, job.run, resume, job.device)
    with job.log.open("ab") as log:
        # A session of its own: Ctrl+C in the terminal is for the sweep, which then asks its trainings to save.
        return subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
        )


def ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    """Wish for a checkpoint and the end of a process that was launched."""
    if process.stdin is not None:
        with suppress(OSError):  # It has ended by itself.
            process.stdin.write(b"stop\n")
            process.stdin.flush()


class LocalTraining:
    """A process of this machine."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.stopping = False
        self._process = process

    def poll(self) -> int | None:
        """Return the exit code once the process has ended."""
        return self._process.poll()

    def stop(self) -> None:
        """Wish for a checkpoint and the end."""
        if not self.stopping:
            self.stopping = True
            ask_to_stop(self._process)

    def close(self) -> None:
        """Close its standard input, upon which it ends."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()


class LocalPlace:
    """Starts processes of this machine.

    Parameters
    ----------
    command
        Makes the command line of a training; tests pass their own.
    """

    def __init__(self, command: Command = train_command) -> None:
        self._command = command

    def start(self, job: Job) -> LocalTraining:
        """Start a process."""
        return LocalTraining(launch(job, self._command))
