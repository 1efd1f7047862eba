"""Which plots the curves view shows: the standard ones of a model, or the user's own choice, saved by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from latentlab.core.metrics import METRICS, TEST_PREFIX, describe
from latentlab.ui.views.plot_spec import ALL_PLOTS, CurveSpec, PlotSpec, plots_for, train_and_test
from latentlab.ui.views.plot_tabs import GAME_PLOTS, LATENT_PLOTS, PULL_PLOTS, known_plots

if TYPE_CHECKING:
    from latentlab.ui.views.plot import MetricPlot

_CATALOGUE = {plot.key: plot for plot in (*ALL_PLOTS, *LATENT_PLOTS, *PULL_PLOTS, *GAME_PLOTS)}
MOST = 16


@dataclass(frozen=True)
class Chosen:
    """One plot of a layout: a known plot or a metric, more metrics drawn into it, and its axis if it was chosen."""

    key: str
    extra: tuple[str, ...] = ()
    log: bool | None = None

    def spec(self) -> PlotSpec:
        """Return what to draw."""
        spec = _CATALOGUE.get(self.key) or train_and_test(self.key)
        known = set(spec.metrics)
        more = tuple(_curve(name, place) for place, name in enumerate(n for n in self.extra if n not in known))
        key = "+".join([spec.key, *(curve.metric for curve in more)])
        return replace(spec, key=key, curves=(*spec.curves, *more), log=spec.log if self.log is None else self.log)

    def as_state(self) -> list[object]:
        """Return JSON-able values."""
        return [self.key, list(self.extra), self.log]

    @classmethod
    def of_state(cls, state: object) -> Chosen | None:
        """Read ``as_state``'s values; None for anything else."""
        if not isinstance(state, list) or len(state) != 3 or not isinstance(state[0], str):
            return None
        extra = tuple(name for name in state[1] if isinstance(name, str)) if isinstance(state[1], list) else ()
        return cls(state[0], extra, state[2] if isinstance(state[2], bool) else None)


def _curve(name: str, place: int) -> CurveSpec:
    about, tested = describe(name), name.startswith(TEST_PREFIX)
    label = f"{about.label}, test" if tested else about.label
    return CurveSpec(name, label, about.colour, dash="test" if tested else "solid", shade=0.2 + 0.2 * (place % 3))


