"""From a film and a model to a new film: reconstructed, compared or edited, with its times and its sound."""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from latentlab.core.errors import InputError
from latentlab.core.messages import Images, Ints, WeightSnapshot
from latentlab.core.video_export import MAX_GIF_RATE, ExportPlan, ExportProgress, ExportSink, ExportSummary
from latentlab.explore.export import FORMAT, KEYWORD, Origin
from latentlab.explore.video_difference import difference_image
from latentlab.explore.video_export_csv import FrameTable, MeasuresFile
from latentlab.explore.video_export_frames import FilmBatch, FilmModel
from latentlab.explore.video_export_gif import GifWriter
from latentlab.explore.video_export_pictures import PicturesWriter, SheetWriter, check_free
from latentlab.explore.video_export_timing import check_range
from latentlab.explore.video_input import FrameInput
from latentlab.explore.video_latent_measure import FrameMeasurer
from latentlab.explore.video_write import VideoWriter
from latentlab.models.device import DevicePolicy

FilmWriter = VideoWriter | GifWriter | PicturesWriter | SheetWriter


def export_film(
    plan: ExportPlan,
    source: Path,
    snapshot: WeightSnapshot,
    *,
    policy: DevicePolicy | None = None,
    progress: ExportSink | None = None,
) -> ExportSummary:
    """Write what ``plan`` says of the film, picture or folder of pictures ``source``.

    Nothing appears under the final names before it is whole; whatever goes wrong leaves no part of it.
    Memory does not grow with the length of the film, apart from one number per frame.

    Raises
    ------
    InputError
        One sentence for whatever cannot be read or written.
    Cancelled
        Passed through from ``progress``.
    """
    began = time.monotonic()
    check_output(plan, source)
    model = FilmModel(snapshot, policy)
    measurer = None
    if plan.csv is not None:
        measurer = FrameMeasurer(policy)
        measurer.load(snapshot)
    with contextlib.closing(FrameInput(source, snapshot.info, plan.crop)) as frames:
        return _Export(plan, frames, model, progress, began).run(measurer)


class _Export:
    """One export at work: the frames go from the source through the model to the writers."""

    def __init__(
        self, plan: ExportPlan, frames: FrameInput, model: FilmModel, progress: ExportSink | None, began: float
    ) -> None:
        self.plan, self.frames, self.model = plan, frames, model
        self.last = check_range(plan.first, plan.last, frames.frames, frames.path.name)
        self.timing = frames.timing(plan.first, plan.last, _rate(plan, frames))
        self.pixel: list[float] = []
        self._progress = progress
        self._began = began
        self._written = 0
        self._times = frames.reader.times_s if frames.reader is not None else None

    def run(self, measurer: FrameMeasurer | None = None) -> ExportSummary:
        """Write everything, and say what was written; the table, if there is one, with this measurer."""
        if self.plan.csv is None and not (self.plan.edit and self.plan.edit.radius):
            numbers = np.unique(self.timing.numbers)  # A lower rate needs no more than these.
        else:
            numbers = np.arange(self.plan.first, self.last + 1, dtype=np.int64)
        table = MeasuresFile(self.plan.csv) if self.plan.csv is not None else contextlib.nullcontext()
        with table as rows, self._writer() as writer:
            measures = FrameTable(rows, measurer) if rows is not None and measurer is not None else None
            self._tell(writer)
            for batch in self.model.film(self.frames, numbers, self.plan.edit):
                self._write_batch(writer, batch)
                if measures is not None:
                    measures.add(batch, self._times_of(batch.numbers))
                self.pixel.extend(batch.pixel.tolist())
                self._tell(writer)
            self._refuse_nothing()
            if rows is not None:
                rows.finish()  # Before the film gets its name: either both files appear or neither.
        return self._summary(writer)

    def _writer(self) -> FilmWriter:
        plan, comment = self.plan, describe(self.plan, self.frames.path, self.model)
        if plan.kind == "pictures":
            return PicturesWriter(plan.output, self.timing, Origin.of(self.model.info, self.model.step))
        if plan.kind == "sheet":
            return SheetWriter(plan.output, self.timing, Origin.of(self.model.info, self.model.step))
        if plan.kind == "gif":
            return GifWriter(plan.output, self.timing, comment)
        reader = self.frames.reader
        with_sound = plan.sound and reader is not None and reader.index.seekable
        whole = self.last == self.frames.frames - 1
        return VideoWriter(
            plan.output,
            self.timing,
            sound_of=self.frames.path if with_sound else None,
            sound_end_s=math.inf if whole else self.timing.end_s,
            quality=plan.quality,
            comment=comment,
        )

    def _write_batch(self, writer: FilmWriter, batch: FilmBatch) -> None:
        """Write the frames of a batch as often as the new film shows them."""
        for row, number in enumerate(batch.numbers.tolist()):
            repeats = self._repeats(number)
            if repeats:
                picture = self._compose(batch, row)
                for _ in range(repeats):
                    writer.write(picture)
                self._written += repeats

    def _repeats(self, number: int) -> int:
        low, high = np.searchsorted(self.timing.numbers, (number, number + 1))
        return int(high - low)

    def _compose(self, batch: FilmBatch, row: int) -> Images:
        """Return the panes of one frame side by side, magnified."""
        shown = {"original": batch.originals[row], "reconstruction": batch.images[row]}
        if batch.edited is not None:
            shown["edited"] = batch.edited[row]
        if "difference" in self.plan.panes:
            shown["difference"] = difference_image(
                batch.originals[row], batch.images[row], self.plan.difference, self.plan.gain
            )
        return side_by_side([shown[name] for name in self.plan.panes], self.plan.scale)

    def _times_of(self, numbers: Ints) -> npt.NDArray[np.float64]:
        """Return the source's own times of some frames in seconds; pictures have those of the new film."""
        return self._times[numbers] if self._times is not None else numbers / float(self.timing.rate)

    def _tell(self, writer: FilmWriter) -> None:
        if self._progress is not None:
            took = time.monotonic() - self._began
            speed = self._written / took if took > 0 else 0.0
            total = len(self.timing.numbers)
            self._progress(ExportProgress(self._written, total, speed, writer.bytes_written))

    def _refuse_nothing(self) -> None:
        if not self.pixel:
            raise InputError(
                f"No frame of {self.frames.path.name} could be read", where=str(self.frames.path), hint="Is it damaged?"
            )

    def _summary(self, writer: FilmWriter) -> ExportSummary:
        return ExportSummary(
            self.plan.output,
            self.pixel,
            self._written,
            writer.size,
            None if self.frames.fps is None and self.plan.rate is None else float(self.timing.rate),
            writer.sound,
            self.frames.shape.crop,
            self.model.step,
            time.monotonic() - self._began,
            tuple(self.frames.skipped),
            writer.shown if isinstance(writer, SheetWriter) else None,
        )


