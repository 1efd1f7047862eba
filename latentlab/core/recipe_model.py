"""Settings of a recipe's ``[model]`` section: networks and their shapes."""

from __future__ import annotations

from typing import Literal

from latentlab.core.recipe_base import ADVERSARIAL, CONDITIONAL, ENCODING, PROBABILISTIC, ModelKind, Section, setting

NetworkName = Literal["conv", "residual", "dense", "mlp", "splatoon"]
NormName = Literal["group", "instance", "batch", "none"]
Conditioning = Literal["one-hot", "embedding"]

_CONVOLUTIONAL = ["conv", "residual", "dense", "splatoon"]


class ModelConfig(Section):
    """Which model, and how large."""

    kind: ModelKind = setting(
        "vae",
        "Model family: ae, vae, cvae (class-conditioned), ssvae (semi-supervised, M2), vaegan, or cgan (no encoder).",
    )
    network: NetworkName = setting(
        "conv",
        "Encoder and decoder: conv, residual, dense (densely connected), mlp (fully connected), or splatoon, "
        "the splatoon text's own.",
    )
    latent_dim: int = setting(16, "Number of latent dimensions.", ge=1, le=4096)
    latent_decay: float = setting(
        0.0,
        "Scale latent dimension j by exp(-j / this) where it leaves the encoder and where it enters the decoder, so "
        "that a small KLD goes to the first dimensions instead of a little to all; 0 is off.",
        ge=0.0,
        le=100_000.0,
        unit="dimensions",
        kinds=PROBABILISTIC,
        advanced=True,
    )
    principal_dims: int = setting(
        0,
        "Give encoder and decoder a linear path beside their networks, solved on the training images before the first "
        "step: the first dimensions are principal components, as many as this; 0 is off.",
        ge=0,
        le=4096,
        unit="dims",
        kinds=PROBABILISTIC,
        advanced=True,
    )
    width: int = setting(32, "Channels of the first layer; deeper layers double it.", ge=4, le=512, unit="channels")
    encoder_norm: NormName = setting(
        "group",
        "Normalisation between the encoder's convolutions (the splatoon text's: batch).",
        when={"network": _CONVOLUTIONAL},
        kinds=ENCODING,
        advanced=True,
    )
    decoder_norm: NormName = setting(
        "group",
        "Normalisation between the decoder's convolutions (the splatoon text's: instance).",
        when={"network": _CONVOLUTIONAL},
        advanced=True,
    )
    latent_batch_norm: bool = setting(
        False,
        "Batch norm on the posterior mean, at the end of the encoder (Part 4 of the splatoon texts).",
        kinds=ENCODING,
        advanced=True,
    )
    conditioning: Conditioning = setting(
        "one-hot", "How the class enters encoder and decoder: one-hot, or a learned embedding.", kinds=CONDITIONAL
    )
    classifier_network: Literal["same", "conv", "residual", "dense", "mlp", "splatoon"] = setting(
        "same", "Network of the classifier q(y|x) where it reads pixels; same is network.", kinds=["ssvae"]
    )
    classifier_width: int | None = setting(
        None,
        "Channels of the classifier's first layer where it reads pixels; empty: the same as width.",
        ge=4,
        le=512,
        unit="channels",
        kinds=["ssvae"],
        advanced=True,
    )
    features_dim: int = setting(
        0,
        "Latent dimensions of a first VAE (M1) whose latent the semi-supervised one (M2) then reads instead of "
        "pixels; 0 is M2 alone.",
        ge=0,
        le=4096,
        kinds=["ssvae"],
        advanced=True,
    )
    discriminator_network: Literal["conv", "dense", "splatoon"] = setting(
        "conv", "Discriminator: conv, dense (densely connected), or splatoon, the text's own.", kinds=ADVERSARIAL
    )
    discriminator_width: int = setting(
        32, "Channels of the discriminator's first layer.", ge=4, le=512, unit="channels", kinds=ADVERSARIAL
    )
    discriminator_norm: NormName = setting(
        "group", "Normalisation between the discriminator's convolutions.", kinds=ADVERSARIAL, advanced=True
    )
    discriminator_downsampling: Literal["stride", "average", "max"] = setting(
        "stride",
        "How the discriminator halves its resolution: strided convolutions, or average or maximum pooling.",
        kinds=ADVERSARIAL,
        advanced=True,
    )
    discriminator_conditioning: Literal["planes", "one-hot", "embedding"] = setting(
        "planes",
        "How the class enters the discriminator: as one-hot planes beside the image, as a one-hot vector "
        "beside its last features, or as a learned embedding there.",
        kinds=["cgan"],
    )
    discriminator_dropout: float = setting(
        0.0, "Share of features dropped before the discriminator's last layer.", ge=0.0, le=0.9, kinds=ADVERSARIAL
    )
    spectral_norm: bool = setting(
        False,
        "Divide the discriminator's weights by their largest singular value (Miyato et al. 2018).",
        kinds=ADVERSARIAL,
        advanced=True,
    )
