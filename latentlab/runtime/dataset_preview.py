"""What a data set of films will be, found out in the background while somebody chooses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from latentlab.core.errors import Cancelled, LatentLabError
from latentlab.core.mailbox import LatestSlot
from latentlab.core.messages import ErrorReport, Progress, ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.core.video_dataset import DatasetPreview, FilmFacts
from latentlab.core.video_messages import FilmFrame
from latentlab.runtime.video_latent_thread import CallThread

if TYPE_CHECKING:
    from latentlab.data.video_preview import FilmShelf

COUNT_UP_TO_MB = 1500.0
"""Standing frames are counted unasked in data sets of up to this size."""


class DatasetPreviewService(QObject):
    """Looks at films and counts their frames; the newest wish wins. Poll ``frame``, ``preview``, ``progress``.

    Thread: GUI, except the slots, which any thread may read. The work is done in a thread of low
    priority, started with the first wish.
    """

    facts_found = Signal(object)  # FilmFacts
    problem_found = Signal(int, object)  # generation, ErrorReport: why there can be no such data set
    failed = Signal(object)  # ErrorReport: something unforeseen

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.frame: LatestSlot[FilmFrame] = LatestSlot()
        self.preview: LatestSlot[DatasetPreview] = LatestSlot()
        self.progress: LatestSlot[Progress] = LatestSlot()
        self.generation = 0
        self._shelf: FilmShelf | None = None
        self._over = False
        self._thread = CallThread("dataset-preview", self, background=1)
        self._thread.failed.connect(self.failed)

    def look_at(self, path: Path) -> None:
        """Find out what a film is; ``facts_found`` follows."""
        self._thread.post(f"facts {path}", f"looking at {path.name}", lambda: self._find_facts(path))

    def show_frame(self, path: Path, share: float) -> None:
        """Leave the frame at ``share`` (0 to 1) of a film in ``frame``."""
        self._thread.post("frame", f"reading {path.name}", lambda: self._find_frame(path, share))

    def request(self, config: DataConfig, *, count: bool = False) -> int:
        """Find out what a recipe's data set will be; return the generation that the answers will carry.

        Counts come first, then pictures. With ``data.dedup`` everything is decoded into the cache, as
        the training would, unless it is large; ``count`` does it all the same.
        """
        self.generation += 1
        generation = self.generation
        self._thread.post("preview", "looking at the films", lambda: self._find_preview(config, generation, count))
        return generation

    def stop(self) -> None:
        """Forget what was asked for."""
        self.generation += 1

    def shutdown(self, timeout_ms: int = 0) -> bool:
        """End the thread soon; return whether it has ended."""
        self._over = True
        self._thread.close()
        return self._thread.wait(timeout_ms)

    # -- in the thread --------------------------------------------------------------------------

    def _find_facts(self, path: Path) -> None:
        facts: FilmFacts = self._films().facts(path)
        self.facts_found.emit(facts)

    def _find_frame(self, path: Path, share: float) -> None:
        try:
            self.frame.put(FilmFrame(*self._films().frame(path, share)))
        except LatentLabError:  # What is wrong with the film stands in the list.
            self.frame.clear()

    def _find_preview(self, config: DataConfig, generation: int, count: bool) -> None:
        def go_on() -> None:
            if self._over or generation != self.generation:
                raise Cancelled

        def tell(progress: Progress) -> None:
            go_on()
            self.progress.put(progress)

        try:
            self._look(config, generation, count, go_on, tell)
        except Cancelled:
            return
        except LatentLabError as error:
            self.problem_found.emit(generation, ErrorReport.of(error))
        finally:
            self.progress.clear()

    def _look(
        self, config: DataConfig, generation: int, count: bool, go_on: Callable[[], None], tell: ProgressSink
    ) -> None:
        from latentlab.data.video_preview import with_pictures

        go_on()
        films = self._films()
        preview, plans = films.count(config, generation)
        go_on()
        self.preview.put(preview)
        shown = [films.pictures(config, plans, rows, go_on) for rows in films.split(config, plans)]
        self.preview.put(with_pictures(preview, *shown))
        if config.dedup is not None and (count or preview.megabytes <= COUNT_UP_TO_MB):
            self.preview.put(films.decoded(config, generation, preview.chosen, tell))

    def _films(self) -> FilmShelf:
        if self._shelf is None:
            from latentlab.data.video_preview import FilmShelf

            self._shelf = FilmShelf()
        return self._shelf
