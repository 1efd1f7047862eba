"""Trainings of a sweep on other machines: handed to a Dask cluster, whose scheduler decides where each is run.

The sweep's folder has to be on a disk that all machines see under the same path, and latentlab has to be installed on
each of them. Whoever trains writes the run there; the machine that began the sweep reads how far it is.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from latentlab.core.errors import EXIT_FAILURE, InputError
from latentlab.training.run_lock import is_being_trained
from latentlab.training.sweep_place import Job, ask_to_stop, launch

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S = 10
LOOK_S = 0.5


class DaskTraining:
    """A training that the cluster was given; it may still wait for a free worker."""

    def __init__(self, client: Client, job: Job) -> None:
        from distributed import Event

        self.stopping = False
        wish = f"latentlab-stop-{job.run}-{time.time_ns()}"
        self._wish = Event(wish, client)
        # Of a worker that is lost another takes over, from the last checkpoint: its folder is a run by then.
        self._future = client.submit(train_here, job, wish, key=wish, pure=False)

    def poll(self) -> int | None:
        """Return the exit code once the training has ended; a task that the cluster gave up has failed."""
        if not self._future.done():
            return None
        return int(self._future.result()) if self._future.status == "finished" else EXIT_FAILURE

    def stop(self) -> None:
        """Wish for a checkpoint and the end."""
        if not self.stopping:
            self.stopping = True
            self._wish.set()

    def close(self) -> None:
        """Wish for the end, and forget the task."""
        if not self._future.done():
            self._wish.set()
        self._future.release()


class DaskPlace:
    """A Dask cluster.

    Parameters
    ----------
    address
        Of its scheduler, e.g. ``tcp://10.0.0.1:8786``.

    Attributes
    ----------
    slots
        How many trainings the workers take at a time: one for each of their threads.

    Raises
    ------
    InputError
        If Dask is not installed, no scheduler answers, or it has no workers.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise InputError(
                "A cluster needs Dask, which is not installed",
                where="--cluster",
                hint='Install it: pip install "latentlab[dask]".',
            ) from None
        try:
            self._client = Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"No Dask scheduler answers at {address}: {error}",
                where="--cluster",
                hint="Start one with `dask scheduler`, and `dask worker tcp://HOST:8786` on each machine.",
            ) from None
        self.slots = sum(self._client.nthreads().values())
        if not self.slots:
            self.close()
            raise InputError(
                f"The Dask cluster at {address} has no workers",
                where="--cluster",
                hint="Start `dask worker` with this address on each machine.",
            )

    def start(self, job: Job) -> DaskTraining:
        """Hand a training to the cluster."""
        return DaskTraining(self._client, job)

    def close(self) -> None:
        """Leave the cluster, which goes on."""
        self._client.close()


def train_here(job: Job, wish: str) -> int:
    """Train in a process of the worker's machine, until it ends or the sweep wishes for the end. Thread: a worker's.

    It computes with the worker's share of the cores, or with ``LATENTLAB_THREADS`` where the worker was started so.

    Returns
    -------
    int
        The exit code.
    """
    from dataclasses import replace

    from distributed import Event, get_worker

    worker: Any = get_worker()
    threads = int(os.environ.get("LATENTLAB_THREADS", 0)) or max(1, (os.cpu_count() or 1) // worker.state.nthreads)
    stop, asked = Event(wish), False
    while is_being_trained(job.run):  # By what is left of a worker that was lost: it saves, and ends.
        time.sleep(LOOK_S)
    process = launch(replace(job, threads=threads))
    try:
        while process.poll() is None:
            if not asked and stop.is_set():
                asked = True
                ask_to_stop(process)
            time.sleep(LOOK_S)
    finally:
        if process.stdin is not None:
            process.stdin.close()
    return process.returncode
