"""Maps of a latent survey, laid out in the background, and groups of it written to files."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from latentlab.core.errors import Cancelled, InputError, cannot_write
from latentlab.core.latent_map import Group, MapLayout, NormHistogram, Plane, flat_layout, group_of, norm_histogram
from latentlab.core.latent_pca import Pca, pca
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import Floats, Ints, Progress
from latentlab.runtime.video_latent_thread import CallThread

BATCH_LINES = 2000


class MapService(QObject):
    """Lays out surveys: principal directions and dimensions at once, t-SNE in a thread of its own.

    ``layouts`` holds the newest layout of what was asked for last; poll its version. While t-SNE is at work it gets
    the places so far, every 25 steps.

    Thread: GUI, except the slots.
    """

    failed = Signal(object)  # ErrorReport
    exported = Signal(object)  # Path

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.layouts: LatestSlot[MapLayout] = LatestSlot()
        self.norms: LatestSlot[NormHistogram] = LatestSlot()
        self.groups: LatestSlot[Group] = LatestSlot()
        self.progress: LatestSlot[Progress] = LatestSlot()
        self._lock = threading.Lock()
        self._wanted: tuple[LatentSurvey, Plane] | None = None
        self._stop = threading.Event()
        self._pca: tuple[LatentSurvey, Pca] | None = None
        self._done: MapLayout | None = None
        self._embedding: LatentSurvey | None = None
        self._flat = CallThread("map", self, background=1)
        self._slow = CallThread("t-SNE", self, background=2)
        for thread in (self._flat, self._slow):
            thread.failed.connect(self.failed)

    @property
    def busy(self) -> bool:
        """Whether t-SNE is at work."""
        return self.progress.get()[1] is not None

    def show(self, survey: LatentSurvey, plane: Plane) -> None:
        """Lay a survey out; the newest wish wins. t-SNE that is done already is shown again at once."""
        with self._lock:
            self._wanted = (survey, plane)
        if plane.kind != "tsne":
            self._flat.post("layout", "laying out the map", lambda: self._lay_out(survey, plane))
        elif self._done is not None and self._done.survey is survey:
            self.layouts.put(self._done)
        elif not self.busy or self._embedding is not survey:
            self._stop.set()
            self._stop, self._embedding = threading.Event(), survey
            stop = self._stop
            self.progress.put(Progress("t-SNE", 0))
            self._slow.post("layout", "t-SNE", lambda: self._embed(survey, plane, stop))

    def cancel(self) -> None:
        """Give t-SNE up; what it has placed so far stays."""
        self._stop.set()

    def clear(self) -> None:
        """Forget the run."""
        self.cancel()
        with self._lock:
            self._wanted = None
        self._done = self._pca = None
        self.layouts.clear()
        self.norms.clear()
        self.groups.clear()

    def gather(self, layout: MapLayout, chosen: npt.NDArray[np.bool_]) -> None:
        """Find out about the chosen points (M,) of a layout; the answer comes to ``groups``."""
        self._flat.post("group", "looking at the group", lambda: self.groups.put(group_of(layout, chosen)))

    def export(self, path: Path, survey: LatentSurvey, index: Ints) -> None:
        """Write some images of a survey to ``path``, .csv or .npz; ``exported`` or ``failed`` follows."""
        self._flat.post(f"export {path}", f"writing {path.name}", lambda: self._export(path, survey, index))

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """End both threads after the piece in hand; return whether they have."""
        self._stop.set()
        for thread in (self._flat, self._slow):
            thread.close()
        return all(thread.wait(timeout_ms) for thread in (self._flat, self._slow))

    def _publish(self, layout: MapLayout) -> None:
        """Thread: either."""
        with self._lock:
            wanted = self._wanted
            if wanted is not None and wanted[0] is layout.survey and wanted[1].kind == layout.plane.kind:
                self.layouts.put(layout)

    def _directions(self, survey: LatentSurvey) -> Pca:
        """Return a survey's principal directions, computed once. Thread: either."""
        known = self._pca
        if known is None or known[0] is not survey:
            known = self._pca = (survey, pca(survey.mu))
        return known[1]

    def _lay_out(self, survey: LatentSurvey, plane: Plane) -> None:
        """Thread: map."""
        fresh = self._pca is None or self._pca[0] is not survey
        self._publish(flat_layout(survey, plane, self._directions(survey)))
        if fresh or self.norms.get()[1] is None:
            self.norms.put(norm_histogram(survey))

    def _embed(self, survey: LatentSurvey, plane: Plane, stop: threading.Event) -> None:
        """Thread: t-SNE."""
        from latentlab.explore.map_embedding import embed, sample

        index = sample(len(survey))
        directions = self._directions(survey)

        def laid_out(points: Floats, step: int, steps: int) -> MapLayout:
            return MapLayout(plane, survey, index, points, ("t-SNE 1", "t-SNE 2"), directions, (step, steps))

        def tell(progress: Progress) -> None:
            if stop.is_set():
                raise Cancelled
            self.progress.put(progress)

        try:
            points = embed(survey.mu[index], tell, lambda *so_far: self._publish(laid_out(*so_far)))
            self._done = laid_out(points, 0, 0)
            self._publish(self._done)
        except Cancelled:
            return
        except ValueError as error:
            raise InputError(str(error), where="t-SNE") from None
        finally:
            if not stop.is_set() or stop is self._stop:  # Else another one has begun.
                self.progress.clear()

    def _export(self, path: Path, survey: LatentSurvey, index: Ints) -> None:
        """Thread: map."""
        write_group(path, survey, index)
        self.exported.emit(path)


def write_group(path: Path, survey: LatentSurvey, index: Ints) -> None:
    """Write images of a survey: ``.csv`` has a line each; ``.npz`` has arrays that ``latentlab decode`` reads.

    Columns and arrays: ``row`` of the data set, ``label``, ``test``, ``pixel``, ``time``, known causes, ``mu`` (in a
    table ``mu0``...) and ``logvar`` (npz only).

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    part = survey.rows_where(index)
    arrays: dict[str, Any] = {"row": part.rows, "label": part.labels, "test": part.test, "pixel": part.pixel}
    arrays |= {"time": part.time, "film": part.film, **part.factors}
    arrays = {name: values for name, values in arrays.items() if values is not None}
    beside = path.with_name(path.name + ".part")
    try:
        if path.suffix.lower() == ".csv":
            with beside.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow([*arrays, *(f"mu{dim}" for dim in range(part.dim))])
                writer.writerows(_lines(arrays, part.mu))
        else:
            if part.logvar is not None:
                arrays["logvar"] = part.logvar
            with beside.open("wb") as file:
                np.savez(file, allow_pickle=False, mu=part.mu, step=part.step, **arrays)
        beside.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        beside.unlink(missing_ok=True)


def _lines(arrays: dict[str, Any], mu_ND: Floats) -> Iterator[list[object]]:
    """Yield the lines of a table, converted a batch at a time."""
    for start in range(0, len(mu_ND), BATCH_LINES):
        part = slice(start, start + BATCH_LINES)
        columns = [_plain(values[part]) for values in arrays.values()]
        for facts, codes in zip(zip(*columns, strict=True), mu_ND[part].tolist(), strict=True):
            yield [*facts, *(f"{code:.6g}" for code in codes)]


def _plain(values: np.ndarray[Any, Any]) -> list[object]:
    if values.dtype.kind == "f":
        return [f"{value:.6g}" for value in values.tolist()]
    return list((values.astype(int) if values.dtype.kind == "b" else values).tolist())
