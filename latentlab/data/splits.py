"""Train and test rows: deterministic by seed, stratified by class, never through a group; and hidden labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from latentlab.core.messages import Ints

Rng = np.random.Generator


def _rows(train: list[Ints], test: list[Ints]) -> tuple[Ints, Ints]:
    empty = np.empty(0, dtype=np.int64)
    return np.sort(np.concatenate([empty, *train])), np.sort(np.concatenate([empty, *test]))


def split_given(is_test: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return the rows of a split that comes with the data, (N,) bool."""
    return np.flatnonzero(~is_test).astype(np.int64), np.flatnonzero(is_test).astype(np.int64)


def split_stratified(count: int, labels: Ints | None, test_fraction: float, seed: int) -> tuple[Ints, Ints]:
    """Split ``count`` pictures at random, each class by the same fraction.

    A class of two or more pictures gives at least one to each side. Pictures of unknown class (-1)
    are treated as one more class.
    """
    rng = np.random.default_rng([seed, 1])
    train: list[Ints] = []
    test: list[Ints] = []
    strata = np.zeros(count, dtype=np.int64) if labels is None else labels
    for label in np.unique(strata):
        rows = rng.permutation(np.flatnonzero(strata == label).astype(np.int64))
        share = min(max(round(len(rows) * test_fraction), 1), len(rows) - 1)
        test.append(rows[:share])
        train.append(rows[share:])
    return _rows(train, test)


def split_by_group(groups: Ints, labels: Ints | None, test_fraction: float, seed: int) -> tuple[Ints, Ints]:
    """Split by whole groups, taking test groups from the classes in turn.

    At least one group goes to each side; a single group is split into two contiguous blocks, so
    that neighbouring pictures still stay together.
    """
    numbers, first = np.unique(groups, return_index=True)
    if len(numbers) < 2:
        cut = min(max(round(len(groups) * (1 - test_fraction)), 1), len(groups) - 1)
        rows = np.arange(len(groups), dtype=np.int64)
        return rows[:cut], rows[cut:]
    rng = np.random.default_rng([seed, 2])
    classes = np.zeros(len(numbers), dtype=np.int64) if labels is None else labels[first]
    wanted = min(max(round(len(numbers) * test_fraction), 1), len(numbers) - 1)
    held_out = _take_in_turn(numbers, classes, wanted, rng)
    return split_given(np.isin(groups, held_out))


def _take_in_turn(numbers: Ints, classes: Ints, wanted: int, rng: Rng) -> Ints:
    """Return ``wanted`` of ``numbers``, as evenly over ``classes`` as possible."""
    order = rng.permutation(len(numbers))
    seen: dict[int, int] = {}
    turns = np.empty(len(numbers), dtype=np.int64)
    for row in order:
        turns[row] = seen.get(int(classes[row]), 0)
        seen[int(classes[row])] = turns[row] + 1
    by_turn = order[np.argsort(turns[order], kind="stable")]
    return numbers[by_turn[:wanted]]


def hide_labels(labels: Ints, train_index: Ints, keep: int | float, seed: int) -> Ints:
    """Return a copy of ``labels`` in which each class keeps some of its training labels, the others -1.

    ``keep`` is a number of labels per class or, as a float in (0, 1], a share of them, of which each class keeps
    at least one.

    Test labels stay, so that accuracy can be measured.
    """
    rng = np.random.default_rng([seed, 3])
    hidden = labels.copy()
    train_labels = labels[train_index]
    for label in np.unique(train_labels[train_labels >= 0]):
        rows = rng.permutation(train_index[train_labels == label])
        kept = keep if isinstance(keep, int) else max(1, round(keep * len(rows)))
        hidden[rows[kept:]] = -1
    return hidden
