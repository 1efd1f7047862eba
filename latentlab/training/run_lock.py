"""Who trains a run: the process that holds its lock, which a kill lets go of too. Needs no torch."""

from __future__ import annotations

import errno
import sys
import time
from pathlib import Path

LOCK = ".lock"


def locked_soon(descriptor: int) -> bool:
    """Lock an open file; a lock that is held for an instant, by somebody who looks whether it is, is waited out."""
    for _ in range(10):
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError):
            time.sleep(0.02)
        else:
            return True
    return False


def is_being_trained(run: Path) -> bool:
    """Whether a training, in whichever process of this machine, has claimed ``run``."""
    try:
        with (run / LOCK).open("r+b") as file:
            _lock(file.fileno())
    except (BlockingIOError, PermissionError):
        return True
    except OSError:
        return False
    return False


def _lock(descriptor: int) -> None:
    """Lock an open file until it is closed; disks that know no locks are taken as they are."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise
