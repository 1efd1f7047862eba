import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.data.splits import hide_labels, split_by_group, split_stratified


@given(st.integers(2, 300), st.integers(1, 5), st.floats(0.01, 0.5), st.integers(0, 1000))
def test_every_picture_is_on_exactly_one_side(count, classes, fraction, seed):
    labels = np.arange(count) % classes
    train, test = split_stratified(count, labels, fraction, seed)
    assert sorted([*train, *test]) == list(range(count))
    assert list(train) == sorted(train)


def test_each_class_gives_the_same_share():
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    _, test = split_stratified(160, labels, 0.2, 5)
    assert np.bincount(labels[test]).tolist() == [20, 10, 2]


def test_the_seed_decides():
    first, again, other = (split_stratified(100, None, 0.1, seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_two_pictures_give_one_to_each_side():
    train, test = split_stratified(2, None, 0.01, 0)
    assert (len(train), len(test)) == (1, 1)


def test_a_single_picture_of_a_class_is_trained_on():
    train, test = split_stratified(11, np.array([0] * 10 + [1]), 0.5, 0)
    assert 10 in train
    assert len(test) == 5


@given(st.integers(2, 40), st.floats(0.01, 0.5), st.integers(0, 100))
def test_groups_never_part(groups, fraction, seed):
    group_of = np.repeat(np.arange(groups), 3)
    train, test = split_by_group(group_of, group_of % 3, fraction, seed)
    assert not set(group_of[train]) & set(group_of[test])
    assert len(train) + len(test) == len(group_of)
    assert len(train)
    assert len(test)


def test_test_groups_are_taken_from_the_classes_in_turn():
    group_of = np.repeat(np.arange(60), 2)
    labels = group_of % 6
    _, test = split_by_group(group_of, labels, 0.1, 3)
    assert np.bincount(labels[test], minlength=6).tolist() == [2] * 6


def test_a_single_group_is_cut_once():
    train, test = split_by_group(np.zeros(10, dtype=np.int64), None, 0.2, 0)
    assert train.tolist() == list(range(8))
    assert test.tolist() == [8, 9]


def test_hidden_labels_leave_so_many_per_class_and_the_test_side_alone():
    labels = np.arange(90) % 3
    train = np.arange(60)
    hidden = hide_labels(labels, train, 4, 0)
    assert np.bincount(hidden[train][hidden[train] >= 0]).tolist() == [4, 4, 4]
    assert (hidden[60:] == labels[60:]).all()
    kept = hidden >= 0
    assert (hidden[kept] == labels[kept]).all()
    assert (labels >= 0).all(), "the original must not be changed"


@pytest.mark.parametrize("per_class", [20, 1000])
def test_more_labels_than_there_are_hide_none(per_class):
    labels = np.arange(60) % 3
    assert (hide_labels(labels, np.arange(60), per_class, 0) == labels).all()
