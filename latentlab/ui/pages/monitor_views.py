"""The Monitor's views: curves first, and behind them latents, gradients, the game, and the doctor."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from latentlab.core.recipe_base import ADVERSARIAL, PROBABILISTIC
from latentlab.runtime.training_session import TrainingSession
from latentlab.ui import style
from latentlab.ui.pages.monitor_grid import PlotGrid
from latentlab.ui.pages.monitor_layout import PlotLayout
from latentlab.ui.views.latent_figures import VectorFigure
from latentlab.ui.views.plot_group import PlotGroup
from latentlab.ui.views.plot_spec import PlotSpec
from latentlab.ui.views.plot_tabs import GAME_PLOTS, LATENT_PLOTS, PULL_PLOTS, known_plots

FIGURE_S = 0.5
"""Figures are read anew at most so often: their numbers come with tests, the cursor moves faster."""
NOTHING_YET = "Nothing has been measured for this view yet."


@dataclass(frozen=True)
class ViewSpec:
    """One view: its chip's words and what it shows. ``kinds``: the models that it makes sense for."""

    name: str
    text: str
    tooltip: str
    kinds: tuple[str, ...] = ()


VIEWS = (
    ViewSpec("curves", "Curves", "What is minimised, and how well it goes"),
    ViewSpec(
        "latents",
        "Latents",
        "KL by dimension, aggregate posterior against the prior, length of z, rate and distortion",
        tuple(PROBABILISTIC),
    ),
    ViewSpec("pulls", "Who pulls", "Share of each loss term in the gradient of each network"),
    ViewSpec(
        "game",
        "Game",
        "Discriminator and decoder: verdicts, accuracy, update rates, features, variety of samples",
        tuple(ADVERSARIAL),
    ),
    ViewSpec("doctor", "Doctor", "What goes wrong, why, and what to do about it"),
)


