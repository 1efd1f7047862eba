"""How many threads torch may use and which of ours give way: the one place that decides both."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
import threading
from pathlib import Path

TRAINER_NICE = 5
SWITCH_INTERVAL_S = 0.001
_importing = threading.Lock()


def cores() -> int:
    """Return the number of cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def torch_threads() -> int:
    """Return the size of torch's intra-op team: all cores but one, which is the window's."""
    return max(1, cores() - 1)


def load_libraries() -> bool:
    """Load torch's shared libraries without holding the interpreter; return whether they were.

    The dynamic loader takes 0.2 s from a warm disk cache and many times that from a cold one, and an
    import holds the interpreter all the while, which stops the window. A foreign call lets go of it;
    the import then finds the libraries in place. Only those without Python in them: their
    initialisers may run outside the interpreter.
    """
    spec = importlib.util.find_spec("torch")
    if sys.platform != "linux" or spec is None or not spec.submodule_search_locations:
        return False
    libraries = Path(next(iter(spec.submodule_search_locations))) / "lib"
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    modes = {"libtorch_global_deps.so": os.RTLD_NOW | os.RTLD_GLOBAL, "libtorch.so": os.RTLD_NOW}
    handles = [dlopen(os.fsencode(libraries / name), mode) for name, mode in modes.items()]
    return all(handle is not None for handle in handles)


def prepare_torch() -> None:
    """Import torch, one thread at a time, and cap its OpenMP team and OpenCV's.

    Every worker calls this first. Two threads must not import torch at once: its modules import each
    other in circles, where Python hands the second thread a module that is not finished yet. The first
    optimiser imports ``torch._dynamo``, so it belongs to what the lock covers.

    Torch keeps the cap in a process-wide variable that a thread reads when it first computes, but a
    thread that computed before keeps its own; hence once per thread (measured with torch 2.15: a
    thread that asked before the cap stays at all cores).

    Thread: any worker.
    """
    with _importing:
        if "torch" not in sys.modules:
            load_libraries()
        import cv2
        import torch
        import torch._dynamo

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
