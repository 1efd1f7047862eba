"""The recipe: every setting of a training, with its bounds and its explanation.

One pydantic model validates TOML files, prints ``--help`` and builds the settings form, so a
setting is described once. Field metadata (``json_schema_extra``) carries what the form needs:
``unit``, ``live`` (may be changed while training runs), ``kinds`` (models it applies to) and
``when`` (values of its neighbours for which it applies, e.g. ``{"beta": ["adaptive"]}``).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

ModelKind = Literal["ae", "vae", "cvae", "vaegan"]
NetworkName = Literal["conv", "residual", "mlp"]
Reconstruction = Literal["bernoulli", "gaussian", "optimal-gaussian", "l1"]
KldEstimator = Literal["single-point", "batch"]
BetaSchedule = Literal["fixed", "linear", "sigmoid", "cyclical", "adaptive", "pi"]
Precision = Literal["auto", "fp32", "bf16"]

MIN_SIDE, MAX_SIDE = 16, 256
Side = Annotated[int, Field(ge=MIN_SIDE, le=MAX_SIDE)]
PROBABILISTIC = ["vae", "cvae", "vaegan"]


def setting(default: Any, description: str, **more: Any) -> Any:
    """Declare a recipe field; ``unit``, ``live``, ``kinds`` and ``advanced`` go to its metadata."""
    keys = ("unit", "live", "kinds", "advanced", "when")
    extra = {key: more.pop(key) for key in keys if key in more}
    return Field(default, description=description, json_schema_extra=extra, **more)


class Section(BaseModel):
    """A recipe section: unknown keys are refused and every change is validated."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, frozen=False)


class DataConfig(Section):
    """What to train on, and at which size."""

    spec: str = setting(
        "digits",
        "Data set: digits, arena, mnist[:DIR], fashion-mnist[:DIR], kmnist[:DIR], cifar10[:DIR], "
        "celeba[:DIR], folder:DIR, video:FILE or a pattern, npz:FILE.",
        min_length=1,
    )
    size: tuple[Side, Side] = setting((32, 32), "Height and width that every image is resized to.", unit="pixels")
    crop: tuple[int, int, int, int] | None = setting(
        None, "Region cut out of each frame before resizing: x, y, width, height.", unit="pixels", advanced=True
    )
    colour: Literal["auto", "grey", "rgb"] = setting("auto", "Colour channels; auto keeps what the source has.")
    stride: int = setting(1, "Keep every n-th video frame.", ge=1, le=10_000, unit="frames", advanced=True)
    keyframes_only: bool = setting(False, "Keep only the video's keyframes (I-frames).", advanced=True)
    limit: int | None = setting(None, "Use at most this many images.", ge=2, unit="images", advanced=True)
    labelled_per_class: int | None = setting(
        None, "Keep the labels of this many training images per class and hide the others.", ge=1, advanced=True
    )
    test_fraction: float = setting(0.1, "Share of the images held out for testing.", ge=0.01, le=0.5)


class ModelConfig(Section):
    """Which model, and how large."""

    kind: ModelKind = setting("vae", "Model family: ae, vae, cvae (class-conditioned) or vaegan.")
    network: NetworkName = setting("conv", "Encoder and decoder: conv, residual, or mlp (fully connected).")
    latent_dim: int = setting(16, "Number of latent dimensions.", ge=1, le=4096)
    width: int = setting(32, "Channels of the first layer; deeper layers double it.", ge=4, le=512, unit="channels")
    discriminator_width: int = setting(
        32, "Channels of the discriminator's first layer.", ge=4, le=512, unit="channels", kinds=["vaegan"]
    )


