"""Compare the rules that hold a KLD at its target: ``scripts/compare_controllers.py [--json] [--only RULE...]``.

The task: a VAE with one hidden layer of 400 units and 10 latent dimensions on scikit-learn's 1797 digits of 8x8
pixels, Bernoulli likelihood of grey levels, Adam at 1e-3, batches of 128, target 8 nats. A rule has settled at
the last step after which no mean over 50 steps leaves the target by more than 5 %.

====================== ================================================================================
adaptive-0.1           the splatoon text's experiment 1: dual ascent from 10 in steps of 0.1, KLD per dimension
adaptive-0.01          its experiment 2: from 1 in steps of 0.01
adaptive-nats          steps of 0.1 on the KLD summed over dimensions
adaptive-vdb           Peng et al.'s step of 1e-5 on the summed KLD, from 0.1
pi                     PI control of log beta by the relative error, from 1
pi-from-0.01, pi-from-100  the same from far away
pi-target-3, pi-target-15  the same for other targets
====================== ================================================================================
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from typing import Any

if os.environ.get("LATENTLAB_BENCH") != "1":  # Run by any Python: set up, then start again inside .venv.
    from _setup import ensure_project, venv_python

    ensure_project()
    os.environ["LATENTLAB_BENCH"] = "1"
    if os.name == "posix":
        os.execv(venv_python(), [str(venv_python()), *sys.argv])
    sys.exit(subprocess.run([str(venv_python()), *sys.argv], check=False).returncode)

import numpy as np
import torch

from latentlab.core.messages import ModelInfo
from latentlab.core.recipe import Recipe
from latentlab.core.recipe_io import validate
from latentlab.models.base import Batch, StepContext
from latentlab.models.beta import build_beta
from latentlab.models.optim import build_optimizers
from latentlab.models.registry import build_model

DIMENSIONS, TARGET, BATCH, WINDOW, BAND = 10, 8.0, 128, 50, 0.05
RULES: dict[str, dict[str, Any]] = {
    "adaptive-0.1": {"beta": "adaptive", "initial_beta": 10.0, "beta_step": 0.1},
    "adaptive-0.01": {"beta": "adaptive", "initial_beta": 1.0, "beta_step": 0.01},
    "adaptive-nats": {"beta": "adaptive", "initial_beta": 1.0, "beta_step": 0.1 * DIMENSIONS},
    "adaptive-vdb": {"beta": "adaptive", "initial_beta": 0.1, "beta_step": 1e-5 * DIMENSIONS},
    "pi": {"beta": "pi", "initial_beta": 1.0},
    "pi-from-0.01": {"beta": "pi", "initial_beta": 0.01},
    "pi-from-100": {"beta": "pi", "initial_beta": 100.0},
    "pi-target-3": {"beta": "pi", "initial_beta": 1.0, "target_kld": 3.0 / DIMENSIONS},
    "pi-target-15": {"beta": "pi", "initial_beta": 1.0, "target_kld": 15.0 / DIMENSIONS},
}


def recipe_of(rule: str) -> Recipe:
    """Return the task's recipe with the rule's settings."""
    return validate(
        {
            "model": {"kind": "vae", "network": "mlp", "latent_dim": DIMENSIONS, "width": 25},
            "objective": {"reconstruction": "bernoulli", "target_kld": TARGET / DIMENSIONS, **RULES[rule]},
            "training": {"lr": 1e-3, "batch_size": BATCH, "precision": "fp32"},
        }
    )


def digits() -> torch.Tensor:
    """Return all digits, (1797, 1, 8, 8) in [0,1]."""
    from sklearn.datasets import load_digits

    return torch.from_numpy(load_digits().images.astype(np.float32) / 16.0)[:, None]


def train(rule: str, seed: int, steps: int, images: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return the KLD in nats and the weight at each step."""
    recipe = recipe_of(rule)
    model = build_model(ModelInfo(recipe, (8, 8, 1), 0), seed)
    beta = build_beta(recipe.objective, latent_dim=DIMENSIONS)
    context = StepContext(
        step=0,
        objective=recipe.objective,
        optimizers=build_optimizers(model, recipe.training),
        beta=beta,
        generator=torch.Generator().manual_seed(seed),
        autocast=contextlib.nullcontext,
    )
    order = torch.Generator().manual_seed(1000 + seed)
    rows = torch.randperm(len(images), generator=order)
    klds, weights = [], []
    for step in range(steps):
        if len(rows) < BATCH:
            rows = torch.randperm(len(images), generator=order)
        part, rows = rows[:BATCH], rows[BATCH:]
        context.step = step
        metrics = model.training_step(Batch(images[part], None), context)
        klds.append(metrics["kld_nats"])
        weights.append(metrics["beta"])
    return torch.stack(klds).numpy(), torch.stack(weights).numpy()


def settled_at(klds: np.ndarray, target: float) -> int | None:
    """Return the steps until every mean over ``WINDOW`` steps stays within ``BAND`` of the target; None for never."""
    means = np.convolve(klds, np.ones(WINDOW) / WINDOW, "valid")
    outside = np.flatnonzero(np.abs(means - target) > BAND * target)
    last = int(outside[-1]) + WINDOW if len(outside) else 0  # the step at which that mean was complete
    return None if last >= len(klds) else last


def compare(rule: str, seeds: int, steps: int, images: torch.Tensor) -> dict[str, Any]:
    """Train a rule with each seed and return its row of the table."""
    target = recipe_of(rule).objective.target_kld * DIMENSIONS
    runs = [train(rule, seed, steps, images) for seed in range(seeds)]
    tail = slice(-min(1000, steps), None)
    ends = np.concatenate([klds[tail] for klds, _ in runs])
    weights = np.concatenate([weights[tail] for _, weights in runs])
    return {
        "rule": rule,
        "target_nats": target,
        "settled_at": [settled_at(klds, target) for klds, _ in runs],
        "highest_after_50": round(float(max(klds[50:].max() for klds, _ in runs)), 2),
        "lowest_after_50": round(float(min(klds[50:].min() for klds, _ in runs)), 2),
        "final_kld": round(float(ends.mean()), 3),
        "final_kld_std": round(float(ends.std()), 3),
        "final_beta": round(float(weights.mean()), 4),
        "final_beta_std": round(float(weights.std()), 4),
    }


def line(row: dict[str, Any]) -> str:
    """Return a row of the table for people."""
    settled = ", ".join("never" if step is None else str(step) for step in row["settled_at"])
    return (
        f"{row['rule']:14} {row['target_nats']:5.1f} {settled:20} "
        f"{row['highest_after_50']:7.1f} {row['lowest_after_50']:7.2f} "
        f"{row['final_kld']:8.2f} ± {row['final_kld_std']:<6.2f} {row['final_beta']:8.4f} ± {row['final_beta_std']:.4f}"
    )


def main() -> None:
    """Print the table, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object when done")
    parser.add_argument("--only", nargs="+", choices=RULES, default=list(RULES), metavar="RULE", help="rules to train")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each rule, seeds 0, 1, ... (default 3)")
    parser.add_argument("--steps", type=int, default=6000, help="steps of each training (default 6000)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images, rows = digits(), []
    if not arguments.json:
        print("rule           target settled (each seed)   highest  lowest  final KLD         final beta")
    for rule in arguments.only:
        rows.append(compare(rule, arguments.seeds, arguments.steps, images))
        if not arguments.json:
            print(line(rows[-1]), flush=True)
    if arguments.json:
        print(json.dumps({"steps": arguments.steps, "seeds": arguments.seeds, "rules": rows}, indent=1))


if __name__ == "__main__":
    main()
