"""Short trainings that fall ill on purpose, one for each rule of the doctor, and one that stays healthy."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.doctor import Record
from latentlab.core.errors import LatentLabError
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import validate
from latentlab.data.dataset import Dataset
from latentlab.training.fit import fit
from latentlab.training.metrics_db import read_metrics
from latentlab.training.run import RunWriter
from latentlab.training.sink import SilentSink

SIDE = 16
SMALL: dict[str, dict[str, Any]] = {
    "data": {"size": [SIDE, SIDE]},
    "model": {"kind": "vae", "network": "mlp", "latent_dim": 4, "width": 8, "discriminator_width": 4},
    "objective": {},
    "training": {
        "steps": 400,
        "batch_size": 16,
        "precision": "fp32",
        "log_every": 2,
        "test_every": 20,
        "preview_every": 100_000,
        "checkpoint_every": 100_000,
        "gradient_shares_every": 20,
    },
}


@dataclass(frozen=True)
class Ailment:
    """What to change in the small recipe, ``section__key``, and on how many images to train."""

    story: str
    settings: dict[str, Any] = field(default_factory=dict)
    images: int = 160
    changes: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Live changes, by the step before which they are made."""

    def recipe(self) -> Recipe:
        """Return the whole recipe."""
        values = {section: dict(keys) for section, keys in SMALL.items()}
        for key, value in self.settings.items():
            section, _, name = key.partition("__")
            values[section][name] = value
        return validate(values)


GAN = {"model__kind": "vaegan", "model__network": "conv", "model__width": 4}
ONLY_GAME = {
    **GAN,
    "objective__feature_weight": 0.0,
    "objective__recon_fakes": False,
    "training__steps": 320,
}
LINEAR = {"objective__normalise_features": False, "model__discriminator_norm": "none"}
HEALTHY = {
    "vae": Ailment("a VAE as it should be", {"objective__initial_beta": 0.5, "training__lr": 0.003}),
    "vaegan": Ailment(
        "a VAE-GAN as it should be",
        {
            **GAN,
            "objective__pixel_weight": 20.0,
            "objective__adversarial_weight": 0.001,
            "objective__instance_noise": 0.1,
            "objective__beta": "pi",
            "objective__target_kld": 0.5,
            "training__lr": 0.003,
            "training__discriminator_lr": 0.0003,
        },
    ),
}
ONE_PICTURE = Ailment(
    "a decoder that learns from a discriminator which hardly moves",
    {**ONLY_GAME, "objective__recon_fakes": True, "training__lr": 0.003, "training__discriminator_lr": 0.0001},
)
AILMENTS = {
    "posterior-collapse": Ailment(
        "a squared error averaged over pixels beside a KLD that is not",
        {"objective__reconstruction": "unit-gaussian", "objective__initial_beta": 400.0, "training__steps": 240},
    ),
    "exploding-kld": Ailment(
        "a target, and a β that hardly moves towards it",
        {
            "objective__beta": "adaptive",
            "objective__initial_beta": 1e-4,
            "objective__beta_step": 1e-6,
            "objective__target_kld": 0.1,
            "objective__sigma": 0.02,
            "training__steps": 300,
            "training__lr": 0.0005,
        },
    ),
    "prior-mismatch": Ailment(
        "nearly no weight on the KLD",
        {"objective__initial_beta": 1e-6, "objective__sigma": 0.5},
    ),
    "beta-saturated": Ailment(
        "a target above all that the data has to say",
        {
            "objective__beta": "adaptive",
            "objective__initial_beta": 0.01,
            "objective__beta_step": 0.01,
            "objective__target_kld": 50.0,
            "training__steps": 320,
            "objective__sigma": 0.5,
        },
    ),
    "sample-collapse": Ailment(
        "a decoder that outruns the discriminator: the screen goes black",
        {
            **ONLY_GAME,
            "training__lr": 0.02,
            "training__discriminator_lr": 0.0005,
        },
    ),
    "discriminator-too-strong": Ailment(
        "a discriminator that learns a thousand times faster",
        {**GAN, "training__lr": 1e-5, "training__discriminator_lr": 0.01, "training__steps": 240},
    ),
    "discriminator-too-weak": Ailment(
        "a discriminator that hardly learns", {**GAN, "training__discriminator_lr": 1e-7, "training__steps": 320}
    ),
    "exploding-features": Ailment(
        "features as they are, under a fast discriminator",
        {
            **GAN,
            **LINEAR,
            "objective__feature_activation": "before",
            "objective__gan_loss": "hinge",
            "model__discriminator_network": "splatoon",
            "training__discriminator_lr": 0.01,
            "training__steps": 220,
        },
    ),
    "weight-out-of-scale": Ailment(
        "a pixel loss forty times too large",
        {**GAN, "objective__pixel_weight": 800.0, "objective__adversarial_weight": 0.1, "training__steps": 100},
    ),
    "nan-ahead": Ailment(
        "a learning rate raised a thousand times while training runs",
        {"training__lr": 0.001, "training__steps": 300},
        changes={200: {"training.lr": 1.0}},
    ),
    "overfitting": Ailment(
        "two dozen images, learned by heart",
        {"training__steps": 500, "training__lr": 0.003, "objective__initial_beta": 0.01, "model__width": 32},
        images=30,
    ),
    "plateau": Ailment("a learning rate with which nothing moves", {"training__steps": 1010, "training__lr": 1e-9}),
}


def blobs(count: int, seed: int = 3) -> Dataset:
    """Return pictures of a soft spot each, its place and brightness at random; every fifth is for tests."""
    rng = np.random.default_rng(seed)
    across, down = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    place, bright = rng.uniform(2, SIDE - 2, (count, 2)), rng.uniform(0.5, 1.0, count)
    distance = (across - place[:, :1, None]) ** 2 + (down - place[:, 1:, None]) ** 2
    pixels = bright[:, None, None] * np.exp(-distance / 8.0) + 0.1 * rng.random((count, SIDE, SIDE))
    images = (255 * pixels.clip(0, 1)).astype(np.uint8)[..., None]
    rows = np.arange(count)
    return Dataset(
        name="blobs",
        images=images,
        train_index=rows[rows % 5 > 0],
        test_index=rows[rows % 5 == 0],
        labels=None,
        class_names=(),
        fingerprint=f"blobs-{count}",
    )


class Patient(SilentSink):
    """A sink that makes an ailment's live changes."""

    def __init__(self, ailment: Ailment) -> None:
        self._changes = dict(ailment.changes)
        self._step = 0

    def take_changes(self) -> dict[str, object]:
        """Hand over what is due before this step."""
        due = self._changes.pop(self._step, {})
        self._step += 1
        return due


def fall_ill(ailment: Ailment, folder: Path) -> Record:
    """Train in a new folder and return what the doctor would see of it at the end."""
    recipe, data = ailment.recipe(), blobs(ailment.images)
    run = RunWriter.create_at(folder, recipe, data)
    with contextlib.suppress(LatentLabError):  # One that breaks on the way has been ill all the same.
        fit(recipe, data, Patient(ailment), run=run, device="cpu")
    return Record(read_metrics(run.metrics), recipe)
