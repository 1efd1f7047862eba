"""The catalogue of metrics: one definition, unit and colour for each name on screen and on disk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric is. ``colour`` is a key of the theme; ``log`` asks for a logarithmic axis."""

    name: str
    label: str
    unit: str
    definition: str
    colour: str
    log: bool = False


_ALL = (
    Metric(
        "pixel",
        "Pixel loss",
        "MSE, [0,1]²",
        "Mean squared error per element between image and reconstruction, in "
        "[0,1] units; training uses a sample of q(z|x), test uses its mean.",
        "pixel",
        log=True,
    ),
    Metric("psnr", "PSNR", "dB", "Peak signal-to-noise ratio of the reconstructions: 10 log10(1 / pixel).", "pixel"),
    Metric(
        "kld_nats",
        "KLD",
        "nats",
        "KL(q(z|x) ‖ p(z)) summed over dimensions, averaged over the batch; with the batch "
        "estimator, KL of the batch's moments.",
        "kld",
    ),
    Metric(
        "kld_per_dim", "KLD per dimension", "nats/dim", "kld_nats divided by the number of latent dimensions.", "kld"
    ),
    Metric("beta", "β", "weight", "Weight of the KLD in the loss at this step.", "beta", log=True),
    Metric(
        "reconstruction",
        "Reconstruction",
        "nats/image",
        "Negative log-likelihood of the pixels, summed over the image, averaged over the batch.",
        "pixel",
    ),
    Metric("loss", "Loss", "nats/image", "What the encoder and decoder minimise.", "neutral"),
    Metric(
        "feature_matching",
        "Feature matching",
        "MSE",
        "Mean squared error per element between the discriminator's features of the image and of its reconstruction.",
        "feature",
        log=True,
    ),
    Metric("d_real", "D(real)", "nats", "Discriminator's loss on real images: -log D(x).", "discriminator"),
    Metric(
        "d_recon", "D(recon)", "nats", "Discriminator's loss on reconstructions: -log(1 - D(recon)).", "discriminator"
    ),
    Metric("d_fake", "D(fake)", "nats", "Discriminator's loss on prior samples: -log(1 - D(fake)).", "discriminator"),
    Metric("g_recon", "G(recon)", "nats", "Decoder's adversarial loss on reconstructions: -log D(recon).", "generator"),
    Metric("g_fake", "G(fake)", "nats", "Decoder's adversarial loss on prior samples: -log D(fake).", "generator"),
    Metric(
        "active_units",
        "Active units",
        "dimensions",
        "Dimensions with Var_x(E[z|x]) > 0.01 over the batch (Burda et al. 2015).",
        "active",
    ),
    Metric("z_mean", "z mean", "", "Mean of the latent samples over batch and dimensions.", "neutral"),
    Metric("z_std", "z std", "", "Mean over dimensions of the posterior's standard deviation.", "neutral"),
    Metric("lr", "Learning rate", "", "Learning rate of the encoder and decoder.", "neutral", log=True),
    Metric("images_per_s", "Speed", "images/s", "Training images per second since the last logged step.", "neutral"),
)

TEST_PREFIX = "test_"
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}


def describe(name: str) -> Metric:
    """Return the metric called ``name``; ``test_`` names share their training twin's entry."""
    base = name.removeprefix(TEST_PREFIX)
    return METRICS.get(base) or Metric(base, base.replace("_", " "), "", "", "neutral")
