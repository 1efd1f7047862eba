"""What a straight line can read from the means of q(z|x): classes and attributes (Alain & Bengio 2017)."""

from __future__ import annotations

import warnings
from collections.abc import Set

import numpy as np
import numpy.typing as npt
import torch

from latentlab.core.messages import Floats, Ints
from latentlab.training.evaluation.subject import Findings, Subject

TRAINED_ON = 10_000
_ITERATIONS = 1_000


def measure_probe(subject: Subject, wanted: Set[str]) -> Findings:
    """Measure how well classes and attributes can be read from the latents."""
    data = subject.data
    fitted = subject.some(subject.training_rows(), TRAINED_ON, "probe")
    if "attribute_probe_accuracy" not in wanted and data.labels is not None:
        known = subject.training_rows()
        fitted = subject.some(known[data.labels[known] >= 0], TRAINED_ON, "probe")
    train, test = _means(subject, fitted, "Probe: training images"), _means(subject, subject.rows, "Probe")
    found = Findings()
    if "probe_accuracy" in wanted and data.labels is not None:
        accuracy = probe(train, data.labels[fitted], test, data.labels[subject.rows])
        if accuracy is not None:
            found.values["probe_accuracy"] = accuracy
    if "attribute_probe_accuracy" in wanted and data.attributes is not None:
        rates = _attributes(train, data.attributes[fitted], test, data.attributes[subject.rows])
        if len(rates):
            found.details["attribute_probe"] = {data.attribute_names[a]: rate for a, rate in rates.items()}
            found.values["attribute_probe_accuracy"] = float(np.mean(list(rates.values())))
    if subject.split == "train":
        found.notes.append("The probe is fitted to training images, and so knows what it is measured on here.")
    return found


def probe(train_ND: Floats, train_N: Ints, test_MD: Floats, test_M: Ints, *, balanced: bool = False) -> float | None:
    """Return the accuracy on test points of a logistic regression fitted to training points.

    Dimensions are standardised by the training points; labels below 0 are unknown and left out.

    Parameters
    ----------
    balanced
        Average the hit rates of the classes instead of counting hits.

    Returns
    -------
    float or None
        None where fewer than two classes are there to fit, or nothing to test.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    seen, asked = train_N >= 0, test_M >= 0
    if len(np.unique(train_N[seen])) < 2 or not asked.any():
        return None
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=_ITERATIONS))
    with warnings.catch_warnings():
        # Near the optimum is near enough: what is measured is the accuracy, not the coefficients.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train_ND[seen], train_N[seen])
    hits = model.predict(test_MD[asked]) == test_M[asked]
    if not balanced:
        return float(hits.mean())
    return float(np.mean([hits[test_M[asked] == k].mean() for k in np.unique(test_M[asked])]))


def _attributes(
    train_ND: Floats, train_NA: npt.NDArray[np.int8], test_MD: Floats, test_MA: npt.NDArray[np.int8]
) -> dict[int, float]:
    """Return the balanced accuracy of each attribute that both occurs and is absent in both sets."""
    rates = {}
    for a in range(train_NA.shape[1]):
        train_N, test_M = train_NA[:, a].astype(np.int64), test_MA[:, a].astype(np.int64)
        if not {0, 1} <= set(test_M.tolist()):
            continue
        rate = probe(train_ND, train_N, test_MD, test_M, balanced=True)
        if rate is not None:
            rates[a] = rate
    return rates


def _means(subject: Subject, rows: Ints, what: str) -> Floats:
    means = [subject.encode(images).mu_BD.cpu() for images in subject.batches(what, rows)]
    return torch.cat(means).numpy() if means else np.zeros((0, subject.info.latent_dim), np.float32)
