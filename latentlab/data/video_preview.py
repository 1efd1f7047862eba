"""Looking at films before a data set is made of them: facts, single frames, counts, and some of the pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import ErrorReport, Images, Ints, ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.core.video_dataset import DatasetPreview, FilmFacts
from latentlab.data.catalog import load_dataset
from latentlab.data.source import file_identity
from latentlab.data.spec import parse_spec
from latentlab.data.video import VideoReader
from latentlab.data.video_index import FrameIndex
from latentlab.data.video_shape import FrameShape
from latentlab.data.video_source import FilmPlan, plan_videos
from latentlab.data.video_splits import split_video

SHOWN = 24
"""Pictures shown of the training frames; of the test frames half as many."""


class FilmShelf:
    """Films that were looked at; the order of their frames is remembered while the files stay as they are.

    Thread: whichever created it.
    """

    def __init__(self) -> None:
        self._indices: dict[Path, tuple[object, FrameIndex]] = {}

    def facts(self, path: Path) -> FilmFacts:
        """Return what is known about a film; one that cannot be used says why."""
        try:
            with self._open(path) as reader:
                info = reader.info
                keys = len(reader.index.entries)
                return FilmFacts(path, info.frames, keys, info.width, info.height, info.fps, info.duration_s)
        except InputError as error:
            return FilmFacts(path, problem=ErrorReport.of(error))

    def frame(self, path: Path, share: float) -> tuple[int, Images]:
        """Return number and picture of the frame at ``share`` (0 to 1) of a film.

        Raises
        ------
        InputError
            If it cannot be decoded.
        """
        with self._open(path) as reader:
            number = min(reader.frames - 1, int(share * reader.frames))
            return number, reader.read(number)

    def count(self, config: DataConfig, generation: int) -> tuple[DatasetPreview, list[FilmPlan]]:
        """Return how many frames a recipe takes, without decoding any; standing frames are not told apart.

        Raises
        ------
        InputError
            If a film cannot be used, or the frames cannot be split.
        """
        plans = plan_videos(parse_spec(config.spec).argument, config, self._known())
        file_of = _files(plans)
        train, test = split_video(file_of, config.test_fraction, config.split)
        still = 0 if config.dedup is None else None
        return _preview(config, generation, len(file_of), train, test, still), plans

    def pictures(self, config: DataConfig, plans: list[FilmPlan], rows: Ints, go_on: Callable[[], None]) -> Images:
        """Decode some of the frames planned, (N, H, W, C); ``go_on`` is called before each and may raise."""
        shape = FrameShape(config.crop, config.size, 1 if config.colour == "grey" else 3)
        file_of, numbers = _files(plans), np.concatenate([plan.numbers for plan in plans])
        images = []
        for position in np.unique(file_of[rows]).tolist():
            plan = plans[position]
            with VideoReader(plan.file, plan.index) as reader:
                for row in rows[file_of[rows] == position].tolist():
                    go_on()
                    images.append(shape.apply(reader.read(int(numbers[row]))))
        return np.stack(images)

    def split(self, config: DataConfig, plans: list[FilmPlan]) -> tuple[Ints, Ints]:
        """Return the rows of training and test frames that are shown, evenly spread."""
        train, test = split_video(_files(plans), config.test_fraction, config.split)
        return spread(train, SHOWN), spread(test, SHOWN // 2)

    def decoded(self, config: DataConfig, generation: int, chosen: int, progress: ProgressSink) -> DatasetPreview:
        """Decode everything into the cache, as a training would, and return what came of it.

        Raises
        ------
        InputError
            As the training would.
        Cancelled
            Passed through from ``progress``.
        """
        data = load_dataset(config, progress=progress)
        still = chosen - len(data.images)
        preview = _preview(config, generation, chosen, data.train_index, data.test_index, still)
        shown = spread(data.train_index, SHOWN), spread(data.test_index, SHOWN // 2)
        return with_pictures(preview, np.array(data.images[shown[0]]), np.array(data.images[shown[1]]))

    def _open(self, path: Path) -> VideoReader:
        known = self._known().get(path)
        reader = VideoReader(path, known)
        if known is None:
            self._indices[path] = (file_identity(path), reader.index)
        return reader

    def _known(self) -> dict[Path, FrameIndex]:
        """Return the indices of the files that have not changed since."""
        known = {}
        for path, (identity, index) in self._indices.items():
            try:
                if file_identity(path) == identity:
                    known[path] = index
            except OSError:
                continue
        return known


def spread(rows: Ints, count: int) -> Ints:
    """Return up to ``count`` of ``rows``, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(np.int64)]


def with_pictures(preview: DatasetPreview, train: Images, test: Images) -> DatasetPreview:
    """Return the preview with pictures."""
    return replace(preview, train_images=train, test_images=test)


def _files(plans: list[FilmPlan]) -> Ints:
    return np.repeat(np.arange(len(plans), dtype=np.int64), [len(plan.numbers) for plan in plans])


def _preview(
    config: DataConfig, generation: int, chosen: int, train: Ints, test: Ints, still: int | None
) -> DatasetPreview:
    kept = chosen - (still or 0)
    none = np.empty((0, *config.size, 3), dtype=np.uint8)
    megabytes = kept * config.size[0] * config.size[1] * (1 if config.colour == "grey" else 3) / 1e6
    return DatasetPreview(
        generation, chosen, len(train), len(test), kept - len(train) - len(test), still, none, none, megabytes
    )
