"""Every recipe that comes with latentlab trains: 50 steps on the CPU, in small batches, on built-in data.

Networks, sizes of the pictures and objectives are the recipe's own. Only the latent space is smaller where it has
more than 64 dimensions: tens of millions of weights between it and the convolutions say nothing more. So few pictures
do not vary along hundreds of principal directions either.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from training_fakes import Memory

from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import bundled_recipes, find_recipe, validate
from latentlab.data.catalog import load_dataset
from latentlab.data.dataset import Dataset
from latentlab.training.fit import fit
from latentlab.training.run import RunWriter

STEPS = 50
MOST_DIMENSIONS = 64
MOST_DIRECTIONS = 16
LARGE = 100 * 100
"""Pixels from which on a batch is two pictures instead of four."""
BUILT_IN = ("digits", "arena")


def short(recipe: Recipe) -> Recipe:
    """The recipe with its own networks and objective, but few and small steps."""
    values = recipe.model_dump()
    values["model"]["latent_dim"] = min(MOST_DIMENSIONS, recipe.model.latent_dim)
    values["model"]["principal_dims"] = min(MOST_DIRECTIONS, recipe.model.principal_dims)
    batch = 2 if math.prod(recipe.data.size) > LARGE else 4
    kind = recipe.data.spec.partition(":")[0]
    if kind not in BUILT_IN:
        values["data"]["spec"] = "digits" if "mnist" in kind else "arena"
        values["data"]["crop"] = None
    # Frames of the arena are painted one by one; the digits must be enough for ten labels of each class.
    values["data"]["limit"] = 400 if values["data"]["spec"] == "digits" else 60
    values["training"] |= {
        "steps": STEPS,
        "batch_size": min(batch, recipe.training.batch_size),
        "labelled_batch_size": min(batch, recipe.training.labelled_batch_size),
        **dict.fromkeys(("log_every", "test_every", "preview_every", "checkpoint_every"), STEPS),
    }
    return validate(values)


def with_attributes(data: Dataset) -> Dataset:
    """Attributes that can be seen: is each quarter of the picture brighter than usual?"""
    halves = (part for rows in np.array_split(data.images, 2, axis=1) for part in np.array_split(rows, 2, axis=2))
    bright = np.stack([quarter.mean(axis=(1, 2, 3)) for quarter in halves], axis=1)
    attributes = (bright > np.median(bright, axis=0)).astype(np.int8)
    attributes[::7, 1] = -1
    return dataclasses.replace(data, attributes=attributes, attribute_names=tuple(f"bright {k}" for k in range(4)))


@pytest.mark.parametrize("name", sorted(bundled_recipes()))
def test_a_recipe_tells_what_it_shows_and_trains(name: str, tmp_path: Path) -> None:
    recipe = find_recipe(name)
    assert recipe.title
    assert recipe.group
    assert recipe.story
    assert "\n" not in recipe.story
    recipe = short(recipe)
    data = load_dataset(recipe.data)
    if recipe.data.spec == "arena":
        data = with_attributes(data)
    sink = Memory()
    result = fit(recipe, data, sink, run=RunWriter.create(tmp_path, recipe, data), device="cpu")
    assert result.step == STEPS
    assert not result.stopped
    assert all(math.isfinite(value) for value in result.final.values()), result.final
    first, last = (sink.weights[at].state for at in (0, -1))
    assert any(not torch.equal(first[name], last[name]) for name in first if name.startswith("decoder."))
