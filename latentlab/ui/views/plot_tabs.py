"""The plots behind the first ones: bands of the latents, who pulls at each network, the adversarial game."""

from __future__ import annotations

from collections.abc import Collection

from latentlab.core.metrics import TEST_PREFIX, describe
from latentlab.core.metrics_signals import GRADIENT_PREFIX, NETWORKS, SHARE_TERMS, share_name
from latentlab.ui.views.plot_spec import BandSpec, CurveSpec, PlotSpec, train_and_test

_SHADES = {"pixel": 0.3, "g_fake": 0.45, "feature_prior": 0.4, "d_recon": 0.3, "d_fake": 0.6, "class_kld": 0.4}
_PLAIN = {
    "reconstruction": "likelihood",
    "g_recon": "G recon",
    "g_fake": "G fake",
    "d_real": "D real",
    "d_recon": "D recon",
    "d_fake": "D fake",
    "feature_prior": "feature, prior",
    "class_kld": "class KLD",
    "class_loss": "classes",
    "r1": "R1",
    "kld": "β KLD",
}


def banded(name: str, title: str, colour: str, *, log: bool = False) -> PlotSpec:
    """Return a plot of a latent statistic: its median, and bands of quantiles within the ends."""
    bands = (
        BandSpec(f"{name}_min", f"{name}_max", colour, 0.10, scales=False),
        BandSpec(f"{name}_q02", f"{name}_q98", colour, 0.18),
        BandSpec(f"{name}_q16", f"{name}_q84", colour, 0.30),
    )
    story = (
        f"{title}s of the batch, images and dimensions together, at each logged step: median (line), the middle 68 % "
        "and 95 % (bands: one and two standard deviations of a normal), lowest and highest (faint; may leave the plot)."
    )
    curves = (CurveSpec(f"{name}_q50", "median", colour),)
    return PlotSpec(f"band_{name}", title, "", curves, log=log, floor=None, tooltip=story, bands=bands)


def _test_curve(metric: str, label: str, colour: str, shade: float = 0.0) -> CurveSpec:
    return CurveSpec(TEST_PREFIX + metric, label, colour, dash="test", shade=shade)


LATENT_PLOTS = (
    banded("z_mean", "Posterior mean", "kld"),
    banded("z_std", "Posterior deviation", "kld", log=True),
    PlotSpec(
        "information",
        "Information in z",
        "nats",
        (_test_curve("kld_nats", "KLD", "kld", 0.4), _test_curve("mutual_information", "mutual information", "kld")),
        tooltip=f"{describe('mutual_information').definition}\nWhat the KLD has beyond it is spent on an aggregate "
        "posterior that is not the prior.",
    ),
)


def _stack(network: str) -> PlotSpec:
    curves = tuple(
        CurveSpec(
            share_name(network, term),
            _PLAIN.get(term, term),
            describe(share_name(network, term)).colour,
            shade=_SHADES.get(term, 0.0) if network != "encoder" else 0.0,
        )
        for term in SHARE_TERMS[network]
    )
    story = (
        f"Share of each loss term in the gradient of the {network}: norm of the term's gradient over the sum of all "
        "terms' norms, every training.gradient_shares_every steps, of 16 images. A term near 1 drowns the others; one "
        "near 0 teaches nothing."
    )
    return PlotSpec(f"pull_{network}", f"Who pulls: {network}", "share", curves, tooltip=story, stacked=True)


def _gradient_norms() -> PlotSpec:
    curves = tuple(
        CurveSpec(f"{GRADIENT_PREFIX}{network}", network, describe(f"{GRADIENT_PREFIX}{network}").colour)
        for network in NETWORKS
    )
    story = "Norm of the gradient of all that a network minimises, over all of its weights; measured with the shares."
    return PlotSpec("gradient_norms", "Gradient norms", "", curves, log=True, tooltip=story)


PULL_PLOTS = (*(_stack(network) for network in NETWORKS), _gradient_norms())


def _probabilities() -> PlotSpec:
    looks = {"real": ("real", "discriminator"), "recon": ("recon", "pixel"), "fake": ("fake", "generator")}
    curves = tuple(CurveSpec(f"d_prob_{kind}", label, colour) for kind, (label, colour) in looks.items())
    return PlotSpec("d_prob", "D's verdicts", "probability", curves, tooltip=describe("d_prob_real").definition)


def _feature_scales() -> PlotSpec:
    curves = tuple(
        CurveSpec(f"feature_rms_{level}", str(level), "feature", shade=0.14 * (level - 1)) for level in range(1, 7)
    )
    story = "Root mean square of the discriminator's features of real images, level by level, 1 being the finest."
    return PlotSpec("feature_scales", "Feature scale", "RMS by level", curves, log=True, tooltip=story)


def _updates() -> PlotSpec:
    curves = (CurveSpec("d_updates", "D", "discriminator"), CurveSpec("g_updates", "decoder", "generator"))
    return PlotSpec("updates", "Update rates", "share", curves, tooltip=describe("d_updates").definition)


def _variety() -> PlotSpec:
    curves = (
        CurveSpec("sample_spread", "spread", "generator"),
        _test_curve("sample_spread", "test", "generator"),
        _test_curve("sample_level", "brightness", "beta"),
        _test_curve("sample_diversity", "diversity", "pixel"),
    )
    names = ("sample_spread", "sample_level", "sample_diversity")
    story = "\n".join(f"{describe(name).label}: {describe(name).definition}" for name in names)
    return PlotSpec("variety", "Samples", "of the data's", curves, tooltip=story)


GAME_PLOTS = (
    _probabilities(),
    PlotSpec(
        "accuracy",
        "D accuracy",
        "share",
        (CurveSpec("d_accuracy", "accuracy", "discriminator"),),
        tooltip=describe("d_accuracy").definition,
    ),
    _updates(),
    _gradient_norms(),
    _feature_scales(),
    _variety(),
    train_and_test("r1"),
)


def known_plots(plots: Collection[PlotSpec], logged: Collection[str]) -> tuple[PlotSpec, ...]:
    """Return the plots of which something was logged; a stack needs two parts."""

    def count(plot: PlotSpec) -> int:
        return sum(metric in logged for metric in plot.metrics)

    return tuple(plot for plot in plots if count(plot) >= (2 if plot.stacked else 1))
