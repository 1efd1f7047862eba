"""What a training step takes; ``bench.py`` runs each part in a process of its own.

``python bench_steps.py shares OUT TIMES``    gradient shares beside the steps between two of them
``python bench_steps.py classes OUT TURNS``   steps a second of the semi-supervised VAEs, in turns
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latentlab.core.recipe_io import find_recipe
from latentlab.data.catalog import load_dataset
from latentlab.models.base import LatentModel, StepContext
from latentlab.models.beta import build_beta
from latentlab.models.device import choose_device
from latentlab.models.gradient_shares import gradient_shares
from latentlab.models.optim import build_optimizers
from latentlab.models.registry import build_model, is_convolutional
from latentlab.runtime.threads import torch_threads
from latentlab.training.batches import Batches, Pictures
from latentlab.training.run import model_info

SHARES_OF = ("quickstart", "vaegan-arena", "vae-arena")
CLASSES = ("m2-marginal", "m2-gumbel", "m2-straight-through")
STEPS_A_TURN = 60


@dataclass
class Bench:
    """A recipe's model, ready to step."""

    model: LatentModel
    batches: Batches
    context: StepContext


def prepare(name: str, spec: str | None = None) -> Bench:
    """Build a bundled recipe's model and batches on the best device; ``spec`` stands in for its data."""
    recipe = find_recipe(name)
    recipe.data.spec, recipe.data.limit = spec or recipe.data.spec, 600
    data = load_dataset(recipe.data, seed=0, progress=lambda _: None)
    info = model_info(recipe, data, Path())
    policy = choose_device("auto", recipe.training.precision, convolutional=is_convolutional(info))
    model = policy.place(build_model(info, 0)).train()
    context = StepContext(
        0,
        recipe.objective,
        build_optimizers(model, recipe.training),
        build_beta(recipe.objective, policy.device, latent_dim=info.latent_dim),
        torch.Generator(policy.device).manual_seed(0),
        policy.autocast,
    )
    return Bench(model, Batches(data, Pictures(data.images, policy), policy, info), context)


def wait_for(values: dict[str, Tensor]) -> None:
    """Bring values to the host, which waits for the device."""
    torch.stack([value.float() for value in values.values()]).tolist()


def bench_shares(times: int) -> dict[str, float]:
    """Time a training step and a measurement of the gradient shares, of each recipe; return percent."""
    found = {}
    for name in SHARES_OF:
        bench = prepare(name)
        took: dict[str, list[float]] = {"step": [], "shares": []}
        for _ in range(times + 2):
            batch = bench.batches.next()
            for what in ("step", "shares"):
                start = time.perf_counter()
                if what == "step":
                    wait_for(bench.model.training_step(batch, bench.context))
                else:
                    wait_for(gradient_shares(bench.model, batch, bench.context, 0))
                took[what].append(time.perf_counter() - start)
        step, shares = (float(np.median(took[what][2:])) for what in ("step", "shares"))
        found[name] = 100.0 * shares / (find_recipe(name).training.gradient_shares_every * step)
    return found


def bench_classes(turns: int) -> dict[str, list[float]]:
    """Let the M2 recipes step in turns on the built-in digits; return steps a second of each turn but the first."""
    benches = {name: prepare(name, "digits") for name in CLASSES}
    rates: dict[str, list[float]] = {name: [] for name in benches}
    for _ in range(turns + 1):
        for name, bench in benches.items():
            start = time.perf_counter()
            for _ in range(STEPS_A_TURN):
                values = bench.model.training_step(bench.batches.next(), bench.context)
            wait_for(values)
            rates[name].append(STEPS_A_TURN / (time.perf_counter() - start))
    return {name: rate[1:] for name, rate in rates.items()}


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {"shares": bench_shares, "classes": bench_classes}


def main() -> int:
    """Measure one part."""
    torch.set_num_threads(torch_threads())  # As the app does: one core is the window's.
    what, out, amount = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    out.write_text(json.dumps(PARTS[what](amount)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
