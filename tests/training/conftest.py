"""Fixtures of the training tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from training_fakes import make_data

from latentlab.core.recipe import Recipe
from latentlab.data.dataset import Dataset
from latentlab.training.run import RunWriter


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def data() -> Dataset:
    return make_data()


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[..., RunWriter]:
    """Make a run folder under the test's own folder."""
    made = 0

    def make(recipe: Recipe, data: Dataset) -> RunWriter:
        nonlocal made
        made += 1
        return RunWriter.create_at(tmp_path / f"run{made}", recipe, data)

    return make
