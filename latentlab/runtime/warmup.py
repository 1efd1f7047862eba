"""Pays torch's slow imports after the window is on screen and before the first step needs them."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, QThread, Signal

from latentlab.runtime.threads import prepare_torch, step_aside


@contextmanager
def without_collections() -> Iterator[None]:
    """Keep the garbage collector from walking what is imported in this block, now and ever after.

    Torch brings some 300,000 objects that live as long as the process. A full collection walks them all
    and holds the interpreter meanwhile: measured, stalls of the window of up to 160 ms, several of
    them during the import and one now and then for ever. Frozen, they are never looked at again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # What is frozen would not be torn down, and some extensions complain.
        if was_enabled:
            gc.enable()


def warm_up() -> None:
    """Import torch and do once, in small, what a first training step does.

    The first optimiser imports much of torch by itself, the first convolution and its gradient load
    and set up oneDNN, and the first autocast its casting tables: together seconds, which would
    otherwise stall the window when the first training begins.

    Thread: warm-up (or any worker).
    """
    prepare_torch()
    import torch
    from torch import nn

    network = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.SiLU(), nn.ConvTranspose2d(4, 1, 4, 2, 1))
    network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters())
    x_BCHW = torch.zeros(2, 1, 16, 16).contiguous(memory_format=torch.channels_last)
    for dtype in (torch.float32, torch.bfloat16):
        with torch.autocast("cpu", dtype=dtype, enabled=dtype is torch.bfloat16):
            loss = network(x_BCHW).square().mean()
        optimizer.zero_grad()
        loss.float().backward()
        optimizer.step()


class WarmupThread(QThread):
    """Runs ``warm_up`` once, in the background. Start it after the first paint.

    A failure is no drama: whoever needs torch next meets the same error and reports it.
    """

    done = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("warm-up")

    def run(self) -> None:
        """Warm up. Thread: warm-up."""
        step_aside()
        try:
            with without_collections():
                warm_up()
        except Exception as error:  # noqa: BLE001 - logged through the hook, and met again by the first user.
            sys.excepthook(type(error), error, error.__traceback__)
        self.done.emit()

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """Wait for the end, which cannot be hastened; return whether it has come."""
        return not self.isRunning() or self.wait(timeout_ms)