class ViewTabs(QWidget):
    """A chip for each view; Alt+1 to Alt+5."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chips: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(style.SPACING // 2)
        for number, view in enumerate(VIEWS, start=1):
            self._add(view, f"Alt+{number}")
        self.chips["curves"].setChecked(True)
        self._group.buttonToggled.connect(self._on_toggled)

    def _add(self, view: ViewSpec, keys: str) -> None:
        chip = QToolButton()
        chip.setText(view.text)
        chip.setCheckable(True)
        chip.setProperty("kind", "segment")
        chip.setToolTip(f"{view.tooltip} ({keys})")
        chip.setAccessibleName(f"View: {view.text}")
        self._group.addButton(chip)
        self._row.addWidget(chip)
        self.chips[view.name] = chip
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(chip.click)

    @property
    def current(self) -> str:
        """Name of the view chosen."""
        return next(name for name, chip in self.chips.items() if chip.isChecked())

    def offer(self, kind: str) -> None:
        """Offer the views that make sense for a kind of model."""
        for view in VIEWS:
            offered = not view.kinds or not kind or kind in view.kinds
            self.chips[view.name].setVisible(offered)
            if not offered and self.current == view.name:
                self.chips["curves"].setChecked(True)

    def set_count(self, findings: int) -> None:
        """Write how many findings the doctor has on its chip."""
        self.chips["doctor"].setText(f"Doctor · {findings}" if findings else "Doctor")

    @Slot(object, bool)
    def _on_toggled(self, _chip: object, checked: bool) -> None:
        if checked:
            self.chosen.emit(self.current)


class FigureView(QWidget):
    """Figures and plots in one grid. Made when it is first shown; costs nothing while it is hidden."""

    def __init__(self, group: PlotGroup, figures: Sequence[VectorFigure], plots: Sequence[PlotSpec]) -> None:
        super().__init__()
        self._group, self._plots = group, plots
        self.figures = tuple(figures)
        self.grid = PlotGrid(group, figures=self.figures)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.grid)
        self._seen: tuple[object, ...] = ()
        self._at = 0.0

    def choose(self, names: Sequence[str]) -> None:
        """Show the plots of which something was logged."""
        self.grid.set_plots(known_plots(self._plots, names))

    def refresh(self, session: TrainingSession) -> None:
        """Let the figures read what is new."""
        now = time.monotonic()
        seen = (session.vectors.version, self._group.cursor_step, self.figures and self._paths(session))
        if seen == self._seen or now - self._at < FIGURE_S:
            return
        self._seen, self._at = seen, now
        for figure in self.figures:
            figure.take(session.vectors, session.history, self._group.cursor_step)

    @staticmethod
    def _paths(session: TrainingSession) -> object:
        return session.history.last("test_pixel")

    def restart(self) -> None:
        """Forget what was drawn."""
        self._seen = ()


def latents_view(group: PlotGroup) -> FigureView:
    """Return the view of the latents."""
    from latentlab.ui.views.latent_figures import AggregatePosterior, KlBars, KlHeatMap, LengthRing, RateDistortion

    figures = (KlHeatMap(), KlBars(), AggregatePosterior(), LengthRing(), RateDistortion())
    return FigureView(group, figures, LATENT_PLOTS)


def pulls_view(group: PlotGroup) -> FigureView:
    """Return the view of the gradient shares."""
    return FigureView(group, (), PULL_PLOTS)


def game_view(group: PlotGroup) -> FigureView:
    """Return the view of the adversarial game."""
    from latentlab.ui.views.game_figures import Verdicts

    return FigureView(group, (Verdicts(),), GAME_PLOTS)


_MAKERS = {"latents": latents_view, "pulls": pulls_view, "game": game_view}


class Views(QStackedWidget):
    """The views behind the tabs: curves and doctor from the start, the others from when they are first wanted."""

    def __init__(self, group: PlotGroup, doctor: QWidget) -> None:
        super().__init__()
        self._group = group
        self._kind = ""
        self._names: tuple[str, ...] = ()
        self._log = True
        self.tabs = ViewTabs()
        self.curves = PlotGrid(group)
        self.plot_layout = PlotLayout(self)
        self.plot_layout.changed.connect(self._choose_curves)
        group.menu_extras = self.plot_layout.extend
        self.doctor = doctor
        self.made: dict[str, FigureView] = {}
        self.addWidget(self.curves)
        self.addWidget(doctor)
        self.tabs.chosen.connect(self.show_view)

    @property
    def current_view(self) -> FigureView | None:
        """The view on screen, where it is one with figures."""
        return self.made.get(self.tabs.current)

    @Slot(str)
    def show_view(self, name: str) -> None:
        """Show a view; those with figures are made when they are first asked for."""
        if name in _MAKERS and name not in self.made:
            new = self.made[name] = _MAKERS[name](self._group)
            new.grid.set_log(self._log)
            new.choose(self._names)
            self.addWidget(new)
        self.setCurrentWidget({"curves": self.curves, "doctor": self.doctor}.get(name) or self.made[name])
        view = self.made.get(name)
        if view is not None:
            view.restart()
            view.grid.fit_headers()

    def choose(self, kind: str, names: tuple[str, ...]) -> None:
        """Offer the views of a kind of model, with the plots of which something was logged."""
        self._kind, self._names = kind, names
        self._choose_curves()
        self.tabs.offer(kind)
        for view in self.made.values():
            view.choose(names)

    @Slot()
    def _choose_curves(self) -> None:
        self.curves.set_plots(self.plot_layout.specs(self._kind, self._names))

    def grids(self) -> list[PlotGrid]:
        """Return the grids of all views made."""
        return [self.curves, *(view.grid for view in self.made.values())]

    @Slot(bool)
    def set_log(self, log: bool) -> None:
        """Give plots that are read best on a logarithmic axis that axis, or all a linear one."""
        self._log = log
        for grid in self.grids():
            grid.set_log(log)

    def fit_headers(self) -> None:
        """Align the plots on screen."""
        view = self.current_view
        (view.grid if view is not None else self.curves).fit_headers()

    def restart(self) -> None:
        """Start over with another run."""
        self.tabs.set_count(0)
        for view in self.made.values():
            view.restart()
