"""What is known about the data of the run at hand, gathered from the gallery and the latent survey."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from latentlab.core.explore_data import ExploreData, explore_data
from latentlab.core.latent_stats import DimensionStats, dimension_stats
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.messages import Gallery, ModelInfo
from latentlab.runtime.latest_work import LatestWork
from latentlab.ui.context import AppContext
from latentlab.ui.pages.explore_side import ChangeMeter, PictureChange, UseMeter

PANE = "explore"


class DataWatch(QObject):
    """Keeps the newest facts about the data's codes. Thread: GUI; sums are done beside it.

    Until there is a survey of the whole data set, some of the gallery's pictures stand in for it.

    Signals
    -------
    stats_changed
        ``stats`` is newer.
    data_changed
        ``data`` is newer.
    """

    stats_changed = Signal()
    data_changed = Signal()

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self.stats: DimensionStats | None = None
        self.data: ExploreData | None = None
        self._use = UseMeter(context, self)
        self._change = ChangeMeter(context, self)
        self._use.measured.connect(self._on_use)
        self._change.measured.connect(self._on_change)
        self._changes: PictureChange | None = None
        self._work: LatestWork[ExploreData] = LatestWork("reading the latent survey")
        self._survey_seen = self._result_seen = -1
        self._surveyed = False
        self._stats_step = -1
        self._info: ModelInfo | None = None

    def watch(self, on: bool) -> None:
        """Say whether the page is looking, so that there should be a survey."""
        if self._context.survey is not None:
            self._context.survey.watch(PANE, on)

    def follow(self, weights: object, info: ModelInfo, gallery: Gallery | None, label: int, quiet: bool) -> None:
        """Measure and collect what is due."""
        self._info = info
        if info.has_encoder:  # Use is what the encoder puts into a dimension.
            self._use.follow(weights, gallery, info)
            self._take_survey(info)
        self._change.follow(weights, info, None if self.data is None else self.data.draws, label, quiet)
        version, data = self._work.results.get()
        if version != self._result_seen:
            self._result_seen = version
            if data is not None and data.dim == info.latent_dim:
                self.data = data
                self._take_stats(data.stats, data.step)
                self.data_changed.emit()

    def _take_survey(self, info: ModelInfo) -> None:
        service = self._context.survey
        if service is None or service.surveys.version == self._survey_seen:
            return
        self._survey_seen, survey = service.surveys.get()
        if survey is not None and survey.info.run == info.run and survey.dim == info.latent_dim and len(survey) > 1:
            self._surveyed = True
            self._work.post(partial(explore_data, survey))

    @Slot(object)
    def _on_use(self, survey: LatentSurvey) -> None:
        if self._info is None or survey.dim != self._info.latent_dim:
            return
        self._take_stats(dimension_stats(survey.mu, survey.logvar), survey.step)
        if not self._surveyed:
            self._work.post(partial(explore_data, survey))

    def _take_stats(self, stats: DimensionStats, step: int) -> None:
        """Keep the stats of the newest weights; of the same weights, those of more images."""
        older = step < self._stats_step
        fewer = step == self._stats_step and self.stats is not None and stats.images < self.stats.images
        if not older and not fewer:
            self._stats_step, self.stats = step, self._with_change(stats)
            self.stats_changed.emit()

    def _with_change(self, stats: DimensionStats) -> DimensionStats:
        known = self._changes
        if known is None or len(known.change) != len(stats.variance):
            return stats
        return replace(stats, change=known.change)

    @Slot(object)
    def _on_change(self, change: PictureChange) -> None:
        self._changes = change
        if self.stats is not None:
            self.stats = self._with_change(self.stats)
            self.stats_changed.emit()

    def cancel(self) -> None:
        """Ask for nothing more until the next ``follow``."""
        self._use.cancel()
        self._change.cancel()

    def restart(self) -> None:
        """Forget everything: another model."""
        self.cancel()
        self._change.restart()
        self._work.forget()
        self.stats = self.data = self._changes = None
        self._surveyed, self._stats_step, self._survey_seen = False, -1, -1
        self._result_seen = self._work.results.version

    def close(self) -> None:
        """End the thread."""
        self.cancel()
        self._work.close()
