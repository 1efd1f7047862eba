"""Run folders of a few logged steps, made without training anything."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from latentlab.core.messages import ModelInfo
from latentlab.core.recipe_io import recipe_toml, validate
from latentlab.core.run_folder import write_model_info
from latentlab.training.metrics_db import MetricsWriter


def make_run(path: Path, steps: int = 10, *, events: tuple[str, ...] = ("start", "finish"), **training: object) -> Path:
    """Make a run of a few logged steps without training anything."""
    path.mkdir(parents=True)
    recipe = validate({"training": {"steps": 10, "batch_size": 4, **training}})
    (path / "recipe.toml").write_text(recipe_toml(recipe), encoding="utf-8")
    write_model_info(path, ModelInfo(recipe, (16, 16, 1)), data_name="digits", num_train=10, num_test=2)
    lines = [{"time": "2026-08-01T10:00:00+00:00", "event": event, "step": 0} for event in events]
    (path / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    log(path, range(1, steps + 1))
    (path / "previews").mkdir()
    for step in (0, steps):
        picture = np.full((12, 20, 3), 10 * step + 5, np.uint8)
        Image.fromarray(picture).save(path / "previews" / f"step_{step:08d}_reconstructions.png")
    return path


def log(run: Path, steps: range) -> None:
    writer = MetricsWriter(run / "metrics.db")
    for step in steps:
        writer.append(step, 0.5 * step, {"pixel": 1.0 / step, "test_pixel": 2.0 / step})
    writer.close()
