"""Does the direction found for ink coverage cover the floor? ``.venv/bin/python scripts/judge_directions.py [RUN]``.

The arena knows how much of its floor is inked in every picture. From codes and these labels alone the direction is
found as the app does (mean code of the more covered half minus that of the less covered one), and the codes of
held-out pictures are moved along it until their coordinate is -3 ... +3 sigma: of the prior, as on the app's sliders,
and of the data's own spread along the direction. In the decoded pictures the ink is measured by its colour, with no
label in sight. Without RUN a plain VAE is trained for a few hundred steps first.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from _judging import Array, show

from latentlab.api import load
from latentlab.core.latent_survey import LatentSurvey, factor_direction
from latentlab.core.messages import Images

FACTOR = "coverage"
AT = np.linspace(-3.0, 3.0, 13)
SATURATION, BRIGHTNESS = 0.5, 90
TOP = 0.2
"""Share of the picture's height taken by the score, which is coloured too."""


def measured_ink(images: Images) -> Array:
    """Return the share of each picture (N, H, W, 3) that has the strong colours of ink, (N,)."""
    field = images[:, round(TOP * images.shape[1]) :].astype(np.float64)
    high, low = field.max(axis=3), field.min(axis=3)
    inked = (high - low > SATURATION * high) & (high > BRIGHTNESS)
    return np.asarray(inked.mean(axis=(1, 2)))


def judge(run: Path, count: int) -> dict[str, Any]:
    """Find the direction, walk along it, and measure.

    Returns
    -------
    dict
        ``measure_correlation``: of the measured and the true coverage over the originals. ``spread``: standard
        deviation of the codes along the direction. In sigmas of the ``prior`` and of the ``data``: ``coverage_``, the
        mean measured coverage at each place; ``monotonic_``, whether it rises all the way; ``rising_``, share of the
        single pictures that end above where they began.
    """
    model = load(run)
    data = model.data()
    truth = (data.factors["coverage_a"] + data.factors["coverage_b"]).astype(np.float32)
    train, held_out = data.train_index, data.test_index[:count]
    mu = model.encode(data.images[train]).mu
    survey = LatentSurvey(model.step, model.info, np.asarray(train), mu, factors={FACTOR: truth[train]})
    way = factor_direction(survey, FACTOR)
    unit = way / np.linalg.norm(way)
    spread = float((mu @ unit).std())
    codes = model.encode(data.images[held_out]).mu
    ink = measured_ink(np.asarray(data.images[held_out]))
    facts: dict[str, Any] = {
        "step": model.step,
        "pictures": len(held_out),
        "measure_correlation": float(np.corrcoef(ink, truth[held_out])[0, 1]),
        "spread": spread,
    }
    for unit_name, middle, sigma in (("prior", 0.0, 1.0), ("data", float((mu @ unit).mean()), spread)):
        places = np.float32(middle) + np.float32(sigma) * AT.astype(np.float32)
        away = codes - (codes @ unit)[:, None] * unit
        shares = np.stack([measured_ink(model.decode(away + place * unit)) for place in places])
        coverage = shares.mean(axis=1)
        facts[f"coverage_{unit_name}"] = {f"{s:+.1f}": float(share) for s, share in zip(AT, coverage, strict=True)}
        facts[f"monotonic_{unit_name}"] = bool((np.diff(coverage) > 0).all())
        facts[f"rising_{unit_name}"] = float((shares[-1] > shares[0]).mean())
    return facts


def main() -> int:
    """Print what the direction does; 1 where the coverage does not rise all the way."""
    parser = argparse.ArgumentParser(description="Measure the direction of ink coverage of an arena run.")
    parser.add_argument("run", type=Path, nargs="?", metavar="RUN")
    parser.add_argument("--steps", type=int, default=400, help="steps to train where there is no RUN (default 400)")
    parser.add_argument("-n", type=int, default=200, metavar="N", help="held-out pictures to move (default 200)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = args.run or Path(folder) / "arena"
        if args.run is None:
            command = [sys.executable, "-m", "latentlab", "train", "vae-arena", "--out", str(run)]
            subprocess.run([*command, "--steps", str(args.steps)], check=True, stdout=subprocess.DEVNULL)
        facts = judge(run, args.n)
    show(facts, as_json=args.json)
    return 0 if facts["monotonic_prior"] else 1


if __name__ == "__main__":
    sys.exit(main())
