"""Small models to explore."""

from __future__ import annotations

from pathlib import Path

from latentlab.core.messages import ModelInfo, WeightSnapshot
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_data import DataConfig
from latentlab.core.recipe_io import recipe_toml
from latentlab.core.recipe_model import ModelConfig
from latentlab.core.run_folder import CHECKPOINTS, RECIPE, write_model_info
from latentlab.models.registry import build_model
from latentlab.models.weights import MODEL_FILE, STATE_FILE, save_tensors

CLASSES = ("zero", "one", "two")


def info_of(kind: str = "vae", *, channels: int = 1, latent_dim: int = 4, run: Path | None = None) -> ModelInfo:
    recipe = Recipe(
        data=DataConfig(size=(16, 20)),
        model=ModelConfig(kind=kind, latent_dim=latent_dim, width=4, discriminator_width=4),
    )
    return ModelInfo(recipe, (16, 20, channels), len(CLASSES), CLASSES, run)


def snapshot_of(info: ModelInfo, *, seed: int = 0, step: int = 7) -> WeightSnapshot:
    model = build_model(info, seed)
    return WeightSnapshot(step, info, {k: v.clone() for k, v in model.inference_state().items()}, taken_at=1.5)


def write_run(folder: Path, info: ModelInfo, *, seed: int = 0, step: int = 7) -> Path:
    """Write a run folder with one checkpoint of fresh weights."""
    checkpoint = folder / CHECKPOINTS / "last"
    checkpoint.mkdir(parents=True)
    (folder / RECIPE).write_text(recipe_toml(info.recipe))
    write_model_info(folder, info, data_name="digits", num_train=10, num_test=2)
    save_tensors(checkpoint / MODEL_FILE, build_model(info, seed).state_dict())
    (checkpoint / STATE_FILE).write_text(f'{{"step": {step}}}')
    return folder
