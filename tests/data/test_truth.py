from __future__ import annotations

import numpy as np

from latentlab.core.recipe_data import DataConfig
from latentlab.data.catalog import load_dataset


def test_hidden_labels_are_kept_aside_for_measuring():
    whole = load_dataset(DataConfig(spec="digits"))
    few = load_dataset(DataConfig(spec="digits", labelled_per_class=2))
    np.testing.assert_array_equal(few.truth, whole.labels)
    np.testing.assert_array_equal(whole.truth, whole.labels)
    shown = few.labels >= 0
    assert not shown.all()
    np.testing.assert_array_equal(few.truth[shown], few.labels[shown])
