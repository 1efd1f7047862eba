"""The measures of each frame as a table."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType
from typing import Any

from latentlab.core.video_messages import psnr_db
from latentlab.explore.video_write import cannot_write, part_name, remove

COLUMNS = ("frame", "time_s", "pixel", "psnr_db", "kld_nats")
"""Number in the film, its own time in seconds, mean squared error in [0,1]² units, PSNR in dB, KLD in nats."""


class MeasuresFile:
    """A CSV file with a row per frame, which appears under its name only when it is whole.

    ``kld_nats`` stays empty for models without a posterior. Numbers have six significant digits.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = part_name(path)
        self._file: Any = None
        self._rows: Any = None

    def add(self, frame: int, time_s: float, pixel: float, kld_nats: float | None) -> None:
        """Write one row."""
        kld = "" if kld_nats is None else f"{kld_nats:.6g}"
        try:
            self._rows.writerow((frame, f"{time_s:.6f}", f"{pixel:.6g}", f"{psnr_db(pixel):.6g}", kld))
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def finish(self) -> None:
        """Write what is still in memory, so that only its name is left to be given when the block ends."""
        try:
            self._file.close()
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def __enter__(self) -> MeasuresFile:
        try:
            self._file = self._part.open("w", newline="", encoding="utf-8")
            self._rows = csv.writer(self._file)
            self._rows.writerow(COLUMNS)
        except OSError as error:
            raise cannot_write(self.path, error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
            if kind is None:
                self._part.replace(self.path)
        except OSError as failure:
            raise cannot_write(self.path, failure) from None
        finally:
            remove(self._part)
