"""What pages share: the services behind the window, passed in rather than reached for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from latentlab.core.messages import Floats
    from latentlab.core.recipe import Recipe
    from latentlab.runtime.dataset_preview import DatasetPreviewService
    from latentlab.runtime.error_hub import ErrorHub
    from latentlab.runtime.inference import InferenceService
    from latentlab.runtime.kept_weights import KeepService
    from latentlab.runtime.latent_map import MapService
    from latentlab.runtime.latent_survey import SurveyService
    from latentlab.runtime.run_jobs import RunJobs
    from latentlab.runtime.run_list import RunListService
    from latentlab.runtime.sweep_service import SweepService
    from latentlab.runtime.training_session import TrainingSession
    from latentlab.runtime.video import VideoService
    from latentlab.runtime.video_export import ExportService
    from latentlab.runtime.weights_history import HistoryService


@dataclass
class AppContext:
    """The services of one window. Actions that belong to the window are callables it fills in."""

    training: TrainingSession
    inference: InferenceService
    video: VideoService
    errors: ErrorHub
    runs_root: Path
    train: Callable[[], None] = field(default=lambda: None)
    open_path: Callable[[Path], None] = field(default=lambda _path: None)
    choose_recipe: Callable[[], None] = field(default=lambda: None)
    explore_point: Callable[[Floats, int], None] = field(default=lambda _z, _label: None)
    save_picture: Callable[[QImage, Path], None] = field(default=lambda _image, _path: None)
    copy_picture: Callable[[QImage], None] = field(default=lambda _image: None)
    place_point: Callable[[Floats, int], None] = field(default=lambda _z, _label: None)
    show_message: Callable[[str], None] = field(default=lambda _text: None)
    recipe: Callable[[], Recipe | None] = field(default=lambda: None)
    change_setting: Callable[[str, object], None] = field(default=lambda _key, _value: None)
    stop_training: Callable[[], None] = field(default=lambda: None)
    use_recipe: Callable[[Recipe, str], None] = field(default=lambda _recipe, _name: None)
    exports: ExportService | None = None
    datasets: DatasetPreviewService | None = None
    survey: SurveyService | None = None
    history: HistoryService | None = None
    keeper: KeepService | None = None
    maps: MapService | None = None
    runs: RunListService | None = None
    sweeps: SweepService | None = None
    run_jobs: RunJobs | None = None
    continue_run: Callable[[Path, int | None], None] = field(default=lambda _run, _steps: None)
    fork_run: Callable[[Path, str, Recipe], None] = field(default=lambda _run, _checkpoint, _recipe: None)
