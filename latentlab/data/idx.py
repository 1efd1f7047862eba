"""The IDX format of MNIST and its kin: a magic number, dimensions, bytes; plain or gzipped."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from latentlab.core.errors import InputError

_UNSIGNED_BYTE = 8


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, gzipped when its name ends in ``.gz``.

    Returns
    -------
    ndarray
        uint8 of the shape that the file states.

    Raises
    ------
    InputError
        If it cannot be read, is of another type, or shorter or longer than its header says.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path.name} cannot be read: {error}", where=str(path)) from None
    header_ok = len(raw) >= 4 and raw[:2] == b"\0\0" and raw[2] == _UNSIGNED_BYTE and 1 <= raw[3] <= 4
    if not header_ok or len(raw) < 4 + 4 * raw[3]:
        raise InputError(f"{path.name} is not an IDX file of bytes", where=str(path))
    start = 4 + 4 * raw[3]
    shape = tuple(int(n) for n in np.frombuffer(raw[4:start], dtype=">u4"))
    if len(raw) - start != int(np.prod(shape)):
        raise InputError(
            f"{path.name} holds {len(raw) - start} bytes, and its header promises {int(np.prod(shape))}",
            where=str(path),
            hint="The file is damaged or cut short; fetch it again.",
        )
    return np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(shape)
