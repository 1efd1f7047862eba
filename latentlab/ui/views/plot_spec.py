"""Which curves a plot holds, and which plots a kind of model gets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from latentlab.core.metrics import LAST_VALUE, TEST_PREFIX, describe
from latentlab.ui.views.plot_config import Dash


@dataclass(frozen=True, slots=True)
class CurveSpec:
    """One curve: a metric, what the legend calls it, and its colour.

    ``shade`` moves the colour towards the text (0: the colour itself), to tell curves of one family apart.
    ``group`` keeps values together where the legend takes several lines.
    """

    metric: str
    label: str
    colour: str
    dash: Dash = "solid"
    shade: float = 0.0
    group: int = 0

    @property
    def smoothed(self) -> bool:
        """Whether smoothing applies.

        Test values are few, and each is a mean over the whole test set; what was set, as β, has no noise to hide.
        """
        return self.dash == "solid" and self.metric not in LAST_VALUE


@dataclass(frozen=True, slots=True)
class BandSpec:
    """An area between two metrics. ``scales`` says whether the y axis has to hold it."""

    low: str
    high: str
    colour: str
    opacity: float = 0.2
    scales: bool = True


@dataclass(frozen=True, slots=True)
class PlotSpec:
    """One plot: its curves share an axis and a unit. ``log`` is the axis it starts with.

    ``bands`` lie under the curves; with ``stacked`` the curves are shares of a whole, one on top of the other.
    """

    key: str
    title: str
    unit: str
    curves: tuple[CurveSpec, ...]
    log: bool = False
    floor: float | None = 0.0
    tooltip: str = ""
    bands: tuple[BandSpec, ...] = ()
    stacked: bool = False

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics drawn."""
        ends = tuple(name for band in self.bands for name in (band.low, band.high))
        return (*(curve.metric for curve in self.curves), *ends)


def train_and_test(metric: str) -> PlotSpec:
    """Return a plot of a metric (solid) and its test twin (dashed), as the catalogue describes it."""
    about = describe(metric)
    curves = (
        CurveSpec(metric, "train", about.colour),
        CurveSpec(TEST_PREFIX + metric, "test", about.colour, dash="test"),
    )
    return PlotSpec(metric, about.label, about.unit, curves, about.log, tooltip=about.definition)


def _single(metric: str, label: str = "train") -> PlotSpec:
    about = describe(metric)
    return PlotSpec(
        metric,
        about.label,
        about.unit,
        (CurveSpec(metric, label, about.colour),),
        about.log,
        tooltip=about.definition,
    )


def _test_only(metric: str) -> PlotSpec:
    """Return a plot of a metric that is measured on test images only."""
    about = describe(metric)
    curve = CurveSpec(TEST_PREFIX + metric, "test", about.colour, dash="test")
    return PlotSpec(metric, about.label, about.unit, (curve,), about.log, tooltip=about.definition)


def _adversarial() -> PlotSpec:
    looks = {
        "d_real": ("D real", 0.0),
        "d_recon": ("recon", 0.35),
        "d_fake": ("fake", 0.65),
        "g_recon": ("G recon", 0.0),
        "g_fake": ("fake ", 0.45),
    }
    curves = tuple(
        CurveSpec(name, label, describe(name).colour, shade=shade, group=int(name.startswith("g_")))
        for name, (label, shade) in looks.items()
    )
    story = "\n".join(f"{describe(name).label}: {describe(name).definition}" for name in looks)
    return PlotSpec("adversarial", "Adversarial", "nats", curves, tooltip=story)


ALL_PLOTS = (
    train_and_test("kld_per_dim"),
    _single("beta", "β"),
    train_and_test("pixel"),
    train_and_test("feature_matching"),
    _adversarial(),
    train_and_test("reconstruction"),
    train_and_test("loss"),
    train_and_test("active_units"),
    _test_only("sample_diversity"),
    _test_only("energy_distance"),
    _single("d_accuracy"),
)
_OF_KIND = {
    "ae": ("pixel", "reconstruction", "loss"),
    "vae": ("kld_per_dim", "beta", "pixel", "reconstruction", "loss", "active_units"),
    "cvae": ("kld_per_dim", "beta", "pixel", "reconstruction", "loss", "active_units"),
    "vaegan": ("kld_per_dim", "beta", "pixel", "feature_matching", "adversarial", "active_units"),
    "cgan": ("adversarial", "sample_diversity", "energy_distance", "d_accuracy"),
}


def plots_for(kind: str, logged: Collection[str]) -> tuple[PlotSpec, ...]:
    """Return the plots of a kind of model, of which, once anything is logged, only those with a logged metric.

    A kind that is not known here gets every plot that has a metric.
    """
    keys = _OF_KIND.get(kind)
    known = [plot for plot in ALL_PLOTS if keys is None or plot.key in keys]
    if not logged:
        return tuple(known)
    return tuple(plot for plot in known if any(metric in logged for metric in plot.metrics))
