"""What was measured on every frame, as a table for other programs."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from latentlab.core.errors import cannot_write
from latentlab.core.messages import Floats
from latentlab.core.video_curves import FrameCurves
from latentlab.core.video_messages import psnr_db


def write_curves(
    path: Path, times_s: npt.NDArray[np.float64], curves: FrameCurves, jitter: Floats | None = None
) -> None:
    """Write one row per frame; a value that is not known is left empty.

    Columns: ``frame``, ``time_s`` (from the first frame), ``psnr_db`` beside ``pixel``, the other metrics by
    their names in ``core.metrics``, and ``jitter``, the distance of the frame's latents from the frame before.
    The file appears under its name only when it is whole.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    columns: dict[str, Floats] = {}
    for name in curves.names:
        if name == "pixel":
            columns["psnr_db"] = np.array([psnr_db(v) if v == v else np.nan for v in curves.values[name].tolist()])
        columns[name] = curves.values[name]
    if jitter is not None and len(jitter) == curves.frames:
        columns["jitter"] = jitter
    part = path.with_name(f".{path.name}.partial")
    try:
        with part.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["frame", "time_s", *columns])
            for frame in range(curves.frames):
                row = [values[frame] for values in columns.values()]
                seconds = float(times_s[frame] - times_s[0])
                table.writerow([frame, f"{seconds:.6f}", *("" if v != v else f"{v:.7g}" for v in row)])
        os.replace(part, path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        part.unlink(missing_ok=True)