class ObjectiveConfig(Section):
    """What is minimised. Loss names are defined in latentlab.core.metrics."""

    reconstruction: Reconstruction = setting(
        "gaussian",
        "Likelihood of the pixels: bernoulli, gaussian (fixed sigma), optimal-gaussian (sigma-VAE) or l1.",
        kinds=["ae", "vae", "cvae"],
    )
    sigma: float = setting(
        0.1,
        "Standard deviation of the gaussian and l1 likelihoods, in [0,1] image units.",
        gt=0.0,
        le=10.0,
        when={"reconstruction": ["gaussian", "l1"]},
        kinds=["ae", "vae", "cvae"],
    )
    kld: KldEstimator = setting(
        "single-point", "KL divergence per image (single-point) or of the batch's moments (batch).", kinds=PROBABILISTIC
    )
    kld_momentum: float = setting(
        0.0,
        "Weight of the past in the moving moments of the batch KLD.",
        ge=0.0,
        le=0.99,
        live=True,
        when={"kld": ["batch"]},
        kinds=PROBABILISTIC,
    )
    beta: BetaSchedule = setting(
        "fixed",
        "How the weight of the KLD moves: fixed, linear, sigmoid, cyclical, adaptive (dual ascent) or pi.",
        kinds=PROBABILISTIC,
    )
    initial_beta: float = setting(
        1.0,
        "Weight of the KLD; for schedules the end value, for adaptive and pi the first value.",
        ge=0.0,
        le=1e6,
        live=True,
        kinds=PROBABILISTIC,
    )
    beta_step: float = setting(
        0.01,
        "Step of adaptive: beta grows by step x (KLD per dimension - target), never below 0.",
        gt=0.0,
        le=100.0,
        live=True,
        when={"beta": ["adaptive"]},
        kinds=PROBABILISTIC,
    )
    target_kld: float = setting(
        0.1,
        "KLD per latent dimension that adaptive and pi hold.",
        gt=0.0,
        le=100.0,
        unit="nats/dim",
        live=True,
        when={"beta": ["adaptive", "pi"]},
        kinds=PROBABILISTIC,
    )
    anneal_delay: int = setting(
        0,
        "Steps at beta 0 before annealing begins.",
        ge=0,
        unit="steps",
        advanced=True,
        when={"beta": ["linear", "sigmoid", "cyclical"]},
        kinds=PROBABILISTIC,
    )
    anneal_steps: int = setting(
        1000,
        "Steps from 0 to full beta, or one cycle.",
        ge=1,
        unit="steps",
        advanced=True,
        when={"beta": ["linear", "sigmoid", "cyclical"]},
        kinds=PROBABILISTIC,
    )
    feature_weight: float = setting(
        1.0,
        "Weight of feature matching in the encoder's and decoder's loss.",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=["vaegan"],
    )
    pixel_weight: float = setting(
        0.0,
        "Weight of the pixel loss beside feature matching; 0 as in the texts.",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=["vaegan"],
    )
    adversarial_weight: float = setting(
        1.0,
        "Weight of the generator's adversarial loss in the decoder's loss.",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=["vaegan"],
    )
    recon_fakes: bool = setting(True, "Show reconstructions to the discriminator as fakes.", kinds=["vaegan"])
    prior_fakes: bool = setting(
        True, "Show samples decoded from the prior to the discriminator as fakes.", kinds=["vaegan"]
    )
    normalise_features: bool = setting(
        True,
        "Divide features by their running RMS before matching, so that their scale cannot explode.",
        kinds=["vaegan"],
    )
    label_smoothing: float = setting(0.0, "Real label becomes 1 - s.", ge=0.0, le=0.5, live=True, kinds=["vaegan"])
    instance_noise: float = setting(
        0.0,
        "Standard deviation of noise added to the discriminator's inputs.",
        ge=0.0,
        le=1.0,
        live=True,
        kinds=["vaegan"],
    )


class TrainingConfig(Section):
    """How long, how fast, and what is recorded."""

    steps: int = setting(2000, "Training steps (batches).", ge=1, le=100_000_000, unit="steps")
    batch_size: int = setting(64, "Images per step.", ge=2, le=8192, unit="images")
    lr: float = setting(1e-3, "Learning rate of Adam.", gt=0.0, le=1.0, live=True)
    discriminator_lr: float | None = setting(
        None, "Learning rate of the discriminator; empty: the same as lr.", gt=0.0, le=1.0, live=True, kinds=["vaegan"]
    )
    seed: int = setting(0, "Seed of weights, batches and noise.", ge=0, le=2**31 - 1)
    precision: Precision = setting("auto", "Arithmetic: auto chooses bf16 where it pays on this device.")
    log_every: int = setting(10, "Steps between logged metrics.", ge=1, le=100_000, unit="steps", advanced=True)
    preview_every: int = setting(
        100, "Steps between preview pictures.", ge=1, le=1_000_000, unit="steps", advanced=True
    )
    test_every: int = setting(
        200, "Steps between measurements on the test images.", ge=1, le=1_000_000, unit="steps", advanced=True
    )
    checkpoint_every: int = setting(500, "Steps between checkpoints.", ge=1, le=10_000_000, unit="steps", advanced=True)
    keep_checkpoints: int = setting(
        5, "Numbered checkpoints kept, besides last and best.", ge=1, le=10_000, advanced=True
    )


class Recipe(Section):
    """A complete set of settings. ``title``, ``story`` and ``group`` describe it to people."""

    title: str = setting("", "Name shown on cards and in lists.")
    story: str = setting("", "One line: what this recipe shows.")
    group: str = setting("", "Heading under which the recipe is listed.")
    data: DataConfig = Field(default_factory=DataConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    objective: ObjectiveConfig = Field(default_factory=ObjectiveConfig)
    training: TrainingConfig = Field(default_factory=TrainingConfig)

    @model_validator(mode="after")
    def _crop_is_a_region(self) -> Recipe:
        crop = self.data.crop
        if crop is not None and (min(crop[:2]) < 0 or min(crop[2:]) < 1):
            raise ValueError("data.crop: x and y must be at least 0, width and height at least 1")
        return self


SECTIONS = ("data", "model", "objective", "training")


def setting_facts(key: str, field: FieldInfo) -> dict[str, Any]:
    """Describe one setting for ``--help``, documentation and tooltips: key, default, allowed, unit, live, kinds."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return {
        "key": key,
        "description": field.description or "",
        "default": list(field.default) if isinstance(field.default, tuple) else field.default,
        "allowed": _allowed(field),
        "unit": extra.get("unit", ""),
        "live": bool(extra.get("live", False)),
        "kinds": extra.get("kinds", []),
        "advanced": bool(extra.get("advanced", False)),
    }


def _allowed(field: FieldInfo) -> str:
    """Return the allowed values as text: ``a, b or c`` or ``1 to 256``."""
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    if choices:
        return " | ".join(map(str, choices))
    low = high = ""
    for bound in field.metadata:
        for name, prefix in (("ge", ""), ("gt", "above ")):
            if hasattr(bound, name):
                low = f"{prefix}{getattr(bound, name):g}"
        for name, prefix in (("le", ""), ("lt", "below ")):
            if hasattr(bound, name):
                high = f"{prefix}{getattr(bound, name):g}"
    return f"{low} to {high}" if low and high else low and f"at least {low}"
