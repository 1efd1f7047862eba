"""Whether samples of the prior differ from one another as much as images do, and lie where images lie."""

from __future__ import annotations

from collections.abc import Set

import numpy as np
import torch

from latentlab.training.class_samples import compare
from latentlab.training.evaluation.subject import Findings, Subject

SAMPLES = 1_000
# Differences of numbers per comparison: all pairs of 1,000 digits, or of 400 frames of 121x65 in colour.
_WORK = 4_000_000_000


def measure_samples(subject: Subject, wanted: Set[str]) -> Findings:
    """Compare samples with as many images: within classes where the model is told the class, else all together."""
    rows, labels = subject.rows, subject.data.labels
    if subject.info.conditional and labels is not None:
        rows = rows[labels[rows] >= 0]
    rows = subject.some(rows, min(SAMPLES, max(2, int((_WORK / subject.elements) ** 0.5))), "compared images")
    if len(rows) < 2:
        return Findings()
    classes = labels[rows] if subject.info.conditional and labels is not None else np.zeros(len(rows), np.int64)
    y_N = torch.from_numpy(classes.astype(np.int64))
    told = y_N if subject.info.conditional else None
    real = torch.cat([images.x_BCHW.flatten(1) for images in subject.batches("Images", rows)])
    samples = torch.cat([x_BCHW.flatten(1) for x_BCHW, _ in subject.samples(len(rows), "samples", told)])
    return Findings(compare(real, samples, y_N.to(real.device)), {"compared_images": len(rows)})
