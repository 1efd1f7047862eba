"""Small models, batches and contexts for the tests of this folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch

from latentlab.core.messages import ModelInfo
from latentlab.core.recipe import ModelConfig, ObjectiveConfig, Recipe, TrainingConfig
from latentlab.core.recipe_base import CONDITIONAL
from latentlab.models.base import Batch, LatentModel, StepContext
from latentlab.models.beta import build_beta
from latentlab.models.optim import build_optimizers
from latentlab.models.registry import build_model

SHAPE = (16, 16, 1)
CLASSES = 3
Autocast = Callable[[], AbstractContextManager[None]]


def make_info(kind: str = "vae", shape: tuple[int, int, int] = SHAPE, **settings: object) -> ModelInfo:
    """Describe a small model; settings go to the section that knows them."""
    values: dict[str, object] = {"kind": kind, "latent_dim": 4, "width": 4, "discriminator_width": 4, "lr": 1e-2}
    values.update(settings)
    sections = {}
    for section in (ModelConfig, ObjectiveConfig, TrainingConfig):
        sections[section] = section(**{k: values.pop(k) for k in list(values) if k in section.model_fields})
    assert not values
    recipe = Recipe(model=sections[ModelConfig], objective=sections[ObjectiveConfig], training=sections[TrainingConfig])
    return ModelInfo(recipe, shape, CLASSES if kind in CONDITIONAL else 0)


def make_context(
    model: LatentModel, *, step: int = 0, seed: int = 0, autocast: Autocast = contextlib.nullcontext
) -> StepContext:
    """Return what a training step of ``model`` needs."""
    recipe = model.info.recipe
    return StepContext(
        step=step,
        objective=recipe.objective,
        optimizers=build_optimizers(model, recipe.training),
        beta=build_beta(recipe.objective),
        generator=torch.Generator().manual_seed(seed),
        autocast=autocast,
    )


def make(kind: str = "vae", shape: tuple[int, int, int] = SHAPE, **settings: object) -> tuple[LatentModel, StepContext]:
    """Return a small model with weights of seed 0 and its context."""
    model = build_model(make_info(kind, shape, **settings), seed=0)
    return model, make_context(model)


def blobs(count: int, shape: tuple[int, int, int] = SHAPE, seed: int = 0) -> torch.Tensor:
    """Return pictures of one soft spot each, (N, C, H, W) in [0,1]: two factors, its row and its column."""
    height, width, channels = shape
    generator = torch.Generator().manual_seed(seed)
    centre = torch.rand(count, 2, generator=generator)
    rows = torch.linspace(0, 1, height)[None, :, None] - centre[:, 0, None, None]
    columns = torch.linspace(0, 1, width)[None, None, :] - centre[:, 1, None, None]
    return (-20.0 * (rows.square() + columns.square())).exp()[:, None].expand(-1, channels, -1, -1).contiguous()


def batch(count: int = 8, shape: tuple[int, int, int] = SHAPE, labels: Sequence[int] | None = None) -> Batch:
    """Return a batch of blobs, with ``labels`` where given."""
    return Batch(blobs(count, shape), None if labels is None else torch.tensor(labels))


def train(model: LatentModel, context: StepContext, images: torch.Tensor, steps: int) -> list[dict[str, float]]:
    """Train on all of ``images`` at once and return each step's metrics."""
    labels = torch.arange(len(images)) % CLASSES if model.info.conditional else None
    history = []
    for step in range(steps):
        context.step = step
        metrics = model.training_step(Batch(images, labels), context)
        history.append({name: float(value) for name, value in metrics.items()})
    return history


def stable_name(value: object) -> str:
    """Return the name of a parameter, the same in every process: a set has no order of its own."""
    return str(sorted(value) if isinstance(value, set) else value)
