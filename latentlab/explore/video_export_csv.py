"""The measures of each frame as a table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latentlab.core.errors import cannot_write
from latentlab.core.messages import Floats
from latentlab.core.video_messages import psnr_db
from latentlab.explore.video_write import part_name, remove

if TYPE_CHECKING:
    from latentlab.explore.video_export_frames import FilmBatch
    from latentlab.explore.video_latent_measure import FrameMeasurer

Floats64 = npt.NDArray[np.float64]

COLUMNS = ("frame", "time_s", "pixel", "psnr_db", "kld_nats", "reconstruction", "feature_matching", "jitter")
"""Number in the film, its own time in seconds, mean squared error in [0,1]² units, PSNR in dB, KLD in nats, and as in
``FrameMeasurer.measure`` the negative log-likelihood in nats and the feature matching; distance of the latents from
those of the frame before."""


class FrameTable:
    """Measures the frames of a film, batch after batch, and writes a row for each.

    Parameters
    ----------
    rows
        The file.
    measurer
        Loaded with the weights that the film is made with.
    """

    def __init__(self, rows: MeasuresFile, measurer: FrameMeasurer) -> None:
        self._rows, self._measurer = rows, measurer
        self._before: tuple[int, Floats] | None = None

    def add(self, batch: FilmBatch, times_s: Floats64) -> None:
        """Write the rows of a batch whose frames have these times (B,)."""
        measured = self._measurer.measure(batch.originals).values
        for place, number in enumerate(batch.numbers.tolist()):
            more = [measured[name][place] if name in measured else None for name in COLUMNS[5:7]]
            kld = None if batch.kld is None else batch.kld[place]
            jitter = self._jitter(number, batch.mu[place])
            self._rows.add(number, float(times_s[place]), float(batch.pixel[place]), (kld, *more, jitter))

    def _jitter(self, number: int, mu_D: Floats) -> float | None:
        """Return how far the latents moved since the frame before; None where that one was left out."""
        before, self._before = self._before, (number, mu_D)
        if before is None or before[0] != number - 1:
            return None
        return float(np.linalg.norm(mu_D.astype(np.float64) - before[1]))


class MeasuresFile:
    """A CSV file with a row per frame, which appears under its name only when it is whole.

    What a model does not have stays empty, such as the KLD without a posterior. Numbers have six significant digits.

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

    def add(self, frame: int, time_s: float, pixel: float, others: Sequence[float | np.floating | None]) -> None:
        """Write one row; ``others`` are the values of the columns after ``psnr_db``, None where there is none."""
        texts = ["" if value is None else f"{value:.6g}" for value in others]
        try:
            self._rows.writerow((frame, f"{time_s:.6f}", f"{pixel:.6g}", f"{psnr_db(pixel):.6g}", *texts))
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