def side_by_side(panes: list[Images], scale: int = 1) -> Images:
    """Return pictures of one height, (H, W, 1 or 3) uint8, as one, every pixel ``scale`` times as large."""
    if len({pane.shape[2] for pane in panes}) > 1:
        panes = [np.repeat(pane, 3, axis=2) if pane.shape[2] == 1 else pane for pane in panes]
    picture = np.concatenate(panes, axis=1)
    return picture.repeat(scale, axis=0).repeat(scale, axis=1) if scale > 1 else picture


def describe(plan: ExportPlan, source: Path, model: FilmModel) -> str:
    """Return what there is to know about an exported film as JSON, for the file's comment."""
    origin = Origin.of(model.info, model.step)
    facts: dict[str, object] = {
        "format": FORMAT,
        "run": origin.run,
        "step": origin.step,
        "recipe": origin.recipe,
        "film": source.name,
        "frames": [plan.first, plan.last],
        "panes": list(plan.panes),
        "scale": plan.scale,
    }
    if plan.edit is not None:
        facts["edit"] = plan.edit.to_json()
    return json.dumps({KEYWORD: facts}, ensure_ascii=False)


def check_output(plan: ExportPlan, source: Path) -> None:
    """Refuse what cannot be written before anything is read.

    Raises
    ------
    InputError
        If a folder is missing or may not be written to, or the source would be overwritten.
    """
    for path in [plan.output] if plan.csv is None else [plan.output, plan.csv]:
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}", where=str(path), hint="Make it first.")
        if not os.access(path.parent, os.W_OK):
            raise InputError(
                f"The folder {path.parent} may not be written to", where=str(path), hint="Choose another folder."
            )
        if path.exists() and source.exists() and path.samefile(source):
            hint = "Choose another name; a source is never overwritten."
            raise InputError(f"{path.name} is what is to be read", where=str(path), hint=hint)
    if plan.kind == "pictures":
        check_free(plan.output)
    elif plan.output.is_dir():
        raise InputError(f"{plan.output.name} is a folder", where=str(plan.output), hint="Choose another name.")


def _rate(plan: ExportPlan, frames: FrameInput) -> float | None:
    """Return the rate asked for, at most what a GIF can show."""
    if plan.kind != "gif":
        return plan.rate
    fastest = plan.rate or frames.fps
    return MAX_GIF_RATE if fastest is not None and fastest > MAX_GIF_RATE else plan.rate
