"""Gathers what the grids below the picture can be made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentlab.core.explore_data import ExploreData
from latentlab.core.latent_grids import NamedPoint
from latentlab.core.latent_state import LatentPoint, sample_z
from latentlab.core.saved_points import SavedPoint
from latentlab.ui.pages.explore_pane import HERE, Scene
from latentlab.ui.widgets.latent_slider_list import LatentSliderList

SEEDS = (1, 2, 3, 4)


class Choices:
    """Points by name; all but the present one are kept until what they come from changes."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._fixed: dict[str, NamedPoint] = {}

    def of(self, point: LatentPoint, data: ExploreData | None, saved: Sequence[SavedPoint]) -> dict[str, NamedPoint]:
        """Return the present point, the origin, some seeds, the class means, and the kept points."""
        dim, label = len(point.z), point.label
        key = (dim, label, id(data), tuple(kept.name for kept in saved), tuple(id(kept) for kept in saved))
        if key != self._key:
            self._key = key
            origin = NamedPoint("origin", np.zeros(dim, dtype=np.float32), label)
            found = [origin, *(NamedPoint(f"seed {seed}", sample_z(seed, dim), label) for seed in SEEDS)]
            if data is not None and data.dim == dim:
                found += [
                    NamedPoint(f"mean of {data.class_names[k]}", data.class_means[k], k) for k in data.known_classes()
                ]
            found += [NamedPoint(f"point {kept.name}", kept.point.z, kept.point.label) for kept in saved]
            self._fixed = {named.name: named for named in found}
        return {HERE: NamedPoint(HERE, point.z, label)} | self._fixed


def make_scene(
    point: LatentPoint, sliders: LatentSliderList, choices: dict[str, NamedPoint], class_names: tuple[str, ...]
) -> Scene:
    """Return the scene of a point and its sliders."""
    return Scene(point, sliders.axes, sliders.order, sliders.current, sliders.spans, choices, class_names)