class PlotLayout(QObject):
    """The user's choice of plots. Until there is one, every model gets its standard plots.

    ``changed`` is emitted when other plots are to be shown.
    """

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.chosen: list[Chosen] | None = None
        self.saved: dict[str, list[Chosen]] = {}
        self._kind = ""
        self._names: tuple[str, ...] = ()

    def specs(self, kind: str, names: tuple[str, ...]) -> tuple[PlotSpec, ...]:
        """Return the plots to show of a kind of model, of which these metrics were logged."""
        self._kind, self._names = kind, names
        if self.chosen is None:
            return plots_for(kind, names)
        specs = [item.spec() for item in self.chosen]
        return tuple(spec for spec in specs if not names or any(metric in names for metric in spec.metrics))

    def _current(self) -> list[Chosen]:
        return list(self.chosen or [Chosen(plot.key) for plot in plots_for(self._kind, self._names)])

    def choose(self, chosen: list[Chosen] | None) -> None:
        """Show these plots; None: the standard ones."""
        self.chosen = chosen
        self.changed.emit()

    def toggle(self, key: str) -> None:
        """Show a plot, or no longer; the last one stays."""
        current = self._current()
        kept = [item for item in current if item.key != key]
        if len(kept) == len(current):
            kept = [*current, Chosen(key)][-MOST:]
        self.choose(kept or current)

    # -- menus --------------------------------------------------------------------------------------

    def fill(self, menu: QMenu) -> None:
        """Offer all plots of which something was logged, every metric, and the saved layouts."""
        menu.clear()
        for old in menu.findChildren(QMenu):  # Clearing leaves sub-menus behind.
            old.setParent(None)
            old.deleteLater()
        menu.setToolTipsVisible(True)
        shown = {item.key for item in self._current()}
        standard = {plot.key for plot in plots_for(self._kind, self._names)}
        known = [plot for plot in known_plots(tuple(_CATALOGUE.values()), self._names) if plot.key not in standard]
        for plot in plots_for(self._kind, self._names):
            self._add_toggle(menu, plot.key, plot.title, plot.tooltip, shown)
        more = menu.addMenu("More plots")
        for plot in known:
            self._add_toggle(more, plot.key, plot.title, plot.tooltip, shown)
        single = menu.addMenu("Any metric")
        single.setToolTipsVisible(True)
        for name in self._metrics():
            self._add_toggle(single, name, describe(name).label, f"{name}: {describe(name).definition}", shown)
        menu.addSeparator()
        for name, layout in self.saved.items():
            action = menu.addAction(name, lambda layout=layout: self.choose(list(layout)))
            action.setToolTip("A saved layout.")
        menu.addAction("Save layout…", self.ask_and_save).setToolTip("Keep this choice of plots under a name.")
        if self.saved:
            forget = menu.addMenu("Forget layout")
            for name in self.saved:
                forget.addAction(name, lambda name=name: self.saved.pop(name, None))
        action = menu.addAction("Standard plots", lambda: self.choose(None))
        action.setToolTip("The plots that belong to each kind of model.")
        action.setEnabled(self.chosen is not None)

    def _metrics(self) -> list[str]:
        bases = {name.removeprefix(TEST_PREFIX) for name in self._names}
        order = {name: place for place, name in enumerate(METRICS)}
        return sorted(bases - set(_CATALOGUE), key=lambda name: (order.get(name, len(order)), name))

    def _add_toggle(self, menu: QMenu, key: str, title: str, tip: str, shown: set[str]) -> None:
        action = menu.addAction(title)
        action.setCheckable(True)
        action.setChecked(key in shown)
        action.setToolTip(tip)
        action.triggered.connect(lambda _checked=False: self.toggle(key))

    def extend(self, menu: QMenu, plot: MetricPlot) -> None:
        """Add to a plot's own menu: another curve in it, away with it."""
        keys = [item.spec().key for item in self._current()]
        if plot.spec.key not in keys:
            return
        place = keys.index(plot.spec.key)
        curves = menu.addMenu("Add a curve")
        for name in sorted(self._names):
            if name not in plot.spec.metrics:
                action = curves.addAction(name, lambda name=name: self._change(place, name))
                action.setToolTip(describe(name).definition)
        if self._current()[place].extra:
            menu.addAction("Take added curves away", lambda: self._change(place, None))
        menu.addAction("Keep this y axis", lambda: self._keep_axis(place, plot.log)).setToolTip(
            "Linear or logarithmic as it is now, at every start."
        )
        if len(keys) > 1:
            menu.addAction("Hide this plot", lambda: self.toggle(self._current()[place].key))

    def _change(self, place: int, name: str | None) -> None:
        current = self._current()
        item = current[place]
        current[place] = replace(item, extra=(*item.extra, name) if name is not None else ())
        self.choose(current)

    def _keep_axis(self, place: int, log: bool) -> None:
        current = self._current()
        current[place] = replace(current[place], log=log)
        self.choose(current)

    def ask_and_save(self) -> None:
        """Ask for a name and keep the layout under it."""
        name, given = QInputDialog.getText(self._parent, "Save layout", "Name of this choice of plots:")
        if given and name.strip():
            self.save(name.strip())

    def save(self, name: str) -> None:
        """Keep the layout under a name."""
        self.saved[name] = self._current()

    # -- memory -------------------------------------------------------------------------------------

    def save_state(self) -> dict[str, object]:
        """Return JSON-able values."""
        chosen = None if self.chosen is None else [item.as_state() for item in self.chosen]
        saved = {name: [item.as_state() for item in layout] for name, layout in self.saved.items()}
        return {"plots": chosen, "layouts": saved}

    def restore_state(self, state: dict[str, object]) -> None:
        """Bring them back; what does not fit is ignored."""
        layouts = state.get("layouts")
        if isinstance(layouts, dict):
            read = {str(name): _read(layout) for name, layout in layouts.items()}
            self.saved = {name: layout for name, layout in read.items() if layout}
        chosen = _read(state.get("plots"))
        if chosen:
            self.choose(chosen)


def _read(states: object) -> list[Chosen]:
    found: Sequence[Chosen | None] = [Chosen.of_state(state) for state in states] if isinstance(states, list) else []
    return [item for item in found if item is not None][:MOST]
