"""From a model's description to its networks."""

from __future__ import annotations

import torch

from latentlab.core.messages import ModelInfo
from latentlab.core.recipe_base import ADVERSARIAL
from latentlab.models.ae import AutoEncoder
from latentlab.models.base import LatentModel
from latentlab.models.cgan import ConditionalGan
from latentlab.models.cvae import ConditionalVae
from latentlab.models.layers import initialise
from latentlab.models.semisupervised import SemiSupervisedVae
from latentlab.models.stacked import StackedVae
from latentlab.models.vae import Vae
from latentlab.models.vaegan import VaeGan

MODELS: dict[str, type[LatentModel]] = {
    "ae": AutoEncoder,
    "vae": Vae,
    "cvae": ConditionalVae,
    "vaegan": VaeGan,
    "cgan": ConditionalGan,
    "ssvae": SemiSupervisedVae,
}


def model_class(info: ModelInfo) -> type[LatentModel]:
    """Return the class of the model that ``info`` describes."""
    stacked = info.kind == "ssvae" and info.recipe.model.features_dim > 0
    return StackedVae if stacked else MODELS[info.kind]


def build_model(info: ModelInfo, seed: int | None = None) -> LatentModel:
    """Build the model that ``info`` describes, on the CPU, in train mode.

    Parameters
    ----------
    info
        Recipe, image shape and number of classes.
    seed
        Seed of the weights; None draws a fresh one. The process's global random state is neither
        read nor changed, so that models may be built in several threads at once.

    Raises
    ------
    InputError
        If the model cannot be built for this data, e.g. a cvae without classes.
    """
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    # Tensors on "meta" have no storage: the constructors' own draws, which would use the global state, cost nothing.
    with torch.device("meta"):
        model = model_class(info)(info)
    model.to_empty(device="cpu")
    initialise(model, generator)
    return model


def is_convolutional(info: ModelInfo) -> bool:
    """Whether the model's networks are made of convolutions, which is what decides on bf16 for the CPU."""
    model = info.recipe.model
    classifier = model.classifier_network if info.kind == "ssvae" and not model.features_dim else "same"
    return any(name not in ("mlp", "same") for name in (model.network, classifier)) or info.kind in ADVERSARIAL
