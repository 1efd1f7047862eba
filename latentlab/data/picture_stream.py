"""Pictures written one after the other to a .npy file whose length is not known before."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from latentlab.core.messages import Images


class PictureStream:
    """Writes pictures of one shape to a .npy file, (N, H, W, C) uint8, with ordinary calls.

    A memory map would count every page written as memory of the process until the system takes it back,
    and a full disk would end the process instead of raising.

    Parameters
    ----------
    path
        The file, made at the first picture.

    Raises
    ------
    OSError
        From ``append`` and ``close``, if the disk is full or the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.count = 0
        self._path = path
        self._shape: tuple[int, ...] = ()
        self._file: BinaryIO | None = None

    def append(self, picture: Images) -> None:
        """Add one (H, W, C) uint8 picture.

        Raises
        ------
        ValueError
            If it has another shape than the first.
        """
        if self._file is None:
            self._shape = picture.shape
            self._file = self._path.open("wb")
            self._write_header()
        if picture.shape != self._shape:
            raise ValueError(f"a picture of {picture.shape} among pictures of {self._shape}")
        self._file.write(np.ascontiguousarray(picture).data)
        self.count += 1

    def close(self) -> None:
        """State how many pictures there are and release the file."""
        if self._file is None:
            raise ValueError("no pictures were written")
        self._file.seek(0)
        self._write_header()
        self._file.close()
        self._file = None

    def abandon(self) -> None:
        """Release the file, whatever is in it; closing a full disk's file may fail again."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError:
                return
            finally:
                self._file = None

    def _write_header(self) -> None:
        """Write the header; numpy leaves room for the largest count, so that it always has the same length."""
        assert self._file is not None
        shape = (self.count, *self._shape)
        np.lib.format.write_array_header_1_0(self._file, {"descr": "|u1", "fortran_order": False, "shape": shape})
