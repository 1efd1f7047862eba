"""Pictures on their way out of the window: with everything in their text that brings their state back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from latentlab.core.errors import LatentLabError
from latentlab.core.messages import ErrorReport, WeightSnapshot
from latentlab.core.picture_origin import Origin
from latentlab.core.recipe_io import recipe_toml
from latentlab.runtime.kept_weights import Exported
from latentlab.ui import screenshots
from latentlab.ui.context import AppContext
from latentlab.ui.formatting import format_steps
from latentlab.ui.page import Page
from latentlab.ui.page_state import ShowsWeights, state_of
from latentlab.ui.widgets.weights_follow import FollowBar, WeightsFollow


@dataclass(frozen=True)
class Shown:
    """Where a picture of a page comes from, and the weights behind it, where they are at hand."""

    facts: screenshots.PictureFacts
    snapshot: WeightSnapshot | None


class PictureExporter(QObject):
    """Saves pictures in the background, and says what became of them. Thread: GUI.

    Signals
    -------
    finished
        (path): a picture was saved; None: it could not be.
    """

    finished = Signal(object)

    def __init__(self, context: AppContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        if context.keeper is not None:
            context.keeper.exported.connect(self._on_exported)

    def shown(self, page: Page | None) -> Shown:
        """Return where a picture of ``page`` taken now comes from."""
        training = self._context.training
        run = training.info.run if training.info is not None else None
        snapshot = self._weights_behind(page)
        _, status = training.status.get()
        step = snapshot.step if snapshot is not None else status.step if status is not None else -1
        recipe = training.recipe
        if run is None or step < 0:
            return Shown(screenshots.PictureFacts(run, step, recipe), None)
        state = state_of(page)
        losses = {name: at[1] for name in training.history.names() if (at := training.history.at(name, step))}
        origin = Origin(
            run=str(run.resolve()),
            step=step,
            recipe=recipe_toml(recipe) if recipe is not None else "",
            z=[] if state.z is None else state.z.astype("float64").tolist(),
            labels=[] if state.labels is None else [int(label) for label in state.labels],
            seed=state.seed,
            losses=losses,
            page=page.object_name if page is not None else "",
            view=state.view,
        )
        return Shown(screenshots.PictureFacts(run, step, recipe, origin), snapshot)

    def _weights_behind(self, page: Page | None) -> WeightSnapshot | None:
        """Return the weights that made the picture on screen; of a page without one, those in force."""
        inference = self._context.inference
        if not hasattr(inference, "snapshot_of"):  # A window without an explorer.
            return None
        if isinstance(page, ShowsWeights) and (shown := page.weights_shown()) is not None:
            return shown
        bar = page.findChild(FollowBar) if page is not None else None
        if bar is not None and bar.weights is not None:
            return inference.snapshot_of(*bar.weights)
        return WeightsFollow.of(self._context).newest()[1]

    def save(self, image: QImage, path: Path, page: Page | None) -> None:
        """Write a picture of ``page`` to ``path``; ``finished`` follows."""
        shown = self.shown(page)
        write = writer(image, path, shown.facts)
        if self._context.keeper is not None:
            self._context.keeper.export(write, shown.snapshot)
            return
        try:
            self._on_exported(Exported(write("")))
        except LatentLabError as error:
            self._on_exported(Exported(None, error=ErrorReport.of(error)))

    def copy(self, image: QImage, page: Page | None) -> None:
        """Put a picture on the clipboard; its text goes along where it is pasted as a PNG."""
        for key, text in self.shown(page).facts.texts().items():
            image.setText(key, text)
        screenshots.copy_picture(image)

    @Slot(object)
    def _on_exported(self, exported: Exported) -> None:
        if exported.error is not None:
            self._context.errors.report(exported.error)
        elif exported.path is not None:
            self._context.show_message(told(exported))
        self.finished.emit(exported.path)


def writer(image: QImage, path: Path, facts: screenshots.PictureFacts) -> Callable[[str], Path]:
    """Return what writes the picture once the fingerprint of its weights is known. Thread of the result: any."""

    def write(fingerprint: str) -> Path:
        origin = replace(facts.origin, fingerprint=fingerprint) if facts.origin is not None else None
        return screenshots.save_picture(image, path, replace(facts, origin=origin))

    return write


def told(exported: Exported) -> str:
    """Return the message about a picture that was saved."""
    kept = exported.kept
    if kept is None:
        return f"Saved {exported.path}"
    step = format_steps(exported.step)
    if kept.safe:
        return f"Saved {exported.path} · the weights of step {step} are kept with the run"
    return f"Saved {exported.path} · the weights of step {step} are not kept: {kept.reason}"
