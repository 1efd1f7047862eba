"""What the Condition page shows, as columns to decode and as what an exported picture keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from latentlab.core.class_mixture import one_class
from latentlab.core.messages import Floats, ModelInfo
from latentlab.core.picture_origin import Origin
from latentlab.ui.page_state import PageState
from latentlab.ui.pages.condition_grid import Column, StyleGrid, attribute_columns, class_columns
from latentlab.ui.pages.condition_panel import MOST_STYLES, ConditionPanel
from latentlab.ui.widgets.class_picker import class_names


def columns_of(info: ModelInfo, panel: ConditionPanel) -> list[Column]:
    """Return the columns of the grid: classes and the mixture, or attributes where there are no classes."""
    if info.conditional:
        return class_columns(class_names(info.class_names, info.num_classes), panel.mixture.shares)
    chips = panel.attributes
    moves = chips.moves()
    return [Column("as is")] if moves is None else attribute_columns(chips.names, moves)


def state_of(
    panel: ConditionPanel, shown: StyleGrid | None, row: int, label: int, own_style: Floats | None
) -> PageState:
    """Return what brings the grid back: the chosen cell's z and class, and how the rows and columns were made."""
    if shown is None:
        return PageState()
    mixture, chips = panel.mixture, panel.attributes
    view: dict[str, Any] = {
        "styles": panel.styles.value(),
        "temperature": panel.seeds.temperature,
        "row": row,
        "column": label,
        "own_style": None if own_style is None else own_style.astype(float).tolist(),
        "shares": mixture.bars.shares.astype(float).tolist() if mixture.shares is not None else None,
        "gumbel": [mixture.temperature.value(), mixture.seed],
        "attributes": {name: sign for name, sign in zip(chips.names, chips.signs, strict=True) if sign},
    }
    labels = np.array([shown.columns[label].label]) if shown.conditional else None
    return PageState(shown.z_of(row, label)[None], labels, panel.seeds.seed.value(), view)


def bring_back(panel: ConditionPanel, origin: Origin, info: ModelInfo) -> tuple[int, int, Floats | None]:
    """Set the controls as an exported picture says; return row, column and the picture's own style.

    What is missing or odd is left as it is: a picture of the command line knows z and class only.
    """
    view = origin.view
    if origin.seed is not None:
        panel.seeds.set_seed(origin.seed)
    temperature = _number(view.get("temperature"), panel.seeds.temperature)
    panel.seeds.set_temperature(temperature)
    panel.styles.blockSignals(True)
    panel.styles.setValue(min(MOST_STYLES, max(1, int(_number(view.get("styles"), panel.styles.value())))))
    panel.styles.blockSignals(False)
    if info.conditional:
        shares = _array(view.get("shares"), info.num_classes)
        panel.mixture.set_shares(one_class(0, info.num_classes) if shares is None else shares)
    draws = view.get("gumbel")
    if isinstance(draws, list) and len(draws) == 2:
        panel.mixture.set_draws(_number(draws[0], 0.67), int(_number(draws[1], 0)))
    panel.attributes.set_signs([0] * len(panel.attributes.names))
    label = origin.labels[0] if origin.labels else 0
    if origin.z and (not view or view.get("attributes") or not info.conditional):
        # Directions of attributes are found anew with every survey: the point itself is what comes back exactly.
        return 0, label, _array(origin.z[0], info.latent_dim)
    own = _array(view.get("own_style"), info.latent_dim)
    return int(_number(view.get("row"), 0)), int(_number(view.get("column"), label)), own


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else default


def _array(value: object, size: int) -> Floats | None:
    if not isinstance(value, Sequence) or len(value) != size:
        return None
    try:
        return np.asarray(value, dtype=np.float32)
    except (ValueError, TypeError):
        return None
