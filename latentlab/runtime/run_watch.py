"""Reads curves and pictures of several runs for comparing, going on while they are written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from latentlab.core.buffers import MetricHistory
from latentlab.core.errors import InputError
from latentlab.core.messages import Images
from latentlab.core.recipe_io import read_recipe
from latentlab.core.run_folder import METRICS, PREVIEWS, RECIPE
from latentlab.core.run_listing import SheetPicture, Sheets, Wish
from latentlab.runtime.run_reader import Stamp, stamp

if TYPE_CHECKING:
    from latentlab.training.metrics_db import MetricsFollower, Series

THUMBNAIL = (96, 54)


def curve_name(place: int, metric: str) -> str:
    """Return what the metric of the run at ``place`` of a wish is called in the shared history."""
    return f"{place}/{metric}"


class CurveWatch:
    """The curves of some runs in one history, each against step, seconds or images. Thread: one reads."""

    def __init__(self, wish: Wish, history: MetricHistory) -> None:
        self.wish = wish
        self.history = history
        self._followers: list[MetricsFollower | None] = [None] * len(wish.runs)
        self._stamps: list[Stamp] = [()] * len(wish.runs)
        self._batch: list[int] = [_batch_size(run) for run in wish.runs]

    def poll(self) -> None:
        """Add what was logged since the last look."""
        for place, run in enumerate(self.wish.runs):
            path = run / METRICS
            now = stamp(path, path.with_name(f"{path.name}-wal"))
            if now == self._stamps[place]:
                continue
            self._stamps[place] = now
            try:
                self._read(place, path)
            except (InputError, OSError, sqlite3.Error):
                self._stamps[place] = ()  # Not there yet, or being replaced: tried again at the next look.

    def _read(self, place: int, path: Path) -> None:
        from latentlab.training.metrics_db import MetricsFollower

        follower = self._followers[place] = self._followers[place] or MetricsFollower(path)
        started_over, new = follower.poll()
        if started_over and any(name.startswith(f"{place}/") for name in self.history.names()):
            self._start_over()
            return
        self._extend(place, new)

    def _start_over(self) -> None:
        """A run went back to its last checkpoint: read all of them anew, as a history only grows."""
        self.history.clear()
        self._followers = [None] * len(self.wish.runs)
        self._stamps = [()] * len(self.wish.runs)

    def _extend(self, place: int, new: Series) -> None:
        from latentlab.training.metrics_db import ELAPSED

        known, seconds = new.pop(ELAPSED, (np.empty(0), np.empty(0)))
        for name, (steps, values) in new.items():
            x = steps
            if self.wish.axis == "images":
                x = steps * self._batch[place]
            elif self.wish.axis == "time":
                x = np.interp(steps, known, seconds) if len(known) else steps
            self.history.extend(curve_name(place, name), x, values)


def _batch_size(run: Path) -> int:
    try:
        return read_recipe(run / RECIPE).training.batch_size
    except InputError:
        return 1


def sheet_steps(run: Path, kind: str) -> dict[int, Path]:
    """Return the preview pictures of a run by step."""
    found = {}
    for path in (run / PREVIEWS).glob(f"step_*_{kind}.png"):
        number = path.name.split("_")[1]
        if number.isdigit():
            found[int(number)] = path
    return found


SheetFiles = tuple[dict[int, Path], ...]


def find_sheets(wish: Wish) -> SheetFiles:
    """Return which preview pictures each run of a wish has, without reading any."""
    return tuple(sheet_steps(run, wish.sheet) for run in wish.runs)


def read_sheets(wish: Wish, by_run: SheetFiles) -> Sheets:
    """Return the picture of every run of a wish that lies nearest to its step."""
    pictures = tuple(_nearest(run, sheets, wish.step) for run, sheets in zip(wish.runs, by_run, strict=True))
    return Sheets(wish, pictures, tuple(sorted({step for sheets in by_run for step in sheets})))


def _nearest(run: Path, sheets: dict[int, Path], wanted: int | None) -> SheetPicture:
    if not sheets:
        return SheetPicture(run)
    step = max(sheets) if wanted is None else min(sheets, key=lambda step: (abs(step - wanted), step))
    picture = read_picture(sheets[step])
    return SheetPicture(run, step, picture) if picture is not None else SheetPicture(run)


def read_picture(path: Path) -> Images | None:
    """Return a picture (H,W,3) uint8; None for one that cannot be read."""
    try:
        with Image.open(path) as image:
            return np.ascontiguousarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError):
        return None


class Thumbnails:
    """A small picture of each run: the beginning of its newest reconstructions or samples. Thread: one."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Path, Images]] = {}

    def of(self, runs: Iterable[Path]) -> dict[Path, Images]:
        """Return the pictures of those that have one; only new ones are read."""
        found: dict[Path, tuple[Path, Images]] = {}
        for run in runs:
            sheet = _newest_sheet(run)
            if sheet is None:
                continue
            known = self._known.get(run)
            if known is None or known[0] != sheet:
                small = _small(sheet)
                if small is None:
                    continue
                known = (sheet, small)
            found[run] = known
        self._known = found
        return {run: picture for run, (_, picture) in found.items()}


def _newest_sheet(run: Path) -> Path | None:
    for kind in ("reconstructions", "samples"):
        sheets = sheet_steps(run, kind)
        if sheets:
            return sheets[max(sheets)]
    return None


def _small(sheet: Path) -> Images | None:
    picture = read_picture(sheet)
    if picture is None:
        return None
    width, height = THUMBNAIL
    scale = max(width / picture.shape[1], height / picture.shape[0], 0.3)
    image = Image.fromarray(picture[: round(height / scale) or 1, : round(width / scale) or 1])
    return np.ascontiguousarray(image.resize(THUMBNAIL, Image.Resampling.BOX))
