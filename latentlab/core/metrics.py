"""The catalogue of metrics: one definition, unit and colour for each name on screen and on disk."""

from __future__ import annotations

from latentlab.core.metric import Metric
from latentlab.core.metrics_signals import SIGNALS

__all__ = ["LAST_VALUE", "METRICS", "TEST_PREFIX", "Metric", "describe"]

LAST_VALUE = frozenset({"beta", "beta_p", "beta_i", "target_kld", "lr"})
"""Metrics logged as their value at the logged step, without noise; all others are means over the interval before it."""

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
    Metric(
        "feature_matching_prior",
        "Feature matching, prior",
        "MSE",
        "The same between images and samples of the prior, paired at random.",
        "feature",
        log=True,
    ),
    *(
        Metric(
            f"feature_rms_{level}",
            f"Feature scale {level}",
            "RMS",
            f"Root mean square of the discriminator's features of real images at level {level}, 1 being the finest.",
            "feature",
            log=True,
        )
        for level in range(1, 7)
    ),
    Metric(
        "d_accuracy",
        "D accuracy",
        "share",
        "Share of images that the discriminator takes for what they are, real and fake weighing the same; "
        "of pairs, where they are judged. 0.5 is guessing.",
        "discriminator",
    ),
    Metric(
        "d_updates",
        "D update rate",
        "share",
        "Share of updates that the discriminator took part in; it rests where it is winning.",
        "discriminator",
    ),
    Metric(
        "g_updates",
        "Decoder update rate",
        "share",
        "Share of updates that the decoder took part in; it rests where it is winning.",
        "generator",
    ),
    Metric(
        "r1",
        "R1",
        "squared gradient",
        "Squared gradient of the discriminator's logit at real images in [-1,1], averaged over the batch.",
        "discriminator",
        log=True,
    ),
    Metric(
        "attributes",
        "Attributes",
        "nats",
        "Cross-entropy of the attributes that the discriminator reads from real images, averaged over attributes "
        "and over the labels that are present.",
        "discriminator",
    ),
    Metric(
        "attribute_accuracy",
        "Attribute accuracy",
        "share",
        "Share of the present labels of real images that the discriminator reads rightly.",
        "discriminator",
    ),
    Metric(
        "attribute_share",
        "Attributes' share",
        "share",
        "Share of the discriminator's whole loss that the weighted attributes make up. Summed instead of averaged "
        "over A attributes they would weigh A times as much.",
        "discriminator",
    ),
    Metric(
        "attributes_recon",
        "Attributes, recon",
        "nats",
        "Cross-entropy of the attributes that the discriminator reads from reconstructions, averaged likewise.",
        "generator",
    ),
    Metric(
        "sample_spread",
        "Sample spread",
        "of the data's",
        "Root mean squared distance of two prior samples of a batch, divided by that of two of its images. Towards 0 "
        "the decoder paints one and the same picture (mode collapse).",
        "generator",
    ),
    Metric(
        "d_real",
        "D(real)",
        "nats",
        "Discriminator's loss on real images: -log D(x), or as objective.gan_loss says.",
        "discriminator",
    ),
    Metric(
        "d_recon",
        "D(recon)",
        "nats",
        "Discriminator's loss on reconstructions: -log(1 - D(recon)), or as objective.gan_loss says.",
        "discriminator",
    ),
    Metric(
        "d_fake",
        "D(fake)",
        "nats",
        "Discriminator's loss on prior samples: -log(1 - D(fake)), or as objective.gan_loss says.",
        "discriminator",
    ),
    Metric(
        "g_recon",
        "G(recon)",
        "nats",
        "Decoder's adversarial loss on reconstructions: -log D(recon), or as objective.gan_loss says.",
        "generator",
    ),
    Metric(
        "g_fake",
        "G(fake)",
        "nats",
        "Decoder's adversarial loss on prior samples: -log D(fake), or as objective.gan_loss says.",
        "generator",
    ),
    Metric(
        "sample_diversity",
        "Sample diversity",
        "of the data's",
        "Mean Euclidean distance of two samples of a class, divided by that of two test images of the class, averaged "
        "over classes. 1 is the data's own; towards 0 the model paints one picture per class (mode collapse).",
        "generator",
    ),
    Metric(
        "energy_distance",
        "Energy distance",
        "of the data's",
        "2 E|x - s| - E|x - x'| - E|s - s'| of images x and samples s of a class, in pixels, divided by E|x - x'|, "
        "averaged over classes: 0 where both have one distribution (Székely & Rizzo 2013).",
        "pixel",
    ),
    Metric(
        "active_units",
        "Active units",
        "dimensions",
        "Dimensions with Var_x(E[z|x]) > 0.01 over the batch (Burda et al. 2015).",
        "active",
    ),
    Metric("z_mean", "z mean", "", "Mean of the latent samples over batch and dimensions.", "neutral"),
    Metric("z_var", "z variance", "", "Variance of the latent samples over batch and dimensions.", "neutral"),
    Metric("z_mean_min", "Lowest z mean", "", "Lowest posterior mean of the batch: lower end of the band.", "neutral"),
    Metric(
        "z_mean_max", "Highest z mean", "", "Highest posterior mean of the batch: upper end of the band.", "neutral"
    ),
    Metric("z_std", "z std", "", "Mean over dimensions of the posterior's standard deviation.", "neutral"),
    Metric(
        "z_std_var",
        "z std variance",
        "",
        "Variance of the posterior's standard deviation over batch and dimensions.",
        "neutral",
    ),
    Metric("z_std_min", "Lowest z std", "", "Lowest posterior standard deviation of the batch.", "neutral", log=True),
    Metric("z_std_max", "Highest z std", "", "Highest posterior standard deviation of the batch.", "neutral", log=True),
    Metric(
        "target_kld",
        "Target KLD",
        "nats/dim",
        "KLD per dimension that the rule for β steers to: objective.target_kld, or the capacity of this step "
        "divided by the number of dimensions.",
        "kld",
    ),
    Metric(
        "kld_error",
        "KLD error",
        "",
        "Relative distance from the target: kld_per_dim / target_kld - 1; a target below 0.001 counts as that.",
        "kld",
    ),
    Metric(
        "beta_p",
        "β, proportional part",
        "factor",
        "Factor of β that answers to the last step's error: β = beta_p x beta_i, within its bounds (rule pi).",
        "beta",
        log=True,
    ),
    Metric(
        "beta_i",
        "β, integral part",
        "weight",
        "Factor of β that errors add up to: β = beta_p x beta_i, within its bounds (rule pi).",
        "beta",
        log=True,
    ),
    Metric(
        "kld_moving",
        "KLD of moving moments",
        "nats/dim",
        "Batch estimator at test time, as in its text: KL per dimension of each test batch's moments mixed with the "
        "training's moving ones by kld_momentum, averaged over batches.",
        "kld",
    ),
    Metric(
        "class_loss",
        "Classification loss",
        "nats",
        "Cross-entropy -log q(y|x) of the labelled images of a semi-supervised model.",
        "discriminator",
    ),
    Metric(
        "labelled_accuracy",
        "Accuracy, labelled",
        "share",
        "Share of the labelled training images whose class is the most probable one of q(y|x).",
        "discriminator",
    ),
    Metric(
        "unlabelled_accuracy",
        "Accuracy, unlabelled",
        "share",
        "The same for fixed training images whose label is hidden from the model; measured with the test images.",
        "discriminator",
    ),
    Metric(
        "accuracy",
        "Accuracy",
        "share",
        "Share of the images with a known class whose class is the most probable one of q(y|x).",
        "discriminator",
    ),
    Metric(
        "class_entropy",
        "Entropy of q(y|x)",
        "nats",
        "Mean entropy of q(y|x), of the unlabelled images in training: 0 is certain, log K undecided.",
        "discriminator",
    ),
    Metric(
        "temperature", "Temperature", "", "Temperature of the Gumbel-softmax: the lower, the harder the class.", "beta"
    ),
    Metric(
        "features_kld",
        "KLD of M1",
        "nats",
        "M1+M2: KL of the first VAE's posterior from its prior, per image.",
        "kld",
    ),
    Metric(
        "features_nll",
        "NLL of features",
        "nats",
        "M1+M2: -log p(z1|z2,y) of the first VAE's latent under the second's decoder, per image.",
        "feature",
    ),
    Metric("lr", "Learning rate", "", "Learning rate of the encoder and decoder.", "neutral", log=True),
    Metric("images_per_s", "Speed", "images/s", "Training images per second since the last logged step.", "neutral"),
)

TEST_PREFIX = "test_"
METRICS: dict[str, Metric] = {metric.name: metric for metric in (*_ALL, *SIGNALS)}


def describe(name: str) -> Metric:
    """Return the metric called ``name``; ``test_`` names share their training twin's entry."""
    base = name.removeprefix(TEST_PREFIX)
    return METRICS.get(base) or Metric(base, base.replace("_", " "), "", "", "neutral")
