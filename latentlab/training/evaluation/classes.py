"""How well a semi-supervised model tells classes apart by its own q(y|x) (Kingma et al. 2014)."""

from __future__ import annotations

from collections.abc import Callable, Set

import torch
from torch import Tensor

from latentlab.training.evaluation.subject import Findings, Subject


def measure_classes(subject: Subject, wanted: Set[str]) -> Findings:
    """Measure accuracy, confusion matrix (rows: the truth, columns: the guess) and entropy of q(y|x)."""
    classify: Callable[[Tensor], Tensor] = getattr(subject.model, "class_probabilities")  # noqa: B009 - ssvae has it
    count = subject.info.num_classes
    confusion = torch.zeros(count, count, dtype=torch.int64)
    entropies = []
    for images in subject.batches("Classes"):
        with torch.no_grad():
            q_BK = classify(images.x_BCHW).double().cpu()
        entropies.append(entropy(q_BK))
        if images.y_B is not None:
            confusion += confusion_matrix(images.y_B.cpu(), q_BK.argmax(1), count)
    found = Findings({"class_entropy": float(torch.cat(entropies).mean())})
    if int(confusion.sum()):
        found.values["accuracy"] = float(confusion.diagonal().sum() / confusion.sum())
        found.details["confusion"] = confusion.tolist()
    return found


def entropy(q_BK: Tensor) -> Tensor:
    """Return the entropy of each row of probabilities, (B,) nats."""
    return -torch.xlogy(q_BK, q_BK).sum(1)


def confusion_matrix(truth_B: Tensor, guess_B: Tensor, count: int) -> Tensor:
    """Return how often class i was taken for class j, (K, K) int64; truths below 0 are unknown and left out."""
    known = truth_B >= 0
    pairs = truth_B[known] * count + guess_B[known]
    return torch.bincount(pairs, minlength=count * count).reshape(count, count)
