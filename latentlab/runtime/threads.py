"""How many threads torch may use and which of ours give way: the one place that decides both."""

from __future__ import annotations

import os
import sys
import threading

TRAINER_NICE = 5
SWITCH_INTERVAL_S = 0.001


def cores() -> int:
    """Return the number of cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def torch_threads() -> int:
    """Return the size of torch's intra-op team: all cores but one, which is the window's."""
    return max(1, cores() - 1)


def prepare_torch() -> None:
    """Import torch in the calling thread and cap its OpenMP team and OpenCV's.

    Every worker calls this first. Torch keeps the cap in a process-wide variable that a thread
    reads when it first computes, but a thread that computed before keeps its own; hence once per
    thread (measured with torch 2.15: a thread that asked before the cap stays at all cores).

    Thread: any worker.
    """
    import cv2
    import torch

    torch.set_num_threads(torch_threads())
    cv2.setNumThreads(torch_threads())


def share_interpreter() -> None:
    """Let Python threads change over more often than every 5 ms, so that the window waits less for the trainer."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)


def step_aside() -> None:
    """Lower the calling thread's priority, so that the window and the pictures go first on a busy machine.

    Linux gives every thread its own nice value; elsewhere this does nothing. Thread: trainer.
    """
    if sys.platform == "linux":
        try:
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + TRAINER_NICE)
        except OSError:  # A sandbox may forbid it; training works all the same.
            return
